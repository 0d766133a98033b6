"""The difference between this machine's clock and that of an endpoint, learnt from what it answered.

Source: the SDKs' rule, as smithy-rs and botocore have it: an error that is about time is always worth a second signature; one that
is about the signature, where the server's clock is far off; a success never tells anything, since caches and proxies answer with
dates of their own (boto3 issue 1252).
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from .response import error_code, server_time
from .scope import in_utc, now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .response import Response

_ABOUT_TIME = frozenset(("RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"))
_ABOUT_SIGNATURE = frozenset(("InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure"))
# Whose clock is that close is refused for another reason: services allow five minutes or more.
_FAR = timedelta(minutes=4)
_SMALLEST = timedelta(seconds=1)
_KEPT = 1024


class ClockSkew:
    """The clocks of endpoints, by scheme, host and port. Safe under threads.

    clock: in the place of the machine's.
    """

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._offsets: dict[str, timedelta] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<ClockSkew {len(self._offsets)} endpoints>"

    @property
    def knows_any(self) -> bool:
        """Whether any endpoint's clock is known to be off: until then there is nothing to look up."""
        return bool(self._offsets)

    def now(self, url: str) -> datetime:
        """The time by the clock of a URL's endpoint: what to sign at."""
        return self._clock() + self.offset(url)

    def offset(self, url: str) -> timedelta:
        """How far the endpoint's clock is ahead of this machine's; 0 until something else is learnt."""
        return self._offsets.get(_endpoint(url), timedelta(0))

    def learn(self, url: str, response: Response, signed_at: datetime | None = None) -> bool:
        """Take an endpoint's time from an error that its clock explains. Whether to sign again: once, with `now`.

        signed_at: the time that the refused signature names; None is what `now` gives.
        """
        if response.status is not None and response.status < 400:
            return False
        code = error_code(response)
        if code not in _ABOUT_TIME and code not in _ABOUT_SIGNATURE:
            return False
        theirs = server_time(response)
        if theirs is None:
            return False
        off = abs(theirs - in_utc(signed_at or self.now(url)))
        if off < _SMALLEST or (code in _ABOUT_SIGNATURE and off <= _FAR):
            return False
        with self._lock:
            self._offsets.pop(_endpoint(url), None)
            while len(self._offsets) >= _KEPT:
                del self._offsets[next(iter(self._offsets))]
            self._offsets[_endpoint(url)] = theirs - self._clock()
        return True


def _endpoint(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0].partition('?')[0].rpartition('@')[2]}".lower()
