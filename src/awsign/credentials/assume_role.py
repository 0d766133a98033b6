"""A role, assumed with the credentials of somebody else: AssumeRole of STS, and the profiles that ask for it.

Source: AWS SDKs and tools reference, "Assume role credential provider"; STS API reference, "AssumeRole"; botocore's
AssumeRoleProvider for what `source_profile` may point at.
"""

from __future__ import annotations

import re
import time

from ..errors import CredentialsError
from ..identity import provider_of
from ..settings import Settings
from .container import Container
from .environment import Environment
from .instance import InstanceMetadata
from .profile_keys import KEYS
from .provider import NotHere, Refreshing, Source
from .sts import Sts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..identity import Credentials, Provider

    Prompt = Callable[[str], str]

# What `credential_source` may name: AWS SDKs and tools reference, "Assume role credential provider".
_SOURCES: dict[str, Callable[[Mapping[str, str] | None], Source]] = {
    "Environment": Environment,
    "EcsContainer": Container,
    "Ec2InstanceMetadata": lambda environ: InstanceMetadata(environ=environ),
}
_DURATION = re.compile(r"[0-9]{1,6}")
_LONGEST_CHAIN = 100


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


class ProfileRole(Source):
    """The role that a profile asks for by `role_arn`, with `source_profile` or `credential_source`.

    profile: its name; None is that of AWS_PROFILE, else `default`. sources: those of a profile's own credentials, by its name.
    prompt: what asks for the code of `mfa_serial`.
    """

    name = "assume-role"

    def __init__(
        self,
        sources: Callable[[str], Source],
        profile: str | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        prompt: Prompt | None = None,
    ) -> None:
        self._settings = Settings(profile, environ)
        self._environ = environ
        self._sources = sources
        self._prompt = prompt
        self._role: AssumeRole | None = None

    def load(self) -> Credentials:
        if self._role is None:
            if not _asks_for_role(self._settings.of_profile):
                raise NotHere(f"the profile {self._settings.profile!r} has no role_arn")
            self._role = self._role_of(self._settings.profile, [self._settings.profile])
        return self._role.load()

    def _role_of(self, profile: str, visited: list[str]) -> AssumeRole:
        if len(visited) > _LONGEST_CHAIN:
            raise CredentialsError(f"the profile {visited[0]!r} assumes more than {_LONGEST_CHAIN} roles, one with the other")
        section = self._settings.files.profiles[profile]
        source_profile, credential_source = section.get("source_profile"), section.get("credential_source")
        if (source_profile is None) == (credential_source is None):
            raise CredentialsError(
                f"the profile {profile!r} has role_arn and {'neither' if source_profile is None else 'both'} of source_profile and "
                "credential_source; it takes one: a profile, or Environment, Ec2InstanceMetadata or EcsContainer"
            )
        if credential_source is not None:
            source = self._named(credential_source, profile)
        else:
            assert source_profile is not None
            source = self._of_profile(source_profile, profile, visited)
        duration = section.get("duration_seconds", "")
        return AssumeRole(
            section["role_arn"],
            Refreshing(source),
            session_name=section.get("role_session_name"),
            external_id=section.get("external_id"),
            # As in botocore, one that is no number is as if it were not there.
            duration_seconds=int(duration) if _DURATION.fullmatch(duration) else None,
            mfa_serial=section.get("mfa_serial"),
            prompt=self._prompt,
            settings=self._settings,
        )

    def _named(self, credential_source: str, profile: str) -> Source:
        if credential_source not in _SOURCES:
            raise CredentialsError(
                f"the profile {profile!r} has credential_source = {credential_source[:40]}; it is one of {', '.join(_SOURCES)}"
            )
        return _SOURCES[credential_source](self._environ)

    def _of_profile(self, name: str, of: str, visited: list[str]) -> Source:
        section = self._settings.files.profiles.get(name)
        if section is None:
            raise CredentialsError(f"the profile {of!r} has source_profile = {name}, and there is no such profile")
        own = any(key in section for key in KEYS)
        # A profile may name itself for the keys that it has; else one that comes back to itself never ends.
        if name in visited and not (name == of and own):
            raise CredentialsError(
                f"the profiles take their credentials from each other without an end: {' -> '.join([*visited, name])}"
            )
        if own or not _asks_for_role(section):
            return self._sources(name)
        return self._role_of(name, [*visited, name])


def _asks_for_role(section: Mapping[str, str]) -> bool:
    return "role_arn" in section and "web_identity_token_file" not in section


def made_session_name() -> str:
    """A RoleSessionName where none is configured."""
    return f"awsign-{int(time.time())}"


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
