"""S3 presigning for a bucket: forms with which a browser uploads.

Source: S3 API reference, "Browser-based uploads using POST"; S3 user guide (archived), "Browser-based uploads using POST (AWS
Signature Version 2)".
"""

from __future__ import annotations

from datetime import timedelta

from .errors import InvalidRequest
from .identity import credentials_from, provider_of
from .post_policy import SIGNING_FIELDS, PostForm, build_policy
from .s3_urls import bucket_url, is_directory_bucket
from .scope import ALGORITHM, in_utc, now, scope_of, signing_key, timestamp
from .services import rules_for
from .sigv2 import signature, span_of
from .sigv4 import expires_in_seconds, is_region, scope_part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from typing import Literal

    from .identity import Credentials, Provider
    from .post_policy import Condition


class S3Presigner:
    """Presigns for one bucket.

    credentials: Credentials or a provider. region: of the bucket. endpoint: another than AWS's, as http://127.0.0.1:9000.
    path_style: whether the bucket is in the path; in the host it is where its name and the endpoint allow that. at: the time,
    aware; None is that of each call.
    """

    def __init__(
        self,
        credentials: Credentials | Provider,
        region: str,
        bucket: str,
        *,
        endpoint: str | None = None,
        path_style: bool = False,
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

    def __repr__(self) -> str:
        return f"<S3Presigner {self._bucket!r} in {self._region!r}>"

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
