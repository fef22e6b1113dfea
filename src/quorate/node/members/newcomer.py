"""How a node that is in no group becomes a member: it knocks with the token that it was sent.

The first roster is the one whose digest the inviting member signed; every later one is
verified from there. What the token says of the inviting node is as true as the way it came.
"""

from quorate.errors import Refused, VerificationFailed
from quorate.node.home import Home, split_address
from quorate.node.members.messages import Welcome
from quorate.node.members.records import RosterRecords
from quorate.node.store import Store
from quorate.quorum.history import History, verify_history
from quorate.quorum.invitation import Token, apply
from quorate.transport.dial import Seat
from quorate.transport.guests import knock


async def knock_with(home: Home, token: Token) -> Welcome:
    """Apply, or ask how far that has come. Raises what the inviting node does, `Unavailable`."""
    if home.group is not None:
        raise Refused(
            "this node is in another group already",
            hint="a node belongs to one group: set up another folder with quorate init",
        )
    inviter = token.inviter
    seat = Seat(inviter.name, *split_address(inviter.address), inviter.public_key)
    application = apply(token, home.member(), home.identity)
    welcome = await knock(seat, token.door(), application, Welcome, timeout_s=home.timeout_s)
    if welcome.first.digest() != token.invited.invitation.group:
        raise VerificationFailed("the group is not the one that the invitation is to")
    return welcome


def take_up(home: Home, welcome: Welcome) -> History | None:
    """Make the group this node's own; None while it is not listed.

    Raises `VerificationFailed`, `Refused`, and `Abort` naming who approved what cannot be.
    """
    history = verify_history(welcome.first, welcome.steps)
    if home.name not in history.now.names:
        return None
    home.join(history.now)
    store = Store(home.database)
    try:
        RosterRecords(store).keep_history(history)
    finally:
        store.close()
    return history
