"""A role, assumed with the credentials of somebody else. Source: STS API reference, "AssumeRole"."""

from __future__ import annotations

from ..errors import CredentialsError
from ..identity import provider_of
from .provider import NotHere, Source
from .sts import Sts, made_session_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..identity import Credentials, Provider
    from ..settings import Settings

    Prompt = Callable[[str], str]


class AssumeRole(Source):
    """The temporary credentials of a role.

    role_arn: the role. credentials: whose caller assumes it, Credentials or a provider (of another role, for a chain of them).
    session_name: how its calls are called in the trail; None makes one. external_id, policy: as the role demands. duration_seconds:
    from 900 to the role's maximum; None is an hour. mfa_serial: the device whose code `prompt` is asked for (the terminal, if
    None), once: a later refresh would have to ask again, and is an error. region: of STS; None is that of the settings. settings:
    whose endpoint, proxy and CA bundle count.
    """

    name = "assume-role"

    def __init__(
        self,
        role_arn: str,
        credentials: Credentials | Provider,
        *,
        session_name: str | None = None,
        external_id: str | None = None,
        policy: str | None = None,
        duration_seconds: int | None = None,
        mfa_serial: str | None = None,
        prompt: Prompt | None = None,
        region: str | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.role_arn = role_arn
        self._credentials = provider_of(credentials)
        self._mfa_serial = mfa_serial
        self._prompt = prompt or ask_on_terminal
        self._asked = False
        self._sts = Sts(region, settings)
        self._parameters = {
            "RoleArn": role_arn,
            "RoleSessionName": session_name or made_session_name(),
            "ExternalId": external_id,
            "Policy": policy,
            "DurationSeconds": None if duration_seconds is None else str(duration_seconds),
            "SerialNumber": mfa_serial,
        }

    def load(self) -> Credentials:
        try:
            credentials = self._credentials.get()
        except NotHere as error:  # The role is there: it is no reason to look for others.
            raise CredentialsError(f"the role {self.role_arn} has nobody to assume it: {error}") from None
        code = None
        if self._mfa_serial is not None:
            if self._asked:
                raise CredentialsError(
                    f"the session of the role {self.role_arn} has ended, and the code of {self._mfa_serial} was asked for once already; "
                    "start anew"
                )
            code = self._prompt(f"Enter MFA code for {self._mfa_serial}: ")
            if not isinstance(code, str) or not code.strip():
                raise CredentialsError(f"no code of {self._mfa_serial} was given, which the role {self.role_arn} wants")
            code = code.strip()
        assumed = self._sts.assume_role(credentials, **self._parameters, TokenCode=code)
        self._asked = code is not None  # One that was mistyped may be asked for again.
        return assumed


def ask_on_terminal(question: str) -> str:
    """What is typed, unseen. CredentialsError where there is nobody to ask."""
    import sys
    from getpass import getpass

    asking = question.rstrip(": ")
    try:
        if sys.stdin is None or not sys.stdin.isatty():
            raise CredentialsError(
                f"there is no terminal to ask on ({asking}); in a program, pass prompt=..., a function that gives the code"
            )
        return getpass(question)
    except (EOFError, ValueError):  # It was closed.
        raise CredentialsError(f"{asking}: nothing was entered") from None
