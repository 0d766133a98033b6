"""Two texts side by side: what cannot be seen made visible, and where they differ."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher

# Unicode's pictures of control characters, and words for what else cannot be seen.
_NAMES = {"\n": "␊", "\r": "␍", "\t": "␉", "\x7f": "␡", "\u00a0": "⍽", "\u200b": "⟨ZWSP⟩", "\ufeff": "⟨BOM⟩", "\u00ad": "⟨SHY⟩"}
_LONGEST = 4000
_LONG_RUN = 72
_HASH = re.compile(r"[0-9a-f]{64}")


def visible(text: str, *, spaces: bool = False) -> str:
    """A text with every character to be seen. spaces: a space too, as a middle dot."""
    return "".join([_seen(character, spaces) for character in text])


def _seen(character: str, spaces: bool) -> str:
    if " " < character < "\x7f":
        return character
    if character == " ":
        return "·" if spaces else " "
    if character in _NAMES:
        return _NAMES[character]
    if character < " ":
        return chr(0x2400 + ord(character))
    if "\udc80" <= character <= "\udcff":  # A byte that is not UTF-8 (surrogateescape).
        return f"⟨{ord(character) - 0xDC00:02X}⟩"
    if unicodedata.category(character)[0] in "CZ":
        return f"⟨U+{ord(character):04X}⟩"
    return character


def differing(ours: str, theirs: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Two texts as runs, each with whether it is part of the difference. Spaces are visible where they differ."""
    if max(len(ours), len(theirs)) > _LONGEST:
        return _ends_apart(ours, theirs)
    a: list[tuple[str, bool]] = []
    b: list[tuple[str, bool]] = []
    for tag, i, j, k, m in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        differs = tag != "equal"
        for runs, piece in ((a, ours[i:j]), (b, theirs[k:m])):
            if piece:
                runs.append((visible(piece, spaces=differs), differs))
    return a, b


def shortened(runs: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Runs with the middle left out of each that is long and does not differ, so that a difference is in sight."""
    return [
        (f"{piece[:30]}…{piece[-30:]}" if not differs and len(piece) > _LONG_RUN else piece, differs) for piece, differs in runs
    ]


def sides(ours: str, theirs: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Two texts as runs, for a report: shortened, and without marks where each character differs anyway, as in two hashes."""
    if _HASH.fullmatch(ours) and _HASH.fullmatch(theirs):
        return [(ours, False)], [(theirs, False)]
    a, b = differing(ours, theirs)
    return shortened(a), shortened(b)


def _ends_apart(ours: str, theirs: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """The same for long texts: what they begin and end with alike, and all between as one difference."""
    least = min(len(ours), len(theirs))
    first = next((at for at in range(least) if ours[at] != theirs[at]), least)
    last = next((at for at in range(least - first) if ours[-1 - at] != theirs[-1 - at]), least - first)
    sides = []
    for text in (ours, theirs):
        end = len(text) - last
        runs = [(visible(text[:first]), False), (visible(text[first:end], spaces=True), True), (visible(text[end:]), False)]
        sides.append([run for run in runs if run[0]])
    return sides[0], sides[1]


def line_of_difference(ours: str, theirs: str) -> int | None:
    """The number of the first line, from 0, in which two texts differ; None if they are the same."""
    if ours == theirs:
        return None
    a, b = ours.split("\n"), theirs.split("\n")
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
