"""S3 presigning for a bucket: URLs of one key or a million, and forms with which a browser uploads.

Source: S3 API reference, "Authenticating requests: using query parameters", "Browser-based uploads using POST"; S3 user guide
(archived), "Browser-based uploads using POST (AWS Signature Version 2)".
"""

from __future__ import annotations

from datetime import timedelta

from .endpoints import infer
from .errors import InvalidRequest
from .identity import credentials_from, provider_of
from .post_policy import SIGNING_FIELDS, PostForm, build_policy
from .presigned_urls import Moment, header_pairs_of, query_pairs_of, require_many
from .request import Request
from .s3_urls import bucket_url, is_directory_bucket
from .scope import ALGORITHM, in_utc, now, scope_of, signing_key, timestamp, unix_time
from .services import S3_FAMILY, rules_for
from .sigv2 import signature, span_of
from .sigv4 import SigV4, expires_in_seconds, is_region, scope_part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from typing import Literal

    from .identity import Credentials, Provider
    from .post_policy import Condition
    from .presigned_urls import Item, Query
    from .request import Headers
    from .signed import Presigned


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
        self._moment: Moment | None = None

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
        require_many(keys)
        moment = self._now()
        return (moment.signing(query, headers) if query or headers else moment.plain)(keys)

    def iter_urls(self, keys: Iterable[Item], query: Query = (), headers: Headers = ()) -> Iterator[str]:
        """The same, one by one as they are asked for, each of its own time: for input without an end, in constant memory."""
        require_many(keys)
        query, headers = tuple(query_pairs_of(query)), header_pairs_of(headers)  # They may be iterators.
        return (self.url(item, query, headers) for item in keys)  # type: ignore[arg-type]

    def _second(self) -> int:
        """The second that the time of a call falls into."""
        return int(unix_time()) if self._at is None else 0

    def _now(self) -> Moment:
        """What the URLs of this second have in common."""
        moment = self._moment
        second = self._second()
        credentials = credentials_from(self._provider, self._at)
        if moment is None or moment.second != second or moment.credentials is not credentials:
            ends = credentials.expiration
            # Those that end within the second are looked at each time.
            lasts = ends is None or self._at is not None or ends.timestamp() >= second + 1
            self._moment = moment = Moment(self._link, second if lasts else -1, credentials)
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
