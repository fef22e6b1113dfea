"""A key dealt by one hand: only here, the product has no dealer."""

import os

from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Scalar
from quorate.threshold import sharing
from quorate.threshold.access import Access
from quorate.threshold.keys import KeyShare, PublicKey, Purpose


def deal(
    max_signers: int, min_signers: int, purpose: Purpose = "sign"
) -> tuple[tuple[KeyShare, ...], PublicKey]:
    f = sharing.polynomial(ed.random_scalar(os.urandom), min_signers, os.urandom)
    return of_polynomial(f, max_signers, purpose)


def of_polynomial(
    f: tuple[Scalar, ...], max_signers: int, purpose: Purpose = "sign"
) -> tuple[tuple[KeyShare, ...], PublicKey]:
    public = PublicKey(purpose, max_signers, sharing.commit(f))
    shares = (KeyShare(i, sharing.evaluate(f, i), public) for i in public.identifiers())
    return tuple(shares), public


def verify_share(share: Scalar, identifier: int, commitment: sharing.Commitment) -> None:
    Access(len(commitment), sharing.MAX_SIGNERS).verify_share(share, identifier, commitment)
