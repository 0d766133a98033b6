"""A request and its answer: sent, sent again after a passing failure, followed where it is redirected; each time signed anew."""

from __future__ import annotations

import time
from urllib.parse import unquote, urlsplit

import click

from .. import redirects
from ..derivation import Derivation
from ..endpoints import infer
from ..errors import InvalidRequest
from ..payload import spool
from ..redact import MASK, masked, masked_value
from ..request import Request
from ..signed import Signed, framed
from . import failure
from .failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .request_options import Signer
    from .wire import Answer, Wire

_TRANSIENT = (408, 429, 500, 502, 503, 504)  # curl(1), --retry
_MOST_REDIRECTS = 50  # curl(1), --max-redirs
_LONGEST_WAIT = 600.0


class Exchange:
    """follow: whether redirects are followed. retry: how many times a passing failure is tried again."""

    def __init__(self, wire: Wire, signer: Signer, *, follow: bool, retry: int, verbose: bool) -> None:
        self._wire = wire
        self._signer = signer
        self._follow = follow
        self._tries = retry
        self._wait = 1.0
        self._verbose = verbose

    def answers(self, request: Request) -> Iterator[Answer]:
        """The answer, after those that redirected to where it came from; of these only the heads are there."""
        if self._follow or self._tries:
            request.put_body(spool(request.body))  # A pipe may have to be sent twice.
        signs = True
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._answer(request, signs)
            moved = _moved(self._signer, request, answer, signs) if self._follow else None
            answer.is_last = moved is None
            yield answer
            answer.close()
            if moved is None:
                return
            request, signs = moved
        raise Failure(failure.TOO_MANY_REDIRECTS, f"more than {_MOST_REDIRECTS} redirects")

    def _answer(self, request: Request, signs: bool) -> Answer:
        while True:
            signed = self._signer.sign(request) if signs else _unsigned(request)
            if self._verbose:
                _show_request(signed)
            try:
                answer = self._wire.send(signed)
            except Failure as error:
                if error.exit_code != failure.TIMED_OUT or not self._tries:
                    raise
                self._pause(None)
                continue
            if self._verbose:
                _show_answer(answer)
            if answer.status not in _TRANSIENT or not self._tries:
                return answer
            answer.close()
            self._pause(answer.header("retry-after"))

    def _pause(self, retry_after: str | None) -> None:
        self._tries -= 1
        time.sleep(min(float(retry_after), _LONGEST_WAIT) if retry_after and retry_after.isdigit() else self._wait)
        self._wait = min(self._wait * 2, _LONGEST_WAIT)
        self._wire.begin()


def _unsigned(request: Request) -> Signed:
    request.rewind()
    return Signed(request.method, request.url, (("Host", request.host), *request.headers), request.body, Derivation(""))


def _moved(signer: Signer, request: Request, answer: Answer, signs: bool) -> tuple[Request, bool] | None:
    """Where a redirect leads, and whether that is to be signed: only at the same service. None for what is no redirect."""
    location = answer.header("location")
    region = answer.header("x-amz-bucket-region")
    try:
        if answer.status in redirects.STATUSES and location:
            url = redirects.target_of(request.url, location)
        elif signs and region != signer.region:
            found = redirects.url_in_region(request.url, request.authority, answer.status, region)
            if found is None:
                return None
            url = found
        else:
            return None
    except InvalidRequest as error:
        raise Failure(failure.MALFORMED_URL, str(error)) from None
    method = redirects.method_after(answer.status, request.method) if location else request.method
    body = request.body if method == request.method and answer.status != 303 else None
    try:
        headers, signs = redirects.onward(request.url, url, request.headers, signed=signs, has_body=body is not None)
    except InvalidRequest as error:
        raise Failure(failure.UNSUPPORTED_PROTOCOL, str(error)) from None
    if signs and (region := infer(url)[1]):
        signer.move(region)
    request.rewind()
    try:
        if urlsplit(url).netloc == urlsplit(request.url).netloc:
            headers.append(("Host", request.host))
        return Request(method, url, headers, body), signs
    except ValueError as error:  # InvalidRequest is one too.
        raise Failure(failure.MALFORMED_URL, f"the server redirects to a URL that cannot be sent: {error}") from None


def _show_request(signed: Signed) -> None:
    target = "/" + masked(signed.url).partition("://")[2].partition("/")[2]
    lines = [f"> {signed.method} {target} HTTP/1.1"]
    for name, value in framed(signed):
        text = value if isinstance(value, str) else value.decode("utf-8", "backslashreplace")
        lines.append(f"> {name}: {masked_value(name, text)}")
    lines.append(">")
    derivation = signed.derivation
    for title, derived in (("canonical request", derivation.canonical_request), ("string to sign", derivation.string_to_sign)):
        if derived:
            lines += [f"* {title}:", *(f"*   {line}" for line in masked(derived).split("\n"))]
    if derivation.signature:
        # In a query it is all that is needed to send the request: it is masked like a password.
        in_query = derivation.signature in unquote(signed.url)
        lines.append(f"* signature: {MASK + ' (in the query)' if in_query else derivation.signature}")
    _say(lines)


def _show_answer(answer: Answer) -> None:
    _say([f"< {answer.status_line}", *(f"< {name}: {masked_value(name, value)}" for name, value in answer.headers), "<"])


def _say(lines: list[str]) -> None:
    """To standard error; in colour on a terminal."""
    colours = {">": "cyan", "<": "green", "*": "yellow"}
    for line in lines:
        click.echo(click.style(line, fg=colours.get(line[:1])), err=True)
