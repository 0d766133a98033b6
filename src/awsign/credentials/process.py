"""An external process that prints credentials. Source: AWS SDKs and tools reference, "Process credential provider"."""

from __future__ import annotations

import os
import re
import sys
import time
from functools import partial

from ..errors import CredentialsError, system_reason
from ..settings import Settings
from .document import PROCESS, credentials_of, json_value
from .provider import NotHere, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from subprocess import Popen

    from ..identity import Credentials

_MOST = 1 << 20
_POLL = 0.05  # Seconds between two looks at whether it has ended.
# A line of an error that is too likely to hold a secret to be repeated.
_TELLING = re.compile(r"(?i)secret|token|password|[A-Za-z0-9/+=]{36,}")


class Process(Source):
    """What a command prints: {"Version": 1, "AccessKeyId": ..., "SecretAccessKey": ..., "SessionToken": ..., "Expiration": ...}.

    command: run without a shell; None is `credential_process` of the profile. timeout: seconds that it may take, with whatever it
    asks of its user; None for no limit.
    """

    name = "process"

    def __init__(
        self,
        command: str | None = None,
        *,
        timeout: float | None = 60,
        profile: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._command = command
        self._timeout = timeout
        self._settings = Settings(profile, environ)

    def load(self) -> Credentials:
        command = self._command or self._settings.of_profile.get("credential_process")
        if not command:
            raise NotHere(f"the profile {self._settings.profile!r} has no credential_process")
        words = _words(command)
        # A command line may hold a secret, and so may what is set before its program: the program alone is named.
        name = words[0] if "=" not in words[0] else "of the profile"
        code, output, complaint = _run(words, dict(self._settings.environ), self._timeout, name)
        if code != 0:
            lines = complaint.decode("utf-8", "replace").strip().splitlines()
            said = f": {lines[-1][:200]}" if lines and not _TELLING.search(lines[-1]) else ""
            raise CredentialsError(f"the credential_process {name} ended with the exit code {code}{said}")
        what = f"the output of the credential_process {name}"
        document = json_value(output)
        if document is None:
            raise CredentialsError(f"{what} is not JSON")
        if isinstance(document, dict) and document.get("Version") != 1:
            raise CredentialsError(f"{what} has Version {str(document.get('Version'))[:20]!r}, and 1 is the one that there is")
        return credentials_of(document, PROCESS, what, long_lived=True)


def _words(command: str) -> list[str]:
    import shlex

    try:
        words = shlex.split(command, posix=sys.platform != "win32")
    except ValueError:
        words = []
    if not words:
        raise CredentialsError("the credential_process is empty, or has a quote that does not end")
    return words


def _run(words: list[str], environ: dict[str, str], timeout: float | None, name: str) -> tuple[int, bytes, bytes]:
    """The exit code of a command, and what it printed; of no more than a bound, and in no more than a time."""
    import subprocess

    failure = None
    try:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ)  # noqa: S603 - The user's own.
    except (OSError, ValueError) as error:
        failure = system_reason(error)
    if failure is not None:  # Outside of the block above: the error holds the command line.
        raise CredentialsError(f"the credential_process {name} cannot be run: {failure}")
    assert process.stdout is not None and process.stderr is not None
    ended = True
    with process.stdout, process.stderr:
        try:
            output, complaint = _read(process, None if timeout is None else time.monotonic() + timeout)
            process.wait(0)
        except subprocess.TimeoutExpired:
            ended = False
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if not ended:
        raise CredentialsError(f"the credential_process {name} did not end in {timeout:g} seconds")
    if max(len(output), len(complaint)) > _MOST:
        raise CredentialsError(f"the credential_process {name} printed more than {_MOST} bytes")
    return process.returncode, output, complaint


def _read(process: Popen[bytes], ends: float | None) -> tuple[bytes, bytes]:
    """What a command prints until it ends: a child of its own that goes on, and holds on to its output, is not waited for.

    subprocess.TimeoutExpired where it does not end in time.
    """
    left = partial(_left, ends)
    if sys.platform == "win32":  # Pipes cannot be waited for there, but by threads.
        return process.communicate(timeout=left())
    from selectors import EVENT_READ, DefaultSelector

    printed = bytearray(), bytearray()
    with DefaultSelector() as waiting:
        for stream, into in zip((process.stdout, process.stderr), printed, strict=True):
            assert stream is not None
            waiting.register(stream, EVENT_READ, into)
        while waiting.get_map() and max(map(len, printed)) <= _MOST:
            gone = process.poll() is not None
            ready = waiting.select(0 if gone else min(_POLL, left() or _POLL))
            if gone and not ready:
                break
            for key, _ in ready:
                block = os.read(key.fd, 1 << 16)
                key.data.extend(block)
                if not block:
                    waiting.unregister(key.fileobj)
    if max(map(len, printed)) <= _MOST:
        process.wait(left())
    else:
        process.kill()
        process.wait()
    return bytes(printed[0]), bytes(printed[1])


def _left(ends: float | None) -> float | None:
    """The seconds that are left, None for no limit."""
    from subprocess import TimeoutExpired

    if ends is None:
        return None
    seconds = ends - time.monotonic()
    if seconds <= 0:
        raise TimeoutExpired("", 0)
    return seconds
