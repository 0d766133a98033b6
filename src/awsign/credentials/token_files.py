"""Tokens in files: those that a platform puts there, and those that `aws sso login` and `aws login` keep, shared with the AWS CLI."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import timedelta

from ..errors import CredentialsError, system_reason
from ..scope import now
from .document import json_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

_LONGEST = 10 * 365 * 86400  # Seconds: what is longer is no time any more.


def read_secret(path: Path, what: str) -> str:
    """The text of a file that holds a token; CredentialsError, without a word of it, for one that cannot be read."""
    try:
        return path.read_text()
    except OSError as error:
        why = system_reason(error)
    except ValueError as error:  # Not UTF-8, or a name that no file can have.
        why = "it is not text" if isinstance(error, UnicodeError) else str(error)
    raise CredentialsError(f"{what} {str(path)!r} cannot be read: {why}")


def read_token(path: Path, login: str) -> dict[str, Any]:
    """The token in a file; CredentialsError that names the command to log in with where there is none."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise CredentialsError(f"nobody is logged in: there is no {path}; run `{login}`") from None
    except (OSError, ValueError) as error:
        why = system_reason(error)
        raise CredentialsError(f"the cached token {path} cannot be read: {why}; run `{login}`") from None
    token = json_value(raw)
    if not isinstance(token, dict):
        raise CredentialsError(f"the cached token {path} is not a JSON object; run `{login}`")
    return token


def write_token(path: Path, token: dict[str, Any]) -> None:
    """Replace a token as a whole, readable by its owner alone: another process may be reading it."""
    import tempfile

    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(token, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)  # noqa: PTH105 - One call, one line of the manual.
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108
            raise
    except OSError as error:
        raise CredentialsError(
            f"the token was refreshed, but cannot be kept in {path}: {system_reason(error)}; the old one may be void"
        ) from None


def end_after(seconds: int) -> str:
    """What an answer calls `expiresIn`, as the AWS CLI writes the time of it."""
    return f"{now() + timedelta(seconds=max(0, min(seconds, _LONGEST))):%Y-%m-%dT%H:%M:%SZ}"
