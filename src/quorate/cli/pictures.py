"""Pictures of results, where the extra `plots` is installed."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.errors import Unavailable

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def fields(count: int) -> tuple["Figure", list[Any]]:
    """Return a figure and as many fields in it, one below the other. Raises `Unavailable`."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise Unavailable("pictures take matplotlib", hint="pip install 'quorate[plots]'") from None
    figure = Figure(figsize=(5, 3 * count), layout="constrained")
    return figure, list(figure.subplots(count, squeeze=False)[:, 0])


def save(figure: "Figure", path: Path) -> None:
    """Write a figure as what its path ends with says. Raises `Unavailable`."""
    try:
        figure.savefig(path)
    except (OSError, ValueError) as e:
        raise Unavailable(f"{path} cannot be drawn: {e}", hint="name it .svg or .png") from None
