"""What an S3 HMAC-SHA1 signature claims: in `Authorization: AWS key:signature`, or in the query of a presigned URL."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ..derivation import Derivation
from ..endpoints import infer
from ..payload import STREAMING
from ..s3_sigv2 import is_signed_parameter, stands_for_header, string_to_sign
from ..scope import parse_http_date, parse_timestamp
from ..sigv2 import matches
from .body import BodyCheck
from .claim import Claim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..identity import Credentials
    from .arrival import Arrival

    Pairs = list[tuple[str, str]]

_PLAIN_NAME = re.compile(r"[A-Za-z0-9-]+")
_PARAMETERS = ("AWSAccessKeyId", "Expires", "Signature")


class S3SigV2Claim(Claim):
    scheme = "s3v2"
    service = "s3"

    def __init__(self, arrival: Arrival, place: str) -> None:
        super().__init__(arrival)
        self.location = place
        presigned = place == "query"
        arrival.location = place
        arrival.service = "s3"
        self._expires: str | None = None
        pairs = arrival.pairs()
        if presigned:
            self._read_query(arrival, pairs)
        else:
            self._read_header(arrival)
        self._check_ambiguity(arrival, pairs)
        dated = not presigned and "x-amz-date" not in arrival.headers
        covered = ("content-md5", "content-type", "date") if dated else ("content-md5", "content-type")
        self.signed_headers = tuple(sorted(name for name in arrival.headers if name.startswith("x-amz-") or name in covered))
        arrival.check_unsigned(arrival.headers.keys() - self.signed_headers)
        _, self.region = infer(f"https://{arrival.request.host}/")
        arrival.check_unscoped("S3's HMAC-SHA1 scheme", "s3", self.region)
        if arrival.header("x-amz-content-sha256") in STREAMING:
            arrival.fail("unsupported-payload", "signed streams belong to Signature Version 4")
        self._md5 = arrival.content_md5()

    def _read_header(self, arrival: Arrival) -> None:
        credential = arrival.header("authorization").partition(" ")[2].strip()
        self.access_key_id, colon, self.signature = credential.rpartition(":")
        if not (colon and self.access_key_id and self.signature):
            arrival.fail("malformed-authorization", "the Authorization header is not of the form 'AWS <access key>:<signature>'")
        arrival.access_key_id = self.access_key_id
        self.session_token = arrival.header("x-amz-security-token") or None
        text = arrival.header("x-amz-date") or arrival.header("date")
        if not text:
            arrival.fail("missing-date", "the request has neither an x-amz-date nor a Date header")
        signed_at = parse_http_date(text) or parse_timestamp(text)
        if signed_at is None:
            arrival.fail("bad-date", f"the date {text[:40]!r} is not one that HTTP knows, as 'Sun, 06 Nov 1994 08:49:37 GMT'")
        self.signed_at = signed_at.astimezone(UTC)
        arrival.check_skew(self.signed_at)

    def _read_query(self, arrival: Arrival, pairs: Pairs) -> None:
        values: dict[str, str] = {}
        for name, value in pairs:
            if name.lower() == "x-amz-security-token":
                name = name.lower()
            if name in (*_PARAMETERS, "x-amz-security-token"):
                if name in values:
                    arrival.fail("duplicate-parameter", f"the parameter {name} stands twice in the query")
                values[name] = value
        for name in _PARAMETERS:
            if not values.get(name):
                arrival.fail("missing-query-parameter", f"the query has no {name}; a presigned URL has {', '.join(_PARAMETERS)}")
        self.access_key_id, self.signature = values["AWSAccessKeyId"], values["Signature"]
        arrival.access_key_id = self.access_key_id
        self.session_token = values.get("x-amz-security-token")
        self._expires = values["Expires"]
        self.session_token = self.session_token or arrival.header("x-amz-security-token") or None
        if not (self._expires.isascii() and self._expires.isdigit() and len(self._expires) < 12):
            arrival.fail("bad-expires", f"Expires is {self._expires[:40]!r}, not a number of seconds since 1970")
        self.expires_at = datetime.fromtimestamp(int(self._expires), UTC)
        arrival.check_expiry(self.expires_at)

    def _check_ambiguity(self, arrival: Arrival, pairs: Pairs) -> None:
        """The string to sign has values decoded, so that two requests may have one: those that are read in two ways are refused."""
        seen = set()
        for name, value in pairs:
            if stands_for_header(name):
                if not _PLAIN_NAME.fullmatch(name):
                    arrival.fail("malformed-component", f"{name[:60]!r} in the query is not the name of a header")
                if name.lower() in seen:
                    arrival.fail("duplicate-parameter", f"the parameter {name} stands twice in the query")
                seen.add(name.lower())
                if self.location == "header":
                    arrival.fail("unsigned-content", f"the query has {name}, which a signature in a header does not cover")
                if name.lower() in arrival.headers:
                    arrival.fail("duplicate-header", f"{name} stands in the query and in a header")
                if "\n" in value or "\r" in value:
                    arrival.fail("malformed-component", f"{name} in the query has a line break")
            if is_signed_parameter(name) and any(is_signed_parameter(part.partition("=")[0]) for part in value.split("&")[1:]):
                arrival.fail("malformed-component", f"the value of {name} reads as further sub-resources")

    def _check(self, signer: Credentials) -> tuple[Derivation, bool]:
        request = self._arrival.request
        bucket = self._arrival.settings.bucket_of(request.host)
        paths = [request.path]
        if bucket is None and request.path.count("/") == 1 and request.path != "/":
            paths.append(f"{request.path}/")  # botocore signs a bucket's own path with a slash that it does not send.
        for path in paths:
            text = string_to_sign(request.method, path, request.query, request.headers, bucket, self._expires)
            if holds := matches(signer.secret_access_key, text, self.signature, "HmacSHA1"):
                break
        return Derivation(text, signed_headers=self.signed_headers), holds

    def _body(self) -> BodyCheck:
        declared = self._arrival.content_sha256()
        unsigned = declared is None and self._md5 is None and not self._arrival.takes_unsigned_payload()
        return BodyCheck(self._arrival.fail, declared, self._md5, unsigned=unsigned)
