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

    from .difference import Difference
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


def of_canonical(case: Case, signed: str, arrived: str, *, by_log: bool = False) -> Iterator[Cause]:
    """Each part in which the canonical request that was signed differs from that of what arrived.

    One of the two is of the request as it is here: the signed one, and the other is the server's; or, by_log, the one that arrived, and
    the other is what the signer's log says.
    """
    before, after = Parts(signed), Parts(arrived)
    who = "the signer, by its own log," if by_log else "the server"
    parts = list(before.against(after))
    for part, a, b in parts:
        if part == "signed headers" and any(name.startswith("header ") for name, _, _ in parts):
            continue  # The header itself was told.
        if a is None and b == "":
            continue  # A signed header that is not in the request: that was told already.
        kind = _kind(part, a, b, case, a if by_log else b)
        ours, theirs = (b, a) if by_log else (a, b)
        yield Cause(
            kind, f"{KINDS[kind].meaning} In the {part}, {who} has something else than the request as it is here gives.",
            ours=_line(part, ours), theirs=_line(part, theirs), place="canonical request", part=part,
        )  # fmt: skip


def _line(part: str, text: str | None) -> str | None:
    """A part as the line that it is in the canonical request."""
    name = part.removeprefix("header ")
    return None if text is None else readable(text if name == part else f"{name}:{text}")


def _of_string(case: Case, here: str, there: str) -> tuple[str, Difference]:
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


def _kind(part: str, before: str | None, after: str | None, case: Case, other: str | None) -> str:
    """other: of the two texts, the one that the request as it is here does not give."""
    if part == "method":
        return "presigned-for-another-method" if case.presigned else "wrong-method"
    if part == "path":
        return _by_mistake(case, _PATHS, 1, other) or "path-rewritten"
    if part == "query":
        return _query(case, before or "", after or "", other)
    if part == "signed headers":
        return "signed-headers-differ"
    if part == "payload hash":
        return _payload(case, before, after)
    return _header(part.removeprefix("header "), before, after)


def _by_mistake(case: Case, mistakes: tuple[Mistake, ...], line: int, wanted: str | None) -> str | None:
    """The mistake that makes a line of the canonical request what it is in the other text."""
    right = (case.recipe.texts()[0] or "").split("\n")[line]
    for mistake in mistakes:
        for variant in mistake(case):
            canonical, _ = case.recipe.but(variant.changes).texts()
            made = canonical.split("\n")[line] if canonical is not None else None
            if made == wanted and made != right:
                return variant.kind
    return None


def _query(case: Case, before: str, after: str, other: str | None) -> str:
    signed, came = before.split("&"), after.split("&")
    if not before or set(signed) < set(came):
        return "parameter-added"
    if sorted(pair.replace("%2B", "%20") for pair in signed) == sorted(came):
        return "plus-for-space"
    found = _by_mistake(case, _QUERIES, 2, other)
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
