"""The session of a directory bucket (S3 Express One Zone): CreateSession gives credentials that last five minutes.

Source: S3 user guide, "Authorizing Zonal endpoint API operations with CreateSession"; S3 API reference, "CreateSession".
"""

from __future__ import annotations

from datetime import timedelta

from ..errors import CredentialsError, InvalidRequest
from ..request import Request
from ..response import elements
from ..s3_urls import bucket_url
from ..sigv4 import SigV4
from .document import credentials_in_xml
from .http import TIMEOUT, ask, without
from .provider import Refreshing, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from ..identity import Credentials, Provider
    from ..settings import Settings
    from ..signed import Signed

    Send = Callable[[Signed], tuple[int, str]]


class S3ExpressSession(Source):
    """Credentials of a session: what signs calls to objects of one directory bucket.

    credentials: IAM's, or a provider of them, which sign CreateSession. bucket: as data--usw2-az1--x-s3. region: of the bucket.
    mode: "ReadWrite" or "ReadOnly"; None is the most that is allowed. endpoint: another than AWS's. timeout: seconds.
    send: what sends the signed request, and gives the status and the text of the answer; None is http.client,
    with the proxy and the CA bundle of settings, if given.
    """

    name = "s3-express-session"
    advisory = timedelta(minutes=1)
    mandatory = timedelta(seconds=15)

    def __init__(
        self,
        credentials: Credentials | Provider,
        bucket: str,
        *,
        region: str,
        mode: Literal["ReadWrite", "ReadOnly"] | None = None,
        endpoint: str | None = None,
        timeout: float = TIMEOUT,
        settings: Settings | None = None,
        send: Send | None = None,
    ) -> None:
        if mode not in (None, "ReadWrite", "ReadOnly"):
            raise InvalidRequest(f"mode={mode!r}: a session is 'ReadWrite' or 'ReadOnly'")
        self._signer = SigV4(credentials, "s3express", region)
        url = bucket_url(bucket, region=region, endpoint=endpoint, path_style=endpoint is not None)
        headers = {"x-amz-create-session-mode": mode} if mode else {}
        self._request = Request("GET", f"{url}{'/' if endpoint is None else ''}?session", headers)
        self._bucket = bucket
        self._timeout = timeout
        self._settings = settings
        self._send = send or self._send_by_http_client

    def load(self) -> Credentials:
        status, text = self._send(self._signer.sign(self._request))
        if status != 200:
            code = without(elements(text).get("Code", "no code"), most=60)
            raise CredentialsError(f"CreateSession for the bucket {self._bucket} was answered with {status}, {code}")
        return credentials_in_xml(text, f"CreateSession for the bucket {self._bucket}")

    def _send_by_http_client(self, signed: Signed) -> tuple[int, str]:
        answer = ask("GET", signed.url, signed.headers, timeout=self._timeout, settings=self._settings)
        return answer.status, answer.text


def s3_express_session(
    credentials: Credentials | Provider, bucket: str, *, region: str, endpoint: str | None = None, send: Send | None = None
) -> Refreshing:
    """A provider of a directory bucket's session, renewed a minute before it ends; as S3ExpressSession.

    SigV4(provider, "s3express", region) signs calls to objects with it. CopyObject, UploadPartCopy, HeadBucket and the regional
    endpoint are signed with IAM's credentials.
    """
    source = S3ExpressSession(credentials, bucket, region=region, endpoint=endpoint, send=send)
    return Refreshing(source)
