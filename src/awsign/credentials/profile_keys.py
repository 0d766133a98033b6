"""The keys that a profile has in the shared credentials file, and those that it has in the config file.

Source: AWS SDKs and tools reference, "Static credentials"; botocore's SharedCredentialProvider and ConfigProvider.
"""

from __future__ import annotations

from ..errors import CredentialsError
from ..identity import Credentials
from ..settings import Settings
from .provider import NotHere, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..shared_files import Section

_KEY, _SECRET = KEYS = "aws_access_key_id", "aws_secret_access_key"
_TOKENS = "aws_security_token", "aws_session_token"  # The older name counts first, as in botocore.


class SharedCredentialsFile(Source):
    """The keys of a profile in `~/.aws/credentials`.

    profile: its name; None is that of AWS_PROFILE, else `default`.
    """

    name = "shared-credentials-file"

    def __init__(self, profile: str | None = None, environ: Mapping[str, str] | None = None) -> None:
        self._settings = Settings(profile, environ)

    def load(self) -> Credentials:
        files = self._settings.files
        return _keys(files.in_credentials, self._settings.profile, files.credentials)


class ConfigFile(Source):
    """The keys of a profile in `~/.aws/config`.

    profile: its name; None is that of AWS_PROFILE, else `default`.
    """

    name = "config-file"

    def __init__(self, profile: str | None = None, environ: Mapping[str, str] | None = None) -> None:
        self._settings = Settings(profile, environ)

    def load(self) -> Credentials:
        files = self._settings.files
        return _keys(files.in_config, self._settings.profile, files.config)


def _keys(profiles: dict[str, Section], profile: str, path: Path) -> Credentials:
    if profile not in profiles:
        raise NotHere(f"there is no profile {profile!r} in {path}" if path.is_file() else f"there is no {path}")
    section = profiles[profile]
    if _KEY not in section:
        raise NotHere(f"the profile {profile!r} in {path} has no {_KEY}")
    for setting in KEYS:
        if not section.get(setting):
            raise CredentialsError(f"the profile {profile!r} in {path} has only half of a key: {setting} is missing or empty")
    token = next((section[name] for name in _TOKENS if name in section), None)
    return Credentials(section[_KEY], section[_SECRET], token or None)
