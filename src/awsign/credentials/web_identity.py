"""A role, assumed with a token of another identity provider: of Kubernetes (IRSA), of GitHub, ...

Source: AWS SDKs and tools reference, "Assume role credential provider", web identity; STS API reference,
"AssumeRoleWithWebIdentity".
"""

from __future__ import annotations

import os

from ..errors import CredentialsError
from ..settings import Settings
from ..shared_files import expanded
from .provider import NotHere, Source
from .sts import Sts, made_session_name
from .token_files import read_secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..identity import Credentials

_VARIABLES = {
    "web_identity_token_file": "AWS_WEB_IDENTITY_TOKEN_FILE",
    "role_arn": "AWS_ROLE_ARN",
    "role_session_name": "AWS_ROLE_SESSION_NAME",
}


class WebIdentity(Source):
    """The temporary credentials of a role, for the token in a file, which is read anew each time.

    token_file, role_arn, session_name: None is that of AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME, else of the
    profile. read_environment: whether the variables count. region: of STS; None is that of the settings.
    """

    name = "web-identity"

    def __init__(
        self,
        token_file: str | os.PathLike[str] | None = None,
        role_arn: str | None = None,
        *,
        session_name: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        environ: Mapping[str, str] | None = None,
        read_environment: bool = True,
    ) -> None:
        self._given = {
            "web_identity_token_file": None if token_file is None else os.fspath(token_file),
            "role_arn": role_arn,
            "role_session_name": session_name,
        }
        self._settings = Settings(profile, environ)
        self._read_environment = read_environment
        self._sts = Sts(region, self._settings)

    def load(self) -> Credentials:
        path = self._value("web_identity_token_file")
        if not path:
            raise NotHere(f"neither AWS_WEB_IDENTITY_TOKEN_FILE nor web_identity_token_file of {self._settings.profile!r} is set")
        role_arn = self._value("role_arn")
        if not role_arn:
            raise CredentialsError("a web identity token file is configured, but no role: set AWS_ROLE_ARN, or role_arn beside it")
        token = read_secret(expanded(path, self._settings.environ), "the web identity token file")
        if not token.strip():
            raise CredentialsError(f"the web identity token file {path} is empty")
        return self._sts.assume_role_with_web_identity(
            RoleArn=role_arn,
            RoleSessionName=self._value("role_session_name") or made_session_name(),
            WebIdentityToken=token.strip(),
        )

    def _value(self, setting: str) -> str | None:
        if self._given[setting] is not None:
            return self._given[setting]
        if self._read_environment and (value := self._settings.environ.get(_VARIABLES[setting])) is not None:
            return value
        return self._settings.of_profile.get(setting)
