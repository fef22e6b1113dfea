"""The console put together: its pages, its guard in front of them, and how errors look."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from anyio.to_thread import current_default_thread_limiter
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as AnyHTTPException

from quorate.console.board import add_board
from quorate.console.console import HERE, Console
from quorate.console.guard import Guard, Headed
from quorate.console.inbox import add_inbox
from quorate.console.orders import add_orders, add_records
from quorate.console.oversight import add_oversight
from quorate.console.sign_in import add_sign_in
from quorate.console.studies import add_studies
from quorate.errors import Error
from quorate.node.problems import status_of

THREADS = 200
"""Requests that may wait for the node at once; one that follows a run waits as long as it."""


def make_app(console: Console, now: Callable[[], datetime]) -> FastAPI:
    """Return all pages of one node's console, guarded."""
    app = FastAPI(
        title=f"quorate console of {console.home.name}",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_with_threads,
        dependencies=[Depends(Guard(console))],
    )
    app.add_middleware(Headed, is_tls=console.settings.is_tls)
    app.mount("/static", StaticFiles(directory=HERE / "static"))
    _add_errors(app, console)
    add_sign_in(app, console, now)
    add_inbox(app, console)
    add_studies(app, console)
    add_orders(app, console)
    add_records(app, console)
    add_board(app, console)
    add_oversight(app, console)
    return app


def _add_errors(app: FastAPI, console: Console) -> None:
    def told(request: Request, status: int, message: str, hint: str = "") -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse({"message": message, "hint": hint}, status)
        return console.page(request, "error.html", status, message=message, hint=hint)

    @app.exception_handler(Error)
    def ours(request: Request, error: Error) -> Response:
        return told(request, status_of(error), str(error), error.hint)

    @app.exception_handler(RequestValidationError)
    def malformed(request: Request, error: RequestValidationError) -> Response:
        place = ".".join(str(part) for part in error.errors()[0]["loc"][1:])
        return told(request, 422, f"something is missing or not as it should be: {place}")

    @app.exception_handler(AnyHTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == 303:
            return HTMLResponse("", 303, headers)
        answer = told(request, error.status_code, str(error.detail))
        answer.headers.update(headers)
        return answer


@asynccontextmanager
async def _with_threads(_: FastAPI) -> AsyncGenerator[None]:
    current_default_thread_limiter().total_tokens = THREADS
    yield
