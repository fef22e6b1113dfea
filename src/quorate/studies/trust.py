"""Whom a study trusts with rows, and how many rows one that may see them takes.

    trust = "mpc"            # the default: nobody sees another's rows
    trust = "third-party"    # one member sees every row the study needs
    third_party = "north"    # this one

A study whose records are noised one by one trusts nobody, and says so under [privacy].
"""

from typing import Literal, cast

from quorate.studies.privacy import EACH_RECORD, THIRD, Privacy
from quorate.studies.schema import check_text, refuse, shown

MPC, THIRD_PARTY = "mpc", "third-party"
Trust = Literal["mpc", "third-party"]
TRUSTS = (MPC, THIRD_PARTY)

MOST_VALUES = 1 << 27
"""Of one member, rows times columns: 1 GiB."""


def trust_of(value: object, place: str) -> Trust:
    """Return a model of trust as it is written. Raises `MalformedStudy`."""
    if value not in TRUSTS:
        refuse(place, f"{shown(str(value))} is not a model of trust", f"known: {', '.join(TRUSTS)}")
    return cast("Trust", value)


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
