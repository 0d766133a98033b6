"""Where a server points to: whether what is signed here may be signed again there, and what does not go along.

Sources: RFC 9110, section 15.4; S3 user guide, "Making requests using the REST API", request redirection. The signature covers host
and path, so it is never forwarded; a key signs for another host only where that is the same service (endpoints.same_service).
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from .endpoints import same_service
from .errors import InvalidRequest
from .redact import shown_url
from .s3_urls import s3_host_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeVar

    Pair = TypeVar("Pair", bound=tuple[str, object])

STATUSES = frozenset((301, 302, 303, 307, 308))
# How S3 answers a request that was signed for another region than the bucket's: 301 without Location, and to HEAD a bare 400.
REGION_STATUSES = frozenset((301, 307, 400))
_OF_A_BODY = frozenset(("content-type", "content-length", "content-encoding", "transfer-encoding"))
_OF_THE_SENDER = ("x-amz-", "cookie")
# Made for the request that was answered: where it is signed again it gets another.
_NEVER = frozenset(("authorization", "proxy-authorization"))


def target_of(url: str, location: str) -> str:
    """The URL that a Location means, of a request to `url`; InvalidRequest for what is none."""
    try:
        target = urljoin(url, location).partition("#")[0]
        urlsplit(target)
    except ValueError:
        raise InvalidRequest(f"the server redirects to {shown_url(location)[:80]!r}, which is not a URL") from None
    return target


def require_followable(url: str, target: str) -> None:
    """InvalidRequest for a redirect that is never followed: to another protocol, or out of TLS."""
    scheme = target.partition(":")[0].lower()
    if scheme not in ("http", "https"):
        raise InvalidRequest(f"a redirect to {scheme!r} is not followed")
    if scheme == "http" and url[:5].lower() == "https":
        raise InvalidRequest(f"a redirect from https to http is not followed: {shown_url(target)[:200]}")


def may_sign(url: str, target: str) -> bool:
    """Whether a request that was signed for one URL is signed again for another: of the same service, and not presigned already."""
    query = urlsplit(target).query
    presigned = "X-Amz-Signature=" in query or ("Signature=" in query and "AWSAccessKeyId=" in query)
    return not presigned and same_service(url, target)


def method_after(status: int, method: str) -> str:
    """The method that a redirect is followed with: as browsers and all clients have it (RFC 9110, section 15.4)."""
    if status == 303 or (status in (301, 302) and method == "POST"):
        return "HEAD" if method == "HEAD" else "GET"
    return method


def headers_after(headers: Iterable[Pair], *, same: bool, has_body: bool) -> list[Pair]:
    """The headers that go along: none of the sender's own to another service, none of a body that is left behind."""
    return [
        pair
        for pair in headers
        if pair[0].lower() not in _NEVER
        and (same or not pair[0].lower().startswith(_OF_THE_SENDER))
        and (has_body or pair[0].lower() not in _OF_A_BODY)
    ]


def onward(url: str, target: str, headers: Iterable[Pair], *, signed: bool, has_body: bool) -> tuple[list[Pair], bool]:
    """What a redirect of a request to `url` is followed with: the headers that go along, and whether it is signed again.

    signed: whether the request that was answered was. InvalidRequest where it is not to be followed.
    """
    require_followable(url, target)
    signs = signed and may_sign(url, target)
    return headers_after(headers, same=signs, has_body=has_body), signs


def url_in_region(url: str, authority: str, status: int, region: str | None) -> str | None:
    """The URL of the same bucket in the region that S3 says it is in; None where it says none, or the host is no plain one of S3.

    region: as the answer tells it, in x-amz-bucket-region or in its body.
    """
    host = s3_host_in(authority, region) if region and status in REGION_STATUSES else None
    return url.replace(authority, host, 1) if host else None
