"""The approvals of a request, as they travel with what came of it."""

from collections.abc import Iterable
from datetime import datetime

from quorate.errors import Refused, VerificationFailed
from quorate.quorum.answer import SignedAnswer, approvals, verify_answer
from quorate.quorum.key import Key
from quorate.quorum.key_plan import KeyPlan
from quorate.quorum.request import Request, is_over
from quorate.threshold.keys import seat


def verify_approvals(request: Request, plan: KeyPlan, words: tuple[SignedAnswer, ...]) -> None:
    """Raise `VerificationFailed` unless enough holders approved, each once, in their order."""
    names = [signed.answer.member for signed in words]
    if names != [name for name in plan.names if name in names]:
        raise VerificationFailed("the answers are not one a holder, in their order")
    for signed in words:
        verify_answer(plan.holders, signed)
        check_counts(request, signed)
    if not plan.suffice(names, request.type):
        raise VerificationFailed(_too_few(request, plan, names))


def check_may_answer(
    request: Request, plan: KeyPlan, identifier: int, words: Iterable[SignedAnswer], at: datetime
) -> None:
    """Raise `Refused` unless this holder's share may act for a request at the time `at`.

    The request is not over, and as many holders as its kind needs have approved it, this one too.
    """
    if is_over(request.expires, at):
        raise Refused("the request is over", hint="ask for it again")
    approving = approvals(plan.holders, request.digest(), words, at)
    names = [signed.answer.member for signed in approving]
    if plan.names[seat(identifier)] not in names:
        raise Refused("this member has not approved the request")
    if not plan.suffice(names, request.type):
        raise Refused(_too_few(request, plan, names))


def _too_few(request: Request, plan: KeyPlan, names: list[str]) -> str:
    return f"{len(names)} holders approved, where {plan.wanted_for(request.type)} must"


def check_counts(request: Request, signed: SignedAnswer) -> None:
    """Raise `VerificationFailed` unless an answer is an approval of this very request, in time."""
    answer = signed.answer
    if answer.subject != request.digest() or answer.word != "approve":
        raise VerificationFailed(f"the answer of {answer.member} approves another request")
    if answer.expires != request.expires:
        raise VerificationFailed(f"the answer of {answer.member} has another expiry")
    if is_over(request.expires, datetime.fromisoformat(answer.time)):
        raise VerificationFailed(f"{answer.member} answered when the request was over")


def answers_of(key: Key, words: Iterable[SignedAnswer]) -> tuple[SignedAnswer, ...]:
    """Return approvals in the order of holders, as an order carries them."""
    by_name = {signed.answer.member: signed for signed in words}
    return tuple(by_name[name] for name in key.plan.names if name in by_name)
