"""`make wire`: every shape, by every adapter and every peer, side by side."""

from __future__ import annotations

import argparse
import collections
import sys
import warnings

from . import senders
from .listener import Listener
from .shapes import all_shapes
from .trial import Verdict, attempt

WORDS = ("verified", "refused", "changed", "wrong", "leaked", "failed", "n/a")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make wire", description=__doc__)
    parser.add_argument("--only", default="", help="clients whose name has this in it")
    parser.add_argument("--shape", default="", help="shapes whose name has this in it")
    parser.add_argument("--why", action="store_true", help="each verdict that is not verified")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    listener, other = Listener(), Listener()
    shapes = [shape for shape in all_shapes() if chosen.shape in shape.name]
    rows: list[tuple[str, collections.Counter[str], collections.Counter[tuple[str, str]]]] = []
    failed = 0
    for name, sender in [*senders.ADAPTERS.items(), *senders.PEERS.items()]:
        if chosen.only not in name:
            continue
        words: collections.Counter[str] = collections.Counter()
        of_category: collections.Counter[tuple[str, str]] = collections.Counter()
        for shape in shapes:
            for service in shape.rules:
                verdict: Verdict = attempt(sender, shape, service, listener, other)
                words[verdict.word] += 1
                if verdict.word != "n/a":
                    of_category[shape.category, "all"] += 1
                    of_category[shape.category, "good"] += verdict.word == "verified"
                if chosen.why and verdict.word not in ("verified", "n/a"):
                    print(f"{name}: {shape.name} ({service}): {verdict.word}: {verdict.why}")
        rows.append((name, words, of_category))
        failed += name in senders.ADAPTERS and any(words[word] for word in ("wrong", "leaked", "failed"))
    senders.close_loop()
    categories = list(dict.fromkeys(shape.category for shape in shapes))
    print(f"\n{'':28}" + "".join(f"{word:>10}" for word in WORDS) + "    verified of: " + "".join(f"{c:>9}" for c in categories))
    for name, words, of_category in rows:
        parts = "".join(f"{of_category[c, 'good']:>5}/{of_category[c, 'all']:<3}" for c in categories)
        print(f"{name:28}" + "".join(f"{words[word]:>10}" for word in WORDS) + f"{'':17}{parts}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
