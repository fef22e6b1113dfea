"""Whom a study trusts with rows, and how many rows one that may see them takes.

    trust = "mpc"            # the default: nobody sees another's rows
    trust = "third-party"    # one member sees every row the study needs
    third_party = "north"    # this one
    trust = "enclave"        # a measured program sees them, on a machine of one member
    [enclave]                # which: `studies.enclosed`

A study whose records are noised one by one trusts nobody, and says so under [privacy].
"""

from typing import Literal

from quorate.errors import MalformedStudy
from quorate.studies.privacy import (
    EACH_RECORD,
    ENCLOSED,
    IN_ONE_PLACE,
    JOINTLY,
    THIRD,
    Noise,
    Privacy,
)
from quorate.studies.schema import check_text, refuse, shown

Trust = Literal["mpc", "third-party", "enclave"]
MPC: Trust = "mpc"
THIRD_PARTY: Trust = "third-party"
ENCLAVE: Trust = "enclave"
TRUSTS: tuple[Trust, ...] = (MPC, THIRD_PARTY, ENCLAVE)

_DRAWN_BY: dict[str, Noise] = {THIRD_PARTY: THIRD, ENCLAVE: ENCLOSED}

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
    if privacy is not None:
        _check_noise(trust, privacy.noise)


def noise_where(trust: Trust) -> Noise:
    """Return who draws noise where a study does not say: whoever is trusted with rows."""
    return _DRAWN_BY.get(trust, JOINTLY)


def _check_noise(trust: str, noise: Noise) -> None:
    due = _DRAWN_BY.get(trust)
    if noise == due or (due is None and noise not in IN_ONE_PLACE):
        return
    if noise == EACH_RECORD:
        refuse("privacy.noise", f"on each record, and the {due} is trusted with records")
    if due is None:
        refuse("privacy.noise", f'is "{noise}", and the study does not trust one')
    refuse("privacy.noise", f'must be "{due}" where the {due} is trusted with rows')
