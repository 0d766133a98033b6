"""The role attached to an EC2 instance, and its region, from its metadata service (IMDS).

Version 2 with a session token, version 1 where the service has no version 2. Source: EC2 user guide, "Use the Instance Metadata
Service to access instance metadata" and "Retrieve security credentials from instance metadata"; variables: AWS SDKs and tools
reference, "IMDS client".
"""

from __future__ import annotations

import random
import re
from datetime import datetime, timedelta

from ..errors import CredentialsError
from ..identity import Credentials
from ..scope import REGION, now
from ..settings import Settings
from .document import METADATA, credentials_of
from .http import NoAnswer, ask, split_url
from .provider import NotHere, Source, log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .http import Answer

IPV4 = "http://169.254.169.254"
IPV6 = "http://[fd00:ec2::254]"
_ROLES = "/latest/meta-data/iam/security-credentials/"
# Of an availability zone the region is the beginning: eu-west-1a, us-west-2-lax-1a.
_ZONE = re.compile(rf"({REGION})(?:[a-z]|-[a-z0-9-]+)?")
_TOKEN_SECONDS = 21600
_EXTENDED = 600, 900  # Seconds, chosen at random so that a fleet does not ask in one moment.


class InstanceMetadata(Source):
    """Temporary credentials of the instance's role.

    endpoint: the service; None is AWS_EC2_METADATA_SERVICE_ENDPOINT, else the link-local address of
    AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE. timeout: seconds for each request; None is AWS_METADATA_SERVICE_TIMEOUT, else 1.
    attempts: tries of each request; None is AWS_METADATA_SERVICE_NUM_ATTEMPTS, else 1. Each variable has its key in the profile.
    While the service has none but credentials that have ended, these are handed out (and the service is asked again some ten minutes
    later): AWS takes them when it cannot issue others (AWS SDKs and tools reference, "IMDS credential provider", static stability).
    """

    name = "instance-metadata"

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        timeout: float | None = None,
        attempts: int | None = None,
        profile: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = Settings(profile, environ)
        self._given = endpoint
        self._timeout = timeout
        self._attempts = attempts
        self._token: str | None = None
        self._token_ends: datetime | None = None

    def load(self) -> Credentials:
        role = self._document(_ROLES, "role attached").strip().split("\n")[0]
        if not role:
            raise NotHere(f"the instance at {self._endpoint()} has no role attached")
        if not (role.isascii() and role.isprintable() and " " not in role and "/" not in role):
            raise CredentialsError(
                f"the metadata service at {self._endpoint()} names the role {role[:60]!r}, which is no name of one"
            )
        answer = self._get(_ROLES + role)
        document = answer.json()
        what = f"the metadata service's answer for the role {role}"
        if document is None:
            raise CredentialsError(f"{what} is not the JSON of credentials")
        code = document.get("Code", "Success")
        if code != "Success":
            raise CredentialsError(f"the metadata service has no credentials for the role {role}: {str(code)[:60]}")
        return _extended(credentials_of(document, METADATA, what))

    def region(self) -> str:
        """The region that the instance is in. NotHere where there is no instance."""
        try:
            found = self._document("/latest/meta-data/placement/region", "region").strip()
        except NotHere:
            found = self._document("/latest/meta-data/placement/availability-zone", "availability zone").strip()
        match = _ZONE.fullmatch(found)
        if match is None:
            raise CredentialsError(f"the metadata service at {self._endpoint()} names the region {found[:40]!r}, which is none")
        return match[1]

    def _document(self, path: str, what: str) -> str:
        if self._settings.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
            raise NotHere("AWS_EC2_METADATA_DISABLED is true")
        answer = self._get(path)
        if answer.status == 404:
            raise NotHere(f"the instance at {self._endpoint()} has no {what}")
        return answer.text

    def _get(self, path: str) -> Answer:
        """A document, with a version 2 token where the service gives one. A token that was refused is fetched anew, once."""
        answer = self._request("GET", path, self._headers())
        if answer.status == 401 and self._token is not None:
            self._token = None
            answer = self._request("GET", path, self._headers())
        if answer.status == 403:
            raise NotHere(f"{self._endpoint()} answered 403: not an EC2 instance, or its metadata is blocked")
        if answer.status not in (200, 404):
            raise CredentialsError(f"the metadata service at {self._endpoint()} answered {answer.status} for {path}")
        return answer

    def _headers(self) -> list[tuple[str, str]]:
        if self._token is None or self._token_ends is None or now() >= self._token_ends:
            self._token = self._new_token()
            if self._token is None:
                if self._settings.switched_on("ec2_metadata_v1_disabled"):
                    raise NotHere(f"{self._endpoint()} speaks only version 1, and AWS_EC2_METADATA_V1_DISABLED is true")
                return []
            self._token_ends = now() + timedelta(seconds=_TOKEN_SECONDS - 60)
        return [("X-aws-ec2-metadata-token", self._token)]

    def _new_token(self) -> str | None:
        """A token of version 2, None where only version 1 is spoken."""
        try:
            answer = self._request("PUT", "/latest/api/token", [("X-aws-ec2-metadata-token-ttl-seconds", str(_TOKEN_SECONDS))])
        except NoAnswer as failure:
            if not failure.connected:
                raise
            return None  # The answer is lost in a container beyond the hop limit of version 2. Version 1 may work.
        if answer.status in (403, 404, 405):  # No version 2 here (botocore, IMDSFetcher._fetch_metadata_token).
            return None
        token = answer.text.strip()
        if answer.status != 200 or not (token.isascii() and token.isprintable() and token):
            raise CredentialsError(f"the metadata service at {self._endpoint()} answered {answer.status} when asked for a token")
        return token

    def _request(self, method: str, path: str, headers: list[tuple[str, str]]) -> Answer:
        endpoint = self._endpoint()
        try:
            # Without settings: no proxy may come between an instance and its metadata.
            return ask(method, endpoint + path, headers, timeout=self._seconds(), attempts=self._tries())
        except NoAnswer as failure:
            missing = failure if failure.connected else NotHere(f"{failure}; not an EC2 instance?")
            raise missing from None

    def _endpoint(self) -> str:
        endpoint = self._given or self._settings.get("ec2_metadata_service_endpoint") or (IPV6 if self._mode() == "ipv6" else IPV4)
        if split_url(endpoint).scheme != "http":
            raise CredentialsError(f"the metadata endpoint {endpoint!r} is not an http:// URL")
        return endpoint.rstrip("/")

    def _mode(self) -> str:
        mode = (self._settings.get("ec2_metadata_service_endpoint_mode") or "").lower()
        if mode not in ("", "ipv4", "ipv6"):
            raise CredentialsError(f"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is {mode[:20]!r}; it is IPv4 or IPv6")
        return mode or ("ipv6" if self._settings.switched_on("imds_use_ipv6") else "ipv4")

    def _seconds(self) -> float:
        return self._number(self._timeout, "metadata_service_timeout")

    def _tries(self) -> int:
        return int(self._number(self._attempts, "metadata_service_num_attempts", least=1))

    def _number(self, given: float | None, setting: str, least: float = 0.001) -> float:
        text = self._settings.get(setting) if given is None else str(given)
        try:
            number = float(text) if text else 1.0
        except ValueError:
            number = 0
        if not least <= number < 1000:
            name = f"AWS_{setting.upper()}" if given is None else setting.rpartition("_")[2]
            raise CredentialsError(f"{name} is {text!r}, not a number from {least:g} to 999")
        return number


def _extended(credentials: Credentials) -> Credentials:
    """Credentials that have ended, as if they ended a little later: the service will have others then."""
    if credentials.expiration is None or credentials.expiration > now():
        return credentials
    until = now() + timedelta(seconds=random.randint(*_EXTENDED))  # noqa: S311 - No secret depends on it.
    log().warning(
        "the metadata service has no newer credentials than %s, which ended at %s; used until %s",
        credentials.access_key_id, credentials.expiration.isoformat(), until.isoformat(timespec="seconds"),
    )  # fmt: skip
    return Credentials(credentials.access_key_id, credentials.secret_access_key, credentials.session_token, until)
