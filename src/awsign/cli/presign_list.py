"""`awsign presign --from`: the URLs of a list of keys, in its order, by one process or several, and again from where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from collections import deque
from contextlib import nullcontext
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread

import click

from ..errors import AwsignError, InvalidRequest
from ..presign import S3Presigner
from ..s3_urls import is_directory_bucket, split_s3_uri
from .failure import MALFORMED_URL, USAGE, WRITE_ERROR, Failure
from .lists import Parquet, format_of
from .progress import Progress
from .request_options import open_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from datetime import timedelta
    from typing import IO, Any

    from ..identity import Credentials, Provider
    from .lists import Block, Format
    from .request_options import Options

    # What becomes of a block: what is written of it, and what is wrong with which of its lines.
    Outcome = tuple[bytes, list[tuple[int, str]]]


class Task:
    """What a process has to know to presign blocks; it can be pickled, and has no credentials: those come with each block.

    bucket: of all keys, None where each line is an s3:// URI. prefix: before each key. settings: of S3Presigner.
    """

    def __init__(
        self, form: Format, bucket: str | None, prefix: str, region: str, settings: dict[str, Any], query: Any, headers: Any
    ) -> None:
        self.form = form
        self._bucket = bucket
        self._prefix = prefix
        self._region = region
        self._settings = settings
        self._query = query
        self._headers = headers
        self._presigners: dict[str, S3Presigner] = {}
        self._handed = _Handed()

    def __getstate__(self) -> dict[str, object]:
        return self.__dict__ | {"_presigners": {}, "_handed": _Handed()}

    def fingerprint(self) -> list[Any]:
        """What makes it another task."""
        return [
            type(self.form).__name__, vars(self.form), self._bucket, self._prefix, self._region,
            sorted((name, str(value)) for name, value in self._settings.items()), list(self._query), list(map(str, self._headers)),
        ]  # fmt: skip

    def run(self, block: Block, credentials: Credentials) -> Outcome:
        """Presign one block. A line that cannot be presigned has no URL, and its reason is told."""
        self._handed.take(credentials)
        keys = self.form.keys(block)
        if self._bucket is not None and None not in keys and "" not in keys:
            whole = [f"{self._prefix}{key}" for key in keys] if self._prefix else keys
            try:
                made = self._presigner(self._bucket).urls(whole, self._query, self._headers)  # type: ignore[arg-type]
                return self.form.written(block, keys, made), []
            except AwsignError:  # One by one, to find which it was.
                pass
        urls: list[str | None] = []
        faults: list[tuple[int, str]] = []
        for index, key in enumerate(keys):
            try:
                urls.append(self._one(key))
            except AwsignError as error:
                urls.append(None)
                faults.append((self.form.number(block, index), str(error)))
        return self.form.written(block, keys, urls), faults

    def _one(self, key: str | None) -> str:
        if key is None:
            raise InvalidRequest("the line has no key, or another number of fields than the first")
        bucket = self._bucket
        if bucket is None:
            line = key
            bucket, _, key = split_s3_uri(line.removeprefix("s3://")) if line.startswith("s3://") else ("", "", "")
            if not bucket or not key:
                raise InvalidRequest(f"{line[:60]!r} is not s3://bucket/key; name the bucket on the command line for keys alone")
        elif not key:
            raise InvalidRequest("the line is empty")
        return self._presigner(bucket).url(self._prefix + key, self._query, self._headers)

    def _presigner(self, bucket: str) -> S3Presigner:
        made = self._presigners.get(bucket)
        if made is None:
            if self._bucket is None and is_directory_bucket(bucket):
                raise InvalidRequest(f"{bucket} is a directory bucket, which takes a session; name it on the command line")
            made = self._presigners[bucket] = S3Presigner(self._handed, self._region, bucket, **self._settings)
        return made


class _Handed:
    """The credentials that came with the last block; the same object while they are the same, which keeps their derived keys."""

    def __init__(self) -> None:
        self._credentials: Credentials | None = None

    def take(self, credentials: Credentials) -> None:
        if credentials != self._credentials:
            self._credentials = credentials

    def get(self) -> Credentials:
        assert self._credentials is not None
        return self._credentials


class _Part:
    """What is done of the output: a file beside it, and how far it is. An interrupted run goes on with these."""

    def __init__(self, to: str, fingerprint: str | None) -> None:
        self.path = f"{to}.part"
        self._state = f"{to}.part.json"
        self._fingerprint = fingerprint
        self.lines = self.bad = self.read = 0

    @property
    def files(self) -> set[str]:
        """All that is written."""
        return {self.path.removesuffix(".part"), self.path, self._state, f"{self._state}.new", f"{self.path}.parquet"}

    def open(self) -> IO[bytes]:
        """The part, held by this process alone."""
        file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
        try:
            _lock(file)
            if os.fstat(file.fileno()).st_ino != Path(self.path).stat().st_ino:
                raise BlockingIOError  # Finished, and renamed, since it was opened.
        except (BlockingIOError, FileNotFoundError):
            file.close()
            raise Failure(USAGE, f"{self.path} is being written by another run; wait for its end") from None
        return file

    def resume(self, file: IO[bytes]) -> bool:
        """Whether there is something to go on with. Of standard input there is not: what it gives now may be something else."""
        try:
            state = json.loads(Path(self._state).read_text())
            known = os.fstat(file.fileno()).st_size >= state["bytes"]
        except (OSError, ValueError, KeyError, TypeError):
            state, known = {}, False
        if self._fingerprint is None or not known:
            Path(self._state).unlink(missing_ok=True)  # Of another time: what is saved next must not be taken for it.
            file.truncate(0)
            return False
        if state.get("of") != self._fingerprint:
            raise Failure(
                USAGE,
                f"{self.path} is what is done of another list, or with other options; delete it and {self._state} to begin anew",
            )
        self.lines, self.bad, self.read = state["lines"], state["bad"], state["read"]
        file.truncate(state["bytes"])
        file.seek(state["bytes"])
        return True

    def save(self, file: IO[bytes], block: Block, bad: int) -> None:
        """After a block: what follows would be made again."""
        file.flush()
        self.lines, self.bad, self.read = self.lines + block.count, self.bad + bad, self.read + block.size
        state = {"of": self._fingerprint, "lines": self.lines, "bad": self.bad, "read": self.read, "bytes": file.tell()}
        Path(f"{self._state}.new").write_text(json.dumps(state))
        Path(f"{self._state}.new").replace(self._state)

    def finish(self) -> None:
        Path(self._state).unlink(missing_ok=True)


def _lock(file: IO[bytes]) -> None:
    """Refuse a second run: BlockingIOError. Where the system has no such locks (Windows), an open file cannot be renamed."""
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def run(
    chosen: Options, source: str, to: str | None, *, form: str | None, column: str | None, jobs: int, expires: timedelta, query: Any,
    headers: Any,
) -> int:  # fmt: skip
    """Presign a list; how many of its lines could not be."""
    task, provider = _task(chosen, format_of(source, form, column), expires, query, headers)
    parquet = isinstance(task.form, Parquet)
    if parquet and (to in (None, "-") or source == "-"):
        raise click.UsageError("Parquet is read from a file and written to one: --from FILE --to FILE")
    straight = to in (None, "-")
    if to is not None and not straight:
        if Path(to).is_dir():
            raise click.UsageError(f"--to {to!r} is a folder; name a file in it")
        to = str(Path(to).resolve())
        straight = Path(to).exists() and not Path(to).is_file()  # A pipe, or a device: there is nothing to go on with.
        if source != "-" and str(Path(source).resolve()) in _Part(to, None).files:
            raise click.UsageError("--from is a file that is written to make --to; write to another")
    with open_file(source) as file:
        total = task.form.total(file)
        beginning, blocks = task.form.read(file)
        provider.get()  # Before anything is written.
        if straight or to is None:
            if sys.stdout is None:
                raise Failure(WRITE_ERROR, "there is no standard output")
            with Path(to).open("wb") if to not in (None, "-") else nullcontext(sys.stdout.buffer) as output:
                progress = Progress(shown=not output.isatty())
                return _write(task, provider, blocks, output, beginning, jobs, progress, total, None)
        part = _Part(to, _fingerprint(source, task))
        with part.open() as output:
            if part.resume(output):
                click.echo(f"awsign: going on after line {part.lines:,}, where it was stopped", err=True)
                beginning, blocks = b"", (block for block in blocks if block.first > part.lines)
            try:
                bad = _write(task, provider, blocks, output, beginning, jobs, Progress(shown=True), total, part)
            except KeyboardInterrupt:
                if source != "-" and part.lines:
                    click.echo(f"\nawsign: stopped after line {part.lines:,}; the same command goes on from there", err=True)
                raise
            task.form.finish(part.path, to)
            part.finish()
        return bad


def _task(chosen: Options, form: Format, expires: timedelta, query: Any, headers: Any) -> tuple[Task, Provider]:
    from ..credentials import find_credentials

    bucket, prefix = None, ""
    if chosen.url:
        if chosen.url[:5].lower() != "s3://":
            raise Failure(MALFORMED_URL, f"{chosen.url[:60]!r}: a list is of the keys of s3://bucket, or of s3://bucket/prefix")
        bucket, _, prefix = split_s3_uri(chosen.url[5:])
        if not bucket:
            raise Failure(
                MALFORMED_URL, "s3:// names no bucket; write s3://bucket, or leave it out where each line is s3://bucket/key"
            )
    endpoint, region = chosen.endpoint(), chosen.s3_region()
    provider: Provider = find_credentials(chosen.profile)
    if bucket is not None and is_directory_bucket(bucket):
        from ..credentials import s3_express_session

        provider = s3_express_session(provider, bucket, region=region, endpoint=endpoint)
    settings: dict[str, Any] = {
        "endpoint": endpoint,
        "path_style": endpoint is not None,
        "method": chosen.method or "GET",
        "expires": expires,
    }
    if bucket is not None:
        S3Presigner(provider, region, bucket, **settings)  # What is wrong with it is said before the list is read.
    return Task(form, bucket, prefix, region, settings, query, headers), provider


def _fingerprint(source: str, task: Task) -> str | None:
    """What an interrupted run was of. Standard input cannot be known again."""
    if source == "-":
        return None
    of = Path(source).stat()
    known = json.dumps([str(Path(source).resolve()), of.st_size, of.st_mtime_ns, *task.fingerprint()], default=str)
    return hashlib.sha256(known.encode()).hexdigest()


def _write(
    task: Task, provider: Provider, blocks: Iterator[Block], output: IO[bytes], beginning: bytes, jobs: int, progress: Progress,
    total: int | None, part: _Part | None,
) -> int:  # fmt: skip
    output.write(beginning)
    bad = 0 if part is None else part.bad
    done = 0 if part is None else part.lines
    with progress.counting(total, task.form.unit, 0 if part is None else part.read) as count:
        for block, (data, faults) in _outcomes(task, provider, blocks, jobs):
            output.write(data)
            for number, why in faults:
                progress.say(f"awsign: line {number}: {why}")
            bad += len(faults)
            done += block.count
            if part is not None:
                part.save(output, block, len(faults))
            count(block.size, block.count - len(faults))
    output.flush()
    if bad:
        click.echo(f"awsign: {bad:,} of {done:,} lines could not be presigned", err=True)
    return bad


def _outcomes(task: Task, provider: Provider, blocks: Iterator[Block], jobs: int) -> Iterator[tuple[Block, Outcome]]:
    """Each block and what became of it, in their order."""
    if jobs == 1:
        for block in blocks:
            yield block, task.run(block, provider.get())
        return
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    workers = jobs or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()) or 1
    waiting: deque[tuple[Block, Future[Outcome]]] = deque()
    with ProcessPoolExecutor(workers, get_context("spawn"), _begin_worker, (task,)) as pool:
        try:
            for block in blocks:
                waiting.append((block, pool.submit(_run, block, provider.get())))
                if len(waiting) > 2 * workers:  # No more of the list in memory than keeps them busy.
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        except BrokenProcessPool:
            raise Failure(70, "a worker process ended; run the same command once more to go on") from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_task_of_worker: Task | None = None


def _begin_worker(task: Task) -> None:
    global _task_of_worker
    Thread(target=_end_with_the_first, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The first process ends the others.
    _task_of_worker = task


def _end_with_the_first() -> None:
    """A worker waits for blocks for ever: one whose first process was killed would stay."""
    first = parent_process()
    if first is not None:
        first.join()
        os._exit(1)


def _run(block: Block, credentials: Credentials) -> Outcome:
    assert _task_of_worker is not None
    return _task_of_worker.run(block, credentials)
