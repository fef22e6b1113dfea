"""Talks to a node about keys, orders, unlocking and its vault: one method for each route."""

from dataclasses import dataclass
from typing import Literal

from quorate.node.client import Client, read_view
from quorate.node.local import route
from quorate.node.quorum.asking import Asking
from quorate.node.quorum.views import (
    AliveView,
    AnswerBody,
    KeyBody,
    KeyView,
    OrderBody,
    OrderView,
    PassphraseBody,
    RecoveryBody,
    RefreshBody,
    RenewalBody,
    RestoreBody,
    RoleBody,
    SuccessionBody,
    UnlockView,
    VaultView,
    WholeKeyView,
)
from quorate.threshold.answers import Sought
from quorate.threshold.keys import Purpose
from quorate.threshold.policy import Role


@dataclass(frozen=True, slots=True)
class QuorumClient:
    """What one may ask of a node over `client`. Every method raises what the node raised."""

    client: Client

    @property
    def asking(self) -> Asking:
        return Asking(self.client.local)

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
        return self.client.get(route("keys", name), KeyView)

    def propose_key(
        self,
        name: str,
        members: tuple[str, ...],
        rule: str,
        reason: str,
        purpose: Purpose = "sign",
        recovery: str = "",
        witnesses: tuple[str, ...] = (),
        published: int = 0,
        policy: str = "",
        roles: tuple[Role, ...] = (),
    ) -> KeyView:
        """Plan a key among `members`, or all members where none is named."""
        body = KeyBody(
            name=name,
            members=members,
            rule=rule,
            purpose=purpose,
            reason=reason,
            recovery=recovery,
            witnesses=witnesses,
            published=published,
            policy=policy,
            roles=_bodies(roles),
        )
        return self.client.post("/keys", KeyView, body)

    def answer_key(self, name: str, word: Literal["approve", "decline"], reason: str) -> KeyView:
        path = route("keys", name, word)
        return self.client.post(path, KeyView, AnswerBody(reason=reason))

    def reshare_key(
        self,
        name: str,
        reason: str,
        members: tuple[str, ...] = (),
        rule: str = "",
        policy: str = "",
        roles: tuple[Role, ...] = (),
    ) -> KeyView:
        """Propose that a key goes on in other hands; what is empty follows the roster, or stays."""
        body = RenewalBody(
            reason=reason, members=members, rule=rule, policy=policy, roles=_bodies(roles)
        )
        return self.client.post(route("keys", name, "reshare"), KeyView, body)

    def refresh_key(self, name: str, reason: str, lost: str = "") -> KeyView:
        """Propose new shares of a key for all its holders."""
        body = RefreshBody(reason=reason, lost=lost)
        return self.client.post(route("keys", name, "refresh"), KeyView, body)

    def succeed_key(
        self, name: str, successor: str, reason: str, hours: float = 168
    ) -> tuple[OrderView, OrderView]:
        """Ask the holders of two keys that one takes the other's place."""
        body = SuccessionBody(successor=successor, reason=reason, hours=hours)
        return self.client.post(route("keys", name, "succeed"), tuple[OrderView, OrderView], body)

    def succession(self, name: str) -> str:
        """Return the text of the file that says which key took the place of one."""
        return self.client.ask("GET", route("keys", name, "succession"))

    def check_key(self, name: str) -> tuple[AliveView, ...]:
        """Ask every holder to show that its share is alive."""
        return self.client.post(route("keys", name, "check"), tuple[AliveView, ...])

    def backup(self, name: str, passphrase: str) -> str:
        """Return the backup of this member's share, as the text of a file."""
        body = PassphraseBody(passphrase=passphrase)
        return self.client.ask("POST", route("keys", name, "backup"), body)

    def restore(self, backup: str, passphrase: str) -> KeyView:
        body = RestoreBody(backup=backup, passphrase=passphrase)
        return self.client.post("/shares", KeyView, body)

    def orders(self) -> tuple[OrderView, ...]:
        return self.client.get("/orders", tuple[OrderView, ...])

    def order(self, id_: str) -> OrderView:
        return self.client.get(route("orders", id_), OrderView)

    def propose_order(self, document: str, key: str, reason: str, hours: float = 24) -> OrderView:
        body = OrderBody(document=document, key=key, reason=reason, hours=hours)
        return self.client.post("/orders", OrderView, body)

    def answer_order(self, id_: str, word: Literal["approve", "decline"], reason: str) -> OrderView:
        return self.client.post(route("orders", id_, word), OrderView, AnswerBody(reason=reason))

    def sign_order(self, id_: str) -> OrderView:
        """Try once more to gather the signature of an approved order."""
        return self.client.post(route("orders", id_, "sign"), OrderView)

    def order_file(self, id_: str) -> str:
        """Return the text of the signed order's file."""
        return self.client.ask("GET", route("orders", id_, "file"))

    def unlocks(self) -> tuple[UnlockView, ...]:
        return self.client.get("/unlocks", tuple[UnlockView, ...])

    def unlock_request(self, id_: str) -> UnlockView:
        return self.client.get(route("unlocks", id_), UnlockView)

    def ask_to_unlock(
        self, sought: Sought, reason: str, *, hours: float = 24, key: str = "", opener: str = ""
    ) -> UnlockView:
        """Ask the holders; what was asked for before and is not over is not asked for again."""
        told = self.asking.ask(sought, reason, hours=hours, key=key, opener=opener)
        return read_view(told, UnlockView)

    def answer_unlock(
        self,
        id_: str,
        word: Literal["approve", "decline"],
        reason: str,
        *,
        whole_key: bool = False,
    ) -> UnlockView:
        """Answer a request; who approves that a whole key is given away says so."""
        path = route("unlocks", id_, word)
        return self.client.post(path, UnlockView, AnswerBody(reason=reason, whole_key=whole_key))

    def ask_for_key(self, name: str, reason: str, hours: float = 24) -> UnlockView:
        """Ask the holders of a plain key for all of it."""
        body = RecoveryBody(reason=reason, hours=hours)
        return self.client.post(route("keys", name, "recover"), UnlockView, body)

    def whole_key(self, id_: str) -> WholeKeyView:
        """Return the key that a request of this member recovered."""
        return self.client.get(route("unlocks", id_, "identity"), WholeKeyView)

    def file_key(self, id_: str) -> bytes:
        """Return the file key that a request of this member opened."""
        return self.asking.file_key(id_)


def _bodies(roles: tuple[Role, ...]) -> tuple[RoleBody, ...]:
    return tuple(RoleBody(name=role.name, members=role.members) for role in roles)
