"""The role attached to an EC2 instance, from its metadata service (IMDS).

Version 2 with a session token, version 1 where the service has no version 2. Source: EC2 user guide, "Use the Instance Metadata
Service to access instance metadata" and "Retrieve security credentials from instance metadata"; variables: AWS SDKs and tools
reference, "IMDS client".
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta

from ..errors import CredentialsError
from ..identity import Credentials
from ..scope import now
from .environment import parse_expiration
from .provider import NotHere, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

IPV4 = "http://169.254.169.254"
IPV6 = "http://[fd00:ec2::254]"
_ROLES = "/latest/meta-data/iam/security-credentials/"
_TOKEN_SECONDS = 21600
_MOST = 1 << 20


class _NoAnswerToToken(NotHere):
    """The service is there, but its answer to PUT is lost: in a container beyond the hop limit of version 2. Version 1 may work."""


class InstanceMetadata(Source):
    """Temporary credentials of the instance's role.

    endpoint: the service; None is AWS_EC2_METADATA_SERVICE_ENDPOINT, else the link-local address of
    AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE. timeout: seconds for each request; None is AWS_METADATA_SERVICE_TIMEOUT, else 1.
    attempts: tries of each request; None is AWS_METADATA_SERVICE_NUM_ATTEMPTS, else 1.
    """

    name = "instance-metadata"

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        timeout: float | None = None,
        attempts: int | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        environ = os.environ if environ is None else environ
        default = IPV6 if environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "").lower() == "ipv6" else IPV4
        self._endpoint = (endpoint or environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or default).rstrip("/")
        self._disabled = environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true"
        self._v1_disabled = environ.get("AWS_EC2_METADATA_V1_DISABLED", "").lower() == "true"
        self._timeout = _number(timeout, environ, "AWS_METADATA_SERVICE_TIMEOUT", 1.0)
        self._attempts = int(_number(attempts, environ, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", 1))
        self._token: str | None = None
        self._token_ends: datetime | None = None

    def load(self) -> Credentials:
        if self._disabled:
            raise NotHere("AWS_EC2_METADATA_DISABLED is true")
        role = self._get(_ROLES)
        role = role.strip().split("\n")[0]
        if not role:
            raise NotHere(f"the instance at {self._endpoint} has no role attached")
        text = self._get(_ROLES + role)
        try:
            given = json.loads(text)
            if given.get("Code", "Success") != "Success":
                raise CredentialsError(f"the metadata service has no credentials for the role {role}: {given['Code']}")
            expiration = parse_expiration(given["Expiration"], "Expiration")
            return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["Token"], expiration)
        except (ValueError, KeyError, TypeError, AttributeError):
            # `from None`: the answer holds the secret.
            raise CredentialsError(f"the metadata service's answer for the role {role} is not the JSON of credentials") from None

    def _get(self, path: str) -> str:
        """A document, with a version 2 token where the service gives one. A token that was refused is fetched anew, once."""
        status, text = self._request("GET", path, self._headers())
        if status == 401 and self._token is not None:
            self._token = None
            status, text = self._request("GET", path, self._headers())
        if status == 404:
            raise NotHere(f"the instance at {self._endpoint} has no role attached")
        if status == 403:
            raise NotHere(f"{self._endpoint} answered 403: not an EC2 instance, or its metadata is blocked")
        if status != 200:
            raise CredentialsError(f"the metadata service at {self._endpoint} answered {status} for {path}")
        return text

    def _headers(self) -> dict[str, str]:
        if self._token is None or self._token_ends is None or now() >= self._token_ends:
            asking = {"X-aws-ec2-metadata-token-ttl-seconds": str(_TOKEN_SECONDS), "Content-Length": "0"}
            try:
                status, token = self._request("PUT", "/latest/api/token", asking)
            except _NoAnswerToToken:
                status, token = 404, ""
            token = token.strip()
            if status == 200 and token.isascii() and token.isprintable():
                self._token, self._token_ends = token, now() + timedelta(seconds=_TOKEN_SECONDS - 60)
            elif status in (403, 404, 405):  # No version 2 here (botocore, IMDSFetcher._fetch_metadata_token).
                self._token = None
                if self._v1_disabled:
                    raise NotHere(f"{self._endpoint} speaks only version 1, and AWS_EC2_METADATA_V1_DISABLED is true")
                return {}
            else:
                raise CredentialsError(f"the metadata service at {self._endpoint} answered {status} when asked for a token")
        return {"X-aws-ec2-metadata-token": self._token}

    def _request(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        # http.client alone: no proxy may come between an instance and its metadata.
        from http.client import HTTPConnection, HTTPException
        from urllib.parse import urlsplit

        parts = urlsplit(self._endpoint)
        try:
            port = parts.port or 80
        except ValueError:
            port = 0
        if parts.scheme != "http" or not parts.hostname or not port:
            raise CredentialsError(f"the metadata endpoint {self._endpoint!r} is not an http:// URL")
        failure: Exception | None = None
        connected = False
        for _ in range(self._attempts):
            connection = HTTPConnection(parts.hostname, port, timeout=self._timeout)
            try:
                connection.connect()
                connected = True
                connection.request(method, parts.path + path, headers=headers)
                response = connection.getresponse()
                text = response.read(_MOST).decode("utf-8", "replace")
            except (OSError, HTTPException) as error:
                failure = error
            else:
                if response.status < 500:
                    return response.status, text
                failure = CredentialsError(f"it answered {response.status}")
            finally:
                connection.close()
        missing = _NoAnswerToToken if connected and method == "PUT" else NotHere
        raise missing(f"no answer from {self._endpoint} ({type(failure).__name__}: {failure}); not an EC2 instance?")


def _number(given: float | None, environ: Mapping[str, str], variable: str, default: float) -> float:
    text = environ.get(variable) if given is None else str(given)
    try:
        number = float(text) if text else default
    except ValueError:
        number = 0
    if not 0 < number < 1000:
        raise CredentialsError(f"{variable} is {text!r}, not a number from 1 to 1000")
    return number
