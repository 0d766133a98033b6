"""The checksums of S3, of a header or a trailer: CRC32, CRC32C, CRC64NVME, SHA1, SHA256.

Source: S3 user guide, "Checking object integrity for data uploads". CRC32C and CRC64NVME are awscrt's (`awsign[checksums]`),
which has them at the speed of memory; the others are the standard library's.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode

from .errors import InvalidRequest, MissingExtra

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = "x-amz-checksum-"
# Of each, how many bytes it has.
_WIDTHS = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}
CHECKSUM_HEADERS = frozenset(f"{PREFIX}{name.lower()}" for name in _WIDTHS)
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def _crc(name: str) -> Callable[[bytes | bytearray | memoryview, int], int]:
    if name == "CRC32":
        from zlib import crc32

        return crc32
    try:
        from awscrt import checksums
    except ImportError:
        raise MissingExtra(f"{name} needs awscrt; pip install 'awsign[checksums]', or take CRC32, SHA1 or SHA256") from None
    function: Callable[[bytes | bytearray | memoryview, int], int] = getattr(checksums, name.lower())
    return function


class Checksum:
    """A checksum as it is computed, block by block.

    name: CRC32, CRC32C, CRC64NVME, SHA1 or SHA256, in any case, or the header that it stands in. Raises InvalidRequest for
    another, MissingExtra where it needs a package that is not installed.
    """

    __slots__ = ("_crc", "_sha", "_value", "header", "name")

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"a checksum is named by a str such as 'CRC32', not by {type(name).__name__}")
        self.name = name.lower().removeprefix(PREFIX).upper()
        if self.name not in _WIDTHS:
            raise InvalidRequest(f"the checksum {name!r} is not one of {', '.join(_WIDTHS)}")
        self.header = f"{PREFIX}{self.name.lower()}"
        self._value = 0
        self._sha: hashlib._Hash | None = None
        if self.name.startswith("SHA"):
            self._sha = hashlib.new(self.name.lower(), usedforsecurity=False)
        else:
            self._crc = _crc(self.name)

    def __repr__(self) -> str:
        return f"<Checksum {self.name}>"

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next block."""
        if self._sha is not None:
            self._sha.update(data)
        else:
            self._value = self._crc(data, self._value)

    def base64(self) -> str:
        """The value so far, as headers and trailers have it: the base64 of its bytes, the most significant first."""
        value = self._sha.digest() if self._sha is not None else self._value.to_bytes(_WIDTHS[self.name], "big")
        return b64encode(value).decode()

    def can_be(self, text: str) -> bool:
        """Whether a text reads as a value of this checksum."""
        width = -(-_WIDTHS[self.name] // 3) * 4
        return len(text) == width and _BASE64.fullmatch(text) is not None
