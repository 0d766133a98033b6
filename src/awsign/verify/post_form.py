"""A form that a browser posts to S3: its fields read, the policy's signature and every condition checked, the file let through.

Needs the `multipart` package: `awsign[post]`. Source: S3 API reference, "POST Object", "POST policy".
"""

from __future__ import annotations

import re

from ..authorization import Fault, parse_credential
from ..derivation import Derivation
from ..encoding import decode, readable
from ..errors import MissingExtra
from ..post_policy import FILENAME, PolicyFault, folded, parse_policy
from ..scope import ALGORITHM, parse_timestamp, signing_key
from ..services import SECURITY_TOKEN
from ..sigv2 import matches
from .body import BodyCheck, checksums_of
from .claim import Claim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, NoReturn

    from ..canonical import Header
    from ..identity import Credentials
    from ..post_policy import Policy
    from .arrival import Arrival

# S3 API reference, "POST Object": the form up to the file is 20 KB at most (MaxPostPreDataLengthExceeded).
_LARGEST_FIELDS = 20_000
_MOST_FIELDS = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ORDER = "If it is specified, please check the order of the fields."


def has_file(method: str, headers: Iterable[Header]) -> bool:
    """Whether a request is a form of this kind."""
    types = [value for name, value in headers if name.lower() == "content-type" and isinstance(value, str)]
    return method == "POST" and bool(types) and types[0].partition(";")[0].strip().lower() == "multipart/form-data"


class Form:
    """What a form says. fields: by lower-case name, as they arrived; without what stands after the file, which S3 does not read.

    key: with the file's name in place of ${filename}; like any key it may be `..` or begin with a slash. bucket: of the URL.
    file_name, file_type: of the file's part, "" if it has none.
    """

    __slots__ = ("bucket", "fields", "file_name", "file_type")

    def __init__(self, bucket: str, fields: dict[str, str], file_name: str, file_type: str) -> None:
        self.bucket = bucket
        self.fields = fields
        # Some browsers send a whole path: its last part is the name.
        self.file_name = file_name.replace("\\", "/").rpartition("/")[2]
        self.file_type = file_type

    def __repr__(self) -> str:
        return f"<Form {self.bucket}: {', '.join(self.fields)}>"

    @property
    def key(self) -> str:
        return self.fields.get("key", "").replace(FILENAME, self.file_name)


class FormReader:
    """Feed it the body of a form: `claim` is there once the fields before the file were read.

    Verify the claim, then go on with `verified.body`, which gives the file. Sans I/O.
    """

    def __init__(self, arrival: Arrival) -> None:
        self._arrival = arrival
        arrival.location = "form"
        arrival.service = arrival.service or "s3"
        try:
            import multipart
        except ImportError:
            raise MissingExtra("reading a form needs the multipart package; pip install 'awsign[post]'") from None
        self._errors = multipart.MultipartError
        self._start: bytes | None = b""  # Until it is long enough to be the first boundary.
        kind, options = multipart.parse_options_header(arrival.header("content-type"))
        boundary = options.get("boundary", "")
        if kind.lower() != "multipart/form-data" or not 1 <= len(boundary) <= 200:
            arrival.fail("malformed-form", "the Content-Type of a form is multipart/form-data with a boundary")
        try:
            self._parser = multipart.PushMultipartParser(boundary, max_header_size=4096, max_segment_count=_MOST_FIELDS)
        except multipart.MultipartError as error:
            arrival.fail("malformed-form", f"the body is not multipart/form-data: {error}")
        self._boundary = boundary.encode("utf-8", "replace")
        self._fields: dict[str, str] = {}
        self._name: str | None = None  # Of the part that is being read.
        self._value = bytearray()
        self._before = 0  # Bytes of fields.
        self._in_file = False
        self._file_ended = False
        self._pending: list[bytes] = []  # Of the file, until the fields were verified.
        self._form: Form | None = None
        self._claim: PostClaim | None = None

    def __repr__(self) -> str:
        return f"<FormReader {', '.join(self._fields)}>"

    @property
    def claim(self) -> PostClaim | None:
        """What the form claims; None until its fields were read."""
        if self._claim is None and self._form is not None:
            self._claim = PostClaim(self._arrival, self._form, self)
        return self._claim

    def feed(self, data: bytes) -> None:
        """Take the next block of the body. SignatureError for what is no form."""
        if data:
            self._parse(data)

    def close(self) -> None:
        """The end of the body, where it came before the file did."""
        if self._form is None:
            self.missing("file")

    def take(self) -> bytes:
        """What of the file was read since it was asked for last."""
        data = b"".join(self._pending)
        self._pending.clear()
        return data

    @property
    def is_whole(self) -> bool:
        """Whether the form was read to its last boundary."""
        return self._file_ended and bool(self._parser.closed or self._is_complete())

    def missing(self, name: str) -> NoReturn:
        self._arrival.fail("missing-field", f"Bucket POST must contain a field named '{name}'.  {_ORDER}")

    def _is_complete(self) -> bool:
        try:
            self._parser.close()
        except self._errors:
            return False
        return True

    def _parse(self, data: bytes) -> None:
        if self._parser.closed:
            return  # An epilogue (RFC 2046, section 5.1.1).
        if self._start is not None:  # A preamble, which forms have none of (RFC 7578), is one reader's data and not another's.
            data, self._start = self._start + data, None
            if data == b"\r":
                self._start = data
                return
            first = data.removeprefix(b"\r\n")[: len(self._boundary) + 2]
            if not (b"--" + self._boundary).startswith(first):
                self._arrival.fail("malformed-form", "the body does not begin with the boundary that its Content-Type names")
            if len(first) < len(self._boundary) + 2:
                self._start = data
                return
        try:
            for event in self._parser.parse(data):
                if event is None:
                    self._end_part()
                elif isinstance(event, (bytes, bytearray)):
                    self._add(bytes(event))
                else:
                    self._begin_part(event)
        except self._errors as error:
            self._arrival.fail("malformed-form", f"the body is not multipart/form-data: {error.args[0] if error.args else ''}")
        except UnicodeDecodeError:
            self._arrival.fail("malformed-form", f"the field {self._name!r} is not UTF-8")

    def _begin_part(self, part: Any) -> None:
        self._value.clear()
        self._name = folded(part.name)
        if any(_CONTROL.search(text) for text in (part.name, part.filename or "", *(value for _, value in part.headerlist))):
            self._arrival.fail("malformed-form", "the head of a part has a control character")
        if self._file_ended:
            return
        if self._name == "file":
            self._in_file = True
            self._form = Form(self._bucket(), self._fields, part.filename or "", part.header("Content-Type") or "")
        elif self._name in self._fields:
            self._arrival.fail("malformed-form", f"the field {part.name[:60]!r} stands twice in the form")

    def _bucket(self) -> str:
        """The bucket of the URL: in the host, and then the path has nothing; or all that the path has."""
        request = self._arrival.request
        path = readable(decode(request.path)).removeprefix("/").removesuffix("/")
        bucket = self._arrival.settings.bucket_of(request.host)
        if bucket is None:
            return path
        if request.path != "/":
            self._arrival.fail("wrong-host", f"the bucket {bucket[:60]!r} is in the host of the form's URL; its path must be '/'")
        return bucket

    def _add(self, data: bytes) -> None:
        if self._in_file:
            self._pending.append(data)
        elif not self._file_ended:
            self._value += data
            self._before += len(data)
            if self._before > _LARGEST_FIELDS:
                self._arrival.fail("form-too-large", f"the fields before the file are larger than {_LARGEST_FIELDS} bytes")

    def _end_part(self) -> None:
        if self._in_file:
            self._in_file, self._file_ended = False, True
        elif not self._file_ended and self._name is not None:
            self._fields[self._name] = self._value.decode()


class FileCheck:
    """Feed it the body of a form from where its fields ended; it gives back the file, which must be of a size that the policy takes."""

    decodes = True

    def __init__(self, arrival: Arrival, reader: FormReader, policy: Policy, fields: dict[str, str]) -> None:
        self._arrival = arrival
        self._reader = reader
        self._least, self._most = policy.size_range
        self._size = 0
        self._check = BodyCheck(arrival.fail, None, arrival.content_md5(fields), checksums_of(arrival, fields))
        self._held = b""

    def __repr__(self) -> str:
        return f"<FileCheck {self._size} bytes>"

    def feed(self, data: bytes) -> bytes:
        """Take the next block of the body; give back what of the file came before it."""
        self._reader.feed(bytes(data))
        block = self._reader.take()
        self._size += len(block)
        if self._most is not None and self._size > self._most:
            self._fail(
                "file-too-large", f"Your proposed upload exceeds the maximum allowed size: the policy takes {self._most} bytes"
            )
        if not block:
            return b""
        given, self._held = self._held, self._check.feed(block)
        return given

    def close(self) -> bytes:
        """The end of the body: give back the last of the file. Raises SignatureError where it is cut, or too small."""
        if not self._reader.is_whole:
            self._fail("incomplete-body", "the body ends before the form does; send all of it")
        last = self._reader.take()
        self._size += len(last)
        if self._size < self._least:
            self._fail(
                "file-too-small",
                f"Your proposed upload is smaller than the minimum allowed size: the policy takes {self._least} bytes",
            )
        held, self._held = self._held, b""
        return held + self._check.feed(last) + self._check.close()

    def _fail(self, kind: str, message: str) -> NoReturn:
        self._held = b""
        self._arrival.fail(kind, message)


class PostClaim(Claim):
    """A form by its policy: SigV4's ("sigv4") or the HMAC-SHA1 form ("s3v2")."""

    location = "form"

    def __init__(self, arrival: Arrival, form: Form, reader: FormReader) -> None:
        super().__init__(arrival)
        self.form = self._form = form
        self._reader = reader
        self.service = "s3"
        fields = form.fields
        if "policy" not in fields and not {"x-amz-signature", "signature"} & fields.keys():
            arrival.fail("missing-authentication", "the form is not signed: it has no policy")
        v4 = any(name in fields for name in ("x-amz-algorithm", "x-amz-credential", "x-amz-signature", "x-amz-date"))
        self.scheme = "sigv4" if v4 else "s3v2"
        if v4 and {"awsaccesskeyid", "signature"} & fields.keys():
            arrival.fail("two-authentications", "the form is signed in both forms, Signature Version 4 and the older one")
        if self.scheme not in arrival.settings.schemes:
            arrival.fail("unsupported-algorithm", f"the form is signed by {self.scheme}, which is not taken here")
        arrival.check_unsigned()
        if arrival.pairs:
            arrival.fail("unsigned-content", "the request has a query beside its form, which the policy does not cover")
        self._require(("key", "policy"))
        if not form.key:
            reader.missing("key")
        self.session_token = fields.get(SECURITY_TOKEN)
        self._may_be_shown = self.session_token is None
        if v4:
            self._read_sigv4(arrival, fields)
        else:
            self._require(("AWSAccessKeyId", "signature"))
            self.access_key_id, self.signature = fields["awsaccesskeyid"], fields["signature"]
            arrival.access_key_id = self.access_key_id
            arrival.check_unscoped("S3's HMAC-SHA1 scheme", "s3", None)

    def _require(self, names: tuple[str, ...]) -> None:
        for name in names:
            if not self._form.fields.get(name.lower()):
                self._reader.missing(name)

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
        settings = arrival.settings
        if service != "s3" or (settings.services is not None and service not in settings.services):
            arrival.fail("wrong-service", f"the credential scope of a form names the service s3, not {service[:60]!r}")
        if settings.regions is not None and region not in settings.regions:
            arrival.fail("wrong-region", f"the credential scope names the region {region[:60]!r}, which is not this server's")
        arrival.check_host()
        signed_at = parse_timestamp(fields["x-amz-date"])
        if signed_at is None:
            arrival.fail("bad-date", f"x-amz-date is {fields['x-amz-date'][:40]!r}, not a time written as yyyymmddThhmmssZ")
        if fields["x-amz-date"][:8] != self._day:
            arrival.fail("scope-date-mismatch", f"the credential scope is of the day {self._day}, but x-amz-date of another")
        if signed_at > settings.now() + settings.max_skew:
            arrival.fail(
                "not-yet-valid", f"the form is not valid before {signed_at:%Y-%m-%dT%H:%M:%SZ}; set the clock of the signer"
            )
        self.signed_at = signed_at

    def _check(self, signer: Credentials) -> tuple[Derivation, bool]:
        encoded = self._form.fields["policy"]
        derivation = Derivation(encoded.encode("utf-8", "replace").decode("latin-1"), scope=self.scope)
        text = derivation.wire_string_to_sign
        if self.scheme == "s3v2":
            return derivation, matches(signer.secret_access_key, text, self.signature, "HmacSHA1")
        assert self.region is not None and self.service is not None
        return derivation, signing_key(signer, self._day, self.region, self.service).matches(text, self.signature)

    def _body(self) -> FileCheck:
        """What the policy says of the file; its conditions are checked here, now that it is known to be signed."""
        arrival, fields = self._arrival, self._form.fields
        try:
            policy = parse_policy(fields["policy"])
            if policy.expiration <= arrival.settings.now():
                raise PolicyFault("expired", "Invalid according to Policy: Policy expired.")
            policy.check({**fields, "bucket": self._form.bucket, "key": self._form.key})
            if fields.get("bucket", self._form.bucket) != self._form.bucket:
                raise PolicyFault("condition-failed", "Invalid according to Policy: the field bucket is not the bucket of the URL")
        except PolicyFault as fault:
            arrival.fail(fault.kind, str(fault))
        self.expires_at = policy.expiration
        reader = self._reader
        if isinstance(arrival.request.body, bytes):
            reader = FormReader(arrival)  # Of a body that is there already: read anew by each who asks for the file.
        return FileCheck(arrival, reader, policy, fields)
