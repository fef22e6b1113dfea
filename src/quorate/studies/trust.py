"""Whom a study trusts with rows, and how many rows one that may see them takes.

    trust = "mpc"            # the default: nobody sees another's rows
    trust = "third-party"    # one member sees every row the study needs
    third_party = "north"    # this one

A study whose records are noised one by one trusts nobody, and says so under [privacy].
"""

from typing import Literal

from quorate.errors import MalformedStudy
from quorate.studies.privacy import EACH_RECORD, THIRD, Privacy
from quorate.studies.schema import check_text, refuse, shown

Trust = Literal["mpc", "third-party"]
MPC: Trust = "mpc"
THIRD_PARTY: Trust = "third-party"
TRUSTS: tuple[Trust, ...] = (MPC, THIRD_PARTY)

MOST_VALUES = 1 << 27
"""Of one member, rows times columns: 1 GiB."""


def trust_of(value: object, place: str) -> Trust:
    """Return a model of trust as it is written. Raises `MalformedStudy`."""
    for one in TRUSTS:
        if value == one:
            return one
    what = f"{place}: {shown(str(value))} is not a model of trust"
    raise MalformedStudy(what, hint=f"known: {', '.join(TRUSTS)}")


def check_trust(trust: str, third_party: str, privacy: Privacy | None) -> None:
    """Refuse a study that contradicts itself on whom it trusts. Raises `MalformedStudy`."""
    is_third = trust_of(trust, "trust") == THIRD_PARTY
    if is_third:
        check_text("third_party", third_party, 32)
    elif third_party:
        refuse("third_party", "named, and the study does not trust one", f'trust = "{THIRD_PARTY}"')
    if privacy is None or is_third == (privacy.noise == THIRD):
        return
    if privacy.noise == EACH_RECORD:
        refuse("privacy.noise", "on each record, and a third party is trusted with records")
    refuse("privacy.noise", f'must be "{THIRD}" where a third party is trusted, and nowhere else')
