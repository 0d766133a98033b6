"""What the server answered, in whatever shape: its code, its message, and the texts that it derived.

What people paste is often cut, quoted or escaped once more, so this looks for the pieces and parses no document as a whole.
Sources: S3 API reference, "REST error responses"; the answers of API Gateway, DynamoDB, Lambda, STS and OpenSearch as their issue
threads quote them; the servers of the tests (OpenStack Swift, MiniStack, JuiceFS, Ceph RGW, moto).
"""

from __future__ import annotations

import html
import re

from ..encoding import arrived
from ..response import LONGEST, Response, elements, error_code, json_object, server_time

# A header's value may hold a quote: the end is where the next sentence begins.
_CANONICAL = re.compile(
    r"canonical string for this request should have been\s*'(.*?)'(?:\s*The String-to-Sign should|\s*$|\s*\"\s*\}|\s*</)",
    re.DOTALL | re.IGNORECASE,
)
_TO_SIGN = re.compile(r"string-to-sign should have been\s*'([^']*)'", re.IGNORECASE)
_LINE_ESCAPE = re.compile(r"\\(n|r|t|\"|'|/|\\|u[0-9a-fA-F]{4})")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


class Answer:
    """What is to be learnt from a response.

    code, message: AWS's, "" where there is none. canonical_request, string_to_sign: as the server derived them, as wire text.
    elements: what else it says, by name. at: the server's time.
    """

    __slots__ = ("at", "canonical_request", "code", "elements", "message", "response", "string_to_sign")

    def __init__(self, response: Response) -> None:
        self.response = response
        text = response.body[:LONGEST]
        # The text as it may be quoted: in JSON, in a Python literal, in XML.
        self.elements = elements(text)
        told = json_object(text)
        self.code = error_code(response)
        self.message = self.elements.get("Message") or _first_text(told, "message", "Message", "errorMessage") or ""
        if not self.code and not self.message and "<" not in text:
            self.message = text.strip()
        if self.message and "\n" not in self.message and "\\n" in self.message:
            self.message = _LINE_ESCAPE.sub(_unescaped, self.message)
        canonical = _from_hex(self.elements.get("CanonicalRequestBytes")) or self.elements.get("CanonicalRequest")
        to_sign = _from_hex(self.elements.get("StringToSignBytes")) or self.elements.get("StringToSign")
        if canonical is None or to_sign is None:
            quoted = self.message
            if "should have been" not in quoted:
                quoted = _LINE_ESCAPE.sub(_unescaped, html.unescape(text))
            quoted = quoted[max(0, quoted.lower().find("canonical string for this request")) :]
            canonical = canonical or _group(_CANONICAL, quoted)
            to_sign = to_sign or _group(_TO_SIGN, quoted)
        self.canonical_request = None if canonical is None else arrived(canonical.replace("\r\n", "\n"))
        self.string_to_sign = None if to_sign is None else arrived(to_sign.replace("\r\n", "\n"))
        self.at = server_time(response)

    @property
    def is_refusal(self) -> bool:
        """Whether the server refused the request: an error's code or status, or what it says it derived."""
        status = self.response.status
        if status is None:
            return bool(self.code or self.message) or self.string_to_sign is not None
        return bool(self.code) or status >= 300 or self.string_to_sign is not None

    @property
    def says_mismatch(self) -> bool:
        """Whether it refused the signature itself."""
        return self.code in _MISMATCH or "signature we calculated does not match" in self.message.lower()


_MISMATCH = frozenset(("SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure", "InvalidSignature"))


def _first_text(told: dict[str, object], *names: str) -> str | None:
    return next((value for name in names if isinstance(value := told.get(name), str)), None)


def _from_hex(text: str | None) -> str | None:
    """`47 45 54` -> the text of those bytes."""
    try:
        return bytes.fromhex(text).decode("utf-8", "surrogateescape") if text and text.strip() else None
    except ValueError:
        return None


def _group(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    return match[1] if match else None


def _unescaped(match: re.Match[str]) -> str:
    word = match[1]
    return chr(int(word[1:], 16)) if word[0] == "u" and len(word) == 5 else _ESCAPED.get(word, word)


def as_response(response: Response | bytes | str | object) -> Response:
    """A response in any of the forms that `explain` takes: Response, the body alone, or a message with its head."""
    if isinstance(response, Response):
        return response
    if isinstance(response, (bytes, bytearray)):
        response = bytes(response).decode("utf-8", "surrogateescape")
    if not isinstance(response, str):
        raise TypeError(f"response must be awsign.Response, or its body as bytes or str, not {type(response).__name__}")
    head, blank, body = response.replace("\r\n", "\n").partition("\n\n")
    match = re.match(r"HTTP/[\d.]+ (\d{3})[^\n]*\n?", head)
    if not match:
        return Response(body=response)
    lines = [line.partition(":") for line in head[match.end() :].split("\n") if ":" in line]
    return Response(int(match[1]), [(name.strip(), value.strip()) for name, _, value in lines], body if blank else "")
