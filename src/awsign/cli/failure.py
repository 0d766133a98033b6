"""Exit codes: curl's, from its manual page, section EXIT CODES."""

from __future__ import annotations

from ..errors import AwsignError, CredentialsError

UNSUPPORTED_PROTOCOL = 1
USAGE = 2
MALFORMED_URL = 3
COULD_NOT_RESOLVE_PROXY = 5
COULD_NOT_RESOLVE = 6
COULD_NOT_CONNECT = 7
PARTIAL = 18
HTTP_ERROR = 22
WRITE_ERROR = 23
READ_ERROR = 26
TIMED_OUT = 28
TLS_HANDSHAKE = 35
TOO_MANY_REDIRECTS = 47
EMPTY_REPLY = 52
RECEIVE_ERROR = 56
BAD_CERTIFICATE = 60
BAD_ENCODING = 61
BAD_CA_FILE = 77
AUTHENTICATION = 94


class Failure(Exception):
    """What ends the command: one sentence, and the exit code. silent: said already, or asked not to be said."""

    def __init__(self, exit_code: int, message: str, *, silent: bool = False) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.silent = silent


def exit_code_for(error: AwsignError) -> int:
    """The exit code of an error of the core: it was found before anything was sent."""
    return AUTHENTICATION if isinstance(error, CredentialsError) else USAGE
