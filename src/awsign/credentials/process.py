"""An external process that prints credentials. Source: AWS SDKs and tools reference, "Process credential provider"."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys

from ..errors import CredentialsError
from ..settings import Settings
from .document import PROCESS, credentials_of
from .provider import NotHere, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..identity import Credentials

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
        try:
            words = shlex.split(command, posix=sys.platform != "win32")
        except ValueError as error:
            raise CredentialsError(f"the credential_process {command[:60]!r} is not a command line: {error}") from None
        # The command may hold a secret among its words: the first is enough to know it by.
        name = words[0] if words else ""
        try:
            ended = subprocess.run(  # noqa: S603 - It is the user's own.
                words,
                capture_output=True,
                timeout=self._timeout,
                env=dict(self._settings.environ),
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CredentialsError(f"the credential_process {name} did not end in {self._timeout:g} seconds") from None
        except (OSError, ValueError) as error:
            raise CredentialsError(f"the credential_process {name!r} cannot be run: {getattr(error, 'strerror', error)}") from None
        if ended.returncode != 0:
            lines = ended.stderr.decode("utf-8", "replace").strip().splitlines()
            said = f": {lines[-1][:200]}" if lines and not _TELLING.search(lines[-1]) else ""
            raise CredentialsError(f"the credential_process {name} ended with the exit code {ended.returncode}{said}")
        what = f"the output of the credential_process {name}"
        try:
            document = json.loads(ended.stdout)
        except (ValueError, RecursionError):  # `from None`: it may hold a secret.
            raise CredentialsError(f"{what} is not JSON") from None
        if isinstance(document, dict) and document.get("Version") != 1:
            raise CredentialsError(f"{what} has Version {str(document.get('Version'))[:20]!r}, and 1 is the one that there is")
        return credentials_of(document, PROCESS, what, long_lived=True)
