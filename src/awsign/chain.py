"""Signatures that each cover the one before, from the request's own on: of the chunks of a body, its trailer, the frames of events.

Source: S3 API reference, "Signature calculations for the Authorization header: transferring payload in multiple chunks"; Amazon
Transcribe developer guide, "Event stream encoding" (signing).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .scope import Key


class Chain:
    """The state between one signature and the next.

    algorithm: its name, as AWS4-HMAC-SHA256. seed: the signature of the request, in hex. previous: the signature before.
    """

    __slots__ = ("_algorithm", "_key", "_when", "previous")

    def __init__(self, algorithm: str, seed: str) -> None:
        self._algorithm = algorithm
        self._when = ""
        self._key: Key | None = None
        self.previous = seed

    def __repr__(self) -> str:
        return f"<Chain {self._algorithm}>"

    def move(self, stamp: str, scope: str, key: Key) -> None:
        """To a time, before anything is signed: that of the request, or of a frame, each of which has one of its own."""
        self._when = f"{stamp}\n{scope}"
        self._key = key

    @classmethod
    def at(cls, algorithm: str, stamp: str, scope: str, key: Key, seed: str) -> Chain:
        """One whose signatures are all of one time."""
        chain = cls(algorithm, seed)
        chain.move(stamp, scope, key)
        return chain

    def string_to_sign(self, what: str, covered: str) -> str:
        """What: PAYLOAD or TRAILER. covered: the lines after the previous signature, SHA-256 in hex."""
        return f"{self._algorithm}-{what}\n{self._when}\n{self.previous}\n{covered}"

    def sign(self, what: str, covered: str) -> str:
        """The next signature."""
        assert self._key is not None
        self.previous = self._key.sign(self.string_to_sign(what, covered))
        return self.previous

    def accepts(self, signature: str, what: str, covered: str) -> bool:
        """Whether a signature is the next one; then the one after must cover it."""
        assert self._key is not None
        if not self._key.matches(self.string_to_sign(what, covered), signature):
            return False
        self.previous = signature
        return True
