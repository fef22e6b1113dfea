"""Files on their way into a report and out of one, as `quorate report` handles them."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quorate.anonymous.attachments import MOST_BYTES, Attachment, Kind, kind_of
from quorate.errors import Refused, Unavailable

if TYPE_CHECKING:
    from quorate.node.anonymous.views import FileBody, FileView

_STAYS: dict[Kind, str] = {
    "jpeg": "what it shows, and a trace of the camera's noise",
    "png": "what it shows, and a trace of the camera's noise",
    "pdf": "what its pages show, text behind them, fonts, the manner of the program that wrote it",
}


def cleaned(paths: Sequence[Path], *, as_is: bool) -> tuple[Attachment, ...]:
    """Return the files without what tells their author, or as they are. Raises `Refused`.

    Each may fill its part of what a report takes.
    """
    return tuple(_cleaned(path, MOST_BYTES // len(paths), as_is=as_is) for path in paths)


def _cleaned(path: Path, at_most: int, *, as_is: bool) -> Attachment:
    try:
        data = path.read_bytes()
    except OSError as e:
        raise Unavailable(f"{path} cannot be read: {e.strerror}", hint="check the path") from None
    kind = kind_of(data)
    if as_is:
        return Attachment(kind, data)
    if kind == "other":
        raise Refused(
            f"{path.name} is no JPEG, PNG or PDF: what it tells of its author is not known",
            hint="make a PDF of it, or send it with all that is in it: --as-is",
        )
    try:
        from quorate.node.anonymous.documents import scrub_pdf
        from quorate.node.anonymous.pictures import scrub_picture
    except ImportError:
        raise Unavailable(
            "this installation cannot clean files", hint="pip install 'quorate[attachments]'"
        ) from None
    return scrub_pdf(data, at_most) if kind == "pdf" else scrub_picture(data, at_most)


def attached_lines(paths: Sequence[Path], files: Iterable[Attachment], *, as_is: bool) -> list[str]:
    """Return what a person reads of each file before it is sent: what stays in it."""
    return [
        f"{path.name}: {len(file.data):,} bytes, and no name; in it stays "
        + ("everything it tells: nothing was removed" if as_is else _STAYS[file.kind])
        for path, file in zip(paths, files, strict=True)
    ]


def bodies(files: Iterable[Attachment]) -> "tuple[FileBody, ...]":
    """Return files as the node is given them."""
    from quorate.node.anonymous.views import FileBody

    return tuple(FileBody(kind=file.kind, data=b64encode(file.data)) for file in files)


def save(folder: Path, files: "Iterable[FileView]") -> list[str]:
    """Write files that came into a folder, over none that is there; return what to say of them."""
    said: list[str] = []
    for file in files:
        path = folder / Path(file.name).name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as out:
                path.chmod(0o600)
                out.write(file.data)
        except FileExistsError:
            raise Refused(f"{path} is there already", hint="save into an empty folder") from None
        except OSError as e:
            raise Unavailable(f"{path} cannot be written: {e.strerror}") from None
        said.append(f"saved {path}: open it with care, its author is unknown")
    return said
