"""A bar on the terminal for transfers that take a while."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

_DELAY = 1.0  # Seconds before there is anything to see: most transfers are over by then.


class Progress:
    """Counts blocks as they pass. shown: whether there is somebody to see it, which takes a terminal on standard error too."""

    def __init__(self, *, shown: bool) -> None:
        self._bar: Any = None
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

    @contextmanager
    def counting(self, total: int | None, unit: str, done: int = 0) -> Iterator[Callable[[int, int], None]]:
        """A bar over a list, of which so much is done: a function that takes what was read of it since, in its unit, and how many URLs it gave."""
        try:
            if not self._shown:
                raise ImportError
            from tqdm import tqdm
        except ImportError:
            yield lambda size, urls: None
            return
        start, made = time.monotonic(), 0
        with tqdm(
            total=total, initial=done, desc="presigned", unit=unit, unit_scale=True, file=sys.stderr, dynamic_ncols=True
        ) as bar:
            self._bar = bar

            def count(size: int, urls: int) -> None:
                nonlocal made
                made += urls
                bar.set_postfix_str(f"{made:,} URLs, {made / max(time.monotonic() - start, 1e-3):,.0f}/s", refresh=False)
                bar.update(size)

            yield count
            self._bar = None

    def say(self, line: str) -> None:
        """A line for people, above the bar if there is one."""
        if self._bar is not None:
            self._bar.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr)
