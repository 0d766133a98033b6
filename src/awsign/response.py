"""What a server answered, as much as a signer has to know of it: its error code, and what time it has.

Sources: S3 API reference, "REST error responses"; Smithy's AWS JSON 1.0 and REST JSON protocols, "Operation error serialization".
"""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime

from .encoding import arrived
from .scope import parse_http_date, parse_timestamp, plausible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeAlias

    Headers: TypeAlias = Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]]

LONGEST = 1 << 20
_ELEMENT = re.compile(r"<([A-Za-z0-9]+)(?:\s[^<>]*)?>([^<]*)</\1\s*>")


class Response:
    """What a server answered. status: int or None. headers: a mapping or pairs. body: bytes or str."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int | None = None, headers: Headers = (), body: bytes | str = b"") -> None:
        self.status = status
        pairs = headers.items() if hasattr(headers, "items") else headers
        self.headers = tuple((arrived(name), arrived(value)) for name, value in pairs)
        self.body = body if isinstance(body, str) else bytes(body).decode("utf-8", "surrogateescape")

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value.strip() for given, value in self.headers if given.lower() == name), None)

    def __repr__(self) -> str:
        return f"<Response {self.status}, {len(self.body)} characters>"


def elements(text: str) -> dict[str, str]:
    """The elements of XML that hold text alone, by name. What people paste is cut and quoted: it is not parsed as a whole."""
    return {name: _unescaped(value) for name, value in _ELEMENT.findall(text[:LONGEST])}


def _unescaped(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # A number of more digits than Python reads.
        return text


def json_object(text: str) -> dict[str, object]:
    """The first JSON object in a text, that under `Error` where there is one; {} for none."""
    start = text.find("{")
    if start < 0:
        return {}
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):
        return {}
    if isinstance(found, dict) and isinstance(found.get("Error"), dict):
        found = found["Error"]
    return found if isinstance(found, dict) else {}


def error_code(response: Response) -> str:
    """AWS's error code, "" where there is none: in XML, in JSON, or in a header."""
    told = json_object(response.body)
    return elements(response.body).get("Code") or _last_word(
        told.get("__type") or told.get("code") or told.get("Code") or response.header("x-amzn-errortype") or ""
    )


def _last_word(code: object) -> str:
    """`com.amazon.coral.service#InvalidSignatureException:http://...` -> the name alone."""
    return code.rpartition("#")[2].partition(":")[0].strip() if isinstance(code, str) else ""


def server_time(response: Response) -> datetime | None:
    """The server's time: ServerTime of S3's answer, else Date."""
    for text in (elements(response.body).get("ServerTime"), response.header("date")):
        if text:
            try:
                return plausible(datetime.fromisoformat(text))
            except ValueError:
                if at := parse_http_date(text) or parse_timestamp(text):
                    return at.astimezone(UTC)
    return None
