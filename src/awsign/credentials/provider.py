"""What a source of credentials is, and the provider that keeps what it gave fresh."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

from ..errors import CredentialsError
from ..scope import now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from ..identity import Credentials

    class Source(Protocol):
        """One place where credentials may be found.

        name: as the AWS CLI's documentation calls it. `load` gives Credentials, raises NotHere where the place has none, and
        CredentialsError where it has some that are of no use.
        """

        name: str

        def load(self) -> Credentials: ...

else:
    Source = object

log = logging.getLogger("awsign.credentials")

# botocore's windows (credentials.py, RefreshableCredentials): from 15 minutes before the end a refresh is tried, and from 10
# minutes before it has to succeed.
ADVISORY = timedelta(minutes=15)
MANDATORY = timedelta(minutes=10)


class NotHere(CredentialsError):
    """A source has no credentials: the reason, for the checklist that the chain prints. Not a failure of the source."""


class Refreshing:
    """A provider over one source: what it gave is handed out until shortly before it ends, then the source is asked again.

    Threads share one refresh: while one refreshes, the others go on with what is there as long as it is good. In the advisory
    window a refresh that fails is logged and tolerated, in the mandatory one it is raised.
    """

    def __init__(
        self,
        source: Source,
        *,
        advisory: timedelta = ADVISORY,
        mandatory: timedelta = MANDATORY,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.source = source
        self._advisory = advisory
        self._mandatory = mandatory
        self._clock = clock
        self._lock = threading.Lock()
        self._credentials: Credentials | None = None
        self._retry_after: datetime | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.source.name}: {self._credentials!r}>"

    def get(self) -> Credentials:
        """Credentials that are good for a while. Raises CredentialsError if there are none to be had."""
        credentials = self._credentials
        if credentials is not None and not self._ends_within(credentials, self._advisory):
            return credentials
        must = credentials is None or self._ends_within(credentials, self._mandatory)
        if not self._lock.acquire(blocking=must):
            assert credentials is not None
            return credentials
        try:
            if self._credentials is not credentials and self._credentials is not None:
                return self._credentials  # Another thread was first.
            return self._refresh(credentials, must)
        finally:
            self._lock.release()

    async def get_async(self) -> Credentials:
        """The same for async callers: at once where nothing is to be fetched, else from a thread."""
        credentials = self._credentials
        if credentials is not None and not self._ends_within(credentials, self._advisory):
            return credentials
        import asyncio

        return await asyncio.to_thread(self.get)

    def _refresh(self, old: Credentials | None, must: bool) -> Credentials:
        if old is not None and not must and self._retry_after is not None and self._clock() < self._retry_after:
            return old
        try:
            fresh = self.source.load()
        except CredentialsError as error:
            if old is None or must:
                raise
            log.warning("refreshing the credentials of %s failed, the old ones still serve: %s", self._name(), error)
            self._retry_after = self._clock() + timedelta(minutes=1)
            return old
        if self._ends_within(fresh, timedelta(0)):
            raise CredentialsError(f"{self._name()} gave credentials that have ended already: {fresh!r}")
        log.debug("credentials from %s: %r", self._name(), fresh)
        self._credentials = old if fresh == old and old is not None else fresh
        return self._credentials

    def _name(self) -> str:
        """The source, by the one that a chain found."""
        return getattr(self.source, "found_in", None) or self.source.name

    def _ends_within(self, credentials: Credentials, window: timedelta) -> bool:
        return credentials.expiration is not None and credentials.expiration - self._clock() <= window
