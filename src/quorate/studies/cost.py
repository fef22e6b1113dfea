"""What running a plan costs each member, known before anything runs."""

from quorate.mpc import additive
from quorate.mpc.additive import Cost

SIGNATURE_BYTES = 64


def run_cost(members: int, numbers: int) -> Cost:
    """Return the cost of a run of `numbers` aggregates among `members`, for each of them.

    The secure sum, then one round of signatures under the certificate.
    """
    total = additive.cost(members, numbers)
    return Cost(total.rounds + 1, total.bytes_sent + (members - 1) * SIGNATURE_BYTES)
