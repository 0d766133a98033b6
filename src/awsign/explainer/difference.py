"""Two derivations side by side: which line differs first, and what it is a line of."""

from __future__ import annotations

from .visible import line_of_difference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PARTS = ("method", "path", "query")
_TO_SIGN = ("algorithm", "time", "credential scope", "hash of the canonical request")


class Difference:
    """place: "canonical request", "string to sign", "signing key" or "signature". part: which line. ours, theirs: the two lines."""

    __slots__ = ("ours", "part", "place", "theirs")

    def __init__(self, place: str, part: str | None, ours: str | None, theirs: str | None) -> None:
        self.place = place
        self.part = part
        self.ours = ours
        self.theirs = theirs


def first_difference(ours: tuple[str | None, str], theirs: tuple[str | None, str], *, key_differs: bool = False) -> Difference:
    """Where two derivations part: in the canonical request, in the string to sign, or after that."""
    if ours[0] is not None and theirs[0] is not None and ours[0] != theirs[0]:
        n = line_of_difference(ours[0], theirs[0]) or 0
        a, b = ours[0].split("\n"), theirs[0].split("\n")
        # Where the lines are the same but for what separates them, the texts themselves are shown.
        if n >= len(a) or n >= len(b):
            return Difference("canonical request", "its end", ours[0][-200:], theirs[0][-200:])
        return Difference("canonical request", part_of(a, n), a[n], b[n])
    if ours[1] != theirs[1]:
        n = line_of_difference(ours[1], theirs[1]) or 0
        a, b = ours[1].split("\n"), theirs[1].split("\n")
        part = _TO_SIGN[n] if n < len(_TO_SIGN) and ours[0] is not None else f"line {n + 1}"
        return Difference("string to sign", part, a[n] if n < len(a) else "", b[n] if n < len(b) else "")
    return Difference("signing key" if key_differs else "signature", None, None, None)


def part_of(lines: list[str], n: int) -> str:
    """The name of a line of a canonical request."""
    if n < len(_PARTS):
        return _PARTS[n]
    if n == len(lines) - 1:
        return "payload hash"
    if n == len(lines) - 2:
        return "signed headers"
    name, colon, _ = lines[n].partition(":")
    return f"header {name}" if colon else "canonical headers"


class Parts:
    """A canonical request taken apart."""

    __slots__ = ("headers", "method", "path", "payload", "query", "signed")

    def __init__(self, text: str) -> None:
        lines = text.split("\n")
        lines += [""] * (6 - len(lines))
        self.method, self.path, self.query = lines[:3]
        self.payload = lines[-1]
        self.signed = lines[-2]
        self.headers: dict[str, str] = {}
        for line in lines[3:-2]:
            name, colon, value = line.partition(":")
            if colon:
                self.headers[name] = value

    def against(self, other: Parts) -> Iterator[tuple[str, str | None, str | None]]:
        """The parts that differ: its name, here, there. Of headers, one for each."""
        for part in _PARTS:
            if getattr(self, part) != getattr(other, part):
                yield part, getattr(self, part), getattr(other, part)
        for name in dict.fromkeys([*self.headers, *other.headers]):
            if self.headers.get(name) != other.headers.get(name):
                yield f"header {name}", self.headers.get(name), other.headers.get(name)
        for part, a, b in (("signed headers", self.signed, other.signed), ("payload hash", self.payload, other.payload)):
            if a != b:
                yield part, a, b
