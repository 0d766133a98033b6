"""What a Signature Version 4 claims: in the Authorization header, or in the query of a presigned URL."""

from __future__ import annotations

from ..authorization import TOKEN_HEADERS, TOKEN_PARAMETERS, Fault, parse_authorization, parse_presigned
from ..canonical import canonical_path
from ..chain import Chain
from ..derivation import derive
from ..errors import InvalidRequest
from ..payload import EVENTS, STREAMING, UNSIGNED_PAYLOAD, hash_body, is_sha256
from ..query import Query
from ..scope import HmacSha256, parse_http_date, parse_timestamp, timestamp
from ..services import (
    REQUIRES_CONTENT_SHA256,
    S3_EXPRESS,
    S3_FAMILY,
    SECURITY_TOKEN,
    SESSION_TOKEN,
    TAKES_UNSIGNED_PAYLOAD,
    rules_for,
    rules_of_call,
)
from .body import BodyCheck, Decoded, check_whole, checksums_of
from .claim import Claim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..authorization import Authorization, SignedQuery
    from ..derivation import Derivation
    from ..scope import Algorithm, Key
    from .arrival import Arrival
    from .body import Body
    from .chunks import ChunkedHeaders
    from .events import EventCheck


class SigV4Claim(Claim):
    scheme = "sigv4"
    _algorithm: Algorithm = HmacSha256()

    def __init__(self, arrival: Arrival, place: str) -> None:
        super().__init__(arrival)
        self.location = arrival.location = place
        self._in_query: SignedQuery | None = None
        known = (self._algorithm.name,)
        try:
            if place == "query":
                self._in_query = in_query = parse_presigned(arrival.query, known)
                claimed, self.signature = in_query.authorization, in_query.signature
            else:
                claimed, self.signature = parse_authorization(arrival.header("authorization"), known)
        except Fault as fault:
            arrival.fail(fault.kind, str(fault))
        self._claimed = claimed
        self.access_key_id = arrival.access_key_id = claimed.access_key_id
        self.service = arrival.service = claimed.service
        self.region = self._region(arrival)
        self.scope = claimed.scope
        self.signed_headers = claimed.signed_headers
        self._rules = rules_for(claimed.service)
        self._check_scope(arrival)
        self._check_time(arrival)
        self._check_headers(arrival)
        self._stream: ChunkedHeaders | None = None
        self._payload_hash, self._body_sha256 = self._payload(arrival)
        self._md5 = arrival.content_md5() if "content-md5" in claimed.signed else None
        self._checksums = checksums_of(arrival)

    def _region(self, arrival: Arrival) -> str:
        """Where the signature counts: the region of the scope."""
        return self._claimed.region

    def _check_scope(self, arrival: Arrival) -> None:
        arrival.check_scope(self.service or "", self.region or "")

    def _check_time(self, arrival: Arrival) -> None:
        """S3 API reference, X-Amz-Date: a signed X-Amz-Date, or without one a signed Date, is the time."""
        claimed, in_query = self._claimed, self._in_query
        if in_query is not None:
            text, signed_at = in_query.stamp, in_query.signed_at
        elif text := arrival.header("x-amz-date"):
            signed_at = parse_timestamp(text)
        else:
            text = arrival.header("date")
            if not text:
                arrival.fail("missing-date", "the request has neither an X-Amz-Date nor a Date header")
            if "date" not in claimed.signed:
                arrival.fail("missing-date", "the request has no X-Amz-Date, and its Date is not signed")
            signed_at = parse_timestamp(text) or parse_http_date(text)
            text = timestamp(signed_at) if signed_at else text
        if signed_at is None:
            arrival.fail("bad-date", f"the date {text[:40]!r} is not a time written as yyyymmddThhmmssZ")
        self._stamp = text
        self.signed_at = signed_at
        if self._stamp[:8] != claimed.date:
            arrival.fail(
                "scope-date-mismatch",
                f"the credential scope is of the day {claimed.date}, but the request was signed on {self._stamp[:8]}; the scope has the UTC day",
            )
        if in_query is None or in_query.expires is None:
            if in_query is not None and self.service in S3_FAMILY:
                arrival.fail("missing-query-parameter", "the query has no X-Amz-Expires, which a presigned URL of S3 must have")
            arrival.check_skew(signed_at)
            return
        if not in_query.expires:
            arrival.fail("expired", "X-Amz-Expires is 0: the URL was never valid")
        self.expires_at = signed_at + in_query.expires
        if not signed_at <= arrival.settings.now() < self.expires_at:  # Of those that count, almost all pass here.
            arrival.check_not_before("URL", signed_at)
            arrival.check_expiry(self.expires_at)

    def _check_headers(self, arrival: Arrival) -> None:
        claimed, in_query = self._claimed, self._in_query
        headers, signed = arrival.headers, claimed.signed
        if "host" not in signed:
            arrival.fail("host-not-signed", "the header host is not among SignedHeaders; it must be signed")
        exempt = ("x-amz-content-sha256",) if in_query is not None else ()
        if self._rules.token == "after":
            exempt = (*exempt, self._rules.token_header)
        unsigned = headers.keys() - signed
        arrival.check_unsigned(unsigned, exempt)
        if len(unsigned) + len(signed) > len(headers):
            absent = [name for name in claimed.signed_headers if name not in headers]
            arrival.fail("signed-header-missing", f"signed headers did not arrive: {', '.join(absent)}")
        # S3 Express has two kinds of calls, each with a token header of its own (RULES, Session tokens): one of them is there.
        given = (None if in_query is None else in_query.token, headers.get(SECURITY_TOKEN), headers.get(SESSION_TOKEN))
        tokens = [token for token in given if token]
        if len(tokens) > 1:
            arrival.fail("duplicate-header", "the request has two session tokens")
        if in_query is None and self._rules.token == "after" and not arrival.query.names.isdisjoint(TOKEN_HEADERS):
            arrival.fail("unsigned-content", "the query has a session token, which a signature in a header does not cover here")
        self.session_token = tokens[0] if tokens else None
        if tokens and self.service in S3_EXPRESS:
            takes = rules_of_call(self._rules, arrival.request).token_header
            if takes not in headers and takes not in arrival.query.names:
                arrival.fail(
                    "invalid-token", f"the session token is in the wrong place: this call of S3 Express takes it as {takes}"
                )

    def _payload(self, arrival: Arrival) -> tuple[str | None, str | None]:
        """The last line of the canonical request, and the hash that the body must have, None where it is unsigned.

        Both None: no hash was sent and no word in its place, so that the signature covers that of the body itself.
        """
        declared = arrival.header("x-amz-content-sha256")
        body_sha256 = declared if declared and is_sha256(declared) else None
        if body_sha256 is not None and self.location == "header":
            return declared, declared
        if self.location == "query":
            if "x-amz-content-sha256" not in (self.signed_headers or ()):
                if declared in STREAMING or declared == EVENTS:
                    self._refuse_streaming(declared)
                declared = arrival.query.get("X-Amz-Content-Sha256") or ""
            if not declared and self._rules.presigned_payload == "unsigned":
                self._check_unsigned_payload(arrival)
                return UNSIGNED_PAYLOAD, body_sha256
        elif not declared and self.service in REQUIRES_CONTENT_SHA256:
            arrival.fail("missing-content-sha256", "the request has no x-amz-content-sha256 header, which this service requires")
        if not declared:
            return None, None
        if declared in STREAMING or declared == EVENTS:
            if self.location == "query":
                self._refuse_streaming(declared)
            if declared == "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
                self._check_unsigned_payload(arrival)
            if declared != EVENTS:
                from .chunks import ChunkedHeaders

                self._stream = ChunkedHeaders(arrival, self._algorithm, declared)
            elif self._algorithm.names_region_set:
                arrival.fail("bad-content-sha256", f"x-amz-content-sha256 is {EVENTS}, which is signed by SigV4 alone")
            return declared, None
        if declared == UNSIGNED_PAYLOAD:
            self._check_unsigned_payload(arrival)
            if self.service not in TAKES_UNSIGNED_PAYLOAD and self._rules.payload == "hash":
                arrival.fail(
                    "bad-content-sha256",
                    f"{self.service} does not take x-amz-content-sha256: {UNSIGNED_PAYLOAD}; sign the body's hash",
                )
            return UNSIGNED_PAYLOAD, body_sha256
        if not is_sha256(declared):
            arrival.fail(
                "bad-content-sha256",
                f"x-amz-content-sha256 is {declared[:70]!r}; it must be {UNSIGNED_PAYLOAD} or a SHA-256 in lower-case hex",
            )
        return declared, declared

    def _check_unsigned_payload(self, arrival: Arrival) -> None:
        """Whether a body that the signature does not cover is taken here at all."""
        if not arrival.takes_unsigned_payload():
            where = "" if arrival.settings.unsigned_payload == "refuse" else " but over https"
            arrival.fail("bad-content-sha256", f"a body that is not signed is not taken here{where}; sign its hash")

    def _refuse_streaming(self, declared: str) -> None:
        self._arrival.fail(
            "unsupported-payload",
            f"x-amz-content-sha256 is {declared}, which no presigned URL has; sign in the Authorization header",
        )

    @property
    def needs_body(self) -> bool:
        return self._payload_hash is None

    def _check(self, signer: Any) -> tuple[Derivation, bool]:
        request, claimed = self._arrival.request, self._claimed
        if self._payload_hash is None:  # Not before there is a key: hashing a body is work that a stranger could ask for.
            try:
                self._payload_hash, _ = hash_body(request.body, "refuse")
            except InvalidRequest:
                self._arrival.fail(
                    "undeclared-payload",
                    "the request does not declare its body's hash, so the body itself is needed to check the signature: "
                    "send x-amz-content-sha256, or have the server give the body as bytes",
                )
            self._body_sha256 = self._payload_hash
            self._body_is_signed = True
        derivation = derive(
            algorithm=claimed.algorithm,
            stamp=self._stamp,
            scope=self.scope or "",
            method=request.method,
            path=canonical_path(request.path, self._rules),
            query=self._query(),
            fields=request.fields,
            signed_headers=claimed.signed_headers,
            payload_hash=self._payload_hash,
        )
        self._signer = signer
        self._key = self._key_of(signer, claimed)
        return derivation, self._key.matches(derivation.wire_string_to_sign, self.signature)

    def _query(self) -> str:
        """The canonical query."""
        arrival, rules = self._arrival, self._rules
        query = arrival.query
        if query.text is not arrival.request.query:  # It was changed since the claim: what it is now has to be signed.
            query = Query(arrival.request.query)
        if self._in_query is None:
            return query.canonical()
        if rules.token == "after":
            return query.canonical("X-Amz-Signature", TOKEN_PARAMETERS[rules.token_header])
        return query.canonical("X-Amz-Signature")

    def _key_of(self, signer: Any, claimed: Authorization) -> Key:
        return self._algorithm.key(signer, claimed.date, claimed.region, claimed.service)

    def _content(self, given: bytes) -> bytes:
        if self._stream is None and self._payload_hash != EVENTS:
            check_whole(self._arrival.fail, given, self._body_sha256, self._md5, self._checksums)
            return given
        return super()._content(given)

    def _body(self) -> Body:
        if self._payload_hash == EVENTS:
            return self._events()
        rest = BodyCheck(self._arrival.fail, self._body_sha256, self._md5, self._checksums)
        if self._stream is not None:
            chain = Chain.at(self._algorithm.name, self._stamp, self.scope or "", self._key, self.signature)
            decoded = self._stream.check(chain)
            return Decoded(decoded, rest) if rest.checks else decoded
        return rest

    def _events(self) -> EventCheck:
        if self.location == "header" and self._payload_hash != EVENTS:
            raise ValueError("a request signed in its header for another body begins no event stream")
        from ..event_stream import EventChain
        from .events import EventCheck

        chain = EventChain(self._algorithm, self._signer, self._claimed.region, self._claimed.service, self.signature)
        return EventCheck(self._arrival.fail, chain, self._arrival.check_skew)
