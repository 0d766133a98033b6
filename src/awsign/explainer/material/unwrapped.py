"""A text without what it was wrapped in: an e-mail's quoting, Markdown's fences, a terminal's colours, an editor's byte order mark."""

from __future__ import annotations

import codecs
import re

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n]*\n(.*?)^[ \t]*(?:```|~~~)[ \t]*$", re.DOTALL | re.MULTILINE)
_MESSAGE = re.compile(rb"[A-Z]+ \S+ HTTP/1")
_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# curl -v has `> ` before the lines that it sent; a quoted e-mail has it before all of them, and so reads without it.
_QUOTED = re.compile(r"[ \t]*(?:> ?)+|[ \t]+")


def unwrapped(raw: bytes) -> bytes:
    """The bytes inside; as they are where nothing is around them."""
    for mark, encoding in _MARKS.items():  # What PowerShell's `>` writes.
        if raw.startswith(mark):
            raw = raw[2:].decode(encoding, "replace").encode("utf-8", "replace")
    raw = raw.removeprefix(codecs.BOM_UTF8)
    if _MESSAGE.match(raw):  # What is in its body is its own.
        return raw
    if b"\x1b[" not in raw and b"```" not in raw and b"~~~" not in raw and raw[:1] not in (b">", b" ", b"\t"):
        return raw
    try:
        text = raw.decode()
    except UnicodeDecodeError:  # A body of any bytes: none of them may be taken for a wrapping.
        return raw
    text = _COLOURS.sub("", text)
    if match := _FENCE.search(text):
        text = match[1]
    return _unquoted(text).encode()


def _unquoted(text: str) -> str:
    lines = text.split("\n")
    full = [line for line in lines if line.strip()]
    match = _QUOTED.match(full[0]) if full else None
    if match is None:
        return text
    prefix = match[0]
    if not all(line.startswith(prefix) or line.rstrip() == prefix.rstrip() for line in full):
        return text
    return "\n".join(line.removeprefix(prefix) if line.startswith(prefix) else "" for line in lines)
