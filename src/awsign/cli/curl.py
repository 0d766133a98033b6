"""`awsign curl`: sign a request, send it, print the answer."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..errors import MissingExtra
from ..settings import Settings
from . import failure
from .failure import Failure
from .request_options import Options, RequestCommand, options, request_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO, Any

    from ..request import Request

_LONGEST = 1e9  # Seconds, 31 years: more than a socket's timeout can hold is none.


class _Seconds(click.FloatRange):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds: float = super().convert(value, param, ctx)
        if not seconds <= _LONGEST:  # Nor is `nan`.
            self.fail(f"{value} is not a time that can be waited for", param, ctx)
        return seconds


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
    click.option("--connect-timeout", type=_Seconds(0), metavar="SECONDS", help="How long connecting may take."),
    click.option("-m", "--max-time", type=_Seconds(0), metavar="SECONDS", help="How long all may take."),
    click.option("--retry", type=click.IntRange(0), default=0, metavar="TIMES", help="Try again after a passing failure; each try is signed."),
    click.option("--resolve", multiple=True, metavar="HOST:PORT:ADDR", help="Connect to an address in place of the host's."),
    click.option("--cacert", metavar="FILE", help="Trust these certificates [AWS_CA_BUNDLE]."),
    click.option("-x", "--proxy", metavar="URL", help="Go through a proxy [https_proxy, http_proxy]."),
)  # fmt: skip


@click.command(
    cls=RequestCommand,
    help="Sign a request, send it and print the answer. The options are curl's, with curl's meaning; s3://bucket/key is a URL.",
    epilog="\b\nExample: awsign curl -T photo.jpg 's3://my-bucket/holiday 2026/photo.jpg'",
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
        from .exchange import Exchange
        from .progress import Progress
        from .wire import Wire, decompressed
    except ImportError:
        raise MissingExtra("sending needs h11; pip install 'awsign[cli]'") from None
    chosen = Options(ctx, **values)
    if fail and fail_with_body:
        raise click.UsageError("-f and --fail-with-body say two things; give one of them")
    try:
        request = chosen.build(*[("Accept-Encoding", "gzip, deflate")] if compressed else [])
        file = _remote_name(request) if remote_name else Path(output) if output and output != "-" else None
        progress = Progress(shown=not silent)
        wire = Wire(
            connect_timeout=connect_timeout,
            max_time=max_time,
            resolve=_resolve(resolve),
            cacert=cacert or Settings(chosen.profile).ca_bundle,
            insecure=insecure,
            proxy=proxy,
            progress=progress,
        )
        signer = chosen.signer(request, streams=True)
        signer.send = wire.ask
        exchange = Exchange(wire, signer, follow=location, retry=retry, verbose=verbose)
        with _Output(file, any_terminal=output == "-") as out:
            for answer in exchange.answers(request):
                failed = answer.status >= 400 and (fail or fail_with_body)
                if include or chosen.head:
                    out.write(answer.head())
                if not answer.is_last or (failed and fail) or chosen.head:
                    continue
                out.write(b"")  # An empty answer empties the file.
                blocks: Iterable[bytes] = decompressed(answer) if compressed else answer.blocks()
                if not out.is_terminal:
                    blocks = progress.of(blocks, None if compressed else answer.length, "down")
                for block in blocks:
                    out.write(block)
        if failed:
            raise Failure(failure.HTTP_ERROR, f"the server answered {answer.status}")
    except Failure as error:
        error.silent = silent and not show_error
        raise


class _Output:
    """Where the body goes: a file, or standard output."""

    def __init__(self, file: Path | None, *, any_terminal: bool) -> None:
        self._file = file
        self._any_terminal = any_terminal
        self._out: IO[bytes] | None = None if file else sys.stdout.buffer

    def __enter__(self) -> _Output:
        return self

    def __exit__(self, *_: object) -> None:
        if self._out is not None:
            self._out.flush()
            if self._file:
                self._out.close()

    @property
    def is_terminal(self) -> bool:
        return self._file is None and sys.stdout.isatty()

    def write(self, data: bytes) -> None:
        try:
            if self._out is None:
                assert self._file is not None
                self._out = self._file.open("wb")  # Not before there is an answer: what was there stays if none comes.
            if self._file is None and b"\0" in data and not self._any_terminal and sys.stdout.isatty():
                raise Failure(
                    failure.WRITE_ERROR, "the answer is binary and would garble this terminal; -o FILE keeps it, -o - shows it"
                )
            self._out.write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            where = str(self._file) if self._file else "standard output"
            raise Failure(failure.WRITE_ERROR, f"cannot write to {where!r}: {error.strerror}") from None


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
    name = request.path.rpartition("/")[2]  # Escapes stay as they are, as curl has them.
    if not name or name in (".", ".."):
        raise Failure(failure.WRITE_ERROR, "-O: the URL does not end with a file's name")
    return Path(name)
