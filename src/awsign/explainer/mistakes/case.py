"""A case: a request, what it claims and the steps of a right signer; and a variant of these."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...request import Request
    from ...services import Rules
    from ..answer import Answer
    from ..claimed import Claimed
    from ..recipe import Recipe


class Variant:
    """One way of making a mistake.

    kind: of kinds.py. changes: the steps that it exchanges. what: a few words, "with + for a space". rare: one of many values that are
    tried in its place; it is not tried together with a second mistake.
    """

    __slots__ = ("changes", "kind", "rare", "what")

    def __init__(self, kind: str, changes: dict[str, Any], what: str = "", *, rare: bool = False) -> None:
        self.kind = kind
        self.changes = changes
        self.what = what
        self.rare = rare

    def __repr__(self) -> str:
        return f"<Variant {self.kind} {' '.join(self.changes)}>"


class Case:
    """What mistakes are made in.

    recipe: the steps of a right signer for this request. rules: of the service, Version 4 alone. headers: by lower-case name, as they
    arrived, values joined. body: bytes, None where it is not known.
    """

    def __init__(
        self, request: Request, claim: Claimed, recipe: Recipe, rules: Rules | None, headers: dict[str, str], answer: Answer | None
    ) -> None:
        self.request = request
        self.claim = claim
        self.recipe = recipe
        self.rules = rules
        self.headers = headers
        self.answer = answer

    @property
    def steps(self) -> Any:
        return self.recipe.steps

    @property
    def body(self) -> bytes | None:
        return self.request.body if isinstance(self.request.body, bytes) else None

    @property
    def presigned(self) -> bool:
        return self.claim.location == "query"
