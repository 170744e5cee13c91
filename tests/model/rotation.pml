/* How workers, the ring in the database and offline verifiers agree on keys (security.md, 3). Checked by test_model.py.
 *
 * Keys: K0 signs at first; K1 takes its place by a planned rotation; K2 is made when a key is stolen. One code at a
 * time is in front of a patient. Time goes in units; a code lives 1, a key set 2, a poll takes 1, a ring is stale at 2.
 * Each `#ifdef NO_…` takes one rule away; then an assertion fails: A1 no code is refused in its life, A2 none is issued
 * or accepted after a compromise's answer, A3 a dead worker does not hold the activation for ever.
 */
#define LIFE   1                 /* YIMA_CODE_LIFE */
#define MAXAGE 2                 /* YIMA_KEY_SET_MAX_AGE */
#define POLL   1                 /* YIMA_RING_POLL */
#define LEAD   (MAXAGE + POLL)   /* the least lead that `yima serve` accepts; clocks are the database's: no skew */
#define STALE  2                 /* api/keeper.py RING_STALE_AFTER = models/key_rows.py REPORT_FRESH_SECONDS */
#define END    8
#define NOKEY  9
#define N      2                 /* workers */
#define HAS(set, kid)  ((set >> kid) & 1)
#define GOOD(kid)      (state[kid] == PENDING || state[kid] == ACTIVE || state[kid] == RETIRING) /* codes/ring.py MAY */

mtype = { NONE, PENDING, ACTIVE, RETIRING, RETIRED, STOLEN };
mtype state[3];
byte now, ver = 1, signs;                   /* models/key_rows.py: yima_now(), ring.version, the active key */
byte published_at, retiring_at, needs_ver;
byte victim = NOKEY, shared, busy;
bool answered;                              /* whoever called `compromise` has its answer */
bool alive[N];
byte w_ver[N], w_set[N], w_signs[N], w_at[N], r_ver[N], r_at[N];   /* a worker's ring; its row of ring_reports */
byte v_set, v_until, c_kid = NOKEY, c_exp;

#define FRESH(i)  (now < w_at[i] + STALE)                            /* api/keeper.py fresh */
inline load(i) {                                                     /* api/keeper.py _load: one snapshot, one report */
    d_step {
        w_ver[i] = ver; w_signs[i] = signs; w_at[i] = now; r_ver[i] = ver; r_at[i] = now;
        w_set[i] = GOOD(0) | (GOOD(1) << 1) | (GOOD(2) << 2);
    }
}

proctype Worker(byte i) {
    bool after, ok;
    byte kid;
    do
    :: load(i)                                                       /* keep(): polled or hinted; it may be late */
    :: alive[i] = false; break                                       /* kill -9: its report stays */
    :: now < END ->                                                  /* api/patient/codes.py issue_code */
       atomic { busy++; kid = ver; after = answered }                /* the card's statement reads the ring's version */
#ifndef NO_VERSION
       if :: kid != w_ver[i] || !FRESH(i) -> load(i) :: else fi;     /* require_issuing */
#endif
       atomic {
           assert(!(after && w_signs[i] == victim));                 /* A2 */
           c_kid = w_signs[i]; c_exp = now + LIFE; busy--; kid = 0
       }
    :: c_kid != NOKEY && now <= c_exp ->                             /* api/hospital/resolutions.py resolve_code */
       atomic {
           busy++; kid = c_kid; after = answered;
           assert(!(kid == 1 && FRESH(i) && !HAS(w_set[i], kid)))    /* A1: a planned key needs no look-up */
       }
       if :: !HAS(w_set[i], kid) -> load(i) :: else fi;              /* refresh_for */
#ifndef NO_LOCK
       atomic { shared < N -> shared++ }                             /* resolve.sql pg_advisory_xact_lock_shared */
#endif
       ok = GOOD(kid);                                               /* resolve.sql reads the key's state */
       atomic {
           assert(ok || kid == victim || state[kid] == STOLEN);      /* A1 */
           assert(!(ok && answered && kid == victim));               /* A2: it commits */
#ifndef NO_LOCK
           shared--;
#endif
           busy--; kid = 0; ok = false
       }
    od
}

proctype Verifier() {                                                /* a scanner that fetches as Cache-Control allows */
    byte i;
    do
    :: atomic { now >= v_until -> select(i : 0 .. N - 1);
       if
#ifdef NO_FRESHNESS
       :: alive[i] ->
#else
       :: alive[i] && FRESH(i) ->                                    /* api/open/keys.py _current_ring */
#endif
          v_set = w_set[i];
#ifdef NO_AGED_SET
          v_until = now + MAXAGE
#else
          v_until = now + MAXAGE - (now > w_at[i] + POLL -> now - w_at[i] - POLL : 0)   /* published_for */
#endif
       :: else
       fi; i = 0 }
    :: atomic { c_kid < 2 && now <= c_exp && now < v_until && state[c_kid] != STOLEN ->
       assert(HAS(v_set, c_kid)) }                                   /* A1 (K2 makes it look: an unknown kid) */
    od
}

#define LAGS(i) (r_ver[i] < needs_ver && COUNTS(i))                  /* models/key_rows.py facts_of */
#ifdef NO_FRESHNESS
#define COUNTS(i) true
#else
#define COUNTS(i) (now < r_at[i] + STALE)
#endif
#ifdef NO_LEAD
#define LED true
#else
#define LED (now >= published_at + LEAD)
#endif
#ifdef NO_WORKER_GATE
#define HELD true
#else
#define HELD (!LAGS(0) && !LAGS(1))
#endif
#ifdef NO_LIFE_GATE
#define SPENT true
#else
#define SPENT (now > retiring_at + LIFE + MAXAGE)
#endif

active proctype Schedule() {                                         /* models/rotation.py tick, by the lease's holder */
    do
    :: atomic { state[1] == NONE && victim == NOKEY -> ver++; state[1] = PENDING; published_at = now; needs_ver = ver }
    :: atomic { state[1] == PENDING && LED && HELD ->
       ver++; state[0] = RETIRING; state[1] = ACTIVE; signs = 1; retiring_at = now }
    :: atomic { state[0] == RETIRING && SPENT -> ver++; state[0] = RETIRED }
    :: atomic { now < END && busy == 0 && !(state[1] == PENDING && LED && HELD) ->   /* it ticks before time passes */
       assert(!(state[1] == PENDING && now >= published_at + LEAD + STALE            /* A3: only the dead lag */
                && (!alive[0] || r_ver[0] >= needs_ver) && (!alive[1] || r_ver[1] >= needs_ver)));
       now++ }
    od
}

active proctype Custodian() {                                        /* models/rotation.py compromise */
    atomic {
#ifndef NO_LOCK
        shared == 0 ->                                               /* pg_advisory_xact_lock, exclusive */
#endif
        victim = signs; state[signs] = STOLEN; ver++;
        if :: state[1] == PENDING -> state[1] = STOLEN :: else fi;
        state[2] = ACTIVE; signs = 2
    }
    answered = true
}

init {
    byte i;
    atomic {
        state[0] = ACTIVE; state[1] = NONE; state[2] = NONE;
        for (i : 0 .. N - 1) { alive[i] = true; load(i); run Worker(i) }
        run Verifier()
    }
}
