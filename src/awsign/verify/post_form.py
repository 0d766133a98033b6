"""A form that a browser posts to S3: the policy's signature and every condition of it checked, the file let through.

Source: S3 API reference, "POST Object", "POST policy".
"""

from __future__ import annotations

from ..authorization import Fault, parse_credential
from ..derivation import Derivation
from ..endpoints import infer
from ..errors import MissingExtra
from ..post_policy import PolicyFault, parse_policy
from ..scope import ALGORITHM, parse_timestamp, signing_key
from ..services import SECURITY_TOKEN
from ..sigv2 import matches
from .body import BodyCheck, Decoded, checksums_of
from .claim import Claim
from .form_reader import FormReader, missing_field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..identity import Credentials
    from .arrival import Arrival
    from .form_reader import Form


def form_reader(arrival: Arrival) -> FormReader:
    """What reads a form. MissingExtra where the package that does is not installed."""
    return FormReader(arrival, PostClaim)


def claim_of_bytes(arrival: Arrival, body: bytes) -> Claim:
    """What a form claims whose body is there."""
    try:
        reader = form_reader(arrival)
    except MissingExtra as missing:  # The stranger sent a form; that nothing here reads one is no failure of the server.
        arrival.fail("unsupported-payload", f"forms are not read here: {missing}")
    reader.feed(body)
    reader.close()
    assert reader.claim is not None
    return reader.claim


class FormFile:
    """The file of a form, out of the bytes of its body from where the fields ended."""

    decodes = True

    def __init__(self, arrival: Arrival, reader: FormReader) -> None:
        self._arrival = arrival
        self._reader = reader

    def __repr__(self) -> str:
        return f"<FormFile of {self._reader!r}>"

    def feed(self, data: bytes) -> bytes:
        """Take the next block of the body; give back what of the file is in it, or came before it."""
        self._reader.feed(bytes(data))
        return self._reader.take()

    def close(self) -> bytes:
        """The end of the body. Raises SignatureError where it is cut."""
        if not self._reader.is_whole:
            self._arrival.fail("incomplete-body", "the body ends before the form does; send all of it")
        return self._reader.take()


class PostClaim(Claim):
    """A form by its policy: SigV4's ("sigv4") or the HMAC-SHA1 form ("s3v2")."""

    location = "form"

    def __init__(self, arrival: Arrival, form: Form, reader: FormReader) -> None:
        super().__init__(arrival)
        self.form: Form = form
        self._reader = reader
        self.service = "s3"
        _, self.region = infer(f"https://{arrival.request.host}/")
        fields = form.fields
        if "policy" not in fields and not {"x-amz-signature", "signature"} & fields.keys():
            arrival.fail("missing-authentication", "the form is not signed: it has no policy")
        v4 = any(name in fields for name in ("x-amz-algorithm", "x-amz-credential", "x-amz-signature", "x-amz-date"))
        self.scheme = "sigv4" if v4 else "s3v2"
        if v4 and {"awsaccesskeyid", "signature"} & fields.keys():
            arrival.fail("two-authentications", "the form is signed in both forms, Signature Version 4 and the older one")
        if self.scheme not in arrival.settings.schemes:
            arrival.fail("unsupported-algorithm", f"the form is signed by {self.scheme}, which is not taken here")
        if not arrival.takes_unsigned_payload():
            arrival.fail("bad-content-sha256", "a policy does not sign the file of its form, which is not taken here")
        arrival.check_unsigned(arrival.headers)
        if arrival.query.names:
            arrival.fail("unsigned-content", "the request has a query beside its form, which the policy does not cover")
        self._require(("key", "policy"))
        if not form.key:
            missing_field(arrival, "key")
        self.session_token = fields.get(SECURITY_TOKEN)
        self._may_be_shown = self.session_token is None
        if v4:
            self._read_sigv4(arrival, fields)
        else:
            self._require(("AWSAccessKeyId", "signature"))
            self.access_key_id, self.signature = fields["awsaccesskeyid"], fields["signature"]
            arrival.access_key_id = self.access_key_id
            arrival.check_unscoped("S3's HMAC-SHA1 scheme", "s3", self.region)

    def _require(self, names: tuple[str, ...]) -> None:
        for name in names:
            if not self.form.fields.get(name.lower()):
                missing_field(self._arrival, name)

    def _read_sigv4(self, arrival: Arrival, fields: dict[str, str]) -> None:
        self._require(("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature"))
        if fields["x-amz-algorithm"] != ALGORITHM:
            arrival.fail("unsupported-algorithm", f"X-Amz-Algorithm is {fields['x-amz-algorithm'][:40]!r}; supported: {ALGORITHM}")
        try:
            self.access_key_id, self._day, region, service = parse_credential(fields["x-amz-credential"], True)
        except Fault as fault:
            arrival.fail(fault.kind, str(fault))
        arrival.access_key_id = self.access_key_id
        self.signature = fields["x-amz-signature"]
        self.region, self.service = region, service
        self.scope = fields["x-amz-credential"].removeprefix(f"{self.access_key_id}/")
        if service != "s3":
            arrival.fail("wrong-service", f"the credential scope of a form names the service s3, not {service[:60]!r}")
        arrival.check_scope(service, region)
        signed_at = parse_timestamp(fields["x-amz-date"])
        if signed_at is None:
            arrival.fail("bad-date", f"x-amz-date is {fields['x-amz-date'][:40]!r}, not a time written as yyyymmddThhmmssZ")
        if fields["x-amz-date"][:8] != self._day:
            arrival.fail("scope-date-mismatch", f"the credential scope is of the day {self._day}, but x-amz-date of another")
        arrival.check_not_before("form", signed_at)
        self.signed_at = signed_at

    def _check(self, signer: Credentials) -> tuple[Derivation, bool]:
        encoded = self.form.fields["policy"]
        derivation = Derivation(encoded.encode("utf-8", "replace").decode("latin-1"), scope=self.scope)
        text = derivation.wire_string_to_sign
        if self.scheme == "s3v2":
            return derivation, matches(signer.secret_access_key, text, self.signature, "HmacSHA1")
        assert self.region is not None and self.service is not None
        return derivation, signing_key(signer, self._day, self.region, self.service).matches(text, self.signature)

    def _authorize(self) -> None:
        """Every condition of the policy, and its end."""
        arrival, fields = self._arrival, self.form.fields
        try:
            self._policy = policy = parse_policy(fields["policy"])
            if policy.expiration <= arrival.settings.now():
                raise PolicyFault("expired", "Invalid according to Policy: Policy expired.")
            policy.check({**fields, "bucket": self.form.bucket, "key": self.form.key})
            if fields.get("bucket", self.form.bucket) != self.form.bucket:
                raise PolicyFault("condition-failed", "Invalid according to Policy: the field bucket is not the bucket of the URL")
        except PolicyFault as fault:
            arrival.fail(fault.kind, str(fault))
        self.expires_at = policy.expiration

    def judge(self, body: bytes) -> None:
        """Policy and file, whether the signature holds or not: for whoever explains a form. SignatureError for what they do not take."""
        self._authorize()
        check = self._body()
        check.feed(body)
        check.close()

    def _body(self) -> Decoded:
        arrival, fields, reader = self._arrival, self.form.fields, self._reader
        if isinstance(arrival.request.body, bytes):
            reader = form_reader(arrival)  # Of a body that is there already: read anew by each who asks for the file.
        check = BodyCheck(
            arrival.fail, None, arrival.content_md5(fields), checksums_of(arrival, fields), sizes=self._policy.size_range
        )
        return Decoded(FormFile(arrival, reader), check)
