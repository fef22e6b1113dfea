"""A doctor, a pharmacist and a nurse hold one key; any two of them sign with it."""

import os

from quorate.threshold import combine, commit, generate_key, package, sign


def prescription(order: bytes) -> tuple[bytes, bytes]:
    """Return the group's public key and its Ed25519 signature of `order`."""
    (doctor, _, nurse), public = generate_key(3, 2, os.urandom)  # nobody has the key itself

    of_doctor, from_doctor = commit(doctor, os.urandom)
    of_nurse, from_nurse = commit(nurse, os.urandom)
    asked = package(order, [from_doctor, from_nurse])  # to both: what they are about to sign

    parts = [sign(doctor, of_doctor, asked), sign(nurse, of_nurse, asked)]
    return public.group, combine(public, asked, parts)


if __name__ == "__main__":
    key, signature = prescription(b"10 mg morphine, once")
    print(f"key        {key.hex()}\nsignature  {signature.hex()}")
