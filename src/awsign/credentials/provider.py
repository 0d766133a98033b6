"""What a source of credentials is, and the provider that keeps what it gave fresh."""

from __future__ import annotations

import os
import sys
import threading
from datetime import timedelta

from ..errors import AwsignError, CredentialsError
from ..identity import Credentials
from ..scope import now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from datetime import datetime
    from logging import Logger
    from typing import Any

# botocore's windows (credentials.py, RefreshableCredentials): from 15 minutes before the end a refresh is tried, and from 10
# minutes before it has to succeed.
ADVISORY = timedelta(minutes=15)
MANDATORY = timedelta(minutes=10)
_LONGEST_WINDOW = timedelta(days=7)
_PAUSE = timedelta(minutes=1)  # Between two refreshes of which the first failed, while the old ones still serve.
_PAUSE_FOR_THE_SAME = timedelta(seconds=1)  # Where the first gave those that were there.

# Held by the first thread of a forked process that notices; its own lock may have been forked while it was held.
_forked = threading.Lock()


class NotHere(CredentialsError):
    """A source has no credentials: the reason, for the checklist that the chain prints. Not a failure of the source."""


class Source:
    """One place where credentials may be found, and a provider of what it gives, kept fresh as by `Refreshing(source)`.

    name: as the AWS CLI's documentation calls it. `load` asks the place: it gives Credentials, raises NotHere where the place has
    none, and CredentialsError where it has some that are of no use. One of your own needs no more than these two. advisory,
    mandatory: the windows of its credentials, where they do not last as long as others.
    """

    name: str
    advisory = ADVISORY
    mandatory = MANDATORY

    def load(self) -> Credentials:
        raise NotImplementedError(f"{type(self).__name__} has no load()")

    def get(self) -> Credentials:
        """Credentials that are good for a while. Raises CredentialsError if there are none to be had."""
        return self._refreshing().get()

    async def get_async(self) -> Credentials:
        """The same for tasks: at once where there is something to go on with."""
        return await self._refreshing().get_async()

    def forget(self, credentials: Credentials) -> None:
        """Have it asked again before these are handed out once more: a service called them expired or unknown."""
        self._refreshing().forget(credentials)

    def _refreshing(self) -> Refreshing:
        kept: Refreshing | None = self.__dict__.get("_kept_fresh")
        return kept or self.__dict__.setdefault("_kept_fresh", Refreshing(self))  # Of two threads, one is first.


class _Refresh:
    """A refresh that is under way. A future is made where there is somebody to wait: in most programs there never is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._future: Future[Credentials] | None = None
        self._outcome: Credentials | BaseException | None = None

    def future(self) -> Future[Credentials]:
        """What others wait for."""
        from concurrent.futures import Future

        with self._lock:
            if self._future is None:
                self._future = Future()
                self._future.set_running_or_notify_cancel()  # One task that is cancelled must not cancel it for the others.
                self._tell()
            return self._future

    def end(self, outcome: Credentials | BaseException) -> None:
        """Tell all who wait, and who will ask."""
        with self._lock:
            self._outcome = outcome
            self._tell()

    def _tell(self) -> None:
        if self._future is None or self._outcome is None:
            return
        if isinstance(self._outcome, BaseException):
            self._future.set_exception(self._outcome)
        else:
            self._future.set_result(self._outcome)


class _Fresh:
    """Credentials, from when on a refresh is tried, and from when on it has to succeed; None for never."""

    __slots__ = ("credentials", "must_from", "try_from")

    def __init__(self, credentials: Credentials, advisory: timedelta, mandatory: timedelta) -> None:
        self.credentials = credentials
        end = credentials.expiration
        self.try_from = end and end - advisory
        self.must_from = end and end - mandatory


class Refreshing:
    """A provider over one source: what it gave is handed out until shortly before it ends, then the source is asked again.

    However many threads and tasks ask, the source is asked once at a time. In the advisory window one of them asks it and the
    others go on with what is there, a failure is logged and tolerated; in the mandatory one all wait for it, and it is raised.
    advisory, mandatory: how long before the end these begin, timedeltas; None is what the source says.
    clock: in the place of the machine's.
    """

    def __init__(
        self,
        source: Source,
        *,
        advisory: timedelta | None = None,
        mandatory: timedelta | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.source = source
        advisory = getattr(source, "advisory", ADVISORY) if advisory is None else advisory
        mandatory = getattr(source, "mandatory", MANDATORY) if mandatory is None else mandatory
        for name, window in (("advisory", advisory), ("mandatory", mandatory)):
            if not isinstance(window, timedelta):
                raise TypeError(f"{name} must be a timedelta, not {type(window).__name__}")
            if not timedelta(0) <= window <= _LONGEST_WINDOW:
                raise ValueError(f"{name}={window}; it is from 0 to {_LONGEST_WINDOW.days} days")
        if mandatory > advisory:
            raise ValueError(f"mandatory={mandatory} begins before advisory={advisory}; it is the shorter of the two")
        self._advisory = advisory
        self._mandatory = mandatory
        self._clock = clock
        self._fresh: _Fresh | None = None
        self._begin_process()

    def _begin_process(self) -> None:
        """Nothing under way: at first, and in a process that was forked while its parent was refreshing."""
        self._lock = threading.Lock()
        self._under_way: _Refresh | None = None
        self._by: int | None = None  # The thread that does it.
        self._pid = os.getpid()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.source.name}: {self._fresh and self._fresh.credentials!r}>"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_pid", "_lock", "_under_way")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin_process()

    def get(self) -> Credentials:
        """Credentials that are good for a while. Raises CredentialsError if there are none to be had."""
        held, must = self._held()
        if held is not None and must is None:
            return held
        refresh, mine = self._join()
        if mine:
            return self._refresh(refresh)
        if held is not None and not must:
            return held
        self._check_not_by_itself()
        return refresh.future().result()

    async def get_async(self) -> Credentials:
        """The same for tasks: at once where there is something to go on with, and the source is asked in a thread."""
        held, must = self._held()
        if held is not None and must is None:
            return held
        refresh, mine = self._join()
        if mine:
            self._begin_apart(refresh)
        if held is not None and not must:
            return held
        self._check_not_by_itself()
        import asyncio

        return await asyncio.wrap_future(refresh.future())

    def forget(self, credentials: Credentials) -> None:
        """Have the source asked again before these are handed out once more: a service called them expired or unknown."""
        fresh = self._fresh
        if fresh is not None and fresh.credentials == credentials:
            with self._lock:
                if self._fresh is fresh:  # Not those that another has fetched meanwhile.
                    self._fresh = None

    def _held(self) -> tuple[Credentials | None, bool | None]:
        """What is there, and whether a refresh must succeed (True), is to be tried (False) or is not due (None)."""
        fresh = self._fresh
        if fresh is None:
            return None, True
        if fresh.try_from is None or fresh.must_from is None:
            return fresh.credentials, None
        at = self._clock()
        if at >= fresh.must_from:
            return fresh.credentials, True
        return fresh.credentials, False if at >= fresh.try_from else None

    def _check_not_by_itself(self) -> None:
        if self._by == threading.get_ident():
            raise CredentialsError(f"{self._name()} asks, while it is asked for credentials, the provider that asks it")

    def _join(self) -> tuple[_Refresh, bool]:
        """The refresh that is under way, and whether it is the caller's to do."""
        if self._pid != os.getpid():
            with _forked:
                if self._pid != os.getpid():
                    self._begin_process()
        with self._lock:
            if self._under_way is not None:
                return self._under_way, False
            self._under_way = _Refresh()
            return self._under_way, True

    def _begin_apart(self, refresh: _Refresh) -> None:
        """In a thread of its own: those of the loop may all be in use, and be waiting for this."""
        try:
            threading.Thread(target=self._refresh_apart, args=(refresh,), name="awsign-credentials", daemon=True).start()
        except RuntimeError as error:
            self._end(refresh, CredentialsError(f"no thread can be started to ask {self._name()} for credentials: {error}"))

    def _refresh(self, refresh: _Refresh) -> Credentials:
        """Ask the source, and tell all who wait."""
        self._by = threading.get_ident()
        try:
            credentials = self._load()
        except BaseException as error:
            # A loop's own, or one that a future cannot carry, is the caller's alone.
            carried = isinstance(error, Exception) and not isinstance(error, StopIteration)
            self._end(
                refresh, error if carried else CredentialsError(f"asking for credentials was ended by {type(error).__name__}")
            )
            raise
        self._end(refresh, credentials)
        if "logging" in sys.modules:  # Else nobody can be listening, and importing it takes longer than all of this.
            log().debug("credentials of %s: %r", self._name(), credentials)
        return credentials

    def _end(self, refresh: _Refresh, outcome: Credentials | BaseException) -> None:
        self._by = None
        self._under_way = None
        refresh.end(outcome)

    def _refresh_apart(self, refresh: _Refresh) -> None:
        try:
            self._refresh(refresh)
        except CredentialsError:
            pass  # Whoever waits has it; in the advisory window nobody does, and it was logged.
        except Exception as error:
            log().error("asking %s for credentials failed: %s", self._name(), type(error).__name__)

    def _load(self) -> Credentials:
        held, must = self._held()
        if held is not None and must is None:
            return held  # Another was first.
        old = self._fresh
        try:
            credentials = self.source.load()
            if not isinstance(credentials, Credentials):
                raise TypeError(f"{type(self.source).__name__}.load() gave {type(credentials).__name__}, not awsign.Credentials")
            at = self._clock()
            if credentials.expiration is not None and credentials.expiration <= at:
                raise CredentialsError(
                    f"{self._name()} gave credentials of {credentials.access_key_id} that have ended already, "
                    f"at {credentials.expiration.isoformat()}"
                )
        except Exception as error:
            if old is None or self._held()[1]:  # By the time that it is now.
                raise
            # The text of an error that is not ours may hold anything.
            why = str(error) if isinstance(error, AwsignError) else type(error).__name__
            log().warning("refreshing the credentials of %s failed, the old ones still serve: %s", self._name(), why)
            old.try_from = self._clock() + _PAUSE
            return old.credentials
        if old is not None and credentials == old.credentials:
            # The source has no others yet. These have their signing keys derived; asking at every signature would change nothing.
            old.try_from = min(at + _PAUSE_FOR_THE_SAME, credentials.expiration or at)
            if old.must_from is not None and old.must_from < old.try_from:
                old.must_from = old.try_from
            return old.credentials
        with self._lock:
            self._fresh = _Fresh(credentials, self._advisory, self._mandatory)
        return credentials

    def _name(self) -> str:
        """The source, by the one that a chain found."""
        return getattr(self.source, "found_in", None) or self.source.name


def log() -> Logger:
    import logging

    return logging.getLogger("awsign.credentials")


def _in_child() -> None:
    global _forked
    _forked = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
