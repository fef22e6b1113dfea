"""A hospital's single sign-on: OpenID Connect, code flow [OIDC14] with PKCE [RFC7636].

The provider says who somebody is; the node says whether that account is of its
staff, and as what. An account is bound to a person by the same link that would
bind a passkey, never by an e-mail address.
"""

import base64
import hashlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from quorate.console.once import Once
from quorate.console.settings import Settings
from quorate.errors import Unavailable, VerificationFailed

TIMEOUT_S = 10.0
ALGORITHMS = ("RS256", "ES256", "EdDSA")  # of ID tokens: none of them takes a shared secret
LEEWAY_S = 60


@dataclass(frozen=True, slots=True)
class Provider:
    """What a provider says of itself."""

    authorization: str
    token: str
    keys: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-on that a browser was sent away with; `token` is the link of who enrols."""

    verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """Who the provider says somebody is, and the link it was asked with."""

    subject: str
    token: str = field(repr=False)
    issuer: str = ""

    def id(self) -> bytes:
        """Return the name under which the node keeps this account."""
        return hashlib.sha256(f"{self.issuer} {self.subject}".encode()).digest()


@dataclass(frozen=True, slots=True)
class SignOn:
    """The single sign-on of one console."""

    settings: Settings
    secret: str = field(repr=False)
    begun: Once[Begun]
    randomness: Callable[[int], bytes] = field(repr=False)

    def begin(self, token: str = "") -> tuple[str, str]:
        """Return where to send a browser, and the state it brings back. Raises `Unavailable`."""
        state, verifier, nonce = (_text(self.randomness(32)) for _ in range(3))
        self.begun.keep(state.encode(), Begun(verifier, nonce, token))
        with self._session() as session:
            url, _ = session.create_authorization_url(
                self._provider().authorization, state=state, nonce=nonce, code_verifier=verifier
            )
        return str(url), state

    def end(self, state: str, code: str, now_s: int) -> Account:
        """Return who came back. Raises `VerificationFailed`, `Unavailable`."""
        begun = self.begun.take(state.encode())
        if begun is None:
            raise VerificationFailed("this sign-on took too long", hint="sign in again")
        provider = self._provider()
        with _told(), self._session() as session:
            told = session.fetch_token(
                provider.token, code=code, code_verifier=begun.verifier, timeout=TIMEOUT_S
            )
            keys = jwk.KeySet.import_key_set(cast("jwk.KeySetSerialization", _json(provider.keys)))
            token = jwt.decode(str(told.get("id_token", "")), keys, algorithms=ALGORITHMS)
            self._claims(begun.nonce, now_s).validate(token.claims)
        subject = str(token.claims["sub"])
        return Account(subject, begun.token, self.settings.issuer)

    def _claims(self, nonce: str, now_s: int) -> jwt.JWTClaimsRegistry:
        """Return what an ID token must say."""
        return jwt.JWTClaimsRegistry(
            now=now_s,
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.settings.issuer},
            aud={"essential": True, "value": self.settings.client_id},
            nonce={"essential": True, "value": nonce},
            sub={"essential": True},
            exp={"essential": True},
        )

    def _provider(self) -> Provider:
        """Ask the provider for its addresses. Raises `Unavailable`."""
        issuer = self.settings.issuer
        with _told():
            said = _json(f"{issuer}/.well-known/openid-configuration")
        if said.get("issuer") != issuer:
            raise Unavailable("the single sign-on calls itself otherwise", hint="check issuer")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        addresses = [str(said.get(name, "")) for name in names]
        if any(not _is_safe(one) for one in addresses):
            raise Unavailable("the single sign-on names an address without TLS")
        return Provider(*addresses)

    def _session(self) -> OAuth2Session:
        return OAuth2Session(
            self.settings.client_id,
            self.secret,
            scope="openid",
            redirect_uri=self.settings.redirect_uri,
            code_challenge_method="S256",
        )


def make_sign_on(
    settings: Settings, clock: Callable[[], float], randomness: Callable[[int], bytes]
) -> SignOn:
    """Return the single sign-on that the settings name. Raises `Unavailable`."""
    if not _is_safe(settings.issuer):
        raise Unavailable("the issuer of a single sign-on is reached by https")
    try:
        secret = Path(settings.secret_file).read_text(encoding="utf-8").strip()
    except OSError as e:
        raise Unavailable(f"{settings.secret_file} cannot be read: {e.strerror}") from None
    return SignOn(settings, secret, Once(clock), randomness)


@contextmanager
def _told() -> Generator[None]:
    """Turn what the libraries raise into errors of ours."""
    try:
        yield
    except (requests.RequestException, ValueError) as e:
        raise Unavailable(f"the single sign-on does not answer: {type(e).__name__}") from None
    except (OAuthError, JoseError) as e:
        raise VerificationFailed(f"the single sign-on is not accepted: {e}") from None


def _json(address: str) -> dict[str, object]:
    answer = requests.get(address, timeout=TIMEOUT_S, allow_redirects=False)
    answer.raise_for_status()
    said = answer.json()
    if not isinstance(said, dict):
        raise ValueError("not an object")  # noqa: TRY004 - as for any text that is no JSON
    return said


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")
    )


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
