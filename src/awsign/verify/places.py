"""Where a request says that it is signed, and by which scheme."""

from __future__ import annotations

from ..scope import ASYMMETRIC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .arrival import Arrival


# What an Authorization header begins with; of any other, the reader of SigV4's says what is wrong with it.
_BY_FIRST_WORD = {"AWS": "s3v2", ASYMMETRIC: "sigv4a"}
_PRESIGNED = frozenset(("x-amz-algorithm", "x-amz-credential", "x-amz-signature"))
_OF_QUERY_APIS = frozenset(("SignatureVersion", "SignatureMethod", "Action"))


def places_of(arrival: Arrival) -> list[tuple[str, str]]:
    """The scheme, and "header", "query" or "form", of every signature that the request has, or of what no other scheme claims."""
    found = []
    authorization = arrival.headers.get("authorization")
    if authorization is not None:
        word, space, _ = authorization.partition(" ")
        found.append((_BY_FIRST_WORD.get(word, "sigv4") if space else "sigv4", "header"))
    if arrival.pairs:
        found += [(scheme, "query") for scheme in _in_query(arrival)]
    if authorization is None and _is_sigv2({name for name, _ in arrival.form()}):
        found.append(("sigv2", "form"))
    return found


def _in_query(arrival: Arrival) -> Iterator[str]:
    names = {name for name, _ in arrival.pairs}
    if "X-Amz-Algorithm" in names and arrival.parameter("X-Amz-Algorithm") == ASYMMETRIC:
        yield "sigv4a"
    elif "X-Amz-Algorithm" in names or not _PRESIGNED.isdisjoint(map(str.lower, names)):
        yield "sigv4"
    if _is_sigv2(names):
        yield "sigv2"
    elif {"Signature", "AWSAccessKeyId"} <= names:
        yield "s3v2"


def _is_sigv2(names: set[str]) -> bool:
    """A Signature beside what only the Query APIs have."""
    return "Signature" in names and not names.isdisjoint(_OF_QUERY_APIS)
