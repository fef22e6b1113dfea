"""How often one browser may ask: a bucket of tokens for each, refilled as time goes by."""

from collections.abc import Callable
from dataclasses import dataclass, field

MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `burst` at once, and `per_s` a second from then on, for each key."""

    clock: Callable[[], float]
    burst: float
    per_s: float
    kept: dict[str, tuple[float, float]] = field(default_factory=dict, repr=False)

    def allows(self, key: str) -> bool:
        """Take a token, if there is one left."""
        now = self.clock()
        left, at = self.kept.pop(key, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.per_s)
        if len(self.kept) >= MOST_KEYS:
            del self.kept[next(iter(self.kept))]  # the one that has been quiet longest
        self.kept[key] = (max(left - 1, 0.0) if left >= 1 else left, now)
        return left >= 1
