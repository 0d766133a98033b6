"""Where a request says that it is signed, and by which scheme."""

from __future__ import annotations

from ..scope import ASYMMETRIC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from .arrival import Arrival


# What an Authorization header begins with; of any other, the reader of SigV4's says what is wrong with it.
_BY_FIRST_WORD = {"AWS": "s3v2", ASYMMETRIC: "sigv4a"}
_PRESIGNED = frozenset(("x-amz-algorithm", "x-amz-credential", "x-amz-signature"))
_OF_QUERY_APIS = frozenset(("SignatureVersion", "SignatureMethod", "Action"))


def places_of(arrival: Arrival) -> list[tuple[str, str]]:
    """The scheme, and "header", "query" or "form", of every signature that the request has, or of what no other scheme claims."""
    found: list[tuple[str, str]] = []
    authorization = arrival.headers.get("authorization")
    if authorization is not None:
        word, space, _ = authorization.partition(" ")
        found.append((_BY_FIRST_WORD.get(word, "sigv4") if space else "sigv4", "header"))
    query = arrival.query
    if not _PRESIGNED.isdisjoint(query.names):
        found.append(("sigv4a" if query.encoded.get("X-Amz-Algorithm") == ASYMMETRIC else "sigv4", "query"))
    if _is_sigv2(query.encoded):
        found.append(("sigv2", "query"))
    elif "Signature" in query.encoded and "AWSAccessKeyId" in query.encoded:
        found.append(("s3v2", "query"))
    if authorization is None and arrival.request.method == "POST" and _is_sigv2({name for name, _ in arrival.form()}):
        found.append(("sigv2", "form"))
    return found


def _is_sigv2(names: Collection[str]) -> bool:
    """A Signature beside what only the Query APIs have."""
    return "Signature" in names and not _OF_QUERY_APIS.isdisjoint(names)
