"""One key in place of another, asked of the holders of both as they are asked for an order.

The document of such a request is the statement; what each key signs is what
`quorate.threshold.succession` says, so that anybody who knows the old key finds
the new one with two ordinary Ed25519 signatures. Unreviewed.
"""

from quorate.errors import MalformedMessage, Refused, VerificationFailed
from quorate.quorum.key import Key
from quorate.quorum.request import Request
from quorate.studies import document
from quorate.studies.schema import check_text
from quorate.studies.times import check_time
from quorate.threshold.succession import (
    SignedSuccession,
    Succession,
    acceptance_input,
    succession_input,
)

STATEMENT, TAG = "succession statement 1", "succession 1"
MAX_REASON = 500


def statement_to_text(statement: Succession) -> str:
    return document.write(STATEMENT, statement)


def statement_from_text(text: str, key: Key) -> Succession:
    """Return the statement that `key` is asked to sign. Raises `MalformedMessage`, `Refused`."""
    statement = document.read(STATEMENT, text, Succession)
    check_time(statement.decided)
    check_text("the reason", statement.reason, MAX_REASON)
    if statement.number < 1 or statement.old == statement.new:
        raise MalformedMessage("a statement names no successor")
    if key.public.group not in (statement.old, statement.new):
        raise Refused(f"the statement is of other keys than {key.plan.name}")
    return statement


def message_of(request: Request, text: str, key: Key) -> bytes:
    """Return the bytes that `key` signs for a request. Raises `MalformedMessage`, `Refused`."""
    if request.type != "succeed":
        return request.message()
    statement = statement_from_text(text, key)
    if key.public.group == statement.old:
        return succession_input(statement)
    return acceptance_input(statement)


def words_of(text: str, key: Key) -> tuple[str, ...]:
    """Return a statement in plain words, for who is asked to sign it with `key`."""
    statement = statement_from_text(text, key)
    giving = key.public.group == statement.old
    mine, other = (statement.old, statement.new) if giving else (statement.new, statement.old)
    said = "gives up, and names as its successor" if giving else "takes the place of"
    return (
        f"key {key.plan.name} ({mine.hex()[:16]}) {said} {other.hex()[:16]}",
        f"succession {statement.number}, decided {statement.decided}: {statement.reason}",
        *(("from then on the old key's word counts for nothing but this",) if giving else ()),
    )


def succession_to_json(signed: SignedSuccession) -> str:
    return document.write(TAG, signed)


def succession_from_json(text: str) -> SignedSuccession:
    """Return the succession a file holds, not yet verified. Raises `MalformedMessage`."""
    signed = document.read(TAG, text, SignedSuccession)
    try:
        check_time(signed.statement.decided)
    except Refused as e:
        raise VerificationFailed(str(e)) from None
    return signed
