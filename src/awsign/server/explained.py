"""Why a request was refused, for a server that is there for those who write signers: it holds the keys, so it may say."""

from __future__ import annotations

import asyncio

from ..explainer import explain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Literal

    from ..errors import SignatureError
    from ..explainer import Report
    from ..identity import Credentials
    from ..request import Request
    from ..verify import Verified

# A body that is larger is left out of the explanation, and was not read for it.
_LARGEST = 1 << 20


class Recorded:
    """A request that was judged. request: as it arrived. verified, or error: the outcome. report: the explainer's, of a refused one.

    body: decoded, of a verified one.
    """

    __slots__ = ("body", "error", "report", "request", "verified")

    def __init__(
        self, request: Request, verified: Verified | None, error: SignatureError | None, report: Report | None, body: bytes = b""
    ) -> None:
        self.request = request
        self.verified = verified
        self.error = error
        self.report = report
        self.body = body

    def __repr__(self) -> str:
        outcome = self.error.kind if self.error else "verified"
        return f"<Recorded {self.request.method} {self.request.path}: {outcome}>"


class Kept:
    """What was read of a body, up to a size beyond which nothing is kept."""

    def __init__(self) -> None:
        self.data: bytearray | None = bytearray()

    def add(self, block: bytes) -> None:
        if self.data is not None:
            self.data += block
            if len(self.data) > _LARGEST:
                self.data = None


class Explainer:
    """Explains refusals. secret_for: from an access key ID to its credentials, None for one that is not known: then only what can be seen is said.

    effort: as for `awsign.explain`.
    """

    def __init__(self, secret_for: Callable[[str], Credentials | None], *, effort: Literal["full", "quick"] = "full") -> None:
        self._secret_for = secret_for
        self._effort = effort

    async def report(self, request: Request, error: SignatureError, read: Kept, blocks: AsyncIterator[bytes]) -> Report:
        """The explainer's report of a refused request. read: what of its body was read; blocks: the rest."""
        known = self._secret_for(error.access_key_id) if error.access_key_id else None
        body = request.body
        if request.body is None and _small(request):
            async for _ in blocks:
                if read.data is None:
                    break
            body = None if read.data is None else bytes(read.data)
        return await asyncio.to_thread(explain, request.but(body=body), known, None, None, effort=self._effort)


def _small(request: Request) -> bool:
    length = next((value for name, value in request.headers if name.lower() == "content-length"), "0")
    text = (length if isinstance(length, str) else length.decode("latin-1")).strip()
    return text.isascii() and text.isdigit() and int(text[:12]) <= _LARGEST
