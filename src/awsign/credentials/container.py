"""The role of a container: of a task in ECS, of a pod in EKS (Pod Identity), of Greengrass and others that speak as they do.

Source: AWS SDKs and tools reference, "Container credential provider".
"""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import CredentialsError
from .document import METADATA, credentials_of
from .http import ask, split_url, without
from .provider import NotHere, Source
from .token_files import read_secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..identity import Credentials

# Where a relative URI points, and whom else the token may go to without TLS: ECS, EKS (IPv4, IPv6), this machine.
_ECS = "169.254.170.2"
_ALLOWED = (_ECS, "169.254.170.23", "fd00:ec2::23", "localhost")
_ATTEMPTS = 3


class Container(Source):
    """What the URI of AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI answers.

    The authorization token (AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, read anew each time, or AWS_CONTAINER_AUTHORIZATION_TOKEN) goes
    over TLS, to this machine, or to the addresses of ECS and EKS, and nowhere else. timeout: seconds for each of three tries; pause: seconds between two.
    """

    name = "container"

    def __init__(self, environ: Mapping[str, str] | None = None, *, timeout: float = 2, pause: float = 1) -> None:
        self._given = environ
        self._timeout = timeout
        self._pause = pause

    def load(self) -> Credentials:
        url = self._url()
        token = self._token()
        headers = [("Accept", "application/json"), *([("Authorization", token)] if token else [])]
        answer = ask("GET", url, headers, timeout=self._timeout, attempts=_ATTEMPTS, pause=self._pause)
        where = f"the container's endpoint {split_url(url).netloc}"
        document = answer.json()
        if answer.status != 200:
            code = without(str((document or {}).get("code") or (document or {}).get("Code") or ""), token, most=60)
            raise CredentialsError(f"{where} answered {answer.status} {code}".rstrip())
        return credentials_of(document, METADATA, f"the answer of {where}")

    @property
    def _environ(self) -> Mapping[str, str]:
        return os.environ if self._given is None else self._given

    def _url(self) -> str:
        get = self._environ.get
        relative, full = get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        if relative:
            if not relative.startswith("/"):
                # Behind the address, anything but a slash would be part of the host's name.
                raise CredentialsError(f"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is {relative[:60]!r}; it begins with a slash")
            return f"http://{_ECS}{relative}"
        if not full:
            raise NotHere("neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set")
        parts = split_url(full)
        if parts.scheme != "https" and not _is_allowed(parts.hostname or ""):
            raise CredentialsError(
                f"AWS_CONTAINER_CREDENTIALS_FULL_URI names the host {parts.hostname!r}; over http it is this machine's, or one of "
                f"{', '.join(_ALLOWED[:3])}: a token is not sent to others, but over https"
            )
        return full

    def _token(self) -> str | None:
        path = self._environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        if path is None:
            token = self._environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        else:
            token = read_secret(Path(path), "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE,")
        if token is not None and not (token.isascii() and token.isprintable()):
            raise CredentialsError(
                "the container's authorization token holds a line break, or a character that no header can carry"
            )
        return token


def _is_allowed(host: str) -> bool:
    if host in _ALLOWED:
        return True
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
