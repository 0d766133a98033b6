"""The one idea: a signature is derived from a request, through a canonical request and a string to sign.

Signers derive it and write it into the request, the verifier derives it again from what arrived and compares.
"""

from __future__ import annotations

from .canonical import canonical_request
from .encoding import readable
from .scope import string_to_sign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Derivation:
    """Each step from a request to its signature. What a scheme does not have is None.

    canonical_request, string_to_sign: exact text; they hold the session token of a request that has one. signature: hex (SigV4)
    or base64 (the older schemes). scope: the credential scope. signed_headers: lower-case names, sorted.
    """

    def __init__(
        self,
        string_to_sign: str,
        signature: str | None = None,
        canonical_request: str | None = None,
        scope: str | None = None,
        signed_headers: tuple[str, ...] | None = None,
    ) -> None:
        self._string_to_sign = string_to_sign
        self._canonical_request = canonical_request
        self.signature = signature
        self.scope = scope
        self.signed_headers = signed_headers

    @property
    def canonical_request(self) -> str | None:
        return None if self._canonical_request is None else readable(self._canonical_request)

    @property
    def string_to_sign(self) -> str:
        return readable(self._string_to_sign)

    @property
    def wire_canonical_request(self) -> str | None:
        """The canonical request as wire text (see encoding.py)."""
        return self._canonical_request

    @property
    def wire_string_to_sign(self) -> str:
        """The string to sign as wire text (see encoding.py): what the key signs."""
        return self._string_to_sign

    def __repr__(self) -> str:
        return f"<Derivation scope={self.scope!r} signed_headers={self.signed_headers!r}>"


def derive(
    *,
    algorithm: str,
    stamp: str,
    scope: str,
    method: str,
    path: str,
    query: str,
    fields: Mapping[str, str],
    signed_headers: tuple[str, ...],
    payload_hash: str,
) -> Derivation:
    """The derivation of a Version 4 signature, up to the string to sign; the key does the rest.

    path, query, fields: as `canonical_path`, `canonical_query` and `canonical_fields` give them.
    """
    canonical = canonical_request(method, path, query, fields, signed_headers, payload_hash)
    # By position: keywords would take as long again.
    return Derivation(string_to_sign(algorithm, stamp, scope, canonical), None, canonical, scope, signed_headers)
