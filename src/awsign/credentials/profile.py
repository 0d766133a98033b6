"""The shared files, `~/.aws/credentials` and `~/.aws/config`. Source: AWS SDKs and tools reference, "Shared config and credentials files".

What a profile sets beside keys (region, endpoint) is read here too: `settings`.
"""

from __future__ import annotations

import os
from configparser import Error as ConfigParserError
from configparser import RawConfigParser
from pathlib import Path

from ..errors import CredentialsError
from ..identity import Credentials
from .provider import NotHere, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


_CREDENTIALS = "AWS_SHARED_CREDENTIALS_FILE", "credentials"
_CONFIG = "AWS_CONFIG_FILE", "config"
_OTHER_SOURCES = ("role_arn", "web_identity_token_file", "sso_session", "sso_start_url", "login_session", "credential_process")


def profile_asked_for(explicit: str | None, environ: Mapping[str, str]) -> str | None:
    """The profile that was named: explicitly, or by AWS_PROFILE or its older name. None leaves `default`."""
    return explicit or environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or None


def settings(profile: str | None = None, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Everything that a profile says, in both files; the credentials file counts first. Empty where there is no such profile."""
    environ = os.environ if environ is None else environ
    name = profile_asked_for(profile, environ) or "default"
    section = name if name == "default" else f"profile {name}"
    config = _read(_path(environ, *_CONFIG))
    found = config.get(section, {})
    if name == "default" and not found:
        found = config.get("profile default", {})
    return found | _read(_path(environ, *_CREDENTIALS)).get(name, {})


class Profile(Source):
    """The keys of a profile, in the shared credentials file or the config file.

    profile: its name; None is that of AWS_PROFILE, else `default`.
    """

    name = "shared-credentials-file"

    def __init__(self, profile: str | None = None, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._asked_for = profile_asked_for(profile, self._environ)
        self.profile = self._asked_for or "default"

    def load(self) -> Credentials:
        found = settings(self.profile, self._environ)
        if not found and self._asked_for:
            raise CredentialsError(
                f"there is no profile {self.profile!r} in the shared credentials and config files; is it spelt right?"
            )
        # Before the keys, as in the AWS CLI: another source in their place would silently be another identity.
        for setting in _OTHER_SOURCES:
            if setting in found:
                raise CredentialsError(
                    f"the profile {self.profile!r} takes its credentials from {setting}, which awsign does not read yet; "
                    "`aws configure export-credentials --format env` gives them to the environment"
                )
        access_key_id, secret = found.get("aws_access_key_id"), found.get("aws_secret_access_key")
        if not access_key_id and not secret:
            files = [_path(self._environ, *each) for each in (_CREDENTIALS, _CONFIG)]
            if not any(file.exists() for file in files):
                raise NotHere(f"there is neither {files[0]} nor {files[1]}")
            raise NotHere(f"the profile {self.profile!r} has no aws_access_key_id")
        if not access_key_id or not secret:
            missing = "aws_secret_access_key" if access_key_id else "aws_access_key_id"
            raise CredentialsError(f"the profile {self.profile!r} has only half of a key: {missing} is missing")
        return Credentials(access_key_id, secret, found.get("aws_session_token") or found.get("aws_security_token") or None)


def _path(environ: Mapping[str, str], variable: str, name: str) -> Path:
    return Path(environ.get(variable) or Path("~/.aws") / name).expanduser()


def _read(path: Path) -> dict[str, dict[str, str]]:
    """The sections of a file, {} where there is none."""
    parser = RawConfigParser(default_section="", strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsError(f"{path} cannot be read: {type(error).__name__}") from None
    except ConfigParserError as error:
        # The parser quotes the line that it stumbled on, which may hold a secret: give its number alone.
        line = getattr(error, "lineno", None) or next((number for number, _ in getattr(error, "errors", ())), None)
        raise CredentialsError(f"{path} is not a file of [profiles] with name = value lines (line {line})") from None
    return {" ".join(section.split()): dict(parser.items(section)) for section in parser.sections()}
