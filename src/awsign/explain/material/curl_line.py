"""A curl command line, as people type it and as browsers copy it (bash and cmd)."""

from __future__ import annotations

import base64
import getopt
import re
import shlex
from urllib.parse import quote

from .material import Material, Unreadable, received

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# curl's manual page. The options that take a value: those that make the request first, then those that are skipped over.
_SHORT_VALUES = "XHdTuAebFoxmcwDCEKPQrtyYzU"
_LONG_VALUES = (
    "request", "header", "data", "data-raw", "data-binary", "data-ascii", "data-urlencode", "json", "upload-file", "user", "user-agent",
    "referer", "cookie", "form", "url", "range", "aws-sigv4", "output", "proxy", "max-time", "connect-timeout", "cacert", "cert", "key",
    "retry", "resolve", "connect-to", "write-out", "dump-header", "cookie-jar", "limit-rate", "interface", "max-redirs", "ciphers",
    "retry-delay", "retry-max-time", "unix-socket", "config", "form-string", "stderr", "trace", "trace-ascii", "oauth2-bearer",
    "continue-at", "speed-limit", "speed-time", "time-cond", "tls-max", "proxy-user", "proxy-header", "noproxy", "url-query",
    "request-target", "expect100-timeout", "keepalive-time", "capath", "cert-type", "key-type", "pass", "dns-servers",
)  # fmt: skip
_SHORT_FLAGS = "GIiLksSvfgOJRjN0123456naBlpqZ#:"
_LONG_FLAGS = (
    "get", "head", "include", "location", "insecure", "silent", "show-error", "verbose", "fail", "fail-with-body", "globoff",
    "remote-name", "compressed", "http1.0", "http1.1", "http2", "http2-prior-knowledge", "http3", "path-as-is", "ipv4", "ipv6",
    "no-buffer", "raw", "location-trusted", "no-keepalive", "no-progress-meter", "progress-bar", "remote-header-name", "sslv2",
    "tlsv1", "tlsv1.2", "tlsv1.3", "trace-time", "create-dirs", "parallel", "retry-connrefused", "retry-all-errors", "no-alpn",
)  # fmt: skip
_COMMAND = re.compile(r"(?:\$ +|> +|PS [^>]*> *)?(?:[A-Za-z_]+=\S* +)*(?:\S*/)?(?:aws)?curl(?:\.exe)?\s")


def read_curl(text: str, read_file: Callable[[str], bytes] | None) -> Material | None:
    """None for a text that is no curl command line."""
    if not _COMMAND.match(text) or "\n* " in text or "\n> " in text:
        return None
    try:
        words = shlex.split(_one_line(text), posix=True)
    except ValueError as error:
        raise Unreadable(f"the curl command line does not read as one ({error}); is a quote missing?") from None
    words = words[next(n for n, word in enumerate(words) if re.fullmatch(r"(?:.*/)?(?:aws)?curl(?:\.exe)?", word)) + 1 :]
    for end in ("|", ">", "&&", ";", "2>&1", "2>"):
        if end in words:
            words = words[: words.index(end)]
    short = "".join(f"{letter}:" for letter in _SHORT_VALUES) + _SHORT_FLAGS.replace(":", "")
    try:
        options, rest = getopt.gnu_getopt(words, short, [*(f"{name}=" for name in _LONG_VALUES), *_LONG_FLAGS])
    except getopt.GetoptError as error:
        raise Unreadable(f"the curl command line has an option that is not known here: {error}; leave it out") from None
    return _Line(read_file).material(options, rest)


def _one_line(text: str) -> str:
    r"""Continued lines joined: a backslash of a shell, `^` of cmd with its escapes, a backtick of PowerShell. Bash's $'...' made plain."""
    if re.search(r"\^\r?\n|\^\"", text):
        text = re.sub(r"\^\r?\n", " ", text)
        text = re.sub(r"\^(.)", r"\1", text)
    text = re.sub(r"[\\`]\r?\n", " ", text)
    return re.sub(r"\$'((?:[^'\\]|\\.)*)'", lambda match: shlex.quote(_ansi_c(match[1])), text, flags=re.DOTALL)


_ANSI_C = re.compile(r"\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|[0-7]{1,3}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b"}


def _ansi_c(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        word = match[1]
        if word[0] in "xu" and len(word) > 1:
            return chr(int(word[1:], 16))
        return _LETTERS.get(word) or (chr(int(word, 8)) if word.isdigit() else word)

    return _ANSI_C.sub(plain, text)


class _Line:
    def __init__(self, read_file: Callable[[str], bytes] | None) -> None:
        self._read_file = read_file
        self._notes: list[str] = []
        self._unread = False

    def material(self, options: list[tuple[str, str]], rest: list[str]) -> Material:
        method = url = None
        headers: list[tuple[str, str]] = []
        taken_away: set[str] = set()
        parts: list[bytes] = []
        own: dict[str, str] = {}
        as_query = head = form = False
        upload = None
        for option, value in options:
            name = option.lstrip("-")
            if name in ("X", "request"):
                method = value
            elif name in ("H", "header"):
                self._header(value, headers, taken_away)
            elif name in ("d", "data", "data-ascii", "data-raw", "data-binary", "data-urlencode", "json"):
                if parts and name != "json":
                    parts.append(b"&")
                parts.append(self._data(name, value))
                own["Content-Type"] = (
                    "application/json" if name == "json" else own.get("Content-Type", "application/x-www-form-urlencoded")
                )
                if name == "json":
                    own["Accept"] = "application/json"
            elif name in ("F", "form", "form-string"):
                form = True
            elif name in ("T", "upload-file"):
                upload = value
            elif name in ("G", "get"):
                as_query = True
            elif name in ("I", "head"):
                head = True
            elif name == "url":
                url = value
            elif name in ("A", "user-agent"):
                own["User-Agent"] = value
            elif name in ("r", "range"):
                own["Range"] = f"bytes={value}"
            elif name in ("b", "cookie") and "=" in value:
                own["Cookie"] = value
            elif name == "compressed":
                own["Accept-Encoding"] = "deflate, gzip, br, zstd"
                self._notes.append("with --compressed, curl sends an Accept-Encoding of its own, which may be another than here")
            elif name in ("u", "user") and not any(o == "--aws-sigv4" for o, _ in options):
                own["Authorization"] = "Basic " + base64.b64encode(value.encode("utf-8", "surrogateescape")).decode()
            elif name == "aws-sigv4":
                self._notes.append(
                    "curl signs this request when it is sent (--aws-sigv4): give the output of curl -v, which has the signature"
                )
        url = url or (rest[0] if rest else None)
        if url is None:
            raise Unreadable("the curl command line has no URL")
        if "://" not in url:
            url = f"http://{url}"
        body = b"".join(parts) if parts and not self._unread else None
        if as_query and parts:
            url += ("&" if "?" in url else "?") + b"".join(parts).decode("utf-8", "surrogateescape")
            body, parts = None, []
            own.pop("Content-Type", None)
        if upload is not None:
            body = self._file(upload)
        if form:
            self._notes.append("the body of -F has a boundary that curl makes up: give the raw request to have it checked")
        given = {name.lower() for name, _ in headers} | taken_away
        headers += [(name, value) for name, value in {"Accept": "*/*", **own}.items() if name.lower() not in given]
        if method is None:
            method = "HEAD" if head else "PUT" if upload is not None else "POST" if parts or form else "GET"
        # curl resolves dot segments, and sends the URL as it is otherwise.
        url = re.sub(r"#.*", "", url, flags=re.DOTALL)
        material = Material("curl command line", received(method, url, headers, body))
        material.notes = self._notes
        return material

    def _header(self, line: str, headers: list[tuple[str, str]], taken_away: set[str]) -> None:
        name, colon, value = line.partition(":")
        if colon and not value.strip():
            taken_away.add(name.strip().lower())
        elif colon:
            headers.append((name.strip(), value.removeprefix(" ")))
        elif line.rstrip().endswith(";"):
            headers.append((line.rstrip()[:-1], ""))

    def _data(self, option: str, value: str) -> bytes:
        if option == "data-urlencode":
            match = re.match(r"([^=@]*)([=@])", value)
            if match is None:
                return quote(value.encode("utf-8", "surrogateescape"), safe="").encode()
            rest = value[match.end() :]
            content = self._file(rest) or b"" if match[2] == "@" else rest.encode("utf-8", "surrogateescape")
            return (f"{match[1]}=" if match[1] else "").encode() + quote(content, safe="").encode()
        if value.startswith("@") and option != "data-raw":
            content = self._file(value[1:]) or b""
            return content.translate(None, b"\r\n\0") if option in ("d", "data", "data-ascii") else content
        return value.encode("utf-8", "surrogateescape")

    def _file(self, name: str) -> bytes | None:
        if self._read_file is not None and name not in ("-", "."):
            try:
                return self._read_file(name)
            except OSError as error:
                self._notes.append(f"the body is in {name!r}, which cannot be read ({error.strerror}): it was not checked")
        else:
            self._notes.append(f"the body is in {name!r}, which was not read: it was not checked")
        self._unread = True
        return None
