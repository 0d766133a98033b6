"""The answers of STS and of S3's CreateSession: XML of which the elements that hold text alone are asked for.

Read without a parser of XML, of which the standard library's is not for what strangers send.
"""

from __future__ import annotations

import re
from datetime import datetime
from xml.sax.saxutils import unescape

from ..errors import CredentialsError
from ..identity import Credentials

_ELEMENT = re.compile(r"<([A-Za-z]+)>([^<>]*)</\1>")
_NAMES = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")


def elements(text: str) -> dict[str, str]:
    """The elements that hold text, by name; of several of a name the first."""
    return {name: unescape(value.strip()) for name, value in reversed(_ELEMENT.findall(text))}


def credentials_in(text: str, what: str) -> Credentials:
    """The credentials in the answer to a call; CredentialsError, without a word of it, where there are none."""
    found = elements(text)
    try:
        key, secret, token, end = (found[name] for name in _NAMES)
        return Credentials(key, secret, token, datetime.fromisoformat(end))
    except (KeyError, ValueError):
        # `from None`: the answer holds the secret.
        raise CredentialsError(f"the answer to {what} has no whole credentials") from None
