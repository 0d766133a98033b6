"""The role that a profile asks for: whose credentials assume it, through as many profiles as it takes.

Source: AWS SDKs and tools reference, "Assume role credential provider"; botocore's AssumeRoleProvider for what `source_profile` may
point at.
"""

from __future__ import annotations

import re

from ..errors import CredentialsError
from ..settings import Settings
from .assume_role import AssumeRole
from .container import Container
from .environment import Environment
from .instance import InstanceMetadata
from .profile_keys import KEYS
from .provider import NotHere, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..identity import Credentials
    from .assume_role import Prompt

# What `credential_source` may name, of a profile and an environment.
_SOURCES: dict[str, Callable[[str | None, Mapping[str, str] | None], Source]] = {
    "Environment": lambda profile, environ: Environment(environ),  # noqa: ARG005
    "EcsContainer": lambda profile, environ: Container(environ),  # noqa: ARG005
    "Ec2InstanceMetadata": lambda profile, environ: InstanceMetadata(profile=profile, environ=environ),
}
_DURATION = re.compile(r"[0-9]{1,6}")
_LONGEST_CHAIN = 100


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
        self._profile = profile
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
            source,
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
        return _SOURCES[credential_source](self._profile, self._environ)

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
