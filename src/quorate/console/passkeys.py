"""Passkeys: how a person enrols one, and signs in with it [WebAuthn21].

A challenge is random, works once and for five minutes; it need not be bound to
a browser, because what is signed names the origin. The device must have seen
its user (a fingerprint, a PIN): a passkey that was merely found signs nobody in.
"""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import (
    InvalidJSONStructure,
    WebAuthnException,
)
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from quorate.console.once import Once
from quorate.console.settings import Settings
from quorate.errors import MalformedMessage, VerificationFailed
from quorate.node.staff.client import StaffClient
from quorate.node.staff.views import EnrolBody, InvitedView, PersonView

CHALLENGE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Passkeys:
    """The ceremonies of one console. `challenges` holds the link of who enrols, or nothing."""

    settings: Settings
    member: str
    challenges: Once[str]
    randomness: Callable[[int], bytes] = field(repr=False)

    def to_enrol(self, invited: InvitedView, token: str) -> dict[str, object]:
        """Return what the browser makes a passkey from, for who a link is for."""
        options = generate_registration_options(
            rp_id=self.settings.host,
            rp_name=f"quorate at {self.member}",
            user_id=invited.name.encode(),
            user_name=invited.name,
            challenge=self._challenge(token),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
        return dict(options_to_json_dict(options))

    def enrol(self, staff: StaffClient, credential: dict[str, object]) -> PersonView:
        """Enrol what the browser made. Raises `VerificationFailed`, `MalformedMessage`."""
        with _understood():
            made = parse_registration_credential_json(json.dumps(credential))
            challenge, token = self._taken(made)
            verified = verify_registration_response(
                credential=made,
                expected_challenge=challenge,
                expected_rp_id=self.settings.host,
                expected_origin=self.settings.origin,
                require_user_verification=True,
            )
        return staff.enrol(
            EnrolBody(
                token=token,
                kind="passkey",
                id=verified.credential_id.hex(),
                public_key=verified.credential_public_key.hex(),
                uses=verified.sign_count,
            )
        )

    def to_sign_in(self) -> dict[str, object]:
        """Return what the browser asks for any passkey of this console with."""
        options = generate_authentication_options(
            rp_id=self.settings.host,
            challenge=self._challenge(""),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return dict(options_to_json_dict(options))

    def sign_in(self, staff: StaffClient, credential: dict[str, object]) -> PersonView:
        """Return who signed in. Raises `NotFound`, `VerificationFailed`, `MalformedMessage`."""
        with _understood():
            shown = parse_authentication_credential_json(json.dumps(credential))
            challenge, _ = self._taken(shown)
            known = staff.credential(shown.raw_id)
            verified = verify_authentication_response(
                credential=shown,
                expected_challenge=challenge,
                expected_rp_id=self.settings.host,
                expected_origin=self.settings.origin,
                credential_public_key=bytes.fromhex(known.public_key),
                credential_current_sign_count=0,  # the node compares it, and writes it down
                require_user_verification=True,
            )
        return staff.signed_in(verified.credential_id, verified.new_sign_count)

    def _challenge(self, token: str) -> bytes:
        challenge = self.randomness(CHALLENGE_BYTES)
        self.challenges.keep(challenge, token)
        return challenge

    def _taken(
        self, credential: RegistrationCredential | AuthenticationCredential
    ) -> tuple[bytes, str]:
        """Return the challenge a browser answered, and the link it was given out for."""
        challenge = parse_client_data_json(credential.response.client_data_json).challenge
        token = self.challenges.take(challenge)
        if token is None:
            raise VerificationFailed("this took too long, or was sent twice", hint="try again")
        return challenge, token


@contextmanager
def _understood() -> Generator[None]:
    """Turn what the library raises into an error of ours, without its details."""
    try:
        yield
    except InvalidJSONStructure:
        raise MalformedMessage("that is not what a passkey says") from None
    except WebAuthnException as e:
        raise VerificationFailed(f"this passkey is not accepted: {e}", hint="try again") from None
