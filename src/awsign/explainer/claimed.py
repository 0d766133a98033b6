"""What a request says of its signature, read leniently: as much as is there, however it is written.

The verifier reads strictly (authorization.py) and says what is wrong; here a signature in base64 or a scope with a misspelt end are
still to be followed.
"""

from __future__ import annotations

import re

from ..query import query_pairs
from ..request import URLENCODED, is_form
from ..scope import ALGORITHM, ASYMMETRIC, parse_http_date, parse_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from ..request import Request

_COMPONENT = re.compile(r"(Credential|SignedHeaders|Signature)\s*=\s*\"?([^,\s\"]*)")


class Claimed:
    """scheme: "sigv4", "sigv4a", "sigv2" or "s3v2". location: "header", "query" or "form".

    signature: as it arrived. scope: date, region, service and terminator, each "" where it is not there ("sigv4a" has no region).
    stamp: the time of signing as text. signed_headers: as listed. token: the session token. method: of SigV2.
    """

    __slots__ = (
        "access_key_id", "date", "expires", "location", "method", "region", "scheme", "service", "signature", "signed_headers", "stamp",
        "terminator", "token",
    )  # fmt: skip

    def __init__(self, scheme: str, location: str) -> None:
        self.scheme = scheme
        self.location = location
        self.signature = ""
        self.access_key_id = ""
        self.date = self.region = self.service = self.terminator = ""
        self.stamp = ""
        self.expires: str | None = None
        self.signed_headers: tuple[str, ...] = ()
        self.token: str | None = None
        self.method = ""

    @property
    def scope(self) -> str | None:
        if self.scheme not in ("sigv4", "sigv4a"):
            return None
        parts = [self.date, self.region, self.service, self.terminator]
        return "/".join(parts if self.scheme == "sigv4" else [parts[0], *parts[2:]])

    @property
    def signed_at(self) -> datetime | None:
        return parse_timestamp(self.stamp) or (parse_http_date(self.stamp) if self.stamp else None)


def read_claim(request: Request) -> Claimed | None:
    """The signature of a request, None where there is none to be seen."""
    headers: dict[str, str] = {}
    for name, value in request.headers:
        headers.setdefault(name.lower(), (value if isinstance(value, str) else value.decode("latin-1")).strip())
    pairs = query_pairs(request.query)
    parameters = _by_lower_name(pairs)
    authorization = headers.get("authorization", "")
    claim = None
    if authorization.startswith("AWS "):
        claim = Claimed("s3v2", "header")
        claim.access_key_id, _, claim.signature = authorization[4:].strip().rpartition(":")
        claim.stamp = headers.get("x-amz-date") or headers.get("date", "")
    elif "Credential=" in authorization or authorization.startswith("AWS4-"):
        claim = _of_header(authorization, headers)
    elif "x-amz-signature" in parameters or "x-amz-credential" in parameters:
        claim = _of_query(parameters)
    elif "signature" in parameters and "awsaccesskeyid" in parameters:
        query_api = {name for name, _ in pairs} & {"SignatureVersion", "SignatureMethod", "Action"}
        claim = _of_older(parameters, "sigv2" if query_api else "s3v2", "query")
    elif isinstance(request.body, bytes) and is_form(request.method, request.headers, URLENCODED):
        form = _by_lower_name(query_pairs(request.body.decode("latin-1")))
        if "signature" in form and "awsaccesskeyid" in form:
            claim = _of_older(form, "sigv2", "form")
    if claim is not None and claim.token is None:
        claim.token = headers.get("x-amz-security-token") or headers.get("x-amz-s3session-token")
    return claim


def _by_lower_name(pairs: list[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name.lower(), value)
    return found


def _of_header(authorization: str, headers: dict[str, str]) -> Claimed:
    claim = Claimed("sigv4a" if authorization.startswith(ASYMMETRIC) else "sigv4", "header")
    components = dict(_COMPONENT.findall(authorization))
    _read_credential(claim, components.get("Credential", ""))
    claim.signed_headers = tuple(filter(None, components.get("SignedHeaders", "").split(";")))
    claim.signature = components.get("Signature", "")
    claim.stamp = headers.get("x-amz-date") or headers.get("date", "")
    return claim


def _of_query(parameters: dict[str, str]) -> Claimed:
    claim = Claimed("sigv4a" if parameters.get("x-amz-algorithm", ALGORITHM) == ASYMMETRIC else "sigv4", "query")
    _read_credential(claim, parameters.get("x-amz-credential", ""))
    claim.signed_headers = tuple(filter(None, parameters.get("x-amz-signedheaders", "").split(";")))
    claim.signature = parameters.get("x-amz-signature", "")
    claim.stamp = parameters.get("x-amz-date", "")
    claim.expires = parameters.get("x-amz-expires")
    claim.token = parameters.get("x-amz-security-token") or parameters.get("x-amz-s3session-token")
    return claim


def _of_older(parameters: dict[str, str], scheme: str, location: str) -> Claimed:
    claim = Claimed(scheme, location)
    claim.access_key_id = parameters["awsaccesskeyid"]
    claim.signature = parameters["signature"]
    claim.stamp = parameters.get("timestamp", "")
    claim.expires = parameters.get("expires")
    claim.method = parameters.get("signaturemethod", "HmacSHA256" if scheme == "sigv2" else "HmacSHA1")
    claim.token = parameters.get("securitytoken") or parameters.get("x-amz-security-token")
    return claim


def _read_credential(claim: Claimed, credential: str) -> None:
    """From the right, as access keys may hold a `/`; what is missing stays empty."""
    if "/" not in credential and "%2f" in credential.lower():
        credential = re.sub("%2f", "/", credential, flags=re.IGNORECASE)
    wanted = 4 if claim.scheme == "sigv4" else 3
    parts = credential.rsplit("/", wanted)
    if len(parts) <= wanted:
        parts = credential.split("/")
        parts += [""] * (wanted + 1 - len(parts))
    if claim.scheme == "sigv4a":
        parts.insert(2, "")
    claim.access_key_id, claim.date, claim.region, claim.service, claim.terminator = parts
