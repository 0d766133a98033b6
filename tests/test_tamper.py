"""Valid requests of every scheme, changed in every byte: see tamper.py. `make tamper` makes more of them."""

from __future__ import annotations

from . import tamper


def test_nothing_that_was_changed_verifies() -> None:
    counts = tamper.run(each=3, seed=7)
    assert counts["all"] > 50_000
    assert counts["refused"] > 0.9 * counts["all"]
