"""Pictures as files that a person named."""

from pathlib import Path
from typing import TYPE_CHECKING

from quorate.errors import Unavailable

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save(figure: "Figure", path: Path) -> None:
    """Write a figure as what its path ends with says. Raises `Unavailable`."""
    try:
        figure.savefig(path)
    except (OSError, ValueError) as e:
        raise Unavailable(f"{path} cannot be drawn: {e}", hint="name it .svg or .png") from None
