"""Percent-encoding: of the path, the query, or both."""

from __future__ import annotations

import re
from functools import partial

from .case import Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .case import Case

_ESCAPE = re.compile(r"%[0-9A-F]{2}")
_LOWER = re.compile(r"%[0-9A-Fa-f]{2}")
_WHERE = ("both", "path", "query")
# What common functions leave alone besides letters, digits and `-_.~`: JavaScript's encodeURIComponent and encodeURI, Python's
# quote with its default, requests and urllib3, Java's URLEncoder, Go's url.PathEscape, RFC 3986's pchar.
_LEFT_ALONE = (
    "!'()*",
    "/",
    "!#$&'()*+,/:;=?@",
    "!#$%&'()*+,/:;=?@[]~",
    "*",
    "$&+,/:;=@",
    "$&+=:@",
    "!$&'()*+,;=:@",
    "!$&'()*+,;=:@/?",
    "/:",
    ":",
    ",",
    "=",
)


def _somewhere(change: Callable[[str], str], where: str) -> Callable[[str, str], str]:
    return lambda text, part: change(text) if where in ("both", part) else text


def _in(where: str) -> str:
    return {"both": "in the path and the query", "path": "in the path", "query": "in the query"}[where]


def plus_for_space(case: Case) -> Iterator[Variant]:
    for where in _WHERE:
        yield Variant(
            "plus-for-space",
            {"escape.plus": _somewhere(lambda text: text.replace("%2520", "+").replace("%20", "+"), where)},
            f"with + for a space {_in(where)}",
        )
    if "+" in case.request.path or "%2B" in case.request.path:
        yield Variant(
            "plus-for-space", {"escape.plus": _somewhere(lambda text: re.sub("%252B|%2B", lambda match: match[0].replace("2B", "20"), text), "path")},
            "with the + of the path as a space, which it is in forms alone",
        )  # fmt: skip
    if "+" in case.request.query and isinstance(case.steps.get("query"), str):
        wire = case.steps["query"]
        yield Variant(
            "plus-for-space",
            {"query": wire.replace("+", "%2B")},
            "with the + of the query as a plus, which servers read as a space",
        )
        yield Variant(
            "plus-for-space",
            {
                "query": wire.replace("+", "%2B"),
                "escape.plus": lambda text, part: text.replace("%2B", "+") if part == "query" else text,
            },
            "with the + of the query as it is",
        )
    if "%20" in case.request.query and isinstance(case.steps.get("query"), str):
        yield Variant("plus-for-space", {"query": case.steps["query"].replace("%20", "%2B")}, "for a plus, where a space arrived")


def lower_case_hex(case: Case) -> Iterator[Variant]:
    for where in _WHERE:
        yield Variant(
            "lower-case-hex",
            {"escape.hex": _somewhere(lambda text: _LOWER.sub(lambda match: match[0].lower(), text), where)},
            f"with lower-case hex {_in(where)}",
        )
    yield Variant(
        "lower-case-hex",
        {"escape.hex": _somewhere(lambda text: re.sub(r"%25([0-9A-F]{2})", lambda match: f"%25{match[1].lower()}", text), "path")},
        "with lower-case hex in the path before it was encoded once more",
    )


def unreserved_escaped(case: Case) -> Iterator[Variant]:
    for characters in ("~", "-", "_", ".", "-_.~", "_~", "-~", "-._"):
        for where in _WHERE:
            yield Variant(
                "unreserved-escaped",
                {"escape.unreserved": _somewhere(partial(re.sub, f"[{re.escape(characters)}]", _escaped), where)},
                f"with {' '.join(characters)} escaped {_in(where)}",
            )
    for where in ("path",):
        # Escaped before the path was encoded once more.
        yield Variant(
            "unreserved-escaped",
            {"escape.unreserved": _somewhere(lambda text: text.replace("~", "%257E"), where)},
            "with ~ escaped in the path, and that escape once more",
        )


def _escaped(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"


def reserved_not_escaped(case: Case) -> Iterator[Variant]:
    canonical = "".join(filter(None, case.recipe.texts()))
    there = sorted({chr(int(escape[1:], 16)) for escape in _ESCAPE.findall(canonical.replace("%25", "%"))})
    there = [character for character in there if " " < character < "\x7f" and not character.isalnum()]
    sets = [*there, *({"".join(c for c in group if c in there) for group in _LEFT_ALONE} - {""}), "".join(there)]
    for characters in dict.fromkeys(sets):
        for where in _WHERE:
            yield Variant(
                "reserved-not-escaped",
                {"escape.reserved": _somewhere(partial(_left, characters), where)},
                f"with {' '.join(characters)} not escaped {_in(where)}",
            )
            yield Variant(
                "reserved-not-escaped",
                {"escape.reserved": _somewhere(partial(_left_wholly, characters), where)},
                f"with {' '.join(characters)} never escaped {_in(where)}",
            )
            yield Variant(
                "reserved-not-escaped",
                {"escape.reserved": _somewhere(partial(_left_once, characters), where)},
                f"with {' '.join(characters)} escaped once too little {_in(where)}",
            )


def _left_wholly(characters: str, text: str) -> str:
    """Neither in the query nor in a path that is encoded twice."""
    for character in characters:
        text = text.replace(f"%25{ord(character):02X}", character).replace(f"%{ord(character):02X}", character)
    return text


def _left(characters: str, text: str) -> str:
    for character in characters:
        text = text.replace(f"%{ord(character):02X}", character)
    return text


def _left_once(characters: str, text: str) -> str:
    """Of a path that is encoded twice: as if the character had not been escaped on the wire, `%253A` -> `%3A`."""
    for character in characters:
        text = text.replace(f"%25{ord(character):02X}", f"%{ord(character):02X}")
    return text
