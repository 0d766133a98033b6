"""`awsign curl`: sign a request, send it, print the answer."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import click

from ..endpoints import infer
from ..errors import InvalidRequest, MissingExtra
from ..redact import MASK, masked, masked_value
from ..request import Request
from ..sigv4 import Signed
from . import failure
from .failure import Failure
from .request_options import Options, RequestCommand, Signer, options, request_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, Any

    from .wire import Answer, Wire

_TRANSIENT = (408, 429, 500, 502, 503, 504)  # curl(1), --retry
_MOST_REDIRECTS = 50  # curl(1), --max-redirs
_LONGEST_WAIT = 600.0

transfer_options = options(
    click.option("-i", "--include", is_flag=True, help="Show the answer's headers before its body."),
    click.option("-o", "--output", metavar="FILE", help="Write the body to a file."),
    click.option("-O", "--remote-name", is_flag=True, help="Write the body to a file named as the URL ends."),
    click.option("-L", "--location", is_flag=True, help="Follow redirects; sign again for the same service, never for another host."),
    click.option("-k", "--insecure", is_flag=True, help="Take any certificate."),
    click.option("-s", "--silent", is_flag=True, help="Say nothing of failures."),
    click.option("-S", "--show-error", is_flag=True, help="Say so even with -s."),
    click.option("-v", "--verbose", is_flag=True, help="Show the request as sent, the canonical request and the string to sign."),
    click.option("-f", "--fail", is_flag=True, help="Exit with 22 on an HTTP error, without its body."),
    click.option("--fail-with-body", is_flag=True, help="Exit with 22 on an HTTP error, with its body."),
    click.option("--compressed", is_flag=True, help="Ask for a compressed answer, and decompress it."),
    click.option("--connect-timeout", type=float, metavar="SECONDS", help="How long connecting may take."),
    click.option("-m", "--max-time", type=float, metavar="SECONDS", help="How long all may take."),
    click.option("--retry", type=click.IntRange(0), default=0, metavar="TIMES", help="Try again after a passing failure; each try is signed."),
    click.option("--resolve", multiple=True, metavar="HOST:PORT:ADDR", help="Connect to an address in place of the host's."),
    click.option("--cacert", metavar="FILE", help="Trust these certificates [AWS_CA_BUNDLE]."),
    click.option("-x", "--proxy", metavar="URL", help="Go through a proxy [https_proxy, http_proxy]."),
)  # fmt: skip


@click.command(
    cls=RequestCommand,
    help="Sign a request, send it and print the answer. The options are curl's, with curl's meaning; s3://bucket/key is a URL.",
    epilog="Example: awsign curl -T photo.jpg 's3://my-bucket/holiday 2026/photo.jpg'",
)
@request_options
@transfer_options
@click.pass_context
def command(
    ctx: click.Context, /, include: bool, output: str | None, remote_name: bool, location: bool, insecure: bool, silent: bool,
    show_error: bool, verbose: bool, fail: bool, fail_with_body: bool, compressed: bool, connect_timeout: float | None,
    max_time: float | None, retry: int, resolve: tuple[str, ...], cacert: str | None, proxy: str | None, **values: Any,
) -> None:  # fmt: skip
    try:
        from .wire import Wire
    except ImportError:
        raise MissingExtra("sending needs httpcore2; pip install 'awsign[cli]'") from None
    chosen = Options(ctx, **values)
    try:
        request = _built(chosen)
        if compressed and not any(name.lower() == "accept-encoding" for name, _ in request.headers):
            request.headers += (("Accept-Encoding", "gzip, deflate"),)
        wire = Wire(
            connect_timeout=connect_timeout,
            max_time=max_time,
            resolve=_resolve(resolve),
            cacert=cacert,
            insecure=insecure,
            proxy=proxy,
        )
        signer = chosen.signer(request)
        try:
            answer = _exchange(wire, signer, request, location=location, retry=retry, verbose=verbose)
            failed = answer.status >= 400 and (fail or fail_with_body)
            if not (failed and fail):
                file = Path(output) if output not in (None, "-") and output else None
                if remote_name:
                    file = _remote_name(request)
                with failure_of_reading(request):
                    _show(answer, file, include=include or chosen.head, decompress=compressed)
            answer.close()
            if failed:
                raise Failure(failure.HTTP_ERROR, f"the server answered {answer.status}")
        finally:
            wire.close()
    except Failure as error:
        error.silent = silent and not show_error
        raise


def _built(chosen: Options) -> Request:
    try:
        return chosen.build()
    except InvalidRequest as error:
        code = failure.MALFORMED_URL if "URL" in str(error) or "host" in str(error) else failure.USAGE
        raise Failure(code, str(error)) from None


def _exchange(wire: Wire, signer: Signer, request: Request, *, location: bool, retry: int, verbose: bool) -> Answer:
    """Send a request, once more for each redirect that is followed and each try that is left; every one signed anew."""
    start = request.body.tell() if _rewinds(request.body) else None  # type: ignore[union-attr]
    signs, redirects, tries, wait = True, 0, retry, 1.0
    while True:
        if start is not None:
            request.body.seek(start)  # type: ignore[union-attr]
        signed = signer.sign(request) if signs else _unsigned(request)
        request.body = signed.body  # An iterable was spooled to a file, which can be sent again.
        start = request.body.tell() if _rewinds(request.body) else None  # type: ignore[union-attr]
        if verbose:
            _show_request(signed)
        try:
            answer = wire.send(signed)
        except Failure as error:
            if error.exit_code != failure.TIMED_OUT or not tries:
                raise
            tries, wait = tries - 1, _wait(wait, None)
            continue
        if verbose:
            _show_answer(answer)
        if answer.status in _TRANSIENT and tries:
            answer.close()
            tries, wait = tries - 1, _wait(wait, answer.header("retry-after"))
            continue
        if not location or (moved := _moved(signer, request, answer, signs)) is None:
            return answer
        redirects += 1
        if redirects > _MOST_REDIRECTS:
            raise Failure(failure.TOO_MANY_REDIRECTS, f"more than {_MOST_REDIRECTS} redirects")
        answer.close()
        request, signs = moved
        start = request.body.tell() if _rewinds(request.body) else None  # type: ignore[union-attr]


def _rewinds(body: object) -> bool:
    return hasattr(body, "seek") and hasattr(body, "seekable") and bool(body.seekable())


def _wait(seconds: float, retry_after: str | None) -> float:
    time.sleep(float(retry_after) if retry_after and retry_after.isdigit() else seconds)
    return min(seconds * 2, _LONGEST_WAIT)


def _unsigned(request: Request) -> Signed:
    from ..derivation import Derivation

    return Signed(request.method, request.url, (("Host", request.host), *request.headers), request.body, Derivation(""))


def _moved(signer: Signer, request: Request, answer: Answer, signs: bool) -> tuple[Request, bool] | None:
    """Where a redirect leads, and whether that is to be signed: only at the same service. None for what is no redirect."""
    target = answer.header("location")
    if answer.status in (301, 302, 303, 307, 308) and target:
        url = urljoin(request.url, target)
    elif signs and (region := _other_region(signer, request, answer)):
        url = request.url.replace(request.authority, _regional(request.authority, region), 1)
    else:
        return None
    old, new = urlsplit(request.url), urlsplit(url)
    if new.scheme not in ("http", "https"):
        raise Failure(failure.UNSUPPORTED_PROTOCOL, f"a redirect to {new.scheme!r} is not followed")
    if old.scheme == "https" and new.scheme == "http":
        raise Failure(failure.UNSUPPORTED_PROTOCOL, f"a redirect from https to http is not followed: {masked(url)}")
    same = _same_service(request.url, url)
    if same and (region := infer(url)[1]):
        signer.move(region)
    presigned = "X-Amz-Signature=" in new.query or ("Signature=" in new.query and "AWSAccessKeyId=" in new.query)
    method, body = request.method, request.body
    if answer.status == 303 or (answer.status in (301, 302) and method == "POST" and target):
        method, body = ("HEAD" if method == "HEAD" else "GET"), None
    headers = [
        (name, value)
        for name, value in request.headers
        if (same or not name.lower().startswith(("x-amz-", "authorization", "cookie")))
        and (body is not None or name.lower() not in ("content-type", "content-length"))
    ]
    if new.netloc == old.netloc:
        headers.append(("Host", request.host))
    return Request(method, url, headers, body), signs and same and not presigned


def _same_service(old: str, new: str) -> bool:
    """At AWS the same service of the same partition; elsewhere the same scheme, host and port."""
    (old_service, _), (new_service, _) = infer(old), infer(new)
    a, b = urlsplit(old), urlsplit(new)
    if (a.scheme, a.netloc.lower()) == (b.scheme, b.netloc.lower()):
        return True
    return old_service is not None and old_service == new_service and a.netloc.split(".")[-2:] == b.netloc.split(".")[-2:]


def _other_region(signer: Signer, request: Request, answer: Answer) -> str | None:
    """S3 tells the bucket's region where it redirects without a Location, or refuses a HEAD (RULES, Redirects)."""
    region = answer.header("x-amz-bucket-region")
    at_aws = infer(request.url)[0] == "s3"
    return region if at_aws and answer.status in (301, 307, 400) and region and region != signer.region else None


def _regional(authority: str, region: str) -> str:
    host, colon, port = authority.partition(":")
    return f"{host.rpartition('s3')[0]}s3.{region}.amazonaws.com{colon}{port}"


def _resolve(entries: tuple[str, ...]) -> dict[tuple[str, int], list[str]]:
    found = {}
    for entry in entries:
        host, _, rest = entry.removeprefix("+").partition(":")
        port, _, addresses = rest.partition(":")
        if not (host and port.isdigit() and addresses):
            raise click.UsageError(f"--resolve {entry!r}: it is HOST:PORT:ADDRESS[,ADDRESS]")
        found[host.lower(), int(port)] = [address.strip("[]") for address in addresses.split(",")]
    return found


def _remote_name(request: Request) -> Path:
    name = unquote(request.path.rpartition("/")[2])
    if not name or name in (".", "..") or "/" in name or "\0" in name:
        raise Failure(failure.WRITE_ERROR, "-O: the URL does not end with a file's name")
    return Path(name)


def _show(answer: Answer, file: Path | None, *, include: bool, decompress: bool) -> None:
    try:
        out: IO[bytes] = file.open("wb") if file else sys.stdout.buffer
    except OSError as error:
        raise Failure(failure.WRITE_ERROR, f"cannot write to {str(file)!r}: {error.strerror}") from None
    try:
        if include:
            lines = [answer.status_line, *(f"{name}: {value}" for name, value in answer.headers), "", ""]
            out.write("\r\n".join(lines).encode("latin-1"))
        blocks = answer.blocks()
        for block in _decompressed(blocks, answer.header("content-encoding")) if decompress else blocks:
            out.write(block)
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Failure(
            failure.WRITE_ERROR, f"cannot write to {str(file) if file else 'standard output'!r}: {error.strerror}"
        ) from None
    finally:
        if file:
            out.close()


def _decompressed(blocks: Iterator[bytes], encoding: str | None) -> Iterator[bytes]:
    if (encoding or "").lower() not in ("gzip", "x-gzip", "deflate"):
        yield from blocks
        return
    import zlib

    undo = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, whichever it is.
    try:
        for block in blocks:
            yield undo.decompress(block)
        yield undo.flush()
    except zlib.error as error:
        raise Failure(61, f"the answer is not the {encoding} that it says it is: {error}") from None


def failure_of_reading(request: Request) -> Any:
    from .wire import reported

    parts = urlsplit(request.url)
    return reported(parts.hostname or "", parts.port)


def _show_request(signed: Signed) -> None:
    from .wire import framed

    target = masked(signed.url).split("://", 1)[1]
    target = "/" + target.partition("/")[2]
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
