"""The payload: another body, or another last line."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from contextlib import suppress

from ...payload import EMPTY_SHA256, STREAMING, UNSIGNED_PAYLOAD
from .case import Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .case import Case

_ENCODINGS = ("latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "ascii")
_LARGEST = 8 << 20


def bodies(body: bytes) -> Iterator[tuple[str, bytes, str]]:
    """What a body may have been before, or been taken for: the kind, the bytes, a few words."""
    yield "empty-hash-for-body", b"", "for an empty body"
    if len(body) > _LARGEST:
        return
    for end in (b"\n", b"\r\n"):
        yield "body-trailing-newline", body + end, "with a line break at the end of the body"
        if body.endswith(end):
            yield "body-trailing-newline", body.removesuffix(end), "without the line break at the end of the body"
    yield "body-trailing-newline", body.rstrip(), "without the white space at the end of the body"
    yield "body-trailing-newline", body.replace(b"\r\n", b"\n"), "with LF for CR LF in the body"
    yield "body-trailing-newline", body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), "with CR LF for LF in the body"
    yield "body-trailing-newline", body.translate(None, b"\r\n"), "without the line breaks of the body"
    yield from (("body-compressed", plain, "for the body before it was compressed") for plain in _decompressed(body))
    yield "body-compressed", gzip.compress(body, mtime=0), "for the body compressed"
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = None
        for encoding in ("latin-1", "utf-16"):
            try:
                yield "body-encoding", body.decode(encoding).encode(), f"for the body as UTF-8, which is sent as {encoding}"
            except UnicodeError:
                continue
    if text is not None:
        for encoding in _ENCODINGS:
            try:
                yield "body-encoding", text.encode(encoding), f"for the body as {encoding}"
            except UnicodeEncodeError:
                yield "body-encoding", text.encode(encoding, "replace"), f"for the body as {encoding}, with ? for what that has not"
        for encoding in ("latin-1", "cp1252"):
            with suppress(UnicodeError):
                yield "body-encoding", text.encode(encoding).decode().encode(), "for the body decoded once more"
            with suppress(UnicodeError):
                yield "body-encoding", body.decode(encoding).encode(), "for the body encoded twice"
        yield "body-encoding", text.encode().removeprefix(b"\xef\xbb\xbf"), "for the body without its byte order mark"
        yield from (("body-changed", other, what) for other, what in _json_forms(text))
    yield "body-changed", b"{}", "for the body {}"
    yield "body-changed", b"null", "for the body null"
    yield "body-changed", repr(body).encode(), "for the repr of the body"


def _decompressed(body: bytes) -> Iterator[bytes]:
    for bits in (31, 15, -15):
        try:
            reader = zlib.decompressobj(bits)
            plain = reader.decompress(body, _LARGEST)
        except zlib.error:
            continue
        if reader.eof:
            yield plain


def _json_forms(text: str) -> Iterator[tuple[bytes, str]]:
    """JSON that was written anew: separators, order, escapes."""
    if text[:1] not in ("{", "["):
        return
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    for separators in (None, (",", ":")):
        for sort in (False, True):
            for ascii_only in (True, False):
                try:
                    other = json.dumps(value, separators=separators, sort_keys=sort, ensure_ascii=ascii_only).encode()
                except UnicodeEncodeError:
                    continue
                yield other, "for the same JSON, written otherwise"
    for indent in (2, 4):
        yield json.dumps(value, indent=indent).encode(), "for the same JSON, indented"


def hash_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def other_body(case: Case) -> Iterator[Variant]:
    """The hash of another body, where the request does not declare which it was signed for."""
    if case.body is None:
        return
    for kind, body, what in bodies(case.body):
        if body != case.body:
            yield Variant(kind, {"payload": hash_of(body)}, what)


def payload_line(case: Case) -> Iterator[Variant]:
    right = case.steps["payload"]
    if right != UNSIGNED_PAYLOAD:
        yield Variant("unsigned-payload-not-taken", {"payload": UNSIGNED_PAYLOAD}, "with UNSIGNED-PAYLOAD for the body's hash")
    elif case.presigned:
        # S3 takes UNSIGNED-PAYLOAD alone in a presigned URL that does not say otherwise.
        yield Variant(
            "unsigned-payload-not-taken", {"payload": EMPTY_SHA256}, "with the hash of an empty body for UNSIGNED-PAYLOAD"
        )
    if right != EMPTY_SHA256 and not case.body and not case.presigned:
        yield Variant("payload-hash-differs", {"payload": EMPTY_SHA256}, "with the hash of an empty body")
    if case.body is not None:
        actual = hash_of(case.body)
        kind = "unsigned-payload-not-taken" if right == UNSIGNED_PAYLOAD else "payload-hash-differs"
        yield Variant(kind, {"payload": actual}, "with the hash of the body")
        yield Variant("payload-hash-differs", {"payload": actual.upper()}, "with the hash of the body in upper-case hex")
    yield Variant("payload-hash-differs", {"payload": ""}, "with nothing for the payload")
    for word in STREAMING:
        if right != word:
            yield Variant("payload-hash-differs", {"payload": word}, f"with {word} for the payload")
