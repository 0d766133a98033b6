"""What the server says that it derived, beside what the request as it is here gives: what became of it on the way, part by part.

Here is what was signed and sent, there what arrived; so of two hosts, the one here is the signer's.
"""

from __future__ import annotations

from ..encoding import readable
from ..request import split_authority
from .difference import Parts, first_difference
from .kinds import GROUPS, KINDS
from .mistakes import encoding, query, target
from .mistakes.body import bodies, hash_of
from .report import Cause

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .mistakes import Case, Mistake

    Texts = tuple[str | None, str]

# What a client, or something behind it, makes of a path or a query: tried in this order.
_PATHS: tuple[Mistake, ...] = (
    target.normalized,
    target.not_normalized,
    encoding.plus_for_space,
    encoding.lower_case_hex,
    encoding.unreserved_escaped,
    target.encoded_twice,
    target.encoded_once,
)
_QUERIES: tuple[Mistake, ...] = (
    encoding.plus_for_space,
    query.duplicates,
    query.empty_dropped,
    encoding.lower_case_hex,
    encoding.unreserved_escaped,
    query.encoded_otherwise,
)


def same(here: Texts, there: Texts) -> bool:
    """Whether the server derived the same."""
    if here[0] is not None and there[0] is not None:
        return here[0] == there[0] and here[1] == there[1]
    return here[1] == there[1]


def what_became(case: Case, here: Texts, there: Texts) -> Iterator[Cause]:
    """Each part in which the server derived something else."""
    if here[0] is not None and there[0] is not None and here[0] != there[0]:
        yield from of_canonical(case, here[0], there[0])
        return
    kind, difference = _of_string(case, here[1], there[1])
    yield Cause(
        kind, f"{KINDS[kind].meaning} The server derived another {difference.part or 'text'}.",
        ours=None if difference.ours is None else readable(difference.ours),
        theirs=None if difference.theirs is None else readable(difference.theirs),
        place="string to sign", part=difference.part, group="on-the-way" if kind in GROUPS["on-the-way"].kinds else None,
    )  # fmt: skip


def of_canonical(case: Case, here: str, there: str) -> Iterator[Cause]:
    """Each part of the canonical request that differs."""
    ours, theirs = Parts(here), Parts(there)
    parts = list(ours.against(theirs))
    for part, a, b in parts:
        if part == "signed headers" and any(name.startswith("header ") for name, _, _ in parts):
            continue  # The header itself was told.
        if a is None and b == "":
            continue  # A signed header that is not in the request: that was told already.
        kind = _kind(part, a, b, case)
        yield Cause(
            kind, f"{KINDS[kind].meaning} In the {part}, the server derived something else than the request as it is here.",
            ours=None if a is None else readable(a), theirs=None if b is None else readable(b), place="canonical request", part=part,
        )  # fmt: skip


def _of_string(case: Case, here: str, there: str):  # type: ignore[no-untyped-def]
    """The kind of a difference in the string to sign, where there is no canonical request to compare."""
    difference = first_difference((None, here), (None, there))
    a, b = here.split("\n"), there.split("\n")
    scheme = case.claim.scheme
    if scheme in ("sigv4", "sigv4a"):
        if len(a) > 2 and len(b) > 2 and a[1] != b[1]:
            return "time-of-signing-differs", difference
        if len(a) > 2 and len(b) > 2 and a[2] != b[2]:
            kinds = ("scope-date", "wrong-region", "wrong-service", "terminator-misspelt")
            named = zip(kinds, a[2].split("/"), b[2].split("/"), strict=False)
            return next((kind for kind, x, y in named if x != y), "wrong-region"), difference
        return "header-rewritten", difference
    if scheme == "s3v2":
        for n, kind in enumerate(("wrong-method", "body-changed", "content-type-changed", "date-line-differs")):
            if n < min(len(a), len(b)) and a[n] != b[n]:
                return kind, difference
        return ("resource-differs" if a[-1] != b[-1] else "header-rewritten"), difference
    kinds = ("wrong-method", "other-host", "path-rewritten", "query-rewritten")
    return next((kind for kind, x, y in zip(kinds, a, b, strict=False) if x != y), "query-rewritten"), difference


def _kind(part: str, here: str | None, there: str | None, case: Case) -> str:
    if part == "method":
        return "presigned-for-another-method" if case.presigned else "wrong-method"
    if part == "path":
        return _by_mistake(case, _PATHS, 1, there) or "path-rewritten"
    if part == "query":
        return _query(case, here or "", there or "")
    if part == "signed headers":
        return "signed-headers-differ"
    if part == "payload hash":
        return _payload(case, here, there)
    return _header(part.removeprefix("header "), here, there)


def _by_mistake(case: Case, mistakes: tuple[Mistake, ...], line: int, there: str | None) -> str | None:
    """The mistake that makes a line of the canonical request what it is there."""
    for mistake in mistakes:
        for variant in mistake(case):
            canonical, _ = case.recipe.but(variant.changes).texts()
            if canonical is not None and canonical.split("\n")[line] == there:
                return variant.kind
    return None


def _query(case: Case, here: str, there: str) -> str:
    ours, theirs = here.split("&"), there.split("&")
    if here and set(ours) < set(theirs):
        return "parameter-added"
    if not here:
        return "parameter-added"
    if sorted(pair.replace("%2B", "%20") for pair in ours) == sorted(theirs):
        return "plus-for-space"
    found = _by_mistake(case, _QUERIES, 2, there)
    return found or ("presigned-url-requoted" if case.presigned else "query-rewritten")


def _payload(case: Case, here: str | None, there: str | None) -> str:
    """The hash here is of the body that was signed, the one there of what arrived."""
    if "UNSIGNED-PAYLOAD" in (here, there):
        return "unsigned-payload-not-taken"
    body = case.body
    if body is not None:
        wanted = here if there == hash_of(body) else there
        for kind, other, _ in bodies(body):
            if hash_of(other) == wanted and not (kind == "empty-hash-for-body" and wanted == there):
                return kind
    return "body-changed"


def _header(name: str, here: str | None, there: str | None) -> str:
    if not there and here:
        return "session-token-missing" if "token" in name else "header-dropped"
    if here is None:
        return "header-added"
    assert there is not None
    if name == "host":
        (_, host, port), (_, other, other_port) = split_authority(here), split_authority(there)
        if host.strip("[]") == other.strip("[]") and host != other:
            return "ipv6-brackets"
        if host == other:
            return "host-with-port" if port and not other_port else "host-without-port" if other_port and not port else "other-host"
        return "other-host"
    if name == "content-type":
        return "content-type-changed"
    if "token" in name:
        return "session-token-of-others"
    if here.split() == there.split():
        return "header-not-folded"
    return "header-added" if here in [value.strip() for value in there.split(",")] and "," in there else "header-rewritten"
