"""IAM Identity Center: the token that `aws sso login` keeps, refreshed where it can be, buys credentials of a role.

Source: AWS SDKs and tools reference, "IAM Identity Center credential provider"; IAM Identity Center portal API reference,
GetRoleCredentials; OIDC API reference, CreateToken.
"""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha1
from urllib.parse import urlencode

from ..errors import CredentialsError
from ..partitions import host_in
from ..scope import now
from ..settings import Settings
from ..shared_files import expanded
from .document import SSO, credentials_of, end_in, text_of
from .http import ATTEMPTS, PAUSE, TIMEOUT, ask, without
from .provider import NotHere, Source, log
from .token_files import end_after, read_token, write_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from ..identity import Credentials

_OF_PROFILE = "sso_role_name", "sso_account_id"
_OF_SESSION = "sso_start_url", "sso_region"
_REFRESH_WITHIN = timedelta(minutes=15)  # botocore, SSOTokenProvider
_REFRESHED_BY = "refreshToken", "clientId", "clientSecret", "registrationExpiresAt"


class Sso(Source):
    """The credentials of a role of IAM Identity Center, for whoever ran `aws sso login`.

    start_url, region, account_id, role_name, session: None is `sso_start_url`, `sso_region`, `sso_account_id`, `sso_role_name` and
    `sso_session` of the profile, the first two of its `sso-session` section. A token without a session cannot be refreshed.
    """

    name = "sso"

    def __init__(
        self,
        *,
        start_url: str | None = None,
        region: str | None = None,
        account_id: str | None = None,
        role_name: str | None = None,
        session: str | None = None,
        profile: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        given = {
            "sso_start_url": start_url,
            "sso_region": region,
            "sso_account_id": account_id,
            "sso_role_name": role_name,
            "sso_session": session,
        }
        self._given = {name: value for name, value in given.items() if value is not None}
        self._settings = Settings(profile, environ)

    def load(self) -> Credentials:
        chosen = self._chosen()
        session = chosen.get("sso_session")
        login = f"aws sso login --sso-session {session}" if session else f"aws sso login --profile {self._settings.profile}"
        token = self._token(chosen, login)
        query = urlencode({"role_name": chosen["sso_role_name"], "account_id": chosen["sso_account_id"]}, errors="surrogateescape")
        url = f"{self._endpoint('awsssoportal', 'portal.sso', chosen['sso_region'])}/federation/credentials?{query}"
        headers = [("x-amz-sso_bearer_token", token), ("Accept", "application/json")]
        answer = ask("GET", url, headers, timeout=TIMEOUT, attempts=ATTEMPTS, pause=PAUSE, settings=self._settings)
        document = answer.json() or {}
        if answer.status == 401:
            raise CredentialsError(f"IAM Identity Center does not take the token any more; run `{login}`")
        what = f"GetRoleCredentials for {chosen['sso_role_name']} in {chosen['sso_account_id']}"
        if answer.status != 200:
            raise CredentialsError(
                f"{what} was answered with {answer.status}: {without(text_of(document, 'message'), token) or 'no reason given'}"
            )
        return credentials_of(document.get("roleCredentials"), SSO, f"the answer to {what}")

    def _chosen(self) -> dict[str, str]:
        """The settings of the profile and its session, with what was given in their place."""
        given_whole = {*_OF_PROFILE, *_OF_SESSION} <= self._given.keys()
        section = {} if given_whole else self._settings.of_profile
        chosen = {name: section[name] for name in (*_OF_PROFILE, *_OF_SESSION, "sso_session") if name in section} | self._given
        if not any(name in chosen for name in _OF_PROFILE):
            raise NotHere(f"the profile {self._settings.profile!r} has no sso_role_name and no sso_account_id")
        if session := chosen.get("sso_session"):
            sessions = self._settings.files.sso_sessions
            if session not in sessions and not all(name in chosen for name in _OF_SESSION):
                raise CredentialsError(
                    f"the profile {self._settings.profile!r} has sso_session = {session}, but there is no [sso-session {session}]"
                )
            for name, value in sessions.get(session, {}).items():
                if chosen.get(name, value) != value:
                    raise CredentialsError(
                        f"the profile {self._settings.profile!r} has {name} = {chosen[name]}, and its sso-session {value}; leave it out of one"
                    )
                chosen[name] = value
        if missing := [name for name in (*_OF_PROFILE, *_OF_SESSION) if not chosen.get(name)]:
            raise CredentialsError(
                f"the profile {self._settings.profile!r} is one of IAM Identity Center, and lacks {', '.join(missing)}"
            )
        return chosen

    def _token(self, chosen: dict[str, str], login: str) -> str:
        session = chosen.get("sso_session")
        path = self._cache(session or chosen["sso_start_url"])
        token = read_token(path, login)
        end = end_in(token.get("expiresAt"), f"expiresAt in {path}")
        if not text_of(token, "accessToken") or end is None:
            raise CredentialsError(f"the cached token {path} has no accessToken, or no expiresAt; run `{login}`")
        if session and end - now() < _REFRESH_WITHIN and (fresh := self._refreshed(token, chosen)):
            write_token(path, fresh)
            return text_of(fresh, "accessToken")
        if end <= now():
            raise CredentialsError(f"the token of IAM Identity Center ended at {end.isoformat()}; run `{login}`")
        return text_of(token, "accessToken")

    def _cache(self, name: str) -> Path:
        directory = expanded("~/.aws/sso/cache", self._settings.environ)
        return directory / f"{sha1(name.encode('utf-8', 'surrogateescape'), usedforsecurity=False).hexdigest()}.json"

    def _refreshed(self, token: dict[str, Any], chosen: dict[str, str]) -> dict[str, Any] | None:
        """A new token, None where the old one cannot be refreshed: it may still be good for a while."""
        if not all(text_of(token, name) for name in _REFRESHED_BY):
            return None
        registered_until = end_in(token["registrationExpiresAt"], "registrationExpiresAt of the cached token")
        if registered_until is None or registered_until <= now():
            return None
        asked = {name: token[name] for name in ("clientId", "clientSecret", "refreshToken")} | {"grantType": "refresh_token"}
        url = f"{self._endpoint('sso-oauth', 'oidc', chosen['sso_region'])}/token"
        headers = [("Content-Type", "application/json")]
        try:
            answer = ask("POST", url, headers, json.dumps(asked).encode(), timeout=TIMEOUT, settings=self._settings)
        except CredentialsError as error:
            log().warning("refreshing the token of IAM Identity Center failed: %s", error)
            return None
        given = answer.json() or {}
        seconds = given.get("expiresIn")
        if answer.status != 200 or not text_of(given, "accessToken") or not isinstance(seconds, int):
            log().warning(
                "refreshing the token of IAM Identity Center failed: %d %s",
                answer.status,
                without(text_of(given, "error"), token["refreshToken"], most=60),
            )
            return None
        fresh = {
            "startUrl": chosen["sso_start_url"],
            "region": chosen["sso_region"],
            "accessToken": given["accessToken"],
            "expiresAt": end_after(seconds),
            **{name: token[name] for name in ("clientId", "clientSecret", "registrationExpiresAt")},
        }
        if text_of(given, "refreshToken"):
            fresh["refreshToken"] = given["refreshToken"]
        return fresh

    def _endpoint(self, service: str, name: str, region: str) -> str:
        return self._settings.endpoint_url(service) or f"https://{host_in(region, name)}"
