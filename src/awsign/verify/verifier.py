"""The verifier: which scheme a request claims, whose key that takes, and whether it holds."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime, timedelta

from ..errors import InvalidRequest
from ..identity import Credentials
from ..request import MULTIPART, is_form, require_request
from ..s3_urls import bucket_of as aws_bucket_of
from ..scope import now as clock
from ..scope import require_aware
from .arrival import Arrival, Settings
from .claim import Claim
from .places import places_of
from .post_form import claim_of_bytes, form_reader
from .s3_sigv2 import S3SigV2Claim
from .sigv2 import SigV2Claim
from .sigv4 import SigV4Claim
from .sigv4a import SigV4AClaim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable
    from typing import Literal

    from ..request import Request
    from .arrival import Secret
    from .claim import Verified
    from .form_reader import FormReader
    from .replay import ReplayGuard


_CLAIMS: dict[str, type[SigV4Claim] | type[SigV2Claim] | type[S3SigV2Claim]] = {
    "sigv4": SigV4Claim,
    "sigv4a": SigV4AClaim,
    "sigv2": SigV2Claim,
    "s3v2": S3SigV2Claim,
}
_LONGEST_SKEW = 31_536_000


class Verifier:
    """Verifies what arrives: SigV4, SigV4A and S3's HMAC-SHA1 in a header or a query, SigV2 in a query or a form, POST policies.

    secret_for: a function (or coroutine function, for `verify_async`) from an access key ID to Credentials, a secret, a public key
    (of `cryptography`, for SigV4A alone), or None for a key that does not exist. max_skew: seconds that a signer's clock may be
    off. now: the clock: a function, a datetime that stands still, or None for the real one. services, regions, hosts: those that
    are taken; None takes any.
    unsigned_headers: `x-amz-*` headers that need no signature because something on the way adds them (CloudFront's x-amz-cf-id).
    schemes: those that are taken, of "sigv4", "sigv4a", "sigv2" and "s3v2"; leave the older two out where no client needs them.
    bucket_of: a function from a Host header to the bucket that it stands for, or None; for S3's HMAC-SHA1, which signs it.
    max_head, max_body: bytes that method, target and headers, and that a body as it arrives, may have; of a body, None is no limit.
    unsigned_payload: where a signature that does not cover the body is taken: "service" where AWS's service takes it, "https" of these
    only over https, "refuse" nowhere (chunks that are signed each are covered; presigned URLs of S3 are not).
    replay_guard: refuses a request that was verified before, as MemoryReplayGuard does; None takes it again. A request counts as taken
    once its head is verified, whatever becomes of a body that is yet to be read.
    """

    def __init__(
        self,
        secret_for: Callable[[str], Secret | Awaitable[Secret]],
        *,
        max_skew: float | timedelta = 900,
        now: Callable[[], datetime] | datetime | None = None,
        services: Container[str] | None = None,
        regions: Container[str] | None = None,
        hosts: Container[str] | None = None,
        unsigned_headers: Iterable[str] = (),
        schemes: Iterable[str] = ("sigv4", "sigv4a", "sigv2", "s3v2"),
        bucket_of: Callable[[str], str | None] = aws_bucket_of,
        max_head: int = 1 << 20,
        max_body: int | None = None,
        unsigned_payload: Literal["service", "https", "refuse"] = "service",
        replay_guard: ReplayGuard | None = None,
    ) -> None:
        if not callable(secret_for):
            raise TypeError(
                f"secret_for must be a function from an access key ID, not {type(secret_for).__name__}; pass secrets.get"
            )
        sets = {"services": services, "regions": regions, "hosts": hosts, "unsigned_headers": unsigned_headers, "schemes": schemes}
        for name, value in sets.items():
            if isinstance(value, str):
                raise TypeError(f"{name} must be a set of names, not a str; write {{{value!r}}}")
        if isinstance(max_skew, timedelta):
            max_skew = max_skew.total_seconds()
        if not isinstance(max_skew, (int, float)) or not 0 <= max_skew <= _LONGEST_SKEW:
            raise InvalidRequest(f"max_skew is {max_skew}; it is a number of seconds from 0 to {_LONGEST_SKEW}, a year")
        self._secret_for = secret_for
        self._settings = settings = Settings()
        settings.max_skew = timedelta(seconds=max_skew)
        settings.now = _clock(now)
        settings.services, settings.regions = services, regions
        settings.hosts = frozenset(host.lower() for host in hosts) if isinstance(hosts, (set, frozenset, list, tuple)) else hosts
        settings.unsigned_headers = frozenset(name.lower() for name in unsigned_headers)
        settings.schemes = frozenset(schemes)
        if unknown := settings.schemes - _CLAIMS.keys():
            raise InvalidRequest(f"schemes: {', '.join(sorted(unknown))} is not one of {', '.join(_CLAIMS)}")
        settings.bucket_of = bucket_of
        for name, most in (("max_head", max_head), ("max_body", max_body)):
            if not (most is None and name == "max_body") and (not isinstance(most, int) or most < 0):
                raise InvalidRequest(f"{name} is {most!r}; it is a number of bytes")
        if unsigned_payload not in ("service", "https", "refuse"):
            raise InvalidRequest(f"unsigned_payload={unsigned_payload!r}: it is 'service', 'https' or 'refuse'")
        if replay_guard is not None and not callable(getattr(replay_guard, "add", None)):
            raise TypeError(
                f"replay_guard must have an add method, as MemoryReplayGuard has; {type(replay_guard).__name__} has none"
            )
        settings.max_head, settings.max_body = max_head, max_body
        settings.unsigned_payload = unsigned_payload
        settings.replay_guard = replay_guard

    def __repr__(self) -> str:
        settings = self._settings
        return f"<Verifier services={settings.services!r} regions={settings.regions!r} hosts={settings.hosts!r}>"

    @property
    def max_body(self) -> int | None:
        """How many bytes of a body are taken; None is no limit."""
        return self._settings.max_body

    def claim(self, request: Request) -> Claim:
        """The first step, without any secret: what the request claims. SignatureError if that cannot hold."""
        require_request(request)
        arrival = Arrival(request, self._settings)
        places = places_of(arrival)
        if not places and is_form(request.method, request.headers, MULTIPART):
            if isinstance(request.body, bytes):
                return claim_of_bytes(arrival, request.body)
            # To be read by `form`, where forms are taken.
            arrival.fail("missing-authentication", "the head of the request is not signed; of a form, the policy is in its body")
        if not places:
            arrival.fail(
                "missing-authentication", "the request is not signed: no Authorization header and no signature in its query"
            )
        if len(places) > 1:
            arrival.fail("two-authentications", "the request is signed in more than one place; only one is allowed")
        [(scheme, place)] = places
        if scheme not in self._settings.schemes:
            arrival.fail("unsupported-algorithm", f"the request is signed by {scheme}, which is not taken here")
        return _CLAIMS[scheme](arrival, place)

    def form(self, request: Request) -> FormReader:
        """What reads a form that a browser posts to S3, block by block: feed it until it has a `claim`, and verify that.

        Then `verified.body`, fed with the rest, gives the file. SignatureError for what is no form; ValueError for a request that has
        its body already; MissingExtra where the package that reads one is not installed.
        """
        require_request(request)
        if request.body is not None:
            raise ValueError(
                "the body of a form is fed to its reader: leave its body out of the request, or verify one of bytes whole"
            )
        arrival = Arrival(request, self._settings)
        if not is_form(request.method, request.headers, MULTIPART):
            arrival.fail("malformed-form", "a form is a POST of multipart/form-data")
        if places_of(arrival):
            arrival.fail("two-authentications", "the request is signed as a whole: it is not a form that a policy signs")
        return form_reader(arrival)

    def verify(self, request: Request | Claim) -> Verified:
        """Verify a received request, or a claim of one: `Verified`, or SignatureError.

        A body of bytes is checked here. One that is yet to be read (None or a stream) is checked by passing it through
        `verified.body`; where the request does not declare its body's hash (`claim.needs_body`), bytes or a seekable file are
        needed here, and a signed form must be bytes.
        """
        claim = request if isinstance(request, Claim) else self.claim(request)
        secret = self._secret_for(claim.access_key_id)
        if not isinstance(secret, (str, Credentials)) and isinstance(secret, Awaitable):
            getattr(secret, "close", bool)()  # Else Python warns that it was never awaited.
            raise TypeError("secret_for is a coroutine function; await verifier.verify_async(request)")
        return claim.verify(secret)

    async def verify_async(self, request: Request | Claim) -> Verified:
        """The same, with a secret_for that may have to be awaited."""
        claim = request if isinstance(request, Claim) else self.claim(request)
        secret = self._secret_for(claim.access_key_id)
        if isinstance(secret, Awaitable):
            secret = await secret
        return await claim.verify_async(secret)


def _clock(now: Callable[[], datetime] | datetime | None) -> Callable[[], datetime]:
    if now is None:
        return clock
    if isinstance(now, datetime):
        fixed = require_aware(now)
        return lambda: fixed
    if not callable(now):
        raise TypeError(f"now must be a function, an aware datetime or None, not {type(now).__name__}")
    return lambda: require_aware(now())
