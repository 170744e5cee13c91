"""The table of scenarios. Read a row from the top: each line is one thing that happens, or what is then the case.

A lead is 200 s here, a key set is kept 100 s, a code lives 60 s, a key waits 7 days for its destruction.
Their models elsewhere: Keycloak's KeyRotationTest, TUF's rotation tables, Tink's handles.
"""

from typing import Final

from tests.rotation.office import (
    Change,
    Compromise,
    Decide,
    Keys,
    Look,
    Read,
    Rotate,
    Row,
    SameAnswerAsBefore,
    Scan,
    Scenario,
    Show,
    Step,
    Tick,
    Wait,
    Worker,
)

LEAD: Final = 201
LIFE: Final = 60 + 30 + 100 + 1
WEEK: Final = 604_801
ROTATED: Final[tuple[Step, ...]] = (Rotate(), Wait(LEAD), Tick(), Keys(("retiring", "active")))
RETIRED: Final[tuple[Step, ...]] = (*ROTATED, Wait(LIFE), Tick(), Keys(("retired", "active")))
DOOMED: Final[tuple[Step, ...]] = (
    *RETIRED,
    Change("K1", "destroy-scheduled", 202),
    Decide(),
    Keys(("destroy-scheduled", "active")),
)

SCENARIOS: Final = (
    # Planned
    Scenario(
        "a planned rotation, as the patient and the hospital see it: not at all",
        (
            *(Show("before"), Scan(201, "before")),
            *(Rotate(), Keys(("active", "pending")), Show("published"), Scan(201, "published")),
            *(Wait(LEAD - 20), Show("on the screen"), Wait(20), Tick(), Keys(("retiring", "active"))),
            *(Show("after"), Scan(201, "on the screen"), Scan(201, "after"), Read(200, "before")),
            *(Wait(LIFE), Tick(), Keys(("retired", "active")), Read(200, "before"), Show(), Scan()),
        ),
    ),
    Scenario(
        "a code in front of the patient when its key turns is good to its end, and not a second longer than others",
        (
            *(Rotate(), Wait(LEAD), Show("good"), Show("late"), Tick(), Keys(("retiring", "active"))),
            *(Wait(80), Tick(), Scan(201, "good"), Wait(20), Tick(), Scan("code-expired", "late")),
        ),
    ),
    Scenario(
        "ten rotations in a row; every code under each key was good",
        (
            *(
                step
                for n in range(10)
                for step in (Rotate(), Show(f"{n}"), Wait(30), Scan(201, f"{n}"), Wait(LEAD), Tick())
            ),
            *(Wait(LIFE), Tick(), Keys((*["retired"] * 10, "active")), Show(), Scan()),
        ),
    ),
    Scenario("too early to activate", (Rotate(), Change("K2", "active", "key-gate", gate="published-long-enough"))),
    Scenario(
        "a custodian activates once the lead has passed",
        (Rotate(), Wait(LEAD), Change("K2", "active"), Keys(("retiring", "active"))),
    ),
    Scenario("too early to retire", (*ROTATED, Change("K1", "retired", "key-gate", gate="still-in-use"))),
    Scenario("asked for twice: one pending key, the same", (Rotate(), Rotate(200), Keys(("active", "pending")))),
    Scenario(
        "asked for by two at once: the second is shown the first's",
        (Rotate(), Rotate(200, by="two"), Keys(("active", "pending"))),
    ),
    # Hands: no tag, an old tag, a double click, the wrong person
    Scenario("no If-Match", (*ROTATED, Change("K1", "active", 428, tag="none"))),
    Scenario("an If-Match that is none", (*ROTATED, Change("K1", "active", 412, tag="bad"))),
    Scenario(
        "a stale tab: the ring turned since the page was opened",
        (Look(), *ROTATED, Change("K1", "active", "version-conflict", tag="seen"), Keys(("retiring", "active"))),
    ),
    Scenario(
        "a double click: the first changes, the second finds another ring",
        (
            *(Rotate(), Wait(LEAD), Look(), Change("K2", "active", tag="seen"), Keys(("retiring", "active"))),
            *(Change("K2", "active", 412, tag="seen"), Keys(("retiring", "active"))),
        ),
    ),
    Scenario(
        "a double click on what takes two: one request",
        (
            *RETIRED,
            Look(),
            Change("K1", "pending", 202, tag="seen"),
            Change("K1", "pending", 202, tag="seen"),
            SameAnswerAsBefore(),
        ),
    ),
    Scenario(
        "an auditor changes nothing",
        (*ROTATED, Change("K1", "active", "not-allowed", by="auditor"), Rotate("not-allowed", by="auditor")),
    ),
    Scenario("a registrar cuts nothing off", (Compromise("K1", "not-allowed", by="registrar"), Keys(("active",)))),
    # Keys that are not there
    Scenario("a kid that is not there", (Change("00000000", "retired", 404), Compromise("00000000", 404))),
    Scenario("a kid that is not hexadecimal", (Change("zzzzzzzz", "retired", 404), Compromise("zzzzzzzz", 404))),
    Scenario(
        "a kid in capitals, too short, too long",
        (Compromise("ABCDEF01", 404), Compromise("abcd", 404), Compromise("00" * 5, 404)),
    ),
    # Two custodians
    Scenario(
        "a bad rotation is rolled back, in one transaction",
        (
            *(*ROTATED, Show("bad"), Change("K1", "active", 202), Keys(("retiring", "active"))),
            *(Decide(), Keys(("active", "retiring")), Show("back"), Scan(201, "bad"), Scan(201, "back")),
        ),
    ),
    Scenario(
        "nobody approves their own request",
        (*ROTATED, Change("K1", "active", 202), Decide("not-allowed", by="one"), Keys(("retiring", "active"))),
    ),
    Scenario(
        "refused by the second: it stays",
        (*ROTATED, Change("K1", "active", 202), Decide(approve=False), Keys(("retiring", "active")), Decide(409)),
    ),
    Scenario(
        "an approval after its key changed",
        (*ROTATED, Change("K1", "active", 202), Wait(LIFE), Tick(), Decide(412), Keys(("retired", "active"))),
    ),
    Scenario(
        "an approval that lapsed",
        (*RETIRED, Change("K1", "pending", 202), Wait(86_401), Decide(409), Keys(("retired", "active"))),
    ),
    Scenario(
        "approved twice by the same: the same answer",
        (*RETIRED, Change("K1", "pending", 202), Decide(), Decide(200), Keys(("pending", "active"))),
    ),
    Scenario(
        "asked again after it lapsed: a new request",
        (*RETIRED, Change("K1", "pending", 202), Wait(86_401), Change("K1", "pending", 202), Decide()),
    ),
    Scenario(
        "the gates are checked again when it is approved",
        (*RETIRED, Change("K1", "destroy-scheduled", 202), Row("K1", set="retain = true"), Decide("key-gate")),
    ),
    Scenario(
        "a retired key comes back, and signs again after a lead",
        (
            *(*RETIRED, Change("K1", "pending", 202), Decide(), Keys(("pending", "active"))),
            *(Change("K1", "active", "key-gate", gate="published-long-enough"), Wait(LEAD), Tick()),
            *(Keys(("active", "retiring")), Show(), Scan()),
        ),
    ),
    Scenario(
        "a retired key cannot come back beside a pending one",
        (*RETIRED, Rotate(), Change("K1", "pending", "key-gate", gate="one-pending")),
    ),
    # Destruction
    Scenario(
        "a key to be retained",
        (*RETIRED, Row("K1", set="retain = true"), Change("K1", "destroy-scheduled", "key-gate", gate="retained")),
    ),
    Scenario(
        "destruction called off by one",
        (
            *DOOMED,
            Wait(WEEK - 60),
            Change("K1", "retired"),
            Keys(("retired", "active")),
            Wait(WEEK),
            Tick(),
            Keys(("retired", "active")),
        ),
    ),
    Scenario(
        "destruction called off too late",
        (*DOOMED, Wait(WEEK), Change("K1", "retired", "key-gate", gate="already-due")),
    ),
    Scenario(
        "destroyed when it is due: the material is gone, the row stays, and nothing leads back",
        (
            *(*DOOMED, Tick(), Keys(("destroy-scheduled", "active")), Row("K1", "wrapped IS NOT NULL")),
            *(Wait(WEEK), Tick(), Keys(("destroyed", "active")), Row("K1", "wrapped IS NULL AND public IS NOT NULL")),
            *(Change("K1", "pending", "key-gate", gate="not-in-table"), Compromise("K1", "key-gate"), Show(), Scan()),
        ),
    ),
    Scenario(
        "retained at the last moment: it is not destroyed",
        (*DOOMED, Row("K1", set="retain = true"), Wait(WEEK), Tick(), Keys(("destroy-scheduled", "active"))),
    ),
    Scenario("no custodian destroys", (*DOOMED, Wait(WEEK), Change("K1", "destroyed", "key-gate", gate="actor"))),
    # Workers
    Scenario(
        "a live worker that lags holds the activation",
        (
            Worker(0),
            Rotate(),
            Wait(LEAD),
            Worker(1),
            Tick(),
            Keys(("active", "pending")),
            Change("K2", "active", "key-gate", gate="workers-hold-ring"),
        ),
    ),
    Scenario(
        "a worker that died without goodbye holds it while its report is fresh, no longer",
        (
            Rotate(),
            Wait(LEAD),
            Worker(1),
            Wait(55),
            Tick(),
            Keys(("active", "pending")),
            Wait(6),
            Tick(),
            Keys(("retiring", "active")),
        ),
    ),
    # Stolen keys
    Scenario(
        "the active key is stolen: its codes die at the answer, the next ones are under the replacement",
        (
            *(
                Show("stolen"),
                Show("used"),
                Scan(201, "used"),
                Rotate(),
                Compromise("K1"),
                Keys(("compromised", "compromised", "active")),
            ),
            *(Scan("code-not-authentic", "stolen"), Scan("code-not-authentic", "used"), Read("card-revoked", "used")),
            *(Show("new"), Scan(201, "new"), Decide("not-allowed", by="one"), Decide()),
        ),
    ),
    Scenario(
        "said twice: the same answer",
        (Compromise("K1"), Compromise("K1", by="two"), SameAnswerAsBefore(), Keys(("compromised", "active"))),
    ),
    Scenario(
        "a pending key is stolen: no replacement",
        (
            Rotate(),
            Compromise("K2"),
            Keys(("active", "compromised")),
            Rotate(),
            Keys(("active", "compromised", "pending")),
        ),
    ),
    Scenario(
        "a retiring key is stolen: the pending one goes too",
        (
            Rotate(),
            Wait(LEAD),
            Show(),
            Tick(),
            Rotate(),
            Compromise("K1"),
            Keys(("compromised", "active", "compromised")),
            Scan("code-not-authentic"),
        ),
    ),
    Scenario("a retired key is stolen", (*RETIRED, Compromise("K1"), Keys(("compromised", "active")))),
    Scenario(
        "a key to be destroyed is stolen: it stays, compromised",
        (*DOOMED, Compromise("K1"), Wait(WEEK), Tick(), Keys(("compromised", "active"))),
    ),
    Scenario(
        "nothing leads back from compromised",
        (
            Compromise("K1"),
            Change("K1", "pending", "key-gate", gate="not-in-table"),
            Change("K1", "active", "key-gate"),
        ),
    ),
    Scenario(
        "a compromise is no mere transition",
        (Change("K1", "compromised", "key-gate", gate="not-in-table"), Keys(("active",))),
    ),
    Scenario(
        "since when: resolutions before it stand, later ones end",
        (
            Show("before"),
            Scan(201, "before"),
            Wait(100),
            Show("after"),
            Scan(201, "after"),
            Compromise("K1", since=50),
            Read(200, "before"),
            Read("card-revoked", "after"),
        ),
    ),
    Scenario(
        "a suspicion in the future is one of now",
        (Show(), Scan(), Compromise("K1", since=-9_999), Row("K1", "revoked_since <= compromised_at")),
    ),
    Scenario("an unconfirmed compromise stays open after its day", (Compromise("K1"), Wait(86_401), Decide())),
)
