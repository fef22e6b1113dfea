"""Who is signed in: kept in the console's memory, known to a browser by a random cookie.

A session ends after a working day, at sign-out, or with the console's process.
Nothing is noted of when it was last used: that would tell when somebody wrote.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

SESSION_S = 8 * 3600.0
MAX_SESSIONS = 10_000
TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Session:
    """One person at one browser; `csrf` stands in every form it is shown."""

    name: str
    csrf: str = field(repr=False)
    until_s: float


@dataclass(frozen=True, slots=True)
class Sessions:
    """All sessions. `clock` counts seconds and never goes back."""

    clock: Callable[[], float]
    randomness: Callable[[int], bytes] = field(repr=False)
    kept: dict[bytes, Session] = field(default_factory=dict, repr=False)

    def begin(self, name: str) -> str:
        """Return the cookie of a new session; beyond 10,000 the oldest ends."""
        self._forget()
        if len(self.kept) >= MAX_SESSIONS:
            del self.kept[next(iter(self.kept))]
        token = self.randomness(TOKEN_BYTES).hex()
        until_s = self.clock() + SESSION_S
        self.kept[_digest(token)] = Session(name, self.randomness(TOKEN_BYTES).hex(), until_s)
        return token

    def of(self, token: str) -> Session | None:
        """Return the session of a cookie, if it has not ended."""
        session = self.kept.get(_digest(token))
        return session if session is not None and session.until_s > self.clock() else None

    def end(self, token: str) -> None:
        self.kept.pop(_digest(token), None)

    def _forget(self) -> None:
        now = self.clock()
        for digest in [one for one, session in self.kept.items() if session.until_s <= now]:
            del self.kept[digest]


def is_form_of(session: Session, told: str) -> bool:
    """Return whether what a form told is what this session's forms hold."""
    return hmac.compare_digest(session.csrf.encode(), told.encode())


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
