"""Temporary credentials that this server hands out, and knows when they come back."""

from __future__ import annotations

import secrets
from datetime import timedelta
from xml.etree.ElementTree import Element, SubElement

from ..identity import Credentials
from ..scope import now
from .answers import S3_NAMESPACE, document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .answers import Answer

_SESSION = timedelta(minutes=5)  # S3 API reference, "CreateSession".


class Issued:
    """Credentials by access key ID, expired or not."""

    def __init__(self) -> None:
        self._known: dict[str, Credentials] = {}

    def get(self, access_key_id: str) -> Credentials | None:
        return self._known.get(access_key_id)

    def issue(self, life: timedelta) -> Credentials:
        """New ones."""
        made = Credentials(
            f"ASIA{secrets.token_hex(8).upper()}",
            secrets.token_urlsafe(30),
            secrets.token_urlsafe(96),
            now().replace(microsecond=0) + life,
        )
        self._known[made.access_key_id] = made
        return made

    def session_answer(self) -> Answer:
        """The answer to CreateSession of S3 Express."""
        session = self.issue(_SESSION)
        assert session.expiration is not None
        root = Element("CreateSessionResult", xmlns=S3_NAMESPACE)
        told = SubElement(root, "Credentials")
        for name, value in (
            ("SessionToken", session.session_token),
            ("SecretAccessKey", session.secret_access_key),
            ("AccessKeyId", session.access_key_id),
            ("Expiration", f"{session.expiration:%Y-%m-%dT%H:%M:%SZ}"),
        ):
            SubElement(told, name).text = value
        return 200, [(b"content-type", b"application/xml")], document(root)
