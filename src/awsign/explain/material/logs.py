"""Logs in which a request stands in pieces: botocore's (and so boto3's and the AWS CLI's --debug), http.client's, awscurl's."""

from __future__ import annotations

import ast
import re

from ..answer import Response
from .http_message import of_message
from .material import Material, received

_PREPARED = re.compile(r"<AWSPreparedRequest stream_output=\w+, method=(\w+), url=(\S+?), headers=(\{.*?\})>")
# A line of a log ends what stands before it: "2026-01-15 12:00:00,000 botocore.auth [DEBUG] ...", or with the time left out.
_LOG_LINE = (
    r"(?=\n(?:\S* ?\S* ?-? ?\S*(?:boto|urllib3|awscli|s3transfer|MainThread)\S* ?.*(?:DEBUG|INFO|WARNING)|[A-Z][A-Za-z]+:\n|$)|$)"
)
_SEND = re.compile(r"^send: (b'(?:[^'\\\n]|\\.)*'|b\"(?:[^\"\\\n]|\\.)*\")", re.MULTILINE)
_MARKS = (b"AWS4-", b"X-Amz-Signature", b"AWSAccessKeyId", b": AWS ")
_REPLY = re.compile(r"^reply: '(HTTP/[\d.]+ (\d+)[^\n]*)'", re.MULTILINE)


def read_log(text: str) -> Material | None:
    """None for a text that is no log."""
    text = text.replace("\r\n", "\n")
    if _PREPARED.search(text):
        return _of_botocore(text)
    if _SEND.search(text):
        return _of_http_client(text)
    return None


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _of_botocore(text: str) -> Material | None:
    """The last request that was sent; what botocore signed and what came back are next to it."""
    prepared = list(_PREPARED.finditer(text))[-1]
    given = _literal(prepared[3])
    if not isinstance(given, dict):
        return None
    headers = [(str(name), _header(value)) for name, value in given.items()]
    length = next((value for name, value in headers if name.lower() == "content-length"), "0")
    body = b"" if length.strip() in ("", "0") else _botocore_body(text[: prepared.start()])
    material = Material("botocore log", received(prepared[1], prepared[2], headers, body))
    if body is None:
        material.notes.append("the log does not have the body: it was not checked")
    before, after = text[: prepared.start()], text[prepared.end() :]
    material.canonical_request = _last(r"CanonicalRequest:\n(.*?)\n?(?:StringToSign:|" + _LOG_LINE + ")", before)
    material.string_to_sign = _last(r"StringToSign:\n(.*?)\n?(?:Signature:|" + _LOG_LINE + ")", before)
    status = re.search(r'"[A-Z]+ \S+ HTTP/[\d.]+" (\d{3})', after)
    answered = re.search(r"Response headers: (\{.*?\})\s*$", after, re.MULTILINE)
    told = _literal(answered[1]) if answered else None
    answer = re.search(r"Response body:\n(b'(?:[^'\\\n]|\\.)*'|b\"(?:[^\"\\\n]|\\.)*\")", after)
    content = _literal(answer[1]) if answer else b""
    if status or content:
        pairs = [(str(name), str(value)) for name, value in told.items()] if isinstance(told, dict) else []
        material.response = Response(int(status[1]) if status else None, pairs, content if isinstance(content, bytes) else b"")
    return material


def _header(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _botocore_body(before: str) -> bytes | None:
    """The body as the line "Making request" has it, where that is bytes or text."""
    found = re.findall(r"'body': (b'(?:[^'\\\n]|\\.)*'|b\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')", before)
    content = _literal(found[-1]) if found else None
    return content.encode() if isinstance(content, str) else content if isinstance(content, bytes) else None


def _last(pattern: str, text: str) -> str | None:
    found = re.findall(pattern, text, re.DOTALL)
    return found[-1] if found else None


def _of_http_client(text: str) -> Material | None:
    """http.client with debuglevel=1, as requests and urllib3 have it: the last head that was sent, with its body and the reply."""
    heads: list[tuple[bytes, int]] = []  # Of each, the bytes that were sent and where its last line ends.
    for match in _SEND.finditer(text):
        block = _literal(match[1])
        if not isinstance(block, bytes):
            continue
        if re.match(rb"[A-Z]+ \S+ HTTP/1", block):
            heads.append((block, match.end()))
        elif heads:
            heads[-1] = heads[-1][0] + block, match.end()
    if not heads:
        return None
    signed = [head for head in heads if any(mark in head[0] for mark in _MARKS)]
    message, end = (signed or heads)[-1]
    material = of_message(message)
    if material is None:
        return None
    material.form = "http.client log"
    rest = text[end:]
    if reply := _REPLY.search(rest):
        told = re.findall(r"^header: ([^:\n]+): ([^\n]*)$", rest[reply.end() :], re.MULTILINE)
        body = re.search(r"(?:<\?xml|<Error|\{\").*", rest[reply.end() :], re.DOTALL)
        material.response = Response(int(reply[2]), told, body[0] if body else "")
    return material
