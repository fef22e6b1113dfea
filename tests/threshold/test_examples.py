"""The two functions as a library has them, and the example that uses them."""

import importlib.util
import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from quorate import threshold
from quorate.errors import Refused
from quorate.threshold.keys import PublicKey
from tests.docs.project import PROJECT


def test_the_example_makes_a_signature_that_other_programs_accept() -> None:
    path = PROJECT / "examples" / "threshold_signature.py"
    spec = importlib.util.spec_from_file_location("threshold_signature", path)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    order = os.urandom(40)
    key, signature = example.prescription(order)
    Ed25519PublicKey.from_public_bytes(key).verify(signature, order)


@pytest.mark.parametrize(("n", "k"), [(2, 2), (4, 3)])
def test_a_key_is_generated_and_its_shares_are_combined(n: int, k: int) -> None:
    shares, public = threshold.generate_key(n, k, os.urandom)
    made = [threshold.commit(share, os.urandom) for share in shares[-k:]]
    package = threshold.package(b"m", [sent for _, sent in made])
    parts = [
        threshold.sign(share, kept, package)
        for share, (kept, _) in zip(shares[-k:], made, strict=True)
    ]
    threshold.verify(public.group, b"m", threshold.combine(public, package, parts))


@pytest.mark.parametrize(("n", "k"), [(3, 1), (3, 4), (1, 1), (0, 0)])
def test_a_rule_that_is_none_makes_no_key(n: int, k: int) -> None:
    with pytest.raises(Refused):
        threshold.generate_key(n, k, os.urandom)


def test_one_source_of_randomness_gives_one_key() -> None:
    """Every draw comes from the argument: nothing else makes keys differ."""
    draws = [bytes([k]) * 64 for k in range(1, 40)]

    def replay() -> PublicKey:
        left = iter(draws)
        return threshold.generate_key(3, 2, lambda size: next(left)[:size])[1]

    assert replay() == replay()
    assert threshold.generate_key(3, 2, os.urandom)[1] != replay()
