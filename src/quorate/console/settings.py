"""How a node's console is reached: `console.toml` in the node's folder."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import tomli_w

from quorate.errors import Error, NotFound, Refused, Unavailable
from quorate.node import CONSOLE
from quorate.node.home import split_address, write_file
from quorate.studies.group import Member, check_member

_TEXTS = ("listen", "origin", "certificate", "key", "issuer", "client_id", "secret_file")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the console listens, and what browsers call it.

    `origin` is what stands in the browser's address bar, such as
    `https://console.north.example`: a passkey is bound to its host. `issuer` and what
    follows are of the hospital's single sign-on, if it has one.
    """

    listen: str
    origin: str
    certificate: str = ""
    key: str = ""
    issuer: str = ""
    client_id: str = ""
    secret_file: str = ""
    behind_proxy: bool = False

    @property
    def host(self) -> str:
        """The host of the origin: what passkeys are bound to."""
        return urlsplit(self.origin).hostname or ""

    @property
    def is_tls(self) -> bool:
        """Whether browsers speak TLS, with this process or with a proxy before it."""
        return self.origin.startswith("https://")

    @property
    def redirect_uri(self) -> str:
        """Where the single sign-on sends a browser back to."""
        return f"{self.origin}/oidc/back"


def local(port: int) -> Settings:
    """Return the settings of a console for browsers of this machine alone."""
    return Settings(f"127.0.0.1:{port}", f"http://localhost:{port}")


def check(settings: Settings) -> None:
    """Raise `Refused` for settings under which a console would not be safe, or not work."""
    check_member(Member("console", settings.listen, bytes(32)))
    parts = urlsplit(settings.origin)
    if settings.origin != f"{parts.scheme}://{parts.netloc}" or not parts.hostname:
        raise Refused("an origin is a scheme, a host and a port", hint="https://host:8700")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname == "localhost"):
        raise Refused(
            "browsers make passkeys for https only, and for http://localhost",
            hint="give --certificate and --key, or an https proxy before it",
        )
    if bool(settings.certificate) != bool(settings.key):
        raise Refused("a certificate takes its key, and a key its certificate")
    is_local = split_address(settings.listen)[0] in _LOOPBACK
    if not is_local and not settings.certificate:
        raise Refused(
            "a console that others can reach takes a certificate",
            hint="give --certificate and --key, or listen at 127.0.0.1 behind an https proxy",
        )
    if settings.issuer and not (settings.client_id and settings.secret_file):
        raise Refused("single sign-on takes an issuer, a client's name and a file with its secret")


def write(folder: Path, settings: Settings) -> None:
    """Keep the settings of the console of the node in `folder`. Raises `Refused`."""
    check(settings)
    kept: dict[str, str | bool] = {k: v for k in _TEXTS if (v := str(getattr(settings, k)))}
    if settings.behind_proxy:
        kept["behind_proxy"] = True
    write_file(folder / CONSOLE, tomli_w.dumps(kept))


def read(folder: Path) -> Settings:
    """Return the settings of a node's console. Raises `NotFound`, `Unavailable`."""
    path = folder / CONSOLE
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(
            "this node has no console yet", hint="give it one with: quorate console open"
        ) from None
    except (OSError, ValueError) as e:
        raise Unavailable(f"{path} cannot be read: {e}") from None
    texts = {key: found.pop(key) for key in _TEXTS if key in found}
    proxy = found.pop("behind_proxy", False)
    if found or not all(isinstance(one, str) for one in texts.values()) or proxy not in (0, 1):
        raise Unavailable(f"{path} is not understood", hint=f"it holds {', '.join(_TEXTS)}")
    try:
        settings = Settings(**texts, behind_proxy=bool(proxy))
        check(settings)
    except (TypeError, Error) as e:
        raise Unavailable(f"{path} is not understood: {e}") from None
    return settings
