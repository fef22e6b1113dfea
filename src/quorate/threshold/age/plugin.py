"""What `age-plugin-quorate` says to an age program: the two conversations of age's plugins.

A conversation is stanzas over a pair of streams [AgePlugin24]. First the age
program tells all it has, then the plugin speaks and is answered each time. To
seal needs nothing else. To unlock asks an `Opener`, with one stanza of the
header and never the file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from quorate.algebra.edwards25519 import Point, Randomness
from quorate.errors import Error, MalformedMessage, Usage
from quorate.threshold import tdh2
from quorate.threshold.age import keys, x25519
from quorate.threshold.age.header import MAX_LINE, MAX_STANZAS, Readline, Stanza, read_stanza
from quorate.threshold.age.keys import Identity

PLAIN_HINT = "what is sealed to a group's plain key opens at its holders' nodes, not in this plugin"
MACHINES = ("recipient-v1", "identity-v1")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file key that somebody wants, and why."""

    identity: Identity
    sealed: tdh2.Ciphertext  # verified
    reason: str


_Match = tuple[Identity, tdh2.Ciphertext]


class Opener(Protocol):
    """Whoever can ask a quorum: a member's node."""

    def open(self, wanted: Wanted, tell: Callable[[str], None]) -> bytes:
        """Return the file key once enough holders have approved; `tell` shows progress.

        Raises `Error` where they do not.
        """
        ...


@dataclass(frozen=True, slots=True)
class Conversation:
    """The age program, at the other end of our standard input and output."""

    readline: Readline
    write: Callable[[bytes], object]  # at once

    def told(self) -> Iterator[Stanza]:
        """Yield what the age program says, up to its `done`."""
        for _ in range(2 * MAX_STANZAS):
            command = self._read()
            if command.kind == "done":
                return
            yield command
        raise MalformedMessage("the age program does not come to an end")

    def ask(self, *arguments: str, body: bytes = b"") -> Stanza:
        """Say one thing and return the answer."""
        self.write(Stanza(arguments, body).encode())
        return self._read()

    def show(self, message: str) -> None:
        self.ask("msg", body=_shown(message))

    def complain(self, *about: str, error: Error) -> None:
        hint = f" (hint: {error.hint})" if error.hint else ""
        self.ask("error", *about, body=_shown(f"{error}{hint}"))

    def end(self) -> None:
        self.write(Stanza(("done",), b"").encode())

    def _read(self) -> Stanza:
        return read_stanza(self.readline(MAX_LINE), self.readline)


def converse(
    machine: str,
    conversation: Conversation,
    randomness: Randomness,
    opener: Opener,
    reason: str = "",
) -> None:
    """Hold the conversation `machine`. Raises `Usage` for one that we do not know."""
    if machine == "recipient-v1":
        _seal(conversation, randomness)
    elif machine == "identity-v1":
        _unlock(conversation, opener, reason)
    else:
        raise Usage(
            f"age asks for {machine!r}, and this plugin knows {' and '.join(MACHINES)}",
            hint="use a version of age that knows one of them",
        )


def _seal(conversation: Conversation, randomness: Randomness) -> None:
    to: list[tuple[bytes, str]] = []
    file_keys: list[bytes] = []
    errors: list[tuple[str, int, Error]] = []
    counts = {"add-recipient": 0, "add-identity": 0}
    for command in conversation.told():
        if command.kind == "wrap-file-key":
            file_keys.append(command.body)
        elif command.kind in counts:
            try:
                to.append(_sealed_to(command))
            except Error as e:
                errors.append((command.kind.removeprefix("add-"), counts[command.kind], e))
            counts[command.kind] += 1
    if not errors:
        _send_stanzas(conversation, to, file_keys, randomness)
    for kind, place, error in errors:
        conversation.complain(kind, str(place), error=error)
    conversation.end()


def _sealed_to(command: Stanza) -> tuple[bytes, str]:
    text = _only_argument(command)
    if command.kind == "add-recipient":
        recipient = keys.parse_recipient(text)
        return recipient.public_key, recipient.record
    return keys.parse_identity(text).public_key, ""


def _send_stanzas(
    conversation: Conversation,
    to: list[tuple[bytes, str]],
    file_keys: list[bytes],
    randomness: Randomness,
) -> None:
    try:
        stanzas = [
            (str(place), keys.seal(public_key, record, file_key, randomness))
            for place, file_key in enumerate(file_keys)
            for public_key, record in to
        ]
    except Error as e:
        conversation.complain("internal", error=e)
        return
    for place, stanza in stanzas:
        conversation.ask("recipient-stanza", place, *stanza.arguments, body=stanza.body)


def _unlock(conversation: Conversation, opener: Opener, reason: str) -> None:
    texts: list[str] = []
    files: dict[str, list[Stanza]] = {}
    for command in conversation.told():
        if command.kind == "add-identity":
            texts.append(_only_argument(command))
        elif command.kind == "recipient-stanza" and len(command.arguments) > 2:
            stanza = Stanza(command.arguments[2:], command.body)
            files.setdefault(command.arguments[1], []).append(stanza)
    identities = _identities(conversation, texts)
    for place, stanzas in files.items() if identities else ():
        _unlock_one(conversation, opener, reason, identities, place, stanzas)
    conversation.end()


def _identities(conversation: Conversation, texts: list[str]) -> list[Identity]:
    """Return the identities, or none where one is not usable: it is complained of."""
    identities: list[Identity] = []
    for place, text in enumerate(texts):
        try:
            identities.append(keys.parse_identity(text))
        except Error as e:
            conversation.complain("identity", str(place), error=e)
            return []
    return identities


def _unlock_one(
    conversation: Conversation,
    opener: Opener,
    reason: str,
    identities: list[Identity],
    file: str,
    stanzas: list[Stanza],
) -> None:
    """Send the file key of one file, or an error; nothing where none of it is for us."""
    found: _Match | None = None
    for place, stanza in enumerate(stanzas):
        try:
            match = _match(identities, stanza)
        except Error as e:
            conversation.complain("stanza", file, str(place), error=e)
            return
        found = found or match
    if found is None:
        if any(stanza.kind == x25519.KIND for stanza in stanzas):
            conversation.show(PLAIN_HINT)
        return
    identity, sealed = found
    try:
        wanted = Wanted(identity, sealed, reason or _ask_reason(conversation, sealed))
        file_key = opener.open(wanted, conversation.show)
    except Error as e:
        conversation.complain("internal", error=e)
    else:
        conversation.ask("file-key", file, body=file_key)


def _match(identities: list[Identity], stanza: Stanza) -> _Match | None:
    if stanza.kind != keys.KIND:
        return None
    sealed = keys.sealed_in(stanza)
    for identity in identities:
        if keys.is_for(identity.public_key, sealed):
            tdh2.verify(Point(identity.public_key), sealed)
            return identity, sealed
    return None


def _ask_reason(conversation: Conversation, sealed: tdh2.Ciphertext) -> str:
    question = f"Why is {sealed.label.record} to be unlocked? The holders of the key will read it"
    answer = conversation.ask("request-public", body=question.encode())
    reason = answer.body.decode(errors="replace").strip()
    if answer.kind != "ok" or not reason:
        raise Usage("no reason was given", hint="type one, or set QUORATE_REASON")
    return reason


def _only_argument(command: Stanza) -> str:
    if len(command.arguments) != 2:
        raise MalformedMessage(f"{command.kind} says one thing, not {len(command.arguments) - 1}")
    return command.arguments[1]


def _shown(message: str) -> bytes:
    """Return words for a person's terminal, which other members' words must not steer."""
    return "".join(c if c.isprintable() else "?" for c in message).encode()
