"""The session of a directory bucket (S3 Express One Zone): CreateSession gives credentials that last five minutes.

Source: S3 user guide, "Authorizing Zonal endpoint API operations with CreateSession"; S3 API reference, "CreateSession".
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from ..errors import CredentialsError, InvalidRequest
from ..identity import Credentials
from ..request import Request
from ..s3_urls import bucket_url
from ..sigv4 import SigV4
from .provider import Refreshing, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from ..identity import Provider
    from ..signed import Signed

    Send = Callable[[Signed], tuple[int, str]]

_MOST = 1 << 16
_ELEMENT = re.compile(r"<([A-Za-z]+)>([^<>&]+)</\1>")
_NAMES = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")


class S3ExpressSession(Source):
    """Credentials of a session: what signs calls to objects of one directory bucket.

    credentials: IAM's, or a provider of them, which sign CreateSession. bucket: as data--usw2-az1--x-s3. region: of the bucket.
    mode: "ReadWrite" or "ReadOnly"; None is the most that is allowed. endpoint: another than AWS's. timeout: seconds.
    send: what sends the signed request, and gives the status and the text of the answer; None is http.client, without a proxy.
    """

    name = "s3-express-session"

    def __init__(
        self,
        credentials: Credentials | Provider,
        bucket: str,
        *,
        region: str,
        mode: Literal["ReadWrite", "ReadOnly"] | None = None,
        endpoint: str | None = None,
        timeout: float = 10,
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
        self._send = send or self._send_by_http_client

    def load(self) -> Credentials:
        status, text = self._send(self._signer.sign(self._request))
        if status != 200:
            code = _elements(text).get("Code", "no code")
            raise CredentialsError(f"CreateSession for the bucket {self._bucket} was answered with {status}, {code[:60]}")
        found = _elements(text)
        try:
            key, secret, token, end = (found[name] for name in _NAMES)
            return Credentials(key, secret, token, datetime.fromisoformat(end))
        except (KeyError, ValueError):
            # `from None`: the answer holds the secret.
            raise CredentialsError(f"the answer to CreateSession for the bucket {self._bucket} has no credentials") from None

    def _send_by_http_client(self, signed: Signed) -> tuple[int, str]:
        from http.client import HTTPConnection, HTTPException, HTTPSConnection

        parts = urlsplit(signed.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self._timeout)
        try:
            connection.putrequest("GET", f"{parts.path}?{parts.query}", skip_host=True, skip_accept_encoding=True)
            for name, value in signed.headers:
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            return response.status, response.read(_MOST).decode("utf-8", "replace")
        except (OSError, HTTPException) as error:
            raise CredentialsError(f"CreateSession: no answer from {parts.netloc} ({type(error).__name__}: {error})") from None
        finally:
            connection.close()


def _elements(text: str) -> dict[str, str]:
    """The elements of an answer that have nothing but text, by name: all that is asked of it is flat, and nothing in it escaped."""
    return dict(_ELEMENT.findall(text))


def s3_express_session(
    credentials: Credentials | Provider, bucket: str, *, region: str, endpoint: str | None = None, send: Send | None = None
) -> Refreshing:
    """A provider of a directory bucket's session, renewed a minute before it ends; as S3ExpressSession.

    SigV4(provider, "s3express", region) signs calls to objects with it. CopyObject, UploadPartCopy, HeadBucket and the regional
    endpoint are signed with IAM's credentials.
    """
    source = S3ExpressSession(credentials, bucket, region=region, endpoint=endpoint, send=send)
    return Refreshing(source, advisory=timedelta(minutes=1), mandatory=timedelta(seconds=15))
