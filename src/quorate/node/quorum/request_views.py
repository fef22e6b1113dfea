"""What the API says of any request: who asks, who answered, for whom it waits."""

from quorate.errors import Refused
from quorate.node.quorum.quorum import Quorum
from quorate.node.quorum.records import RequestEntry
from quorate.node.quorum.views import AnswerView, RequestView, RoleBody
from quorate.quorum.answer import SignedAnswer
from quorate.quorum.key import Key
from quorate.quorum.key_plan import KeyPlan, Roles
from quorate.threshold.policy import Role
from quorate.wire import ABSENT, Absent


def made_key(quorum: Quorum, name: str) -> Key:
    """Return the key of that name, if it exists already. Raises `NotFound`, `Refused`."""
    entry = quorum.records.find_key(name)
    if entry.key is None:
        raise Refused(
            f"key {entry.plan.name} is {entry.state.value}: it does not exist yet",
            hint=f"quorate key show {entry.plan.name}",
        )
    return entry.key


def roles_of(policy: str, roles: tuple[RoleBody, ...]) -> Roles | Absent:
    """Return a policy as a person gave it; nothing if it is empty. Raises `Refused`."""
    if roles and not policy:
        raise Refused("roles are of a policy", hint='add for example --policy "2 of ROLE, ROLE"')
    if not policy:
        return ABSENT
    return Roles(policy, tuple(Role(role.name, role.members) for role in roles))


def request_view(quorum: Quorum, entry: RequestEntry, untold: tuple[str, ...] = ()) -> RequestView:
    request, records = entry.request, quorum.records
    key = records.key_of(request.key)
    answers = records.answers(request.digest())
    answered = {signed.answer.member for signed in answers}
    return RequestView(
        id=request.short_id,
        digest=request.digest().hex(),
        key=key.plan.name,
        rule=key.plan.wanted_for(request.type),
        requester=request.requester,
        reason=request.reason,
        created=request.created,
        expires=request.expires,
        state=entry.state.value,
        note=entry.note,
        holders=key.plan.names,
        answers=answer_views(answers),
        waits_for=tuple(name for name in key.plan.names if name not in answered),
        untold=untold,
    )


def witnesses_of(plan: KeyPlan) -> str:
    """Return whose shares wait until a request is published, in words; empty if nobody's do."""
    if plan.witnesses is ABSENT:
        return ""
    names = " and ".join(plan.witnesses.names)
    return f"{names}, once it stands in the logs of {plan.witnesses.members} members"


def answer_views(answers: tuple[SignedAnswer, ...]) -> tuple[AnswerView, ...]:
    return tuple(
        AnswerView(member=a.member, word=a.word, reason=a.reason, time=a.time)
        for a in (signed.answer for signed in answers)
    )
