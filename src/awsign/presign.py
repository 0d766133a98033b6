"""S3 presigning for a bucket: forms with which a browser uploads.

Source: S3 API reference, "Browser-based uploads using POST"; S3 user guide (archived), "Browser-based uploads using POST (AWS
Signature Version 2)".
"""

from __future__ import annotations

from datetime import timedelta

from .endpoints import bucket_url
from .errors import InvalidRequest
from .identity import credentials_from, provider_of
from .post_policy import PostForm, build_policy
from .scope import ALGORITHM, in_utc, now, require_aware, scope_of, signing_key, timestamp
from .services import rules_for
from .sigv4 import expires_in_seconds

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
        if not isinstance(region, str) or not region:
            raise InvalidRequest(f"region={region!r}: a region is a name such as 'us-east-1'")
        self._region = region
        self._bucket = bucket
        self._url = bucket_url(bucket, region=region, endpoint=endpoint, path_style=path_style)
        self._at = None if at is None else in_utc(require_aware(at))

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
        that. expires: seconds from 1 to 604800, or a timedelta. scheme: "sigv4", or "s3v2" (HMAC-SHA1) for older stores. Raises
        InvalidRequest for a condition that is none, and for a field that does not meet its own.
        """
        if scheme not in ("sigv4", "s3v2"):
            raise InvalidRequest(f"scheme={scheme!r}: a form is signed by 'sigv4' or 's3v2'")
        if not isinstance(key, str) or not key:
            raise InvalidRequest("the key of a form must be a str that is not empty; '${filename}' takes the file's name")
        seconds = expires_in_seconds(expires)
        if seconds is None:
            raise InvalidRequest("a form must expire: pass expires in seconds, or as a timedelta")
        at = now() if self._at is None else self._at
        credentials = credentials_from(self._provider, self._at)
        until = at + timedelta(seconds=seconds)
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
        if taken := [name for name in given if name.lower() in signed_by]:
            raise InvalidRequest(f"the field {taken[0]!r} is for the presigner to write; leave it out")
        conditions = list(conditions)
        policy, form = build_policy(until, self._bucket, key, conditions, given | signed_by)
        form["policy"] = policy
        if scheme == "sigv4":
            form["x-amz-signature"] = signing_key(credentials, day, self._region, "s3").sign(policy)
        else:
            from .sigv2 import signature

            form["AWSAccessKeyId"] = credentials.access_key_id
            form["signature"] = signature(credentials.secret_access_key, policy, "HmacSHA1")
        return PostForm(self._url, form, _open(conditions, form), until)


def _open(conditions: Iterable[Condition], form: Mapping[str, str]) -> tuple[str, ...]:
    """The fields that have a condition, but are yet to be filled in."""
    present = {name.lower() for name in form} | {"bucket"}
    names: dict[str, str] = {}
    for condition in conditions:
        if not hasattr(condition, "items"):
            operator, name, _ = condition
            if str(operator).lower() == "starts-with" and (spelt := str(name)[1:]).lower() not in present:
                names.setdefault(spelt.lower(), spelt)
    return tuple(names.values())
