"""A small OpenID provider on this machine: real HTTP, real signatures, and one account."""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwk, jwt

CLIENT, SECRET = "console", "a secret of the provider"


@dataclass(slots=True)
class Provider:
    """Who signs in, and what is said of it: `claims` replaces parts of the ID token."""

    issuer: str = ""
    subject: str = "kurt@hospital"
    claims: dict[str, object] = field(default_factory=dict)
    key: jwk.RSAKey = field(default_factory=lambda: jwk.RSAKey.generate_key(2048, {"kid": "1"}))
    signed_with: jwk.RSAKey | None = None
    now_s: int = 0
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def authorize(self, asked: dict[str, str]) -> str:
        """Return where the browser is sent back to, signed in."""
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe()
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, asked: dict[str, str], authorization: str) -> dict[str, str]:
        """Return an ID token for a code, to who holds the secret and began the sign-on."""
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        begun = self.codes.pop(asked["code"], None)
        proof = hashlib.sha256(asked["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(proof).decode().rstrip("=")
        if begun is None or authorization != f"Basic {basic}":
            return {"error": "invalid_client"}
        if begun["code_challenge"] != challenge:
            return {"error": "invalid_grant"}
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": self.subject,
            "nonce": begun["nonce"],
            "iat": self.now_s,
            "exp": self.now_s + 300,
        }
        key = self.signed_with or self.key
        text = jwt.encode({"alg": "RS256", "kid": "1"}, claims | self.claims, key)
        return {"access_token": "unused", "token_type": "Bearer", "id_token": text}


@contextmanager
def provider(now_s: int) -> Generator[Provider]:
    """Serve a provider for the length of the block."""
    one = Provider(now_s=now_s)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path == "/authorize":
                self.send_response(302)
                self.send_header("location", one.authorize(asked))
                self.end_headers()
                return
            self._answer(self._known(parts.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            asked = {name: values[0] for name, values in parse_qs(body).items()}
            said = one.token(asked, self.headers.get("authorization", ""))
            self._answer(said, 400 if "error" in said else 200)

        def _known(self, path: str) -> object:
            if path == "/jwks":
                return {"keys": [one.key.as_dict(private=False)]}
            return {
                "issuer": one.issuer,
                "authorization_endpoint": f"{one.issuer}/authorize",
                "token_endpoint": f"{one.issuer}/token",
                "jwks_uri": f"{one.issuer}/jwks",
            }

        def _answer(self, said: object, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        one.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield one
        finally:
            server.shutdown()
            thread.join()
