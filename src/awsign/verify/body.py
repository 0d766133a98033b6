"""A body checked as it is read: against the hash that the signature covers, and a signed Content-MD5."""

from __future__ import annotations

from base64 import b64encode
from hashlib import md5, sha256

from ..checksum import CHECKSUM_HEADERS, Checksum
from ..errors import MissingExtra

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn, Protocol

    from .arrival import Arrival

    class Body(Protocol):
        """Feed it the body block by block; it gives back what was checked, and raises where it is not what was signed.

        decodes: whether what it gives back is something else than what arrived.
        """

        @property
        def decodes(self) -> bool: ...

        def feed(self, data: bytes) -> bytes: ...
        def close(self) -> bytes: ...


def checksums_of(arrival: Arrival, headers: dict[str, str] | None = None) -> list[tuple[Checksum, str]]:
    """The x-amz-checksum-... headers of a request, each a checksum of its body and the value that it must have.

    headers: by lower-case name, where they are not the request's own: the fields of a form.
    """
    headers = arrival.headers if headers is None else headers
    if CHECKSUM_HEADERS.isdisjoint(headers) or (arrival.request.method == "POST" and "uploadId" in arrival.query.encoded):
        return []  # The completion of a multipart upload has the checksum of the object, not of its own body.
    found = []
    for name in sorted(CHECKSUM_HEADERS & headers.keys()):
        value = headers[name]
        try:
            checksum = Checksum(name)
        except MissingExtra as missing:
            if arrival.content_sha256() is not None:
                continue  # The hash vouches for the body already, and for more.
            arrival.fail("unsupported-payload", f"{name} cannot be checked here: {missing}")
        if not checksum.can_be(value):
            arrival.fail("bad-checksum", f"{name} is {value[:60]!r}, not the base64 of a {checksum.name}")
        found.append((checksum, value))
    return found


def check_checksum(checksum: Checksum, value: str, fail: Callable[[str, str], NoReturn]) -> None:
    """What was computed against what was sent."""
    if checksum.base64() != value:
        fail(
            "checksum-mismatch",
            f"the {checksum.name} of the body is {checksum.base64()}, but {checksum.header} says {value[:60]}; "
            "the body was changed on the way",
        )


def check_sha256(actual: str, expected: str, fail: Callable[[str, str], NoReturn]) -> None:
    """The hash of a body against the one that was signed."""
    if actual != expected:
        fail(
            "payload-hash-mismatch",
            f"the body's SHA-256 is {actual}, but the request was signed for one of {expected}; "
            "the body was changed after signing, or another was sent",
        )


def check_whole(
    fail: Callable[[str, str], NoReturn],
    body: bytes,
    expected_sha256: str | None,
    expected_md5: str | None,
    checksums: Sequence[tuple[Checksum, str]],
) -> None:
    """What BodyCheck does, for a body that is there as a whole; most have a hash and no more."""
    if expected_sha256 is not None:
        check_sha256(sha256(body).hexdigest(), expected_sha256, fail)
    if expected_md5 is not None or checksums:
        check = BodyCheck(fail, None, expected_md5, checksums)
        check.feed(body)
        check.close()


class BodyCheck:
    """Feed it the body block by block; it gives back what may be used, and raises where the body is not what was signed.

    The hash is known only at the end, so the last block is held back until `close` has checked it. Each block given back was
    part of a body whose hash is yet to be checked: act on it only after `close`.
    """

    # Whether what is given back is something else than what arrived.
    decodes = False

    def __init__(
        self,
        fail: Callable[[str, str], NoReturn],
        expected_sha256: str | None,
        expected_md5: str | None = None,
        checksums: Sequence[tuple[Checksum, str]] = (),
        *,
        sizes: tuple[int, int | None] = (0, None),
        unsigned: bool = False,
    ) -> None:
        """fail: raises SignatureError for a kind and a message. expected_sha256: hex, or None where the payload is unsigned.

        expected_md5: base64. checksums: each with the value that it must have. sizes: the least and the most bytes that it may have.
        unsigned: the scheme covers no body at all, so that there must be none.
        """
        self._raise = fail
        self._expected_sha256 = expected_sha256
        self._expected_md5 = expected_md5
        self._unsigned = unsigned
        self._sha256 = sha256() if expected_sha256 is not None else None
        # MD5 is what the header is made of (RFC 1864), not what vouches for the body.
        self._md5 = md5(usedforsecurity=False) if expected_md5 is not None else None
        self._checksums = [(Checksum(checksum.name), value) for checksum, value in checksums]
        self._least, self._most = sizes
        self._size = 0
        self._held = b""
        self._closed = False

    def __repr__(self) -> str:
        return f"<BodyCheck sha256={self._expected_sha256!r} md5={self._expected_md5!r}>"

    @property
    def checks(self) -> bool:
        """Whether there is anything to check at the end."""
        return (
            self._sha256 is not None or self._md5 is not None or bool(self._checksums) or self._least > 0 or self._most is not None
        )

    def feed(self, data: bytes) -> bytes:
        """Take the next block; give back the one before."""
        if self._closed:
            raise ValueError("this body was closed; nothing can follow")
        if self._unsigned and data:
            self._fail("unsigned-content", "the request has a body, which its signature scheme does not cover")
        self._size += len(data)
        if self._most is not None and self._size > self._most:
            self._fail("file-too-large", f"Your proposed upload exceeds the maximum allowed size: {self._most} bytes are taken")
        if self._sha256 is not None:
            self._sha256.update(data)
        if self._md5 is not None:
            self._md5.update(data)
        for checksum, _ in self._checksums:
            checksum.update(data)
        if not self.checks:
            return data
        if not data:
            return b""
        given, self._held = self._held, bytes(data)
        return given

    def close(self) -> bytes:
        """The end of the body: check it, and give back the last block. Raises SignatureError if it is not what was signed."""
        if self._closed:
            raise ValueError("this body was closed already")
        self._closed = True
        if self._size < self._least:
            self._fail(
                "file-too-small", f"Your proposed upload is smaller than the minimum allowed size: {self._least} bytes are needed"
            )
        if self._sha256 is not None and self._expected_sha256 is not None:
            check_sha256(self._sha256.hexdigest(), self._expected_sha256, self._fail)
        if self._md5 is not None and b64encode(self._md5.digest()).decode() != self._expected_md5:
            self._fail("content-md5-mismatch", f"the body's MD5 is not the Content-MD5 of the request, {self._expected_md5}")
        for checksum, value in self._checksums:
            check_checksum(checksum, value, self._fail)
        held, self._held = self._held, b""
        return held

    def _fail(self, kind: str, message: str) -> NoReturn:
        self._held = b""
        self._raise(kind, message)


class Limited:
    """A body of which no more bytes are taken than a limit, as they arrive."""

    def __init__(self, body: Body, most: int, fail: Callable[[str, str], NoReturn]) -> None:
        self._body = body
        self._most = most
        self._left = most
        self._fail = fail

    @property
    def decodes(self) -> bool:
        return self._body.decodes

    def __repr__(self) -> str:
        return f"<Limited {self._body!r}>"

    def feed(self, data: bytes) -> bytes:
        """Take the next block; give back what the body gives."""
        self._left -= len(data)
        if self._left < 0:
            self._fail("body-too-large", f"the body is larger than {self._most} bytes")
        return self._body.feed(data)

    def close(self) -> bytes:
        """The end of the body."""
        return self._body.close()


class Decoded:
    """A body that is decoded as it is read, and checked as a whole after that: the headers of a stream may say what it is too."""

    decodes = True

    def __init__(self, decoder: Body, check: BodyCheck) -> None:
        self._decoder = decoder
        self._check = check

    def __repr__(self) -> str:
        return f"<Decoded {self._decoder!r} {self._check!r}>"

    def feed(self, data: bytes) -> bytes:
        """Take the next block as it arrived; give back what of the decoded body may be used."""
        return self._check.feed(self._decoder.feed(data))

    def close(self) -> bytes:
        """The end of the body: give back the last of it. Raises SignatureError if it is not what was signed."""
        return self._check.feed(self._decoder.close()) + self._check.close()
