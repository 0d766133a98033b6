"""The chain: the sources in the order of the AWS CLI, the first that has credentials wins.

Source: botocore's `create_credential_resolver`; AWS CLI user guide, "Configuration and credential precedence".
"""

from __future__ import annotations

from ..errors import CredentialsError
from .environment import Environment
from .instance import InstanceMetadata
from .profile import Profile
from .provider import NotHere, Refreshing, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..identity import Credentials


class Chain(Source):
    """Sources, asked in order. The one that had credentials is asked first from then on; `found_in` names it."""

    name = "chain"

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = list(sources)
        self.found_in: str | None = None

    def load(self) -> Credentials:
        if self.found_in is not None:
            # Refreshing: another source's credentials would silently be another identity.
            return next(source for source in self._sources if source.name == self.found_in).load()
        missed = []
        for source in self._sources:
            try:
                credentials = source.load()
            except NotHere as reason:
                missed.append(f"  - {source.name}: {reason}")
            except CredentialsError as error:
                before = "\nbefore it, looked in\n" + "\n".join(missed) if missed else ""
                raise CredentialsError(f"{source.name}: {error}{before}") from None
            else:
                self.found_in = source.name
                return credentials
        raise CredentialsError(
            "no credentials found; looked in\n"
            + "\n".join(missed)
            + "\nset AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile that has them"
        )


class Found(Refreshing):
    """The provider that `find_credentials` gives. `found_in`: the name of the source that it uses, once it has been asked."""

    source: Chain

    @property
    def found_in(self) -> str | None:
        return self.source.found_in


def find_credentials(profile: str | None = None, environ: Mapping[str, str] | None = None) -> Found:
    """A provider that looks where the AWS CLI looks, of its places in these: environment, shared files, instance metadata.

    A profile that takes its credentials from elsewhere (a role, SSO, a process) is an error, not passed over.
    profile: passed explicitly, it comes before the environment's keys; AWS_PROFILE does not. environ: in the place of
    os.environ. Nothing is read before the first `.get()`, which raises CredentialsError, a checklist, where nothing is found.
    """
    sources: list[Source] = [Profile(profile, environ), InstanceMetadata(environ=environ)]
    if profile is None:
        sources.insert(0, Environment(environ))
    return Found(Chain(sources))
