"""The presigned URLs of one second: what they have in common is signed once, by SigV4.presign; the rest is a key.

Then a key takes one gate, one hash of its canonical request, and the two hashes of its signature.
"""

from __future__ import annotations

from functools import partial
from hashlib import sha256

from .encoding import encode, utf8
from .errors import InvalidRequest
from .query import canonical_query
from .s3_urls import key_path, plain_key
from .scope import signing_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TypeAlias

    from .identity import Credentials
    from .request import Headers
    from .signed import Presigned

    Query: TypeAlias = Mapping[str, str | int] | Iterable[tuple[str, str | int]]
    Item: TypeAlias = str | tuple[str, Query]
    Urls: TypeAlias = Callable[[Iterable[Item]], list[str]]
    Sign: TypeAlias = Callable[[str, str, Headers, Credentials], Presigned]

_KEPT = 64
_ANY_KEY = "key"
_HEX_DIGITS = 64  # of a SHA-256


class Moment:
    """One second, and the credentials of then. sign: presigns for an encoded path and query, headers and credentials, by SigV4."""

    __slots__ = ("_kept", "_sign", "credentials", "plain", "second")

    def __init__(self, sign: Sign, second: int, credentials: Credentials) -> None:
        self._sign = sign
        self.second = second
        self.credentials = credentials
        self._kept: dict[tuple[object, ...], Any] = {}
        self.plain = self.signing((), ())

    def _of_item(self, query: Query, headers: Headers, item: Item) -> str:
        """The URL of what is not a plain str: a key and its query, or a key of a class of its own."""
        if isinstance(item, (tuple, list)) and len(item) == 2:
            item, more = item
            query = (*query_pairs_of(query), *query_pairs_of(more))
        # str() would ask a class of its own, an Enum's say, what to call it.
        return self.signing(query, headers)((str.__str__(item) if isinstance(item, str) else key_path(item),))[0]

    def signing(self, query: Query, headers: Headers) -> Urls:
        """What makes the URLs of keys, with a query and headers. Kept, as there are many keys for few of these."""
        query, fixed = tuple(query_pairs_of(query)), header_pairs_of(headers)
        wire_query = _wire_query(query)
        signing = self._kept.get((wire_query, fixed))
        if signing is None:
            common = self._kept.get(fixed)
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            if common is None:
                self._kept[fixed] = common = _Common(self._sign(_ANY_KEY, "", fixed, self.credentials), self.credentials)
            if "x-amz-" in wire_query.lower() or "Signature=" in wire_query:  # Some of them change what is signed, or are refused.
                signing = partial(self._one_by_one, wire_query, fixed, partial(self._of_item, query, fixed))
            else:
                signing = common.signing(wire_query, partial(self._of_item, query, fixed))
            self._kept[wire_query, fixed] = signing
        return signing

    def _one_by_one(self, query: str, headers: Headers, of_item: Callable[[Item], str], keys: Iterable[Item]) -> list[str]:
        return [
            self._sign(key_path(key), query, headers, self.credentials).url if isinstance(key, str) else of_item(key)
            for key in keys
        ]


class _Common:
    """What the URLs of one moment with the same headers have in common: all of a link that SigV4 signed but its key."""

    __slots__ = ("_canonical_head", "_canonical_tail", "_inner", "_outer", "_parameters", "_url_head")

    def __init__(self, link: Presigned, credentials: Credentials) -> None:
        derivation = link.derivation
        assert derivation.wire_canonical_request is not None
        assert derivation.scope is not None
        method, path, _, rest = derivation.wire_canonical_request.split("\n", 3)
        self._canonical_head = f"{method}\n{path.removesuffix(_ANY_KEY)}"
        self._canonical_tail = f"\n{rest}"
        url, _, parameters = link.url.partition("?")
        self._url_head = url.removesuffix(_ANY_KEY)
        self._parameters = parameters.rpartition("&X-Amz-Signature=")[0]
        date, region, service, _ = derivation.scope.split("/")
        # The string to sign ends with the hash of the canonical request: what is before it is hashed here, once.
        before = derivation.wire_string_to_sign[:-_HEX_DIGITS].encode("latin-1")
        self._inner, self._outer = signing_key(credentials, date, region, service).begun(before)

    def signing(self, query: str, of_item: Callable[[Item], str]) -> Urls:
        """What makes the URLs of keys. query: what else is in them, encoded. of_item: makes that of an item that is not a key."""
        parameters = f"{query}&{self._parameters}" if query else self._parameters
        before, after = self._canonical_head, f"\n{canonical_query(parameters)}{self._canonical_tail}"
        url_before, url_after = self._url_head, f"?{parameters}&X-Amz-Signature="
        inner, outer = self._inner.copy, self._outer.copy

        def urls(keys: Iterable[Item]) -> list[str]:
            # 1.7 us a key, measured: 0.55 the first hash, 0.7 the copies and the other two, 0.15 the gate.
            made = []
            for key in keys:
                if key.__class__ is not str:
                    made.append(of_item(key))
                    continue
                path = key if plain_key(key) and ".." not in key else key_path(key)
                message = inner()
                message.update(sha256(f"{before}{path}{after}".encode("latin-1")).hexdigest().encode())
                signature = outer()
                signature.update(message.digest())
                made.append(f"{url_before}{path}{url_after}{signature.hexdigest()}")
            return made

        return urls


def require_many(keys: object) -> None:
    if isinstance(keys, (str, bytes)):
        raise TypeError(f"keys must be an iterable of keys, not a {type(keys).__name__}; write [{keys[:40]!r}]")


def query_pairs_of(query: Query) -> Iterable[tuple[str, str | int]]:
    given: object = query
    if isinstance(given, (str, bytes)):
        raise TypeError(f"query must be a mapping or pairs of text, not a {type(given).__name__}; write {{'versionId': '...'}}")
    return query.items() if hasattr(query, "items") else query


def header_pairs_of(headers: Headers) -> tuple[tuple[str, str | bytes], ...]:
    return tuple([(name, value) for name, value in (headers.items() if hasattr(headers, "items") else headers)])


def _wire_query(query: Iterable[tuple[str, str | int]]) -> str:
    """Parameters as the wire has them: each name and value as UTF-8, percent-encoded."""
    pairs = []
    for name, value in query:
        if not isinstance(name, str) or not isinstance(value, (str, int)) or isinstance(value, bool):
            raise TypeError(f"the parameter {name!r} must be text, as its value, not {type(value).__name__}")
        try:
            pairs.append(f"{encode(utf8(name))}={encode(utf8(str(value)))}")
        except UnicodeEncodeError:
            raise InvalidRequest(f"the parameter {name!r} has a lone surrogate, which no encoding has bytes for") from None
    return "&".join(pairs)
