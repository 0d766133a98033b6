"""The calls to the Security Token Service (STS), signed by awsign itself.

Source: STS API reference, AssumeRole, AssumeRoleWithWebIdentity, GetCallerIdentity; AWS SDKs and tools reference, "AWS STS Regional
endpoints".
"""

from __future__ import annotations

import time
from urllib.parse import urlencode

from ..errors import CredentialsError
from ..identity import provider_of
from ..partitions import host_in
from ..request import URLENCODED, Request
from ..response import elements
from ..scope import ALGORITHM
from ..settings import Settings
from ..sigv4 import SigV4
from .document import credentials_in_xml
from .http import ATTEMPTS, PAUSE, TIMEOUT, ask, without

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..identity import Credentials, Provider

_VERSION = "2011-06-15"
# Where no region is configured: the global endpoint, which is signed for us-east-1 and answers for the whole standard partition.
_GLOBAL = "https://sts.amazonaws.com", "us-east-1"


class Sts:
    """Security Token Service, at the endpoint of a region.

    region: None is that of the settings, else the global endpoint. settings: whose endpoint, proxy and CA bundle count.
    """

    def __init__(self, region: str | None = None, settings: Settings | None = None) -> None:
        self._settings = settings or Settings()
        self._region = region

    def assume_role(self, credentials: Credentials | Provider, **parameters: str | None) -> Credentials:
        """AssumeRole: RoleArn, RoleSessionName, ExternalId, ... -> temporary credentials."""
        return credentials_in_xml(self._call("AssumeRole", parameters, credentials), f"AssumeRole of {parameters.get('RoleArn')}")

    def assume_role_with_web_identity(self, **parameters: str | None) -> Credentials:
        """AssumeRoleWithWebIdentity: RoleArn, RoleSessionName, WebIdentityToken. It is not signed: the token says who asks."""
        return credentials_in_xml(
            self._call("AssumeRoleWithWebIdentity", parameters, None), f"AssumeRoleWithWebIdentity of {parameters.get('RoleArn')}"
        )

    def caller_identity(self, credentials: Credentials | Provider) -> dict[str, str]:
        """GetCallerIdentity: whose credentials they are, as Account, Arn and UserId."""
        found = elements(self._call("GetCallerIdentity", {}, credentials))
        if not {"Account", "Arn", "UserId"} <= found.keys():
            raise CredentialsError("the answer to GetCallerIdentity has no Account, Arn and UserId")
        return {name: found[name] for name in ("Account", "Arn", "UserId")}

    def _call(self, action: str, parameters: dict[str, str | None], credentials: Credentials | Provider | None) -> str:
        endpoint, region = self._place()
        given = {name: value for name, value in parameters.items() if value is not None}
        body = urlencode({"Action": action, "Version": _VERSION, **given}, errors="surrogateescape").encode()
        request = Request("POST", f"{endpoint}/", {"Content-Type": f"{URLENCODED}; charset=utf-8"}, body)
        own = provider_of(credentials).get() if credentials is not None else None
        headers = request.headers if own is None else SigV4(own, "sts", region).sign(request).headers
        answer = ask("POST", request.url, headers, body, timeout=TIMEOUT, attempts=ATTEMPTS, pause=PAUSE, settings=self._settings)
        if answer.status != 200:
            told = elements(answer.text)
            # STS repeats the string to sign, never a secret; a server in its place might.
            message = told.get("Message", "").partition("\n")[0]
            sent = (given.get("WebIdentityToken"), given.get("TokenCode"), own and own.session_token)
            said = "" if ALGORITHM in message else without(message, *sent)
            code = without(told.get("Code", ""), *sent, most=60)
            raise CredentialsError(f"{action} at {endpoint} was answered with {answer.status} {code}: {said or 'no reason given'}")
        return answer.text

    def _place(self) -> tuple[str, str]:
        region = self._region or self._settings.region
        configured = self._settings.endpoint_url("sts")
        if region is None:
            return (configured, _GLOBAL[1]) if configured else _GLOBAL
        return configured or f"https://{host_in(region, 'sts')}", region


def made_session_name() -> str:
    """A RoleSessionName where none is configured."""
    return f"awsign-{int(time.time())}"
