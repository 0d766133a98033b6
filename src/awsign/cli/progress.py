"""A bar on the terminal for transfers that take a while."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DELAY = 1.0  # Seconds before there is anything to see: most transfers are over by then.


class Progress:
    """Counts blocks as they pass. shown: whether there is somebody to see it, which takes a terminal on standard error too."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown and sys.stderr is not None and sys.stderr.isatty()

    def of(self, blocks: Iterable[bytes], total: int | None, what: str) -> Iterable[bytes]:
        """The same blocks. total: bytes, if known. what: "up" or "down"."""
        return self._counted(blocks, total, what) if self._shown else blocks

    def _counted(self, blocks: Iterable[bytes], total: int | None, what: str) -> Iterator[bytes]:
        try:
            from tqdm import tqdm
        except ImportError:  # Without its package there is no bar; the transfer goes on.
            yield from blocks
            return
        with tqdm(total=total, desc=what, unit="B", unit_scale=True, unit_divisor=1024, delay=_DELAY, file=sys.stderr) as bar:
            for block in blocks:
                yield block
                bar.update(len(block))
