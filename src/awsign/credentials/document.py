"""The JSON in which metadata services, containers, processes and AWS's own logins give credentials: one shape, other names.

Source: EC2 user guide, "Retrieve security credentials from instance metadata"; AWS SDKs and tools reference, "Container credential
provider", "Process credential provider".
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from ..errors import CredentialsError
from ..identity import Credentials
from ..response import elements
from ..scope import parse_http_date

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Access key, secret, session token, when they end.
METADATA = "AccessKeyId", "SecretAccessKey", "Token", "Expiration"
PROCESS = "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"
SSO = "accessKeyId", "secretAccessKey", "sessionToken", "expiration"
LOGIN = "accessKeyId", "secretAccessKey", "sessionToken", "expiresAt"


def json_value(text: bytes) -> object:
    """What a JSON text says, None for one that is none. No error is at hand that would quote it."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def credentials_of(document: object, names: tuple[str, str, str, str], what: str, *, long_lived: bool = False) -> Credentials:
    """The credentials of a document. long_lived: whether it may be without a token and without an end.

    what: whose document it is, for the CredentialsError that is raised where something is missing or of another kind.
    """
    if not isinstance(document, dict):
        raise CredentialsError(f"{what} is not a JSON object with {', '.join(names)}")
    needed = names[:2] if long_lived else names
    missing = [name for name in needed if not document.get(name)]
    if missing:
        raise CredentialsError(f"{what} lacks {', '.join(missing)}")
    key, secret, token, end = (document.get(name) or None for name in names)
    if not all(isinstance(value, str) for value in (key, secret, token) if value is not None):
        raise CredentialsError(f"{what} has something else than text for {names[0]}, {names[1]} or {names[2]}")
    assert isinstance(key, str) and isinstance(secret, str) and (token is None or isinstance(token, str))
    return Credentials(key, secret, token, end_in(end, f"{names[3]} of {what}"))


def credentials_in_xml(text: str, what: str) -> Credentials:
    """The credentials in an answer of STS, or of S3's CreateSession. It is not parsed as XML: all that is asked of it is flat."""
    found = elements(text.partition("<Credentials>")[2].partition("</Credentials>")[0])
    return credentials_of(found, PROCESS, f"the answer to {what}")


def end_in(value: object, where: str) -> datetime | None:
    """When credentials end: an ISO 8601 time, UTC where it says no zone, or milliseconds since 1970; None for none."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
        at = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        if found := parse_http_date(str(value)):  # Seen of processes, and taken by the AWS CLI.
            return found
        raise CredentialsError(f"{where} is {str(value)[:40]!r}, not a time as 2026-01-15T12:00:00Z") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def text_of(document: Mapping[str, object], name: str) -> str:
    """A member that is text, "" where there is none."""
    value = document.get(name)
    return value if isinstance(value, str) else ""
