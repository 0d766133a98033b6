"""The chain: the sources in the order of the AWS CLI, the first that has credentials wins.

Source: botocore's `create_credential_resolver` and `ProfileProviderBuilder`; AWS CLI user guide, "Configuration and credential
precedence". What botocore asks besides is from before profiles: AWS_CREDENTIAL_FILE and Boto's own files.
"""

from __future__ import annotations

from functools import partial

from ..errors import CredentialsError, InvalidRequest
from ..settings import Settings
from ..shared_files import UnreadableFile
from .environment import Environment
from .provider import NotHere, Refreshing, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Literal

    from ..identity import Credentials
    from .assume_role import Prompt


class Chain(Source):
    """Sources, asked in order. The one that had credentials is asked alone from then on; `found_in` names it.

    asked: what each said, as (name, outcome, what it said) with the outcomes "found", "none", "failed" and "not asked".
    """

    name = "chain"

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = list(sources)
        self._found: Source | None = None
        self.asked: list[tuple[str, Literal["found", "none", "failed", "not asked"], str]] = []

    @property
    def found_in(self) -> str | None:
        return getattr(self._found, "found_in", None) or (self._found.name if self._found is not None else None)

    def load(self) -> Credentials:
        if self._found is not None:
            # Refreshing: another source's credentials would silently be another identity.
            return self._found.load()
        self.asked = [(source.name, "not asked", "") for source in self._sources]
        for place, source in enumerate(self._sources):
            try:
                credentials = source.load()
            except NotHere as reason:
                self.asked[place] = source.name, "none", str(reason)
            except UnreadableFile:
                raise  # It is not this source's alone.
            except (CredentialsError, InvalidRequest) as error:
                self.asked[place] = source.name, "failed", str(error)
                raise CredentialsError(f"{source.name}: {error}{self._before(place)}") from None
            else:
                self.asked[place] = source.name, "found", repr(credentials)
                self._found = source
                return credentials
        raise NotHere(
            "no credentials found; looked in\n"
            + self._missed(self.asked)
            + "\nset AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile that has some, or run `aws login`"
        )

    def _before(self, place: int) -> str:
        return f"\nbefore it, looked in\n{self._missed(self.asked[:place])}" if place else ""

    def _missed(self, asked: Sequence[tuple[str, str, str]]) -> str:
        return "\n".join(f"  - {name}: {said}" for name, _, said in asked)


class Found(Refreshing):
    """The provider that `find_credentials` gives. `found_in`: the name of the source that it uses, once it has been asked."""

    source: Chain

    def __repr__(self) -> str:
        return f"<Found in {self.found_in}>" if self.found_in else "<Found: nothing was asked yet>"

    @property
    def found_in(self) -> str | None:
        return self.source.found_in


def find_credentials(
    profile: str | None = None, environ: Mapping[str, str] | None = None, *, prompt: Prompt | None = None
) -> Found:
    """A provider that looks where the AWS CLI looks, in its order.

    The environment (but not where a profile is passed); the role that the profile asks for; a web identity; IAM Identity Center; the
    shared credentials file; `aws login`; a process; the config file; the container; the instance. What fails is an error, not
    passed over: another source would silently be another identity.
    profile: its name; None is that of AWS_PROFILE, else `default`. environ: in the place of os.environ. prompt: asks for the code
    of an MFA device, where the role wants one; None asks on the terminal. Nothing is read before the first `.get()`, which raises
    CredentialsError, a checklist, where nothing is found.
    """
    return Found(_Sources(profile, environ, prompt))


class _Later(Source):
    """A source whose module is loaded when it is asked: all of them would take a tenth of the time of a command.

    home: the module, name: of the source, kind: of the class in it.
    """

    def __init__(self, name: str, home: str, kind: str, *arguments: object, **options: object) -> None:
        self.name = name
        self._home, self._kind, self._arguments, self._options = home, kind, arguments, options
        self._source: Source | None = None

    @property
    def found_in(self) -> str | None:
        return getattr(self._source, "found_in", None)

    def load(self) -> Credentials:
        if self._source is None:
            from importlib import import_module

            made: Callable[..., Source] = getattr(import_module(f".{self._home}", __package__), self._kind)
            self._source = made(*self._arguments, **self._options)
        return self._source.load()


class _LeftOut(Source):
    """A place in the checklist that is not looked in."""

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        self._why = why

    def load(self) -> Credentials:
        raise NotHere(f"not asked: {self._why}")


class _Sources(Chain):
    """The whole chain of a profile."""

    def __init__(self, profile: str | None, environ: Mapping[str, str] | None, prompt: Prompt | None) -> None:
        self._settings = Settings(profile, environ)
        super().__init__(
            [
                _LeftOut(Environment.name, "a profile was passed") if profile else Environment(environ),
                _Later(
                    "assume-role",
                    "profile_role",
                    "ProfileRole",
                    partial(_of_profile, environ=environ),
                    profile,
                    environ,
                    prompt=prompt,
                ),
                *_profile_sources(profile, environ, read_environment=not profile),
                _Later("container", "container", "Container", environ),
                _Later("instance-metadata", "instance", "InstanceMetadata", environ=environ, profile=profile),
            ]
        )

    def load(self) -> Credentials:
        if self._settings.asked_for:
            _ = self._settings.of_profile  # One that does not exist is an error, whatever the environment has.
        return super().load()


def _profile_sources(profile: str | None, environ: Mapping[str, str] | None, *, read_environment: bool) -> list[Source]:
    """What a profile may have beside a role: botocore's ProfileProviderBuilder."""
    return [
        _Later("web-identity", "web_identity", "WebIdentity", profile=profile, environ=environ, read_environment=read_environment),
        _Later("sso", "sso", "Sso", profile=profile, environ=environ),
        _Later("shared-credentials-file", "profile_keys", "SharedCredentialsFile", profile, environ),
        _Later("login", "login", "Login", profile=profile, environ=environ),
        _Later("process", "process", "Process", profile=profile, environ=environ),
        _Later("config-file", "profile_keys", "ConfigFile", profile, environ),
    ]


def _of_profile(profile: str, environ: Mapping[str, str] | None) -> Source:
    """The sources of a `source_profile`."""
    return Chain(_profile_sources(profile, environ, read_environment=False))
