"""What explaining gives: the causes of a mismatch, most likely first, each with its evidence and its fix."""

from __future__ import annotations

from ..redact import masked
from .kinds import GROUPS, KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ..derivation import Derivation

# The four tasks of AWS's description, and what a difference may be in.
TASKS = ("canonical request", "string to sign", "signing key", "signature")
REQUEST = "request"


class Cause:
    """One reason why a request does not verify.

    kind: a stable word of the table in kinds.py. message: what is wrong, in one or two sentences. fix: what to do.
    ours, theirs: the two pieces of text that differ, masked: what the rules make of the request, and what its signer (or the
    server) made of it; None where there is no such pair.
    place: where the difference is: "canonical request", "string to sign", "signing key", "signature", or "request" for what no
    derivation is needed to see. part: of the canonical request or the string to sign, which line.
    proved: whether making this mistake gives exactly the signature (or the text) that was given; else it is a finding or a guess.
    group: the name of a group of kinds.py whose kinds this evidence does not tell apart, or None. alternatives: those kinds.
    """

    __slots__ = ("alternatives", "fix", "group", "kind", "message", "ours", "part", "place", "proved", "theirs")

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        fix: str | None = None,
        ours: str | None = None,
        theirs: str | None = None,
        place: str = REQUEST,
        part: str | None = None,
        proved: bool = False,
        group: str | None = None,
        alternatives: Sequence[str] = (),
    ) -> None:
        self.kind = kind
        message = message[:1].upper() + message[1:]
        self.message = masked(message if message.endswith((".", "!", "?", ")")) else f"{message}.")
        self.fix = fix or KINDS[kind].fix
        self.ours = None if ours is None else masked(ours)
        self.theirs = None if theirs is None else masked(theirs)
        self.place = place
        self.part = part
        self.proved = proved
        self.group = group
        others = alternatives or (GROUPS[group].kinds if group else ())
        self.alternatives = tuple(other for other in others if other != kind)

    def __repr__(self) -> str:
        return f"<Cause {self.kind}{' (proved)' if self.proved else ''}: {self.message}>"

    def as_json(self) -> dict[str, Any]:
        """The cause as JSON has it."""
        return {
            "kind": self.kind,
            "message": self.message,
            "fix": self.fix,
            "ours": self.ours,
            "theirs": self.theirs,
            "place": self.place,
            "part": self.part,
            "proved": self.proved,
            "group": self.group,
            "alternatives": list(self.alternatives),
        }


class Report:
    """Why a request does not verify, or that nothing is wrong with it.

    matches: whether nothing was found to be wrong. causes: the most likely first; empty where it matches.
    checked: whether the signature itself was computed, which takes the secret; without it `matches` says only what can be seen.
    form: what kind of text was read. request: the request that was read, as a person would write it down, masked.
    scheme, access_key_id, scope: what it claims, None where it claims none.
    notes: what was assumed, or is missing, in sentences.
    derivation: what should have been signed; its texts are exact: mask them before they are shown.
    canonical_request, string_to_sign: the same, masked. Printed by `str()` in full.
    """

    __slots__ = ("access_key_id", "causes", "checked", "derivation", "form", "notes", "request", "scheme", "scope")

    def __init__(
        self,
        causes: Iterable[Cause],
        *,
        checked: bool = False,
        form: str = "request",
        request: str = "",
        scheme: str | None = None,
        access_key_id: str | None = None,
        scope: str | None = None,
        derivation: Derivation | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self.causes = tuple(causes)
        self.checked = checked
        self.form = form
        self.request = request
        self.scheme = scheme
        self.access_key_id = access_key_id
        self.scope = scope
        self.derivation = derivation
        self.notes = tuple(notes)

    @property
    def matches(self) -> bool:
        return not self.causes

    @property
    def canonical_request(self) -> str | None:
        text = self.derivation.canonical_request if self.derivation else None
        return None if text is None else masked(text)

    @property
    def string_to_sign(self) -> str | None:
        return masked(self.derivation.string_to_sign) if self.derivation else None

    @property
    def texts(self) -> list[tuple[str, str]]:
        """What should have been signed, masked: "Canonical request" and "String to sign", each with its text, where there is one."""
        both = (("Canonical request", self.canonical_request), ("String to sign", self.string_to_sign))
        return [(name, text) for name, text in both if text is not None]

    @property
    def first_task(self) -> int | None:
        """Which of TASKS the first cause is in, from 0; None where no derivation was needed to see it."""
        place = self.causes[0].place if self.causes else None
        return TASKS.index(place) if place in TASKS else None

    def differing_line(self, name: str) -> str | None:
        """The line of one of `texts` in which the first cause of that text found its difference."""
        return next((cause.ours for cause in self.causes if cause.place == name.lower() and cause.ours), None)

    @property
    def summary(self) -> str:
        """The outcome in a sentence."""
        if self.causes:
            return self.causes[0].message
        if self.checked:
            return "The request matches: its signature is that of these credentials for exactly this request."
        return "Nothing is wrong as far as can be seen; the signature itself was not checked, which takes the secret access key and the body."

    def as_json(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {
            "matches": self.matches,
            "checked": self.checked,
            "causes": [cause.as_json() for cause in self.causes],
            "form": self.form,
            "scheme": self.scheme,
            "access_key_id": self.access_key_id,
            "scope": self.scope,
            "canonical_request": self.canonical_request,
            "string_to_sign": self.string_to_sign,
            "notes": list(self.notes),
        }

    def html(self) -> str:
        """The report as a page of HTML that needs nothing else."""
        from .page import page

        return page(self)

    def __str__(self) -> str:
        from .plain import plain

        return plain(self)

    def __repr__(self) -> str:
        return f"<Report {'matches' if self.matches else ', '.join(cause.kind for cause in self.causes)}>"
