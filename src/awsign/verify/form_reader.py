"""A form as it arrives: its fields read, and what of the file has come. What the fields mean is post_form.py's.

Needs the `multipart` package: `awsign[post]`. Source: RFC 7578; S3 API reference, "POST Object".
"""

from __future__ import annotations

import re

from ..encoding import decode, readable
from ..errors import MissingExtra
from ..post_policy import FILENAME, folded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from .arrival import Arrival
    from .claim import Claim

# S3's MaxPostPreDataLengthExceeded: the fields before the file are 20 KiB at most.
_LARGEST_FIELDS = 20 << 10
_MOST_FIELDS = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def missing_field(arrival: Arrival, name: str) -> NoReturn:
    """Refuse a form that lacks a field, in S3's words."""
    advice = "If it is specified, please check the order of the fields."
    arrival.fail("missing-field", f"Bucket POST must contain a field named '{name}'.  {advice}")


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
    """Feed it the body of a form: `claim` is there once the fields before the file were read. Sans I/O.

    reader = verifier.form(request)
    while reader.claim is None:
        reader.feed(next block)         # or reader.close() where there is no further one: that raises
    verified = verifier.verify(reader.claim)
    verified.body.feed(next block)      # gives the file, from its beginning
    """

    def __init__(self, arrival: Arrival, claimed_by: Callable[[Arrival, Form, FormReader], Claim]) -> None:
        """claimed_by: makes the claim of a form."""
        self._arrival = arrival
        self._claimed_by = claimed_by
        arrival.location = "form"
        arrival.service = arrival.service or "s3"
        try:
            import multipart
        except ImportError:
            raise MissingExtra("reading a form needs the multipart package; pip install 'awsign[post]'") from None
        self._errors = multipart.MultipartError
        kind, options = multipart.parse_options_header(arrival.header("content-type"))
        boundary = options.get("boundary", "")
        if kind.lower() != "multipart/form-data" or not 1 <= len(boundary) <= 200:
            arrival.fail("malformed-form", "the Content-Type of a form is multipart/form-data with a boundary")
        try:
            self._parser = multipart.PushMultipartParser(boundary, max_header_size=4096, max_segment_count=_MOST_FIELDS)
        except multipart.MultipartError as error:
            arrival.fail("malformed-form", f"the body is not multipart/form-data: {error}")
        self._first: bytes | None = b"--" + boundary.encode("utf-8", "replace")  # Until it has come.
        self._blank = False  # Whether an empty line came before it.
        self._line = bytearray()
        self._fields: dict[str, str] = {}
        self._name: str | None = None  # Of the part that is being read.
        self._value = bytearray()
        self._before = 0  # Bytes of fields.
        self.is_whole = False  # Whether the file was read to the boundary that ends it.
        self._pending: list[bytes] = []  # Of the file, until the fields were verified.
        self._form: Form | None = None
        self._claim: Claim | None = None

    def __repr__(self) -> str:
        return f"<FormReader {', '.join(self._fields)}>"

    @property
    def claim(self) -> Claim | None:
        """What the form claims; None until its fields were read. SignatureError where that cannot hold."""
        if self._claim is None and self._form is not None:
            self._claim = self._claimed_by(self._arrival, self._form, self)
        return self._claim

    def feed(self, data: bytes) -> None:
        """Take the next block of the body. SignatureError for what is no form.

        Up to the file the parser is given whole lines: what it says of them must not depend on how they arrive.
        """
        data = bytes(data)
        at = 0
        while at < len(data) and self._form is None:
            end = data.find(b"\n", at) + 1 or len(data)
            self._line += data[at:end]
            at = end
            if self._line.endswith(b"\n"):
                self._parse_line()
            elif len(self._line) > _LARGEST_FIELDS + len("\r\n"):
                self._too_large()
        if self._form is not None and not self.is_whole:  # S3 reads nothing after the file.
            self._parse(data[at:])

    def close(self) -> None:
        """The end of the body. SignatureError (a form without a file) where it came before there was a claim."""
        if self._form is None:
            self._parse_line()
            missing_field(self._arrival, "file")

    def take(self) -> bytes:
        """What of the file was read since it was asked for last."""
        data = b"".join(self._pending)
        self._pending.clear()
        return data

    def _parse_line(self) -> None:
        line = bytes(self._line)
        self._line.clear()
        if line and self._first is not None:
            # A preamble, which forms have none of (RFC 7578), is one reader's data and not another's; an empty one is none's.
            if line == b"\r\n" and not self._blank:
                self._blank = True
                return
            if not line.startswith(self._first):
                self._arrival.fail("malformed-form", "the body does not begin with the boundary that its Content-Type names")
            self._first = None
        self._parse(line)

    def _parse(self, data: bytes) -> None:
        if not data or self._parser.closed:
            return
        try:
            for event in self._parser.parse(data):
                if event is None:
                    self._end_part()
                    if self.is_whole:
                        return
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
        if self._name == "file":
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
        if self._form is not None:
            self._pending.append(data)
        else:
            self._value += data
            self._before += len(data)
            if self._before > _LARGEST_FIELDS:
                self._too_large()

    def _too_large(self) -> NoReturn:
        self._arrival.fail("form-too-large", f"the fields before the file are larger than {_LARGEST_FIELDS} bytes")

    def _end_part(self) -> None:
        if self._form is not None:
            self.is_whole = True
        elif self._name is not None:
            self._fields[self._name] = self._value.decode()
