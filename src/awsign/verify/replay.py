"""The replay guard: a request that was verified once is not taken again while it could still verify.

Off by default, since clients and proxies do send a request again. Never for presigned URLs and forms, which may be used often.
"""

from __future__ import annotations

import threading
from hashlib import sha256
from heapq import heappop, heappush

from ..errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from datetime import datetime
    from typing import Protocol

    class ReplayGuard(Protocol):
        """What remembers requests; of one process or, as one on Redis would, of many."""

        def add(self, key: bytes, until: datetime, now: datetime) -> bool | Awaitable[bool]:
            """Remember a key until a time. Whether it is new; of two calls with one key, one alone is told so.

            An error that it raises refuses the request. On Redis: `SET key 1 NX PXAT until`.
            """
            ...


def replay_key(access_key_id: str, string_to_sign: str) -> bytes:
    """What a request is remembered by: not the signature, since two ECDSA signatures of one text are both right (RULES, Verifying)."""
    return sha256(f"{access_key_id}\n{string_to_sign}".encode("utf-8", "surrogatepass")).digest()


class GuardFull(Exception):
    """There is no room to remember another request."""


class MemoryReplayGuard:
    """Remembers in memory, in one process. Thread-safe.

    capacity: how many keys it holds, of about 200 bytes each. A request that it cannot remember is refused, not let through: with a
    window of 15 minutes, a million keys are some 1100 requests a second.
    """

    def __init__(self, capacity: int = 1_000_000) -> None:
        if not isinstance(capacity, int) or capacity < 1:
            raise InvalidRequest(f"capacity is {capacity!r}; it is how many requests are remembered, 1 or more")
        self._capacity = capacity
        self._keys: set[bytes] = set()
        self._by_end: list[tuple[datetime, bytes]] = []
        self._latest: datetime | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<MemoryReplayGuard {len(self._keys)} of {self._capacity}>"

    def add(self, key: bytes, until: datetime, now: datetime) -> bool:
        with self._lock:
            # Time does not go back here, whatever order threads come in: what was forgotten is not new.
            self._latest = now = now if self._latest is None else max(now, self._latest)
            if until < now:
                return False
            while self._by_end and self._by_end[0][0] < now:
                self._keys.discard(heappop(self._by_end)[1])
            if key in self._keys:
                return False
            if len(self._keys) >= self._capacity:
                raise GuardFull
            self._keys.add(key)
            heappush(self._by_end, (until, key))
            return True
