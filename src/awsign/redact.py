"""Masking what must not be shown: session tokens, and the signatures of presigned URLs, which are as good as passwords.

For whatever prints a canonical request, a request or a URL. A signature in an Authorization header stays: it is of use to
nobody without the request it was made for, and people compare it.
"""

from __future__ import annotations

import re

MASK = "***"

# Headers whose value is a secret: session tokens, keys that S3 encrypts with, and what other schemes log in with.
_SECRET_HEADERS = (
    "x-amz-security-token|x-amz-s3session-token|x-amz-(?:copy-source-)?server-side-encryption-customer-key"
    "|cookie|set-cookie|proxy-authorization"
)
_SECRET_HEADER = re.compile(_SECRET_HEADERS, re.IGNORECASE)
_MASKED = re.compile(
    rf"""(?imx)
    (?P<authorization> \bSignedHeaders=[^,\s=]*,\s*Signature=[0-9a-f]+ )                # stays as it is
    | (?P<line> ^[<>*\ \t\r]*(?:{_SECRET_HEADERS})\s*:[ \t]* ) [^\r\n]+                    # of a request or a canonical request
    | (?P<parameter> (?:\b|(?<=\\u0026))(?:x-amz-(?:security|s3session)-token|securitytoken|x-amz-signature|signature)= ) [^&\s'",;]+
    """
)
_USERINFO = re.compile(r"//[^/]*@")


def masked(text: str) -> str:
    """A text with the session tokens, the query signatures and the other secrets in it masked."""
    return _MASKED.sub(lambda match: match["authorization"] or (match["line"] or match["parameter"]) + MASK, text)


def masked_value(name: str, value: str) -> str:
    """The value of a header, masked if the header holds a secret; else what `masked` makes of it."""
    return MASK if _SECRET_HEADER.fullmatch(name) else masked(value)


def without_userinfo(url: str) -> str:
    """A URL with the name and the password before its host masked."""
    return _USERINFO.sub(f"//{MASK}@", url)


def shown_url(url: str) -> str:
    """A URL that somebody else wrote, as it may be shown."""
    return masked(without_userinfo(url))
