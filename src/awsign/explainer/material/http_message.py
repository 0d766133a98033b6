"""A request as HTTP has it; or as `curl -v` and awscurl show it, with `> ` before its lines and the answer after `< `."""

from __future__ import annotations

import re

from ...request import Request
from ...response import Response
from ..answer import as_response
from .material import Material, assumed_body, received

_REQUEST_LINE = re.compile(rb"([A-Za-z]+) ([^\r\n]*?)(?: (HTTP/[\d.]+))?\r?\n")
_LONGEST_VALUE = 1 << 16
_FIELD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\s*:|:[a-z]+:")
_ANSWER = re.compile(rb"^HTTP(?:/[\d.]+)? \d{3}\b[^\n]*$", re.MULTILINE)
_NEXT = re.compile(rb"^[A-Z]{3,7} \S+ HTTP/1\.[01]\r?$", re.MULTILINE)
_METHODS = (b"GET", b"PUT", b"POST", b"HEAD", b"DELETE", b"PATCH", b"OPTIONS")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[^\r\n]*)?\r?\n")
_VERBOSE = re.compile(r"^> ([A-Z]+ \S.*)$", re.MULTILINE)
_DIRECTION = re.compile(r"^([<>])(?: (.*))?$")


def read_message(raw: bytes, text: str) -> Material | None:
    """None for a text that is no message."""
    if _VERBOSE.search(text):
        return _of_verbose(text)
    return of_message(raw)


def of_message(raw: bytes) -> Material | None:
    """A message as bytes; None for what is none."""
    raw = raw.lstrip()
    match = _REQUEST_LINE.match(raw + b"\n")
    if match is None or (match[3] is None and match[1].upper() not in _METHODS):
        return None
    if match[3] is None and not re.match(rb"(?i)/|https?://|\*$", match[2]):
        return None
    rest = raw[match.end() :]
    headers: list[tuple[str, str]] = []
    at = 0
    # The empty line ends the head; a text that a person wrote may have none, or end with it.
    while at < len(rest):
        end = rest.find(b"\n", at)
        end = len(rest) if end < 0 else end
        line = rest[at:end].removesuffix(b"\r")
        at = end + 1
        if not line:
            break
        if line[:1] in b" \t" and headers and len(headers[-1][1]) < _LONGEST_VALUE:  # obs-fold
            headers[-1] = (headers[-1][0], headers[-1][1] + "\n" + line.decode("latin-1"))
            continue
        if not _FIELD.match(line):
            return None
        name, _, value = (
            line.partition(b":") if line[:1] != b":" else (b":" + line[1:].partition(b":")[0], b"", line[1:].partition(b":")[2])
        )
        headers.append((name.decode("latin-1").strip(), value.decode("latin-1")))
    body = rest[at:] if at < len(rest) else b""
    text = next((value.strip() for name, value in headers if name.lower() == "content-length"), "")
    length = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None
    chunked = any(name.lower() == "transfer-encoding" for name, _ in headers)
    # What is behind the body: the answer, or another request. A body may hold such lines itself.
    begin = min(length, len(body)) if length is not None and not chunked else 0
    response = None
    if split := _ANSWER.search(body, begin):
        response, body = as_response(_status_line(body[split.start() :].lstrip())), body[: split.start()]
    elif begin and body[begin:].lstrip().startswith((b"<?xml", b"<Error", b'{"')):
        response, body = as_response(body[begin:].strip()), body[:begin]
    if split := _NEXT.search(body, begin):
        body = body[: split.start()]
    notes: list[str] = []
    if chunked:
        body = _dechunked(body)
    elif length is None:
        # Without a length, HTTP has no body; what a person wrote may have one nevertheless.
        has_body = match[1].upper() in (b"POST", b"PUT", b"PATCH") and body.strip()
        if body.strip() and not has_body:
            notes.append("What stands behind the head was left out: a request without Content-Length has no body")
        body = body if has_body else b""
    elif len(body) > length and not body[length:].strip():
        body = body[:length]  # A line break that the editor put at the end.
    wire = [(name, _bytes(value)) for name, value in headers]
    absolute = re.match(rb"(?i)https?://([^/?#]+)", match[2])
    if absolute and not any(name.lower() == "host" for name, _ in headers):
        wire.insert(0, ("Host", absolute[1]))
    material = Material("HTTP request", _received(match[1], match[2], wire, body))
    material.response = response
    if length is not None and len(body) < length and not chunked:
        notes.append(f"The text has {len(body)} bytes of a body of {length}: it was not checked")
        material.request.body = None
    material.notes = notes
    return material


def _status_line(answer: bytes) -> bytes:
    return b"HTTP/1.1 " + answer[5:] if answer.startswith(b"HTTP ") else answer


def _received(method: bytes, target: bytes, headers: list[tuple[str, bytes]], body: bytes) -> Request:
    """The same as `received`, from bytes: what is not UTF-8 stays as it is."""
    scheme = "http" if target[:7].lower() == b"http://" else "https"
    return Request.received(method.decode("latin-1"), target, headers, body, scheme)


def _bytes(value: str) -> bytes:
    # What stands between the colon and the value is not part of it; but white space beyond the usual one is told.
    return value.encode("latin-1").removeprefix(b" ")


def _dechunked(body: bytes) -> bytes:
    """A body in the chunks of Transfer-Encoding; as it is where it is not."""
    data: list[bytes] = []
    at = 0
    while True:
        match = _CHUNK.match(body, at)
        if match is None:
            return body
        size = int(match[1], 16)
        if size == 0:
            return b"".join(data)
        data.append(body[match.end() : match.end() + size])
        at = match.end() + size
        at += 2 if body[at : at + 2] == b"\r\n" else 1


def _of_verbose(text: str) -> Material | None:
    """Of several exchanges, the last that was signed."""
    sent: list[list[str]] = []
    answered: dict[int, list[str]] = {}
    after: dict[int, list[str]] = {}
    for line in text.replace("\r\n", "\n").split("\n"):
        match = _DIRECTION.match(line)
        if match and match[1] == ">":
            if re.fullmatch(r"[A-Z]+ \S.*", match[2] or ""):
                sent.append([])
            if sent:
                sent[-1].append(match[2] or "")
        elif match and sent:
            answered.setdefault(len(sent) - 1, []).append(match[2] or "")
        elif sent and answered.get(len(sent) - 1) and not line.startswith(("* ", "{ [", "} [")):
            after.setdefault(len(sent) - 1, []).append(line)
    signed = [
        n
        for n, lines in enumerate(sent)
        if any("credential=" in line.lower() or line.startswith("Authorization: AWS ") for line in lines)
    ]
    chosen = signed[-1] if signed else len(sent) - 1
    head = [line for line in sent[chosen] if line]
    method, _, rest = head[0].partition(" ")
    target = rest.rpartition(" HTTP/")[0] or rest
    headers = [(name, value.removeprefix(" ")) for name, _, value in (line.partition(":") for line in head[1:])]
    notes: list[str] = []
    body = assumed_body(method, headers, notes)
    host = re.search(r"\* Connected to \S+ \([^)]*\) port (\d+)", text)
    material = Material(
        "verbose output", received(method, target, headers, body, scheme="http" if host and host[1] == "80" else "https")
    )
    material.notes = notes
    if lines := answered.get(chosen):
        starts = [n for n, line in enumerate(lines) if line.startswith("HTTP/")]
        lines = lines[starts[-1] :] if starts else lines  # 100 (Continue) came before it.
        status = re.match(r"HTTP/[\d.]+ (\d+)", lines[0])
        told = [line.partition(":") for line in lines[1:] if ":" in line]
        material.response = Response(
            int(status[1]) if status else None, [(name, value.strip()) for name, _, value in told], "\n".join(after.get(chosen, []))
        )
    return material
