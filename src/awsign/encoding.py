"""The byte rules: percent-encoding (RFC 3986, section 2), dot segments (5.2.4), folding of header values (RFC 9110, 5.5).

Text here is wire text: a `str` in which every character stands for one byte, as Latin-1 decodes it. That keeps a path such as
`/%AA` and a header of raw bytes exact, and lets one set of functions serve what is sent and what arrived.
"""

from __future__ import annotations

import re

# AWS SigV4, "Create a canonical request": unreserved are A-Z a-z 0-9 - _ . ~, all else is escaped, in upper-case hex.
_UNRESERVED = re.compile(r"[A-Za-z0-9\-._~]*+")
_UNRESERVED_PATH = re.compile(r"[A-Za-z0-9\-._~/]*+")
_HEX_DIGITS = "0123456789ABCDEFabcdef"
# What stands for each byte. Looking up one after the other takes half as long as re.sub with a function does.
_ENCODED = [chr(octet) if _UNRESERVED.fullmatch(chr(octet)) else f"%{octet:02X}" for octet in range(256)]
_ENCODED_IN_PATH = [char if char != "%2F" else "/" for char in _ENCODED]
_DECODED = {a + b: chr(int(a + b, 16)) for a in _HEX_DIGITS for b in _HEX_DIGITS}
# A piece of text that is encoded already: unreserved characters, or an upper-case escape of another. Possessive (`++`), so that
# a run is one step and is never tried in parts: no input takes more than linear time.
_CANONICAL_ESCAPE = "%(?:[01][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF]|[89A-F][0-9A-F])"
CANONICAL = rf"[A-Za-z0-9\-._~]*+(?:{_CANONICAL_ESCAPE}[A-Za-z0-9\-._~]*+)*+"
_CANONICAL_PATH = re.compile(rf"[A-Za-z0-9\-._~/]*+(?:{_CANONICAL_ESCAPE}[A-Za-z0-9\-._~/]*+)*+")
_DOTS_OR_EMPTY = re.compile(r"//|/\.")
# The white space of RFC 9110 alone: U+00A0 and U+0085 are part of a value (botocore and aws-sdk-signers trim them and fail).
_FOLDABLE = re.compile(r"[ \t\n\r]+")
_LINE_FOLD = re.compile(r"[ \t]*\r?\n[ \t]*")


def encode(text: str) -> str:
    """Percent-encode everything but unreserved characters."""
    return text if _UNRESERVED.fullmatch(text) else "".join([_ENCODED[octet] for octet in text.encode("latin-1")])


def encode_path(path: str) -> str:
    """Percent-encode everything but unreserved characters and `/`."""
    return path if _UNRESERVED_PATH.fullmatch(path) else encode_octets(path.encode("latin-1"))


def encode_octets(path: bytes) -> str:
    """The same for the bytes of a path."""
    return "".join([_ENCODED_IN_PATH[octet] for octet in path])


def decode(text: str) -> str:
    """Undo percent-encoding. A `%` that no two hex digits follow stays as it is, as every server keeps it."""
    if "%" not in text:
        return text
    first, *escapes = text.split("%")
    return first + "".join([_DECODED[escape[:2]] + escape[2:] if escape[:2] in _DECODED else f"%{escape}" for escape in escapes])


def reencode_path(path: str) -> str:
    """Decode a path and encode it again. One that would come out as it is, as most do, passes one gate."""
    # Not `%2F`: decoded, it is a slash.
    return path if _CANONICAL_PATH.fullmatch(path) and "%2F" not in path else encode_path(decode(path))


def utf8(text: str) -> str:
    """Wire text for text: the bytes of its UTF-8. Surrogates that `surrogateescape` made of bytes become those bytes again.

    UnicodeEncodeError for other surrogates, which are the bytes of nothing.
    """
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def arrived(text: str | bytes) -> str:
    """Wire text for what arrived, whatever it is: bytes as they are, text as its UTF-8."""
    if isinstance(text, bytes):
        return text.decode("latin-1")
    try:
        return utf8(text)
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass").decode("latin-1")


def readable(text: str) -> str:
    """Wire text as people read it: its bytes as UTF-8, those that are not kept as `surrogateescape` keeps them."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "surrogateescape")


def remove_dot_segments(path: str) -> str:
    """A path without empty and `.` segments, `..` resolved, a trailing `/` kept.

    Segment by segment, so that `///` comes out right too: replacing `//` by `/` once leaves one behind.
    """
    if path.startswith("/") and not _DOTS_OR_EMPTY.search(path):
        return path
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    if kept and segments[-1] in ("", ".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def remove_dots(path: str) -> str:
    """A path with its dot segments removed and its empty ones kept: RFC 3986, section 5.2.4."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for n, segment in enumerate(segments):
        if segment in (".", ".."):
            if segment == "..":
                del kept[-1:]
            if n == len(segments) - 1:
                kept.append("")
        else:
            kept.append(segment)
    return "/" + "/".join(kept)


def fold(value: str) -> str:
    """A header's value with white space trimmed from its ends and every run of it, quoted or not, made one space."""
    # Searches for one character take a tenth of the time of a regular expression.
    if "\t" in value or "\n" in value or "\r" in value:
        return _FOLDABLE.sub(" ", value).strip(" ")
    if " " in value and ("  " in value or value[0] == " " or value[-1] == " "):
        return _FOLDABLE.sub(" ", value).strip(" ")
    return value


def unfold(value: str) -> str:
    """A header's value trimmed, a line break and the white space around it made one space, and no more: S3's older scheme."""
    return _LINE_FOLD.sub(" ", value).strip(" \t")
