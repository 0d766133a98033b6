"""The services that this server plays besides verifying: what credentials come from, asked without a signature.

The instance metadata service, the endpoints of containers, STS's AssumeRoleWithWebIdentity, IAM Identity Center and sign-in. The
signed calls of STS are played too, once they are verified.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from ..request import URLENCODED, is_form
from .container import PATH as CONTAINER_PATH
from .container import ContainerService
from .logins import Logins
from .metadata import MetadataService, is_metadata
from .sts import SecurityTokenService

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..request import Request
    from ..verify import Verified
    from .answers import Answer
    from .issued import Issued


class Played:
    """issued: where what is handed out is kept. role: its name. seconds: how long credentials last. container_token: what the endpoint
    of containers wants to see; None for nothing.
    """

    def __init__(self, issued: Issued, role: str = "awsign-role", seconds: int = 3600, container_token: str | None = None) -> None:
        self._metadata = MetadataService(issued, role, seconds)
        self._container = ContainerService(issued, seconds, container_token)
        self._logins = Logins(issued, seconds)
        self._sts = SecurityTokenService(issued, seconds)

    def service_for(self, request: Request, headers: dict[str, str]) -> tuple[str, Callable[[bytes], Answer | None]] | None:
        """The name of the service that a request asks, and what answers it with its body; None for one that is to be verified.

        headers: by lower-case name. What answers may find that the request was for no service of these, and give None.
        """
        path, method = request.path, request.method
        if headers.get("authorization", "").startswith("AWS"):
            return None
        if is_metadata(path) and "authorization" not in headers and not request.query:
            return "instance metadata", lambda _: self._metadata.answer(method, path, headers)
        if method == "GET" and CONTAINER_PATH.fullmatch(path) and not request.query:
            return "container", lambda _: self._container.answer(headers)
        if method == "GET" and path == "/federation/credentials" and "x-amz-sso_bearer_token" in headers:
            return "sso portal", lambda _: self._logins.role_credentials(request.query, headers)
        if method == "POST" and path == "/token" and not request.query:
            return "sso oidc", self._logins.oidc_token
        if method == "POST" and path == "/v1/token" and "dpop" in headers:
            url = f"{request.scheme}://{headers.get('host', '')}{path}"
            return "sign-in", lambda body: self._logins.sign_in_token(url, headers, body)
        if path == "/" and is_form(method, request.headers, URLENCODED):
            return "sts", lambda body: self._sts.unsigned(_parameters(body))
        return None

    def signed(self, request: Request, verified: Verified, body: bytes) -> Answer | None:
        """The answer to a signed call of STS; None for others."""
        if verified.service != "sts":
            return None
        parameters = _parameters(request.query.encode()) | _parameters(body)
        return self._sts.answer(verified, parameters.get("Action"), parameters)


def _parameters(text: bytes) -> dict[str, str]:
    return dict(parse_qsl(text.decode("utf-8", "replace")))
