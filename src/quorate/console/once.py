"""What is given out to be brought back once and soon: challenges, and where a sign-on began."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

LASTS_S = 300.0
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Once(Generic[T]):
    """Things by the random bytes under which they were given out."""

    clock: Callable[[], float]
    kept: dict[bytes, tuple[float, T]] = field(default_factory=dict, repr=False)

    def keep(self, name: bytes, thing: T) -> None:
        """Keep a thing for five minutes; beyond 10,000 the oldest is forgotten."""
        if len(self.kept) >= MOST:
            del self.kept[next(iter(self.kept))]
        self.kept[name] = (self.clock() + LASTS_S, thing)

    def take(self, name: bytes) -> T | None:
        """Return what was kept, the first time and in time."""
        until_s, thing = self.kept.pop(name, (0.0, None))
        return thing if until_s > self.clock() else None
