"""A curl command line, as people type it and as browsers copy it (bash and cmd)."""

from __future__ import annotations

import base64
import re
import shlex
from urllib.parse import quote

from ...encoding import remove_dots
from .material import Material, Unreadable, received

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# The options that take a value: curl's manual page. Any other is one that takes none.
_SHORT_VALUES = "ACDEFHKPQTUXYbcdemortuwyzx"
_LONG_VALUES = frozenset(
    (
        "abstract-unix-socket", "alt-svc", "aws-sigv4", "cacert", "capath", "cert", "cert-type", "ciphers", "config",
        "connect-timeout", "connect-to", "continue-at", "cookie", "cookie-jar", "create-file-mode", "crlfile", "curves", "data",
        "data-ascii", "data-binary", "data-raw", "data-urlencode", "delegation", "dns-interface", "dns-ipv4-addr", "dns-ipv6-addr",
        "dns-servers", "doh-url", "dump-header", "ech", "egd-file", "engine", "etag-compare", "etag-save", "expect100-timeout",
        "form", "form-string", "ftp-account", "ftp-alternative-to-user", "ftp-method", "ftp-port", "ftp-ssl-ccc-mode",
        "happy-eyeballs-timeout-ms", "header", "hostpubmd5", "hostpubsha256", "hsts", "interface", "ip-tos", "json",
        "keepalive-time", "key", "key-type", "krb", "libcurl", "limit-rate", "local-port", "login-options", "mail-auth", "mail-from",
        "mail-rcpt", "max-filesize", "max-redirs", "max-time", "netrc-file", "noproxy", "oauth2-bearer", "output", "output-dir",
        "parallel-max", "pass", "pinnedpubkey", "preproxy", "proto", "proto-default", "proto-redir", "proxy", "proxy-cacert",
        "proxy-capath", "proxy-cert", "proxy-cert-type", "proxy-ciphers", "proxy-crlfile", "proxy-header", "proxy-key",
        "proxy-key-type", "proxy-pass", "proxy-pinnedpubkey", "proxy-service-name", "proxy-tls13-ciphers", "proxy-tlsauthtype",
        "proxy-tlspassword", "proxy-tlsuser", "proxy-user", "proxy1.0", "pubkey", "quote", "random-file", "range", "rate", "referer",
        "request", "request-target", "resolve", "retry", "retry-delay", "retry-max-time", "sasl-authzid", "service-name", "socks4",
        "socks4a", "socks5", "socks5-gssapi-service", "socks5-hostname", "speed-limit", "speed-time", "stderr", "telnet-option",
        "tftp-blksize", "time-cond", "tls-max", "tls13-ciphers", "tlsauthtype", "tlspassword", "tlsuser", "trace", "trace-ascii",
        "unix-socket", "upload-file", "url", "url-query", "user", "user-agent", "variable", "vlan-priority", "write-out",
    )
)  # fmt: skip
# A prompt, variables, another command, and then curl.
_COMMAND = re.compile(
    r"(?:^|\n|[;|&$#%>➜] ?|\b(?:sudo|time|then|do) )[ \t]*(?:[A-Za-z_]+=(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"']\S*|)[ \t]+)*(?:[^\s;|&]*[/\\])?curl(?:\.exe)?[ \t]+(?=\S)"
)
_OUTPUT = re.compile(r"^(?:\* |[<>] |=> |== |\d\d:\d\d:\d\d)", re.MULTILINE)


def read_curl(text: str, read_file: Callable[[str], bytes] | None) -> Material | None:
    """None for a text that is no curl command line, or that has what curl sent too."""
    if text[:1] in ("{", "[", "<") or re.match(r"[A-Z]+ \S+ HTTP/", text):
        return None
    text = _one_line(text)
    starts = [match.end() for match in _COMMAND.finditer(text)]
    if not starts or _OUTPUT.search(text):
        return None
    commands = [_words(text[start:].partition("\n")[0]) for start in starts]
    signed = [words for words in commands if any(_SIGNED.search(word) for word in words)]
    options, rest = _options((signed or commands)[-1])
    return _Line(read_file).material(options, rest)


_SIGNED = re.compile(r"(?i)AWS4-|^authorization: *AWS |signature=|aws-sigv4")


def _words(line: str) -> list[str]:
    """The words of one command, up to where another begins."""
    reader = shlex.shlex(line, posix=True, punctuation_chars=";|<>")
    reader.whitespace_split = True
    reader.commenters = ""
    words: list[str] = []
    try:
        for word in reader:
            if word in ("&", "&&") or word.strip(";|<>") == "":
                break
            words.append(word)
    except ValueError as error:
        raise Unreadable(f"the curl command line does not read as one ({error}); is a quote missing?") from None
    if words and words[-1].isdigit() and len(words) > 1 and not words[-2].startswith("-"):
        words.pop()  # Of `2>file`.
    return words


def _options(words: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """The options by name with their values, and what is left, which are URLs."""
    options: list[tuple[str, str]] = []
    rest: list[str] = []
    at = 0

    def value() -> str:
        nonlocal at
        at += 1
        return words[at] if at < len(words) else ""

    while at < len(words):
        word = words[at]
        if word.startswith("--") and len(word) > 2:
            name = word[2:]
            options.append((name, value() if name in _LONG_VALUES else ""))
        elif word.startswith("-") and len(word) > 1:
            for n, letter in enumerate(word[1:], 2):
                if letter in _SHORT_VALUES:
                    options.append((letter, word[n:] or value()))
                    break
                options.append((letter, ""))
        else:
            rest.append(word)
        at += 1
    return options, rest


def _one_line(text: str) -> str:
    r"""Continued lines joined: a backslash of a shell, `^` of cmd with its escapes, a backtick of PowerShell. Bash's $'...' made plain."""
    if re.search(r"\^\r?\n|\^\"", text):
        text = re.sub(r"\^\r?\n", " ", text)
        text = re.sub(r"\^(.)", r"\1", text)
    text = re.sub(r"[\\`]\r?\n", " ", text)
    return re.sub(r"\$'((?:[^'\\]|\\.)*)'", lambda match: shlex.quote(_ansi_c(match[1])), text, flags=re.DOTALL)


_ANSI_C = re.compile(r"\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|c.|[0-7]{1,3}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "E": "\x1b"}


def _ansi_c(text: str) -> str:
    """What bash makes of such a string: hex and octal escapes are bytes."""
    found = bytearray()
    at = 0
    for match in _ANSI_C.finditer(text):
        word = match[1]
        found += text[at : match.start()].encode("utf-8", "surrogateescape")
        at = match.end()
        if word[0] in "uU" and len(word) > 1:
            number = int(word[1:], 16)
            found += (chr(number) if number < 0x110000 else "\ufffd").encode("utf-8", "replace")
        elif word[0] == "x" and len(word) > 1:
            found.append(int(word[1:], 16))
        elif word[0] == "c" and len(word) > 1:
            found.append(ord(word[1].upper()) & 0x1F)
        elif word[0] in "01234567":
            found.append(int(word, 8) & 0xFF)
        else:
            found += _LETTERS.get(word, word).encode("utf-8", "surrogateescape")
    return (bytes(found) + text[at:].encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


_URL_PARTS = re.compile(r"([A-Za-z0-9+.-]+://[^/?]*)([^?]*)(.*)", re.DOTALL)


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
        more_query: list[str] = []
        as_query = head = form = as_is = False
        upload = None
        for name, value in options:
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
            elif name == "url-query":
                more_query.append(value)
            elif name == "path-as-is":
                as_is = True
            elif name in ("A", "user-agent"):
                own["User-Agent"] = value
            elif name in ("r", "range"):
                own["Range"] = f"bytes={value}"
            elif name in ("b", "cookie") and "=" in value:
                own["Cookie"] = value
            elif name == "compressed":
                own["Accept-Encoding"] = "deflate, gzip, br, zstd"
                self._notes.append("With --compressed, curl sends an Accept-Encoding of its own, which may be another than here")
            elif name in ("u", "user") and not any(option == "aws-sigv4" for option, _ in options):
                own["Authorization"] = "Basic " + base64.b64encode(value.encode("utf-8", "surrogateescape")).decode()
            elif name == "aws-sigv4":
                raise Unreadable(
                    "curl signs this request when it is sent (--aws-sigv4): give the output of curl -v, which has the signature"
                )
        url = url or (rest[0] if rest else None)
        if url is None:
            raise Unreadable("the curl command line has no URL")
        if "://" not in url:
            url = f"http://{url}"
        body = None if self._unread or form else b"".join(parts)
        if as_query and parts:
            url += ("&" if "?" in url else "?") + b"".join(parts).decode("utf-8", "surrogateescape")
            body, parts = b"", []
            own.pop("Content-Type", None)
        for pair in more_query:
            url += ("&" if "?" in url else "?") + (pair[1:] if pair.startswith("+") else quote(pair, safe="=-_.~"))
        if upload is not None:
            head_of_url, mark, query = url.partition("?")
            if head_of_url.endswith("/") and upload not in ("-", "."):
                url = head_of_url + quote(upload.replace("\\", "/").rpartition("/")[2]) + mark + query
            body = self._file(upload)
        if form:
            self._notes.append("The body of -F has a boundary that curl makes up: give the raw request to have it checked")
        given = {name.lower() for name, _ in headers} | taken_away
        headers += [(name, value) for name, value in {"Accept": "*/*", **own}.items() if name.lower() not in given]
        if method is None:
            method = "HEAD" if head else "PUT" if upload is not None else "POST" if parts or form else "GET"
        url = re.sub(r"#.*", "", url, flags=re.DOTALL)
        if not as_is:
            match = _URL_PARTS.fullmatch(url)
            url = match[1] + remove_dots(match[2]) + match[3] if match else url
        material = Material("curl command line", received(method, url, headers, body))
        material.notes = self._notes
        return material

    def _header(self, line: str, headers: list[tuple[str, str]], taken_away: set[str]) -> None:
        if line.startswith("@"):
            for each in (self._file(line[1:]) or b"").decode("latin-1").splitlines():
                self._header(each.removeprefix("@"), headers, taken_away)
            return
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
                self._notes.append(f"The body is in {name!r}, which cannot be read ({error.strerror}): it was not checked")
        else:
            self._notes.append(f"The body is in {name!r}, which was not read: it was not checked")
        self._unread = True
        return None
