"""`aws login`: the credentials that it keeps for a session of the console, refreshed with a DPoP proof.

Source: AWS SDKs and tools reference, "Login credential provider"; sign-in API reference, CreateOAuth2Token; botocore's LoginProvider for the file.
"""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256

from ..errors import CredentialsError
from ..partitions import PARTITIONS, partition_of, require_region
from ..scope import now
from ..settings import Settings
from ..shared_files import expanded
from . import dpop
from .document import LOGIN, credentials_of, text_of
from .http import TIMEOUT, ask, without
from .provider import NotHere, Source
from .token_files import end_after, read_token, write_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from ..identity import Credentials

_NEEDED = "accessToken", "refreshToken", "dpopKey", "clientId"
_REFRESH_WITHIN = timedelta(minutes=5)  # botocore, LoginCredentialFetcher._REFRESH_THRESHOLD
# What the sign-in service says, and what to do: botocore's LoginCredentialFetcher.
_REFUSED = {
    "TOKEN_EXPIRED": "the session has ended",
    "USER_CREDENTIALS_CHANGED": "the user's password was changed",
    "INSUFFICIENT_PERMISSIONS": "the user lacks the permission signin:CreateOAuth2Token",
}


class Login(Source):
    """The credentials of whoever ran `aws login`, refreshed by the sign-in service; that needs awsign[sigv4a].

    session: None is `login_session` of the profile. region: None is that of the login, else of the settings.
    """

    name = "login"

    def __init__(
        self,
        session: str | None = None,
        *,
        region: str | None = None,
        profile: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._session = session
        self._region = region
        self._settings = Settings(profile, environ)

    def load(self) -> Credentials:
        session = self._session or self._settings.of_profile.get("login_session")
        if session is None:
            raise NotHere(f"the profile {self._settings.profile!r} has no login_session")
        login = "aws login" if self._settings.profile == "default" else f"aws login --profile {self._settings.profile}"
        path = self._cache(session)
        kept = read_token(path, login)
        if missing := [name for name in _NEEDED if not kept.get(name)]:
            raise CredentialsError(f"the cached login {path} lacks {', '.join(missing)}; run `{login}`")
        credentials = credentials_of(kept["accessToken"], LOGIN, f"the cached login {path}")
        assert credentials.expiration is not None
        if credentials.expiration - now() > _REFRESH_WITHIN:
            return credentials
        self._refresh(kept, login)
        write_token(path, kept)
        return credentials_of(kept["accessToken"], LOGIN, f"the cached login {path}")

    def _cache(self, session: str) -> Path:
        environ = self._settings.environ
        directory = expanded(environ.get("AWS_LOGIN_CACHE_DIRECTORY") or "~/.aws/login/cache", environ)
        return directory / f"{sha256(session.encode()).hexdigest()}.json"

    def _refresh(self, kept: dict[str, Any], login: str) -> None:
        """CreateOAuth2Token: new credentials and a new refresh token, in the place of the old."""
        url = f"{self._endpoint(text_of(kept, 'signInRegion'))}/v1/token"
        body = {name: kept[name] for name in ("clientId", "refreshToken")} | {"grantType": "refresh_token"}
        headers = [("Content-Type", "application/json"), ("DPoP", dpop.proof(text_of(kept, "dpopKey"), "POST", url))]
        answer = ask("POST", url, headers, json.dumps(body).encode(), timeout=TIMEOUT, settings=self._settings)
        document = answer.json() or {}
        if answer.status != 200:
            code = without(text_of(document, "error"), kept["refreshToken"])
            why = _REFUSED.get(code) or f"it was answered with {answer.status} {code[:60]}".rstrip()
            raise CredentialsError(f"the login of {self._settings.profile!r} cannot be refreshed: {why}; run `{login}`")
        given, seconds = document.get("accessToken"), document.get("expiresIn")
        if not isinstance(given, dict) or not isinstance(seconds, int) or not text_of(document, "refreshToken"):
            raise CredentialsError(f"the sign-in service's answer has no accessToken, expiresIn and refreshToken; run `{login}`")
        kept["accessToken"] = {
            **{name: text_of(given, name) for name in LOGIN[:3]},
            "accountId": kept["accessToken"].get("accountId"),
            "expiresAt": end_after(seconds),
        }
        kept["refreshToken"] = document["refreshToken"]

    def _endpoint(self, of_login: str) -> str:
        if configured := self._settings.endpoint_url("signin"):
            return configured
        region = self._region or of_login or self._settings.region
        if region is None:
            raise CredentialsError(
                "refreshing the credentials of `aws login` needs a region; set AWS_REGION, or region in the profile"
            )
        return f"https://{require_region(region)}.{(partition_of(region) or PARTITIONS[0]).sign_in_suffix}"
