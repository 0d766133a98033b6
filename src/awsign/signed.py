"""What signing gives: a request to send, or a URL to hand on."""

from __future__ import annotations

from .body import framing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from .body import Body
    from .canonical import Header
    from .derivation import Derivation


class Signed:
    """A signed request: `method`, `url`, `headers` and `body` are what must be sent, byte for byte.

    headers: (name, value) pairs in order, Host and Authorization included. derivation: how the signature came about.
    """

    __slots__ = ("body", "derivation", "headers", "method", "url")

    def __init__(self, method: str, url: str, headers: tuple[Header, ...], body: Body, derivation: Derivation) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.derivation = derivation

    def __repr__(self) -> str:
        return f"<Signed {self.method} {self.url.partition('?')[0]}>"


class Presigned:
    """A URL that carries its signature. `str()` gives the URL.

    headers: what its sender must send besides Host. expires_at: when it ends; no later than the credentials that signed it
    (None for a URL without X-Amz-Expires, signed by credentials that do not end).
    """

    __slots__ = ("derivation", "expires_at", "headers", "method", "url")

    def __init__(
        self, method: str, url: str, headers: tuple[Header, ...], expires_at: datetime | None, derivation: Derivation
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.expires_at = expires_at
        self.derivation = derivation

    def __str__(self) -> str:
        return self.url

    def __repr__(self) -> str:
        # Whoever has the URL may use it: it is a secret too.
        return f"<Presigned {self.method} {self.url.partition('?')[0]} until {self.expires_at}>"


def framed(signed: Signed, announced: int | None = None) -> list[Header]:
    """The headers with what the body's framing needs. announced: the length of one that only reading it would tell."""
    headers = list(signed.headers)
    names = {name.lower() for name, _ in headers}
    if signed.body is None and signed.method not in ("POST", "PUT", "PATCH"):
        return headers
    if "content-length" not in names and "transfer-encoding" not in names:
        headers.append(framing(signed.body, announced))
    return headers
