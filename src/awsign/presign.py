"""S3 presigning for a bucket: URLs of one key or a million, and forms with which a browser uploads.

What the URLs of one moment have in common is derived once, by SigV4.presign; then a key takes one gate, one hash of its canonical
request and the two hashes of its signature.

Source: S3 API reference, "Authenticating requests: using query parameters", "Browser-based uploads using POST"; S3 user guide
(archived), "Browser-based uploads using POST (AWS Signature Version 2)".
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from hashlib import sha256

from .canonical import canonical_query
from .encoding import encode, utf8
from .endpoints import infer
from .errors import InvalidRequest
from .identity import credentials_from, provider_of
from .post_policy import SIGNING_FIELDS, PostForm, build_policy
from .request import Request
from .s3_urls import bucket_url, is_directory_bucket, key_path, plain_key
from .scope import ALGORITHM, in_utc, now, scope_of, signing_key, timestamp, unix_time
from .services import S3_FAMILY, rules_for
from .sigv2 import signature, span_of
from .sigv4 import SigV4, expires_in_seconds, is_region, scope_part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from typing import Any, Literal, TypeAlias

    from .identity import Credentials, Provider
    from .post_policy import Condition
    from .request import Headers
    from .signed import Presigned

    Query: TypeAlias = Mapping[str, str | int] | Iterable[tuple[str, str | int]]
    Item: TypeAlias = str | tuple[str, Query]
    Urls: TypeAlias = Callable[[Iterable[Item]], list[str]]

_KEPT = 64
_ANY_KEY = "key"
_HEX_DIGITS = 64  # of a SHA-256


class S3Presigner:
    """Presigns for one bucket.

    credentials: Credentials or a provider. region: of the bucket. endpoint: another than AWS's, as http://127.0.0.1:9000.
    path_style: whether the bucket is in the path; in the host it is where its name and the endpoint allow that. bucket: its name, that
    of a directory bucket, or the ARN of an access point. method: what the URLs are for. expires: seconds from 1 to 604800, or a
    timedelta. at: the time, aware; None is that of each call.
    """

    def __init__(
        self,
        credentials: Credentials | Provider,
        region: str,
        bucket: str,
        *,
        endpoint: str | None = None,
        path_style: bool = False,
        method: str = "GET",
        expires: int | timedelta = 3600,
        at: datetime | None = None,
    ) -> None:
        self._provider = provider_of(credentials)
        if isinstance(bucket, str) and isinstance(region, str) and is_region(bucket) and not is_region(region):
            raise InvalidRequest(f"bucket={bucket!r} is a region, and region={region!r} none; are the two swapped?")
        if not isinstance(bucket, str):
            raise InvalidRequest(f"bucket={bucket!r}: a bucket is a name such as 'my-bucket'")
        if not isinstance(region, str):
            raise InvalidRequest(f"region={region!r}: a region is a name such as 'us-east-1'")
        self._region = scope_part("region", region) or ""
        self._bucket = bucket
        self._url = bucket_url(bucket, region=region, endpoint=endpoint, path_style=path_style)
        self._at = None if at is None else in_utc(at)
        self._method = Request(method, self._url).method
        self._expires = expires_in_seconds(expires)
        if self._expires is None:
            raise InvalidRequest("a URL of S3 must expire: pass expires in seconds, or as a timedelta")
        service, host_region = infer(self._url)
        # One region's signature is refused at a Multi-Region Access Point: SigV4 says so, when it is asked for a URL.
        region = "*" if host_region == "*" else self._region
        self._signer = SigV4(self._provider, service if service in S3_FAMILY else "s3", region)
        self._moment: _Moment | None = None

    def __repr__(self) -> str:
        return f"<S3Presigner {self._bucket!r} in {self._region!r}>"

    def __getstate__(self) -> dict[str, object]:
        return self.__dict__ | {"_moment": None}  # It holds states of hashes, which cannot be pickled.

    def url(self, key: str, query: Query = (), headers: Headers = ()) -> str:
        """The URL of a key, until it expires: that of `SigV4(credentials, "s3", region).presign(...)`, byte for byte.

        key: literal, so that `%`, `?` and `+` belong to it. query: parameters that are signed too (versionId, response-content-type,
        partNumber and uploadId), as a mapping or pairs of text. headers: that must be sent with the URL, exactly as they are here.
        Raises InvalidRequest for a key that S3 does not allow, CredentialsError for expired credentials.
        """
        moment = self._moment
        # One time for a whole second saves two thirds of each URL; the credentials may change at any time.
        if moment is None or moment.second != self._second() or moment.credentials is not self._provider.get():
            moment = self._now()
        return (moment.signing(query, headers) if query or headers else moment.plain)((key,))[0]

    def urls(self, keys: Iterable[Item], query: Query = (), headers: Headers = ()) -> list[str]:
        """The URLs of many keys, all of one time. keys: each a key, or a key and its query. query, headers: of all, as for `url`."""
        _require_many(keys)
        moment = self._now()
        return (moment.signing(query, headers) if query or headers else moment.plain)(keys)

    def iter_urls(self, keys: Iterable[Item], query: Query = (), headers: Headers = ()) -> Iterator[str]:
        """The same, one by one as they are asked for, each of its own time: for input without an end, in constant memory."""
        _require_many(keys)
        query, headers = tuple(_query_pairs(query)), _fixed(headers)  # They may be iterators.
        return (self.url(item, query, headers) for item in keys)  # type: ignore[arg-type]

    def _second(self) -> int:
        """The second that the time of a call falls into."""
        return int(unix_time()) if self._at is None else 0

    def _now(self) -> _Moment:
        """What the URLs of this second have in common."""
        moment = self._moment
        second = self._second()
        credentials = credentials_from(self._provider, self._at)
        if moment is None or moment.second != second or moment.credentials is not credentials:
            ends = credentials.expiration
            # Those that end within the second are looked at each time.
            lasts = ends is None or self._at is not None or ends.timestamp() >= second + 1
            self._moment = moment = _Moment(self, second if lasts else -1, credentials)
        return moment

    def _link(self, path: str, query: str, headers: Headers, credentials: Credentials) -> Presigned:
        """One URL, signed by SigV4. path, query: encoded."""
        url = f"{self._url}/{path}?{query}" if query else f"{self._url}/{path}"
        request = Request(self._method, url, headers)
        return self._signer.presign(request, expires=self._expires, at=self._at, credentials=credentials)

    def post(
        self,
        key: str,
        conditions: Iterable[Condition] = (),
        fields: Mapping[str, str] | None = None,
        expires: int | timedelta = 3600,
        *,
        scheme: Literal["sigv4", "s3v2"] = "sigv4",
    ) -> PostForm:
        """A form that uploads one file as `key`, in which `${filename}` stands for the file's name.

        conditions: as a policy has them: {"acl": "private"}, ["eq", "$acl", "private"], ["starts-with", "$Content-Type", "image/"],
        ["content-length-range", 0, 1048576]. fields: further fields of the form; what has no condition of its own must be exactly
        that. expires: seconds, or a timedelta: seven days at most, ten years for "s3v2". scheme: "sigv4", or "s3v2" (HMAC-SHA1) for
        older stores. Raises InvalidRequest for a condition that is none, and for a field that does not meet its own.
        """
        if self._bucket.startswith("arn:") or is_directory_bucket(self._bucket):
            raise InvalidRequest(
                f"{self._bucket!r}: a form is for a bucket by its name; access points and directory buckets take none"
            )
        if scheme not in ("sigv4", "s3v2"):
            raise InvalidRequest(f"scheme={scheme!r}: a form is signed by 'sigv4' or 's3v2'")
        if not isinstance(key, str) or not key:
            raise InvalidRequest("the key of a form must be a str that is not empty; '${filename}' takes the file's name")
        if expires is None:
            raise InvalidRequest("a form must expire: pass expires in seconds, or as a timedelta")
        span = span_of(expires) if scheme == "s3v2" else timedelta(seconds=expires_in_seconds(expires) or 0)
        at = now() if self._at is None else self._at
        credentials = credentials_from(self._provider, self._at)
        until = (at + span).replace(microsecond=0)
        if credentials.expiration is not None:
            until = min(until, in_utc(credentials.expiration))
        stamp = timestamp(at)
        day = stamp[:8]
        signed_by: dict[str, str] = {}
        if scheme == "sigv4":
            scope = scope_of(day, self._region, "s3")
            signed_by = {
                "x-amz-algorithm": ALGORITHM,
                "x-amz-credential": f"{credentials.access_key_id}/{scope}",
                "x-amz-date": stamp,
            }
        if credentials.session_token is not None:
            signed_by[rules_for("s3").token_header] = credentials.session_token
        given = dict(fields or {})
        if taken := [name for name in given if name.lower() in SIGNING_FIELDS]:
            raise InvalidRequest(f"the field {taken[0]!r} is for the presigner to write; leave it out")
        policy, form, open_fields = build_policy(until, self._bucket, key, conditions, given | signed_by)
        form["policy"] = policy
        if scheme == "sigv4":
            form["x-amz-signature"] = signing_key(credentials, day, self._region, "s3").sign(policy)
        else:
            form["AWSAccessKeyId"] = credentials.access_key_id
            form["signature"] = signature(credentials.secret_access_key, policy, "HmacSHA1")
        return PostForm(self._url, form, open_fields, until)


class _Moment:
    """One second, and the credentials of then."""

    __slots__ = ("_kept", "_presigner", "credentials", "plain", "second")

    def __init__(self, presigner: S3Presigner, second: int, credentials: Credentials) -> None:
        self._presigner = presigner
        self.second = second
        self.credentials = credentials
        self._kept: dict[tuple[object, ...], Any] = {}
        self.plain = self.signing((), ())

    def _of_item(self, query: Query, headers: Headers, item: Item) -> str:
        """The URL of what is not a plain str: a key and its query, or a key of a class of its own."""
        if isinstance(item, (tuple, list)) and len(item) == 2:
            item, more = item
            query = (*_query_pairs(query), *_query_pairs(more))
        # str() would ask a class of its own, an Enum's say, what to call it.
        return self.signing(query, headers)((str.__str__(item) if isinstance(item, str) else key_path(item),))[0]

    def signing(self, query: Query, headers: Headers) -> Urls:
        """What makes the URLs of keys, with a query and headers. Kept, as there are many keys for few of these."""
        query, fixed = tuple(_query_pairs(query)), _fixed(headers)
        wire_query = _wire_query(query)
        signing = self._kept.get((wire_query, fixed))
        if signing is None:
            common = self._kept.get(fixed)
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            if common is None:
                self._kept[fixed] = common = _Common(self._presigner._link(_ANY_KEY, "", fixed, self.credentials), self.credentials)
            if "x-amz-" in wire_query.lower() or "Signature=" in wire_query:  # Some of them change what is signed, or are refused.
                signing = partial(self._one_by_one, wire_query, fixed, partial(self._of_item, query, fixed))
            else:
                signing = common.signing(wire_query, partial(self._of_item, query, fixed))
            self._kept[wire_query, fixed] = signing
        return signing

    def _one_by_one(self, query: str, headers: Headers, of_item: Callable[[Item], str], keys: Iterable[Item]) -> list[str]:
        return [
            self._presigner._link(key_path(key), query, headers, self.credentials).url if isinstance(key, str) else of_item(key)
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


def _require_many(keys: object) -> None:
    if isinstance(keys, (str, bytes)):
        raise TypeError(f"keys must be an iterable of keys, not a {type(keys).__name__}; write [{keys[:40]!r}]")


def _query_pairs(query: Query) -> Iterable[tuple[str, str | int]]:
    given: object = query
    if isinstance(given, (str, bytes)):
        raise TypeError(f"query must be a mapping or pairs of text, not a {type(given).__name__}; write {{'versionId': '...'}}")
    return query.items() if hasattr(query, "items") else query


def _fixed(headers: Headers) -> tuple[tuple[str, str | bytes], ...]:
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
