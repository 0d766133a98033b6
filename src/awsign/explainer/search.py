"""The search: which mistake, or which two, give exactly what was signed.

A mistake is proved by making it. Mistakes that have no effect on the request are left out; those with the same effect are found
together, and the evidence does not tell them apart.
"""

from __future__ import annotations

from hashlib import sha256
from time import monotonic

from .mistakes.case import Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .mistakes import Case
    from .recipe import Recipe

# Pairs take the square of the variants, at some 12 us each; a request of many kilobytes takes longer for each.
_MOST_PAIRS = 100_000
# Seconds that a search may take: usual requests take a second, one with thousands of parameters would take minutes.
_LONGEST = {"full": 6.0, "quick": 0.5}


class Found:
    """A way of making mistakes that gives what was signed. variants: one or two.

    others: variants that would have given the same by themselves, of other kinds.
    """

    __slots__ = ("others", "variants")

    def __init__(self, variants: tuple[Variant, ...], others: list[Variant]) -> None:
        self.variants = variants
        self.others = others


class Effect:
    """What a mistake makes of the texts; the variants that make just this."""

    __slots__ = ("recipe", "texts", "variants")

    def __init__(self, recipe: Recipe, texts: tuple[str | None, str], variant: Variant) -> None:
        self.recipe = recipe
        self.texts = texts
        self.variants = [variant]


class Effects:
    """The mistakes of a table that change something in a case, those with one effect together; made as they are asked for."""

    def __init__(self, case: Case, table: Iterable[Callable[[Case], Iterable[Variant]]], *, effort: str = "full") -> None:
        self.case = case
        self._deadline = monotonic() + _LONGEST[effort]
        self.takes_pairs = effort == "full"
        self.cut_short = False
        self._nothing = (case.recipe.texts(), case.recipe.key_steps())
        self._variants = (variant for mistake in table for variant in mistake(case))
        self._found: dict[object, Effect] = {}
        self._made: list[Effect] = []

    def __iter__(self) -> Iterator[Effect]:
        """In the order of the table. Variants that come later may yet join an effect: `whole` has them all."""
        yield from self._made
        for variant in self._variants:
            if self.is_late():
                return
            if effect := self._take(variant):
                yield effect

    def keep_texts(self) -> None:
        """Leave out what changes the texts: they are known to be right."""
        right = self.case.recipe.texts()
        self._variants = (variant for variant in self._variants if self.case.recipe.but(variant.changes).texts() == right)

    def is_late(self) -> bool:
        """Whether the time for the search is over."""
        self.cut_short = self.cut_short or monotonic() > self._deadline
        return self.cut_short

    def whole(self) -> list[Effect]:
        for _ in self:
            pass
        return self._made

    def _take(self, variant: Variant) -> Effect | None:
        recipe = self.case.recipe.but(variant.changes)
        texts, key = recipe.texts(), recipe.key_steps()
        if (texts, key) == self._nothing:
            return None
        effect = self._found.get((texts, key))
        if effect is not None:
            if variant.kind not in [known.kind for known in effect.variants]:
                effect.variants.append(variant)
            return None
        effect = self._found[texts, key] = Effect(recipe, texts, variant)
        self._made.append(effect)
        return effect


def reproduce(every: Effects, signature: str) -> Found | None:
    """The mistake that gives the signature; None if none does."""
    for effect in every:
        if effect.recipe.gives(effect.texts[1], signature):
            every.whole()
            first, *others = effect.variants
            return Found((first,), others)
    return None


def reproduce_by_host(case: Case, hosts: Iterable[tuple[str, str]], signature: str) -> Found | None:
    """Which of very many hosts gives the signature, each with its kind: what stands before the host is hashed once."""
    marker = "host-to-be-tried"
    recipe = case.recipe.but({"header.host": marker})
    canonical, to_sign = recipe.texts()
    assert canonical is not None
    before, found, after = canonical.partition(marker)
    if not found:
        return None
    begun = sha256(before.encode("latin-1", "replace"))
    rest, lead = after.encode("latin-1", "replace"), to_sign[:-64]
    for kind, host in hosts:
        digest = begun.copy()
        digest.update(host.encode("latin-1", "replace") + rest)
        if recipe.gives(lead + digest.hexdigest(), signature):
            variant = Variant(kind, {"header.host": host}, f"for the host {host}")
            return Found((variant,), [])
    return None


def reproduce_by_two(every: Effects, signature: str) -> Found | None:
    """Two mistakes that give the signature together; None if none do."""
    for first, second, recipe in _pairs(every):
        if recipe.gives(recipe.texts()[1], signature):
            return Found((first, second), [])
    return None


def reproduce_text(every: Effects, canonical: str | None, to_sign: str | None) -> Found | None:
    """The mistakes that give a text: what the signer says that it signed, or the server that it saw."""

    def same(texts: tuple[str | None, str]) -> bool:
        return texts[0] == canonical if canonical is not None else texts[1] == to_sign

    for effect in every:
        if same(effect.texts):
            every.whole()
            first, *others = effect.variants
            return Found((first,), others)
    for first, second, recipe in _pairs(every, texts_alone=True):
        if same(recipe.texts()):
            return Found((first, second), [])
    return None


def _pairs(every: Effects, *, texts_alone: bool = False) -> Iterator[tuple[Variant, Variant, Recipe]]:
    """Two mistakes that exchange different steps, the likely ones first."""
    if not every.takes_pairs:
        return
    case, tried = every.case, 0
    right = case.recipe.texts()
    usual = [e.variants[0] for e in every.whole() if not e.variants[0].rare and not (texts_alone and e.texts == right)]
    for total in range(1, 2 * len(usual)):
        for n in range(max(0, total - len(usual) + 1), (total + 1) // 2):
            one, other = usual[n], usual[total - n]
            if one.kind == other.kind or not one.changes.keys().isdisjoint(other.changes):
                continue
            tried += 1
            if tried > _MOST_PAIRS or (tried % 64 == 0 and every.is_late()):
                return
            yield one, other, case.recipe.but({**one.changes, **other.changes})
