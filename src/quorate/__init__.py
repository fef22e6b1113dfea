"""A group that does not trust one another computes, signs, unlocks and speaks as one."""

from typing import TYPE_CHECKING

__all__ = ["connect"]
__version__ = "0.1.0"

if TYPE_CHECKING:
    from quorate.notebook.node import connect
else:

    def __getattr__(name: str) -> object:
        """Return `connect`, imported when it is wanted: a command does without."""
        if name == "connect":
            from quorate.notebook.node import connect

            return connect
        raise AttributeError(f"quorate has no {name}")
