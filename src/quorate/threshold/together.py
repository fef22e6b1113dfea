"""A group signature in the middle of a session, where all holders are there anyway.

Who holds what: each holder a share, or nothing it can use now. Those who can
sign do; all get the signature. Adversary, and what a wrong share proves, as in
`quorate.threshold.frost` and `statement`: the echo of the commitments and the
statement of each signer keep the honest from being framed. Unreviewed.
"""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.algebra.edwards25519 import Randomness
from quorate.errors import Abort
from quorate.threshold import frost, statement
from quorate.threshold.frost import NonceCommitment
from quorate.threshold.keys import KeyShare, PublicKey, seat
from quorate.threshold.statement import SignedShare
from quorate.transport.session import Session


@dataclass(frozen=True, slots=True)
class GroupSigner:
    """One holder's part in a signature of the group; seat i of the session has identifier i + 1."""

    public: PublicKey
    share: KeyShare | None = field(repr=False)  # nothing where it cannot be used now
    identity: Ed25519PrivateKey = field(repr=False)
    identities: tuple[bytes, ...]
    randomness: Randomness = field(repr=False)

    async def sign(self, session: Session, session_id: bytes, message: bytes) -> bytes:
        """Return the group's signature of `message`, the same at all. Raises `Abort`.

        Cost: 3 rounds, 321 * (n - 1) bytes a party that signs, of at most 23
        """
        nonces, mine = None, None
        if self.share is not None:
            nonces, mine = frost.commit(self.share, self.randomness)
        everyones = await session.broadcast(Committed(mine))
        self._check(session, everyones)
        commitments = [one.commitment for one in everyones if one.commitment is not None]
        if not self.public.access.suffice(one.identifier for one in commitments):
            raise Abort(
                f"only {len(commitments)} members can use their shares of the group's key",
                hint="unlock their nodes: quorate node unlock",
            )
        package = frost.package(message, commitments)
        signed = None
        if self.share is not None and nonces is not None:
            digest = statement.package_digest(session_id, self.public, package)
            signed = statement.state(self.identity, digest, frost.sign(self.share, nonces, package))
        answers = await session.exchange(Signed(signed))
        shares = [self._share(package.identifiers, p, one) for p, one in enumerate(answers)]
        given = [share for share in shares if share is not None]
        return statement.aggregate(self.public, session_id, package, given, self.identities)

    def _check(self, session: Session, everyones: "tuple[Committed, ...]") -> None:
        for party, one in enumerate(everyones):
            if one.commitment is not None and seat(one.commitment.identifier) != party:
                name = session.names[party]
                raise Abort(f"{name} committed in another's place", suspects=[party])

    def _share(self, signers: tuple[int, ...], party: int, one: "Signed") -> SignedShare | None:
        if party + 1 not in signers:
            return None
        if one.share is None or seat(one.share.share.identifier) != party:
            raise Abort("a member committed and did not sign", suspects=[party])
        return one.share


@dataclass(frozen=True, slots=True)
class Committed:
    """A holder's commitment, if it can sign."""

    commitment: NonceCommitment | None


@dataclass(frozen=True, slots=True)
class Signed:
    """A holder's share under its own name, if it signs."""

    share: SignedShare | None
