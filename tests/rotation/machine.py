"""The state machine of both stores: all events in any order, with time moving.

Never two active keys, never none; never a destroyed key needed; no code refused within its life but by compromise; none
accepted after a compromise's answer; a dead worker delays an activation by the freshness of its report, no more.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from codes.issue import IssuedCode
from codes.lifecycle import GateRefused
from codes.ring import KeyState
from tests.rotation.world import ALIVE, FRESH, LEAD, MAX_AGE, POLL, SKEW, CutOff, Store, Verifier, Worker


class Rotating(RuleBasedStateMachine):
    """A store, up to four workers, three verifiers, and every code that was issued."""

    def make_store(self) -> Store:
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        self.store = self.make_store()
        self.begun = 0
        self.workers: list[Worker] = []
        self.start_worker(60)
        self.start_worker(60)
        self.verifiers = [Verifier(-SKEW), Verifier(0), Verifier(SKEW)]
        self.codes: list[IssuedCode] = []
        self.stolen: dict[bytes, float] = {}  # kid -> when the compromise was answered
        self.urgent: dict[bytes, float] = {}  # a replacement's kid -> when it was made, published to nobody before

    # What custodians do

    @rule(at_once=st.booleans())
    def rotate(self, at_once: bool) -> None:
        self.store.rotate(at_once)

    @rule(which=st.integers(0, 5), to=st.sampled_from([s for s in KeyState if s is not KeyState.COMPROMISED]))
    def ask_for_a_transition(self, which: int, to: KeyState) -> None:
        kids = list(self.store.states())
        self._try(kids[-1 - which % len(kids)], to)

    @precondition(lambda self: KeyState.RETIRING in self.store.states().values())
    @rule()
    def roll_back(self) -> None:
        self._try(self._first(KeyState.RETIRING), KeyState.ACTIVE)

    @precondition(lambda self: KeyState.RETIRED in self.store.states().values())
    @rule(to=st.sampled_from([KeyState.PENDING, KeyState.DESTROY_SCHEDULED]))
    def restore_or_doom(self, to: KeyState) -> None:
        self._try(self._first(KeyState.RETIRED), to)

    @rule(which=st.integers(0, 9))
    def compromise(self, which: int) -> None:
        kids = [kid for kid, state in self.store.states().items() if state in ALIVE]
        kid = kids[which % len(kids)]
        before = self.store.states()
        replacement = self.store.compromise(kid)
        for gone, state in self.store.states().items():
            if state is KeyState.COMPROMISED and before.get(gone) is not KeyState.COMPROMISED:
                self.stolen[gone] = self.store.now()
        assert (replacement is not None) == (before[kid] is KeyState.ACTIVE)
        if replacement:
            self.urgent[replacement] = self.store.now()

    # What workers do and suffer

    @precondition(lambda self: len(self.workers) < 4)
    @rule(life=st.sampled_from([5, 60, 300]))
    def start_worker(self, life: int) -> None:
        self.begun += 1
        self.workers.append(Worker(self.begun, self.store, life))

    @precondition(lambda self: len(self.workers) > 1)
    @rule(which=st.integers(0, 3))
    def kill_worker_without_goodbye(self, which: int) -> None:
        self.workers.pop(which % len(self.workers))

    @rule(which=st.integers(0, 3))
    def cut_or_join(self, which: int) -> None:
        worker = self.workers[which % len(self.workers)]
        worker.cut = not worker.cut

    @rule(which=st.integers(0, 3))
    def issue(self, which: int) -> None:
        worker = self.workers[which % len(self.workers)]
        if worker.cut:
            return
        code = worker.issue()
        assert code.kid not in self.stolen, "a code issued after a compromise's answer carries that kid"
        self.codes.append(code)

    @rule(at_once=st.booleans(), seconds=st.sampled_from([1, 30, 150]))
    def rotate_under_load(self, at_once: bool, seconds: int) -> None:
        """What custodians do while everybody is at work."""
        self._work()
        self.store.rotate(at_once)
        self.let_time_pass(seconds)
        self._work()

    def _work(self) -> None:
        for number in range(len(self.workers)):
            self.issue(number)
            self.scan_every_code(number)

    @rule(seconds=st.sampled_from([1, 7, 15, 31, 60, 61, 145, 300, 500, 800]))
    def let_time_pass(self, seconds: int) -> None:
        """Workers poll; one of those that reach the database runs the schedule."""
        while seconds > 0:
            step = min(seconds, POLL)
            self.store.move(step)
            seconds -= step
            for worker in self.workers:
                if not worker.cut:
                    worker.refresh()
            if any(not worker.cut for worker in self.workers):
                self.store.tick()

    # What is seen from outside

    @rule(source=st.integers(0, 3))
    def scan_every_code(self, source: int) -> None:
        worker = self.workers[source % len(self.workers)]
        for code in self._good():
            if not worker.cut:
                assert worker.resolve(code.text) == (code.kid not in self.stolen)
            if code.kid in self.stolen or self._too_new(code.kid):
                continue
            for verifier in self.verifiers:
                self._check_offline(verifier, code, worker)

    def _check_offline(self, verifier: Verifier, code: IssuedCode, worker: Worker) -> None:
        try:
            accepted = verifier.accepts(code.text, self.store.now(), worker)
        except CutOff:
            return  # nobody to ask: it says so, and judges nothing
        assert accepted, "a verifier that does as Cache-Control says refused a good code"

    @rule(source=st.integers(0, 3))
    def scan_stolen_codes_offline(self, source: int) -> None:
        """No verifier keeps a key that was stolen longer than its key set lives."""
        worker = self.workers[source % len(self.workers)]
        for code in self._good():
            since = self.stolen.get(code.kid)
            if since is None or self.store.now() <= since + MAX_AGE + POLL + 1:
                continue
            for verifier in self.verifiers:
                try:
                    assert not verifier.accepts(code.text, self.store.now(), worker, look=True)
                except CutOff:
                    continue

    @invariant()
    def one_active_key(self) -> None:
        states = list(self.store.states().values())
        assert states.count(KeyState.ACTIVE) == 1
        assert states.count(KeyState.PENDING) <= 1
        self.store.ring().issuing()

    @invariant()
    def no_good_code_needs_a_key_that_is_gone(self) -> None:
        states = self.store.states()
        for code in self._good():
            assert states[code.kid] in ALIVE or code.kid in self.stolen

    def teardown(self) -> None:
        """Whoever died or is cut off, the next key becomes active."""
        if not hasattr(self, "store"):
            return
        self.store.rotate(True)
        (pending,) = [kid for kid, state in self.store.states().items() if state is KeyState.PENDING]
        for worker in self.workers:
            worker.cut = True
        self.workers.append(Worker(99, self.store, 60))
        self.let_time_pass(LEAD + FRESH + POLL)
        assert self.store.states()[pending] is KeyState.ACTIVE

    def _try(self, kid: bytes, to: KeyState) -> None:
        before = self.store.states()
        try:
            self.store.transition(kid, to)
        except GateRefused:
            assert self.store.states() == before, "a refusal changed something"

    def _good(self) -> list[IssuedCode]:
        now = self.store.now()
        self.codes = [code for code in self.codes if now <= code.exp]
        return self.codes

    def _too_new(self, kid: bytes) -> bool:
        """A replacement is published only when it is made: until a lead later verifiers have to look for it."""
        return self.store.now() <= self.urgent.get(kid, float("-inf")) + LEAD

    def _first(self, state: KeyState) -> bytes:
        return next(kid for kid, found in self.store.states().items() if found is state)
