"""Keys that a group holds and nobody owns: generated together, used together.

`generate_key` makes the private shares and the public key; signers `commit`,
`package` gathers, each `sign`s, and `combine` makes one signature of all.
"""

from quorate.threshold.frost import aggregate as combine
from quorate.threshold.frost import commit, package, sign, verify
from quorate.threshold.generate import generate_key

__all__ = ["combine", "commit", "generate_key", "package", "sign", "verify"]
