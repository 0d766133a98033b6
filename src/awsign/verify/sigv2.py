"""What a Signature Version 2 of the Query APIs claims: in the query of a GET, or in the form of a POST."""

from __future__ import annotations

from datetime import datetime

from ..derivation import Derivation
from ..endpoints import infer
from ..scope import plausible
from ..sigv2 import METHODS, matches, string_to_sign
from .body import BodyCheck
from .claim import Claim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..identity import Credentials
    from .arrival import Arrival

    Pairs = list[tuple[str, str]]


class SigV2Claim(Claim):
    scheme = "sigv2"

    def __init__(self, arrival: Arrival, place: str) -> None:
        super().__init__(arrival)
        self.location = place
        self._pairs = arrival.pairs() if place == "query" else arrival.form()
        values = self._values(arrival)
        if values.get("SignatureVersion") != "2":
            arrival.fail(
                "unsupported-version", f"SignatureVersion is {values.get('SignatureVersion')!r}; only 2 covers the whole request"
            )
        if values.get("SignatureMethod") not in METHODS:
            arrival.fail(
                "unsupported-algorithm", f"SignatureMethod is {values.get('SignatureMethod')!r}; supported: {', '.join(METHODS)}"
            )
        self._method = values["SignatureMethod"]
        if not values.get("AWSAccessKeyId"):
            arrival.fail("missing-query-parameter", "the request has no AWSAccessKeyId")
        self.access_key_id = arrival.access_key_id = values["AWSAccessKeyId"]
        self.signature = values["Signature"]
        self.session_token = values.get("SecurityToken")
        self._check_time(arrival, values)
        self._check_coverage(arrival)
        self.service, self.region = infer(f"https://{arrival.request.host}/")
        arrival.check_unscoped("Signature Version 2", self.service, self.region)

    def _values(self, arrival: Arrival) -> dict[str, str]:
        """The parameters that the scheme reads, each at most once."""
        read = (
            "AWSAccessKeyId",
            "Signature",
            "SignatureVersion",
            "SignatureMethod",
            "Timestamp",
            "Expires",
            "SecurityToken",
            "Action",
        )
        values: dict[str, str] = {}
        for name, value in self._pairs:
            if name in read:
                if name in values:
                    arrival.fail("duplicate-parameter", f"the parameter {name} stands twice in the request")
                values[name] = value
        return values

    def _check_time(self, arrival: Arrival, values: dict[str, str]) -> None:
        """AWS general reference, Signature Version 2: a Timestamp counts for 15 minutes, an Expires until it has come."""
        if ("Timestamp" in values) == ("Expires" in values):
            which = "both Timestamp and Expires" if "Timestamp" in values else "neither Timestamp nor Expires"
            arrival.fail("missing-date", f"the request has {which}; it must have one of them")
        name = "Timestamp" if "Timestamp" in values else "Expires"
        try:
            at = plausible(datetime.fromisoformat(values[name]))
        except ValueError:
            at = None
        if at is None:
            arrival.fail("bad-date", f"{name} is {values[name][:40]!r}, not a time as 2026-01-15T12:00:00Z")
        if name == "Timestamp":
            self.signed_at = at
            arrival.check_skew(at)
        else:
            self.expires_at = at
            arrival.check_expiry(at)

    def _check_coverage(self, arrival: Arrival) -> None:
        """The scheme covers method, host, path and the parameters in one place; what else could mean something is refused."""
        if self.location == "form" and arrival.query.names:
            arrival.fail("unsigned-content", "the request has a query beside its signed form, which the signature does not cover")
        arrival.check_unsigned(arrival.headers)

    def _check(self, signer: Credentials) -> tuple[Derivation, bool]:
        request = self._arrival.request
        text = string_to_sign("2", request.method, request.host, request.path, self._pairs)
        return Derivation(text), matches(signer.secret_access_key, text, self.signature, self._method)

    def _body(self) -> BodyCheck:
        if self.location == "form":
            return BodyCheck(self._arrival.fail, None)
        return BodyCheck(self._arrival.fail, None, unsigned=True)
