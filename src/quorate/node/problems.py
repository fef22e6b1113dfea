"""How an error is told over HTTP: its status, and a model that says it in words."""

from quorate.errors import Abort, DataError, Error, NotFound, Refused, Silence, Unavailable
from quorate.node.views import ProblemView

_STATUS: dict[type[Error], int] = {
    NotFound: 404,
    Refused: 403,
    Unavailable: 503,
    Abort: 502,
    Silence: 502,
    DataError: 422,
}


def status_of(error: Error) -> int:
    """Return the status with which HTTP tells an error."""
    return _STATUS.get(_public_class(error), 400)


def problem(error: Error) -> ProblemView:
    """Return an error as the API tells it."""
    return ProblemView(
        kind=_public_class(error).__name__,
        message=str(error),
        hint=error.hint,
        exit_code=error.exit_code,
    )


def _public_class(error: Error) -> type[Error]:
    """Return the class of `quorate.errors` that `error` is one of."""
    for kind in type(error).__mro__:
        if kind.__module__ == "quorate.errors" and issubclass(kind, Error):
            return kind
    return Error
