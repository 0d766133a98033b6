"""What a request claims about its signature, read and judged without any secret; then checked with one."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta
from hmac import compare_digest

from ..body import blocks, seekable
from ..identity import Credentials
from .body import Limited
from .replay import GuardFull, replay_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any, NoReturn

    from ..derivation import Derivation
    from .arrival import Arrival, Secret
    from .body import Body
    from .events import EventCheck
    from .form_reader import Form


# Longer than a request counts: clocks, and threads that read them, differ a little.
_MARGIN = timedelta(minutes=1)


_CLAIMED = frozenset(
    (
        "access_key_id", "expires_at", "form", "location", "region", "scheme", "scope", "service", "session_token", "signed_at",
        "signed_headers",
    )
)  # fmt: skip


class Verified:
    """Who signed a request, and what their signature covers.

    access_key_id: str.
    scheme: "sigv4", "sigv4a", "sigv2" or "s3v2".
    location: where the signature was: "header", "query" or "form".
    scope: the credential scope; None in the older schemes.
    service, region: of the scope, or of the host where the scheme names none; the region of "sigv4a" is its region set.
    signed_headers: lower-case names; None in "sigv2" and for a form.
    signed_at, expires_at: aware datetimes; None where the scheme says neither.
    session_token: as it arrived, or None.
    content: the body, decoded, where it was given as bytes; of a form it is the file. None where it is yet to be read.
    body: what to pass a body through that is yet to be read: `feed(data)` and `close()` give what `content` would have.
    form: of a form that a browser posted, its fields, key and bucket; else None.
    derivation: the canonical request and the string to sign.
    """

    access_key_id: str
    scheme: str
    location: str
    scope: str | None
    service: str | None
    region: str | None
    signed_headers: tuple[str, ...] | None
    signed_at: datetime | None
    expires_at: datetime | None
    session_token: str | None
    form: Form | None

    def __init__(self, claim: Claim, derivation: Derivation, body: Body | None, content: bytes | None = None) -> None:
        self._claim = claim
        self._body = body
        self.content = content
        self.derivation = derivation

    def __getattr__(self, name: str) -> Any:
        """What the claim said, and is verified now. To copy all of it would take longer than to hash a body."""
        if name in _CLAIMED:
            return getattr(self._claim, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *_CLAIMED]

    def __repr__(self) -> str:
        unread = "" if self._body is None else ", its body yet to be read"
        return f"<Verified {self.access_key_id} by {self.scheme} {self.scope or ''}{unread}>"

    @property
    def body(self) -> Body:
        """What to pass the body through. One that was given as bytes was checked already; it may be passed through once more."""
        if self._body is None:
            self._body = self._claim._limited(self._claim._body())
        return self._body

    def events(self) -> EventCheck:
        """What checks the signed frames that follow a presigned wss:// request, as Amazon Transcribe has them.

        Those that are the body of a request in HTTP are checked by `body`. ValueError for one that begins no stream.
        """
        return self._claim._events()


class Claim:
    """The first step: what a request says of its signature, its times and scope judged already. `verify` is the second.

    One subclass for each scheme sets these and says how the signature is derived.
    """

    scheme: str
    location: str = "header"
    access_key_id: str
    signature: str
    scope: str | None = None
    service: str | None = None
    region: str | None = None
    signed_headers: tuple[str, ...] | None = None
    signed_at: datetime | None = None
    expires_at: datetime | None = None
    session_token: str | None = None
    # Of a form that a browser posted: what it says.
    form: Form | None = None
    # Whether what was derived may be told to whoever sent it: masking (redact.py) does not see into a policy.
    _may_be_shown: bool = True
    # Whether deriving the signature hashed the body itself, so that there is nothing left to check it against.
    _body_is_signed: bool = False

    def __init__(self, arrival: Arrival) -> None:
        self._arrival = arrival

    def __repr__(self) -> str:
        return f"<{type(self).__name__} by {self.access_key_id!r} {self.scope or ''}>"

    @property
    def needs_body(self) -> bool:
        """Whether the signature covers a hash that the request does not declare, so that `verify` needs the body itself."""
        return False

    @property
    def shape(self) -> str:
        """The shape in which the service words its answers: s3, ec2, query, json or rest."""
        return self._arrival.shape()

    @property
    def action(self) -> str | None:
        """The Action of a Query API request, None of another."""
        return self._arrival.action()

    def refuse(self, kind: str, message: str) -> NoReturn:
        """Raise SignatureError for a reason of the caller's, in the words of the service."""
        self._arrival.fail(kind, message)

    def _check(self, signer: Any) -> tuple[Derivation, bool]:
        """What should have been signed, without its signature, which must not leave this function; and whether it was.

        signer: Credentials, or what `_public_key` made of a public key.
        """
        raise NotImplementedError

    def _authorize(self) -> None:
        """What the signature holds for, where it says that itself: a policy. Called once the signature holds."""

    def _body(self) -> Body:
        """What the body must be; called after these."""
        raise NotImplementedError

    def _events(self) -> EventCheck:
        raise ValueError(f"a request signed by {self.scheme} has no event stream")

    def _public_key(self, given: object) -> object | None:
        """What checks signatures by a public key alone, in the one scheme that can; None for what is no public key."""
        return None

    async def verify_async(self, credentials: Secret) -> Verified:
        """The same as `verify`, with a replay guard that may have to be awaited."""
        verified = self._verify_but_for_replay(credentials)
        fresh = self._guarded(verified)
        if fresh is not True and isinstance(fresh, Awaitable):  # To ask an abstract class takes longer than all else here.
            try:
                fresh = await fresh
            except GuardFull:
                self._refuse_for_room()
        return self._taken(verified, fresh)

    def verify(self, credentials: Secret) -> Verified:
        """Check the signature with the key that the claim names; `Verified`, or SignatureError.

        credentials: those of `access_key_id`. A str is the secret alone, and for SigV4A an EC public key of `cryptography` serves
        too (awsign.sigv4a.public_key): then the session token, if the request has one, is covered by the signature but not
        compared with anything; that is left to the caller. None: there is no such key.
        """
        verified = self._verify_but_for_replay(credentials)
        fresh = self._guarded(verified)
        if fresh is not True and isinstance(fresh, Awaitable):  # To ask an abstract class takes longer than all else here.
            getattr(fresh, "close", bool)()  # Else Python warns that it was never awaited.
            raise TypeError("the replay guard has to be awaited; await verifier.verify_async(request) or claim.verify_async(...)")
        return self._taken(verified, fresh)

    def _check_size(self, most: int) -> None:
        """That a body is not larger than is taken, by its length or by what Content-Length says of it."""
        body, length = self._arrival.request.body, self._arrival.header("content-length")
        declared = int(length[:20]) if length.isascii() and length.isdigit() else 0
        if declared > most or (isinstance(body, bytes) and len(body) > most):
            self._arrival.fail("body-too-large", f"the body is larger than {most} bytes")

    def _guarded(self, verified: Verified) -> bool | Awaitable[bool]:
        """Whether the request is new to the replay guard, or on the way to know that."""
        settings, signed_at = self._arrival.settings, self.signed_at
        # A URL may be used again until it ends, and so may a form; a request of a Query API is one, wherever its signature stands.
        if settings.replay_guard is None or signed_at is None or not (self.location == "header" or self.scheme == "sigv2"):
            return True
        now, until = settings.now(), signed_at + settings.max_skew
        if now > until:  # Its body took so long that it ended meanwhile, and may have been forgotten.
            self._arrival.check_skew(signed_at)
        try:
            return settings.replay_guard.add(
                replay_key(self.access_key_id, verified.derivation.wire_string_to_sign), until + _MARGIN, now
            )
        except GuardFull:
            self._refuse_for_room()

    def _refuse_for_room(self) -> NoReturn:
        self._arrival.fail("replay-guard-full", "there is no room to remember another request; send it again later")

    def _taken(self, verified: Verified, fresh: bool) -> Verified:
        if not fresh:
            self._arrival.fail("replayed", "this request was taken already; sign it anew")
        return verified

    def _verify_but_for_replay(self, credentials: Secret) -> Verified:
        arrival = self._arrival
        if arrival.settings.max_body is not None:
            self._check_size(arrival.settings.max_body)
        if credentials is None:
            arrival.fail("unknown-access-key", f"there is no access key {self.access_key_id[:40]!r} here")
        if isinstance(credentials, str):
            kept = arrival.settings.kept(self.access_key_id, credentials)
            if kept is None:
                arrival.fail("unknown-access-key", f"{self.access_key_id[:40]!r} cannot be an access key")
            return self._verify(kept, None)
        if isinstance(credentials, Credentials):
            if credentials.access_key_id != self.access_key_id:
                raise ValueError(
                    f"the request claims the access key {self.access_key_id}, but the credentials are of {credentials.access_key_id}"
                )
            return self._verify(arrival.settings.kept(self.access_key_id, credentials), credentials)
        signer = self._public_key(credentials)
        if signer is not None:
            return self._verify(signer, None)
        if hasattr(credentials, "public_bytes"):
            arrival.fail(
                "unsupported-algorithm", f"of {self.access_key_id[:40]} the public key is known, which verifies SigV4A alone"
            )
        raise TypeError(f"credentials must be Credentials, a secret, a public key or None, not {type(credentials).__name__}")

    def _verify(self, signer: object, expected: Credentials | None) -> Verified:
        """Expected: the credentials whose session token and end count, if there are any."""
        arrival = self._arrival
        derivation, holds = self._check(signer)
        if not holds:
            hint = ""
            if self._body_is_signed and arrival.request.body is None and arrival.request.method in ("POST", "PUT", "PATCH"):
                hint = "; if the request has a body, give it to Request.received: it is part of what was signed"
            arrival.fail(
                "signature-mismatch",
                "the signature is not that of the request as it arrived; compare the canonical request that was signed with "
                f"the one derived here, and check the secret{hint}",
                derivation if self._may_be_shown else None,
            )
        if expected is not None and expected.expiration is not None and expected.expiration <= arrival.settings.now():
            arrival.fail("expired-token", f"the credentials of {self.access_key_id} expired at {expected.expiration.isoformat()}")
        if expected is not None and not compare_digest(
            (expected.session_token or "").encode(), (self.session_token or "").encode()
        ):
            what = (
                "has no session token, but its access key needs one"
                if not self.session_token
                else "has a session token that is not its access key's"
            )
            arrival.fail("invalid-token", f"the request {what}")

        self._authorize()
        if self._body_is_signed:
            return Verified(self, derivation, None, arrival.request.body if isinstance(arrival.request.body, bytes) else None)
        given = arrival.request.body
        if isinstance(given, bytes):
            return Verified(self, derivation, None, self._content(given))
        body = self._limited(self._body())
        if seekable(given):
            self._check_file(given, body)
            return Verified(self, derivation, None)
        return Verified(self, derivation, body)

    def _content(self, given: bytes) -> bytes:
        """A body that is there as a whole, checked and decoded."""
        body = self._limited(self._body())
        return body.feed(given) + body.close()

    def _limited(self, body: Body) -> Body:
        """A body that may not have more bytes than are taken."""
        most = self._arrival.settings.max_body
        return body if most is None else Limited(body, most, self._arrival.fail)

    def _check_file(self, file: Any, body: Body) -> None:
        """A file that can be read again is checked where it is, and put back."""
        start = file.tell()
        try:
            for block in blocks(file):
                body.feed(block)
            body.close()
        finally:
            file.seek(start)
