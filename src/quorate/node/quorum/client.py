"""Talks to a node about keys, orders and its vault: one method for each route."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from quorate.node.client import Client
from quorate.node.quorum.views import (
    AliveView,
    AnswerBody,
    KeyBody,
    KeyView,
    OrderBody,
    OrderView,
    PassphraseBody,
    RestoreBody,
    VaultView,
)
from quorate.threshold.keys import Purpose


@dataclass(frozen=True, slots=True)
class QuorumClient:
    """What one may ask of a node over `client`. Every method raises what the node raised."""

    client: Client

    def vault(self) -> VaultView:
        return self.client.get("/vault", VaultView)

    def unlock(self, passphrase: str) -> VaultView:
        """Open the node's vault; the first passphrase makes it."""
        return self.client.post("/vault", VaultView, PassphraseBody(passphrase=passphrase))

    def change_passphrase(self, passphrase: str) -> VaultView:
        body = PassphraseBody(passphrase=passphrase)
        return self.client.post("/vault/passphrase", VaultView, body)

    def keys(self) -> tuple[KeyView, ...]:
        return self.client.get("/keys", tuple[KeyView, ...])

    def key(self, name: str) -> KeyView:
        return self.client.get(_route("keys", name), KeyView)

    def propose_key(
        self,
        name: str,
        members: tuple[str, ...],
        rule: str,
        reason: str,
        purpose: Purpose = "sign",
    ) -> KeyView:
        """Plan a key among `members`, or all members where none is named."""
        body = KeyBody(name=name, members=members, rule=rule, purpose=purpose, reason=reason)
        return self.client.post("/keys", KeyView, body)

    def answer_key(self, name: str, word: Literal["approve", "decline"], reason: str) -> KeyView:
        route = _route("keys", name, word)
        return self.client.post(route, KeyView, AnswerBody(reason=reason))

    def check_key(self, name: str) -> tuple[AliveView, ...]:
        """Ask every holder to show that its share is alive."""
        return self.client.post(_route("keys", name, "check"), tuple[AliveView, ...])

    def backup(self, name: str, passphrase: str) -> str:
        """Return the backup of this member's share, as the text of a file."""
        body = PassphraseBody(passphrase=passphrase)
        return self.client.ask("POST", _route("keys", name, "backup"), body).text

    def restore(self, backup: str, passphrase: str) -> KeyView:
        body = RestoreBody(backup=backup, passphrase=passphrase)
        return self.client.post("/shares", KeyView, body)

    def orders(self) -> tuple[OrderView, ...]:
        return self.client.get("/orders", tuple[OrderView, ...])

    def order(self, id_: str) -> OrderView:
        return self.client.get(_route("orders", id_), OrderView)

    def propose_order(self, document: str, key: str, reason: str, hours: float = 24) -> OrderView:
        body = OrderBody(document=document, key=key, reason=reason, hours=hours)
        return self.client.post("/orders", OrderView, body)

    def answer_order(self, id_: str, word: Literal["approve", "decline"], reason: str) -> OrderView:
        return self.client.post(_route("orders", id_, word), OrderView, AnswerBody(reason=reason))

    def sign_order(self, id_: str) -> OrderView:
        """Try once more to gather the signature of an approved order."""
        return self.client.post(_route("orders", id_, "sign"), OrderView)

    def order_file(self, id_: str) -> str:
        """Return the text of the signed order's file."""
        return self.client.ask("GET", _route("orders", id_, "file")).text


def _route(noun: str, name: str, action: str = "") -> str:
    return f"/{noun}/{quote(name, safe='') or '-'}/{action}".rstrip("/")
