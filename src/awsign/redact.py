"""Masking what must not be shown: session tokens, and the signatures of presigned URLs, which are as good as passwords.

For whatever prints a canonical request, a request or a URL. A signature in an Authorization header stays: it is of use to
nobody without the request it was made for, and people compare it.
"""

from __future__ import annotations

import re

MASK = "***"

_MASKED = re.compile(
    r"""(?imx)
    (?P<authorization> \bSignedHeaders=[^,\s]*,\s*Signature=[0-9a-f]+ )       # stays as it is
    | (?P<before> ^[<>*\s]*x-amz-(?:security|s3session)-token\s*:[ \t]*        # a line of a request or a canonical request
      | \b(?:x-amz-(?:security|s3session)-token|securitytoken|x-amz-signature|signature)= )   # a parameter
      [^&\s'",;]+
    """
)


def masked(text: str) -> str:
    """A text with the session tokens and the query signatures in it masked."""
    return _MASKED.sub(lambda match: match["authorization"] or match["before"] + MASK, text)


def masked_value(name: str, value: str) -> str:
    """The value of a header, masked if it is a session token; else what `masked` makes of it."""
    return MASK if name.lower() in ("x-amz-security-token", "x-amz-s3session-token") else masked(value)
