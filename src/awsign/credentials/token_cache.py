"""The files in which `aws sso login` and `aws login` keep their tokens, shared with the AWS CLI: one JSON object each."""

from __future__ import annotations

import json
import os
from contextlib import suppress

from ..errors import CredentialsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


def read_token(path: Path, login: str) -> dict[str, Any]:
    """The token in a file; CredentialsError that names the command to log in with where there is none."""
    try:
        token = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise CredentialsError(f"nobody is logged in: there is no {path}; run `{login}`") from None
    except (OSError, ValueError, RecursionError) as error:  # `from None`: the error may quote the token.
        why = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise CredentialsError(f"the cached token {path} cannot be read: {why}; run `{login}`") from None
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
            f"the token was refreshed, but cannot be kept in {path}: {error.strerror or type(error).__name__}; the old one may be void"
        ) from None
