/* How workers, the ring in the database and offline verifiers agree on keys (security.md, 3). Checked by test_model.py.
 *
 * Keys: K0 signs at first; K1 takes its place by a planned rotation; K2 is made when a key is stolen. One code at a time
 * is in front of a patient. Time goes in units and is kept as ages, so there is no end to it.
 * Each `#ifdef NO_…` takes one rule away; then an assertion fails: A1 no code is refused in its life, A2 none is issued
 * or accepted after a compromise's answer, A3 a dead worker does not hold the activation for ever.
 */
#define LIFE   1                 /* YIMA_CODE_LIFE */
#define MAXAGE 1                 /* YIMA_KEY_SET_MAX_AGE */
#define POLL   0                 /* YIMA_RING_POLL: less than a unit */
#define LEAD   (MAXAGE + POLL)   /* the least lead that `yima serve` accepts (below STALE, or HELD had nothing to do) */
#define STALE  2                 /* api/keeper.py RING_STALE_AFTER = models/key_rows.py REPORT_FRESH_SECONDS */
#define NOKEY  3
#define N      2                 /* workers; to keep it small one issues and one scans, both publish */
#define HAS(set, kid)  ((set >> kid) & 1)
#define GOOD(kid)      (state[kid] >= PENDING && state[kid] <= RETIRING)   /* codes/ring.py MAY: check */
#define NONE     0
#define PENDING  1
#define ACTIVE   2
#define RETIRING 3
#define RETIRED  4
#define STOLEN   5
byte state[3], signs;                       /* the key rows, the active key */
byte published, retiring;                   /* how long ago */
byte victim = NOKEY, shared, busy;
bool answered;                              /* whoever called `compromise` has its answer */
bool alive[N];
bool w_cur[N], w_new[N];                         /* a worker's ring is the last version; it is of K1's or later */
byte w_set[N], w_signs[N], w_age[N];             /* its keys, and its age, which is its report's too */
byte v_set, v_left, c_kid = NOKEY, c_left;       /* a verifier's key set, the patient's code: for how long yet */

#define FRESH(i)  (w_age[i] < STALE)                                 /* api/keeper.py fresh */
inline load(i) {                                                     /* api/keeper.py _load */
    d_step {
        w_cur[i] = true; w_new[i] = (state[1] != NONE); w_signs[i] = signs; w_age[i] = 0;
        w_set[i] = GOOD(0) | (GOOD(1) << 1) | (GOOD(2) << 2)
    }
}

#define TURN w_cur[0] = false; w_cur[1] = false                       /* models/key_rows.py turn_ring */

proctype Worker(byte i) {
    bool after, ok;
    byte kid;
    do
    :: !w_cur[i] || w_age[i] > 0 -> load(i)                          /* keep(): polled or hinted; it may never come */
    :: alive[i] = false; break                                       /* kill -9: its report stays */
    :: atomic { i == 0 && c_kid == NOKEY -> busy++; after = answered; ok = w_cur[i] }            /* the card's statement */
       atomic {                                                      /* api/patient/codes.py issue_code */
#ifndef NO_VERSION
           if :: !ok || !FRESH(i) -> load(i) :: else fi;             /* require_issuing */
#endif
           assert(!(after && w_signs[i] == victim));                 /* A2 */
           c_kid = w_signs[i]; c_left = LIFE; busy--; after = false; ok = false
       }
    :: atomic { i == 1 && c_kid != NOKEY -> busy++; kid = c_kid;     /* api/hospital/resolutions.py resolve_code */
           assert(c_kid != 1 || state[1] == STOLEN || !FRESH(i) || HAS(w_set[i], 1));   /* A1: no look-up */
           if :: !HAS(w_set[i], c_kid) -> load(i) :: else fi }       /* refresh_for */
       atomic {
#ifndef NO_LOCK
           shared++;                                                 /* resolve.sql: a shared lock, then the state */
#endif
           ok = GOOD(kid); assert(ok || state[kid] == STOLEN) }      /* A1 */
       atomic {                                                      /* it commits */
           assert(!(ok && answered && kid == victim));               /* A2 */
#ifndef NO_LOCK
           shared--;
#endif
           busy--; kid = 0; ok = false }
    od
}

proctype Verifier() {                                                /* fetches only as Cache-Control allows */
    byte i;
    do
    :: atomic { v_left == 0 -> select(i : 0 .. N - 1);
       if
#ifdef NO_FRESHNESS
       :: alive[i] ->
#else
       :: alive[i] && FRESH(i) ->                                    /* api/open/keys.py _current_ring */
#endif
          v_set = w_set[i];
#ifdef NO_AGED_SET
          v_left = MAXAGE
#else
          v_left = MAXAGE - (w_age[i] > POLL -> w_age[i] - POLL : 0) /* published_for */
#endif
       :: else
       fi; i = 0 }
    :: atomic { c_kid < 2 && v_left > 0 && state[c_kid] != STOLEN ->
       assert(HAS(v_set, c_kid)); skip }                             /* A1 (of K2 it learns by looking) */
    od
}

#ifdef NO_FRESHNESS
#define LAGS(i) (!w_new[i])
#else
#define LAGS(i) (!w_new[i] && FRESH(i))                              /* models/key_rows.py facts_of */
#endif
#ifdef NO_LEAD
#define LED true
#else
#define LED (published >= LEAD)
#endif
#ifdef NO_WORKER_GATE
#define HELD true
#else
#define HELD (!LAGS(0) && !LAGS(1))
#endif
#ifdef NO_LIFE_GATE
#define SPENT true
#else
#define SPENT (retiring > LIFE + MAXAGE)
#endif
#define UP(age, most)  age = (age < most -> age + 1 : most)
#define DOWN(left)     left = (left > 0 -> left - 1 : 0)

proctype Schedule() {                                                /* models/rotation.py tick, by the lease's holder */
    do
    :: atomic { state[1] == NONE && victim == NOKEY -> TURN; state[1] = PENDING; published = 0; w_new[0] = false; w_new[1] = false }
    :: atomic { state[1] == PENDING && LED && HELD ->
       TURN; state[0] = RETIRING; state[1] = ACTIVE; signs = 1; retiring = 0 }
    :: atomic { state[0] == RETIRING && SPENT -> TURN; state[0] = RETIRED }
    :: atomic { busy == 0 && !(state[1] == PENDING && LED && HELD) ->                    /* it ticks, then time passes */
       assert(!(state[1] == PENDING && published >= LEAD + STALE                         /* A3: only the dead lag */
                && (!alive[0] || w_new[0]) && (!alive[1] || w_new[1])));
       UP(published, LEAD + STALE); UP(retiring, LIFE + MAXAGE + 1); UP(w_age[0], STALE); UP(w_age[1], STALE);
       DOWN(v_left); c_kid = (c_left > 0 -> c_kid : NOKEY); DOWN(c_left) }
    od
}

proctype Custodian() {                                               /* models/rotation.py compromise */
    atomic {
#ifndef NO_LOCK
        shared == 0 ->                                               /* the same lock, exclusively */
#endif
        victim = signs; state[signs] = STOLEN; TURN;
        if :: state[1] == PENDING -> state[1] = STOLEN :: else fi;
        state[2] = ACTIVE; signs = 2
    }
    answered = true
}

init {
    atomic {
        state[0] = ACTIVE; alive[0] = true; alive[1] = true; load(0); load(1);
        run Worker(0); run Worker(1); run Verifier(); run Schedule(); run Custodian()
    }
}
