"""Whether to ask somebody who may not answer. Knows time only through the clock it is given."""

from collections import deque
from collections.abc import Callable

FAILURES = 3
WITHIN_SECONDS = 10.0
PROBE_SECONDS = 5.0


class Breaker:
    """Closed: everyone asks. Open: one in PROBE_SECONDS does, and a success closes it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._next_probe: float | None = None

    @property
    def is_open(self) -> bool:
        return self._next_probe is not None

    def allows(self) -> bool:
        """May this one ask? While open, a yes is a probe: the next is PROBE_SECONDS away."""
        if self._next_probe is None:
            return True
        now = self._clock()
        if now < self._next_probe:
            return False
        self._next_probe = now + PROBE_SECONDS
        return True

    def succeeded(self) -> None:
        self._failures.clear()
        self._next_probe = None

    def failed(self) -> None:
        now = self._clock()
        self._failures.append(now)
        is_full = len(self._failures) == FAILURES
        if self.is_open or (is_full and now - self._failures[0] <= WITHIN_SECONDS):
            self._next_probe = now + PROBE_SECONDS
