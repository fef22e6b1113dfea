"""Sessions, limits, what is given out once, and settings, on a clock of our own."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.console import settings
from quorate.console.limits import Limit
from quorate.console.once import LASTS_S, Once
from quorate.console.sessions import MAX_SESSIONS, SESSION_S, Sessions, is_form_of
from quorate.console.settings import Settings
from quorate.errors import Error, NotFound, Refused, Unavailable


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_session_lasts_a_working_day_however_much_it_is_used() -> None:
    clock = Clock()
    sessions = Sessions(clock, os.urandom)
    token = sessions.begin("anna")
    clock.now = SESSION_S - 1
    assert sessions.of(token) is not None
    clock.now = SESSION_S
    assert sessions.of(token) is None
    sessions.begin("bert")
    assert len(sessions.kept) == 1


def test_sessions_are_bounded_and_the_oldest_ends_first() -> None:
    sessions = Sessions(Clock(), os.urandom)
    tokens = [sessions.begin("anna") for _ in range(MAX_SESSIONS + 1)]
    assert len(sessions.kept) == MAX_SESSIONS
    assert sessions.of(tokens[0]) is None
    assert sessions.of(tokens[-1]) is not None


def test_a_form_holds_the_word_of_its_own_session() -> None:
    sessions = Sessions(Clock(), os.urandom)
    first, second = (sessions.of(sessions.begin("anna")) for _ in range(2))
    assert first is not None
    assert second is not None
    assert is_form_of(first, first.csrf)
    assert not is_form_of(first, second.csrf)
    assert not is_form_of(first, "é")
    assert first.csrf not in repr(first)


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_no_key_is_allowed_more_than_its_burst_and_its_rate(pauses: list[float]) -> None:
    clock = Clock()
    limit = Limit(clock, burst=5, per_s=0.5)
    allowed = 0
    for pause in pauses:
        clock.now += pause
        allowed += limit.allows("one")
    assert allowed <= 5 + clock.now * 0.5 + 1e-6
    assert limit.allows("another")


def test_what_is_given_out_comes_back_once_and_in_time() -> None:
    clock = Clock()
    once: Once[str] = Once(clock)
    once.keep(b"a", "thing")
    assert once.take(b"a") == "thing"
    assert once.take(b"a") is None
    once.keep(b"b", "thing")
    clock.now = LASTS_S
    assert once.take(b"b") is None


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (Settings("0.0.0.0:1", "https://north.example"), "takes a certificate"),
        (Settings("127.0.0.1:1", "http://north.example"), "https only"),
        (Settings("127.0.0.1:1", "https://north.example/path"), "an origin is"),
        (Settings("127.0.0.1:1", "https://north.example", certificate="c"), "takes its key"),
        (Settings("127.0.0.1:1", "http://localhost:1", issuer="https://i"), "takes an issuer"),
        (Settings("nowhere", "http://localhost:1"), "not host:port"),
    ],
)
def test_a_console_that_would_not_be_safe_is_refused(
    wrong: Settings, why: str, tmp_path: Path
) -> None:
    with pytest.raises(Error, match=why):
        settings.write(tmp_path, wrong)
    assert not list(tmp_path.iterdir())


def test_settings_are_kept_and_read(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        settings.read(tmp_path)
    whole = Settings("127.0.0.1:8700", "https://north.example", behind_proxy=True)
    settings.write(tmp_path, whole)
    assert settings.read(tmp_path) == whole
    (tmp_path / "console.toml").write_text('listen = "127.0.0.1:1"\nspeed = 3\n')
    with pytest.raises(Unavailable, match="not understood"):
        settings.read(tmp_path)


def test_a_certificate_lets_others_reach_it() -> None:
    settings.check(Settings("0.0.0.0:443", "https://north.example", "cert.pem", "key.pem"))
    with pytest.raises(Refused):
        settings.check(Settings("0.0.0.0:443", "https://north.example"))
