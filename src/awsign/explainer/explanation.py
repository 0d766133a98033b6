"""The explainer: what should have been signed beside what was, and the cause of the first difference.

In the order in which evidence is strong: a mistake that gives exactly the signature; what the server says that it saw; what can be
seen in the request; what the server says in words; and what is left when none of these speaks.
"""

from __future__ import annotations

from ..derivation import Derivation
from ..encoding import arrived, readable
from ..identity import Credentials, provider_of
from ..payload import UNSIGNED_PAYLOAD, is_content_sha256
from ..redact import MASK, masked
from ..request import MULTIPART, is_form
from ..scope import in_utc, now
from .answer import Answer, as_response
from .cases import TABLES, can_check, case_of, case_of_form
from .claimed import read_claim
from .difference import Difference, first_difference
from .findings import (
    TIME,
    Judgement,
    credentials_for,
    of_body,
    of_credentials,
    of_head,
    of_place,
    of_policy,
    of_signature,
    of_token,
    of_verified,
    repaired,
)  # fmt: skip
from .kinds import GROUPS, KINDS
from .material import Material, read
from .mistakes.host import other_ports
from .report import Cause, Report
from .sayings import expected_region, expected_service, sayings
from .search import Effects, reproduce, reproduce_by_host, reproduce_by_two, reproduce_text
from .server_view import of_canonical, same, what_became
from .suspicions import suspicions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any, Literal

    from ..identity import Provider
    from ..request import Request
    from ..response import Response
    from .claimed import Claimed
    from .mistakes import Case
    from .search import Found

# How much a cause counts: the lower, the further up in the report.
_SAID_FIRST, _PROVED, _SEEN_BY_SERVER, _FOUND, _GUESSED, _LATER = range(6)
_KEY_STEPS = ("key.", "form")
# What reads as malformed because of a mistake that is named is not told twice.
_READ_AS_MALFORMED = frozenset(
    ("base64-for-hex", "signed-headers-differ", "presigned-url-requoted", "terminator-misspelt", "signature-form", "hex-for-base64")
)


def explain(
    request: Request | str | bytes | object,
    credentials: Credentials | Provider | None = None,
    response: Response | bytes | str | None = None,
    at: datetime | None = None,
    *,
    read_file: Callable[[str], bytes] | None = None,
    effort: Literal["full", "quick"] = "full",
) -> Report:
    """Why a request does not verify, or that nothing is wrong with it.

    request: a received Request, a Signed or Presigned, or text or bytes: a raw HTTP request, a curl command line, the output of curl -v,
    a URL, a HAR or an entry of one, botocore's debug log, http.client's, printed headers. credentials: those that should have
    signed; None where they are not known. response: what the server answered: Response, or its body. at: the time to judge by, aware;
    None is the server's own where its answer has it, else now. read_file: reads the files that a curl command line names (`-d @file`);
    None leaves them unread, as is right for text that somebody else gave. effort: "quick" looks for single mistakes alone, which takes
    some 20 ms and half a second at most; "full" for two together as well, a second or two and six at most.
    Raises InvalidRequest for a text in which there is no request, TypeError for what is none of these. Nothing secret is in the report:
    session tokens and the signatures of URLs are masked.
    """
    material = request if isinstance(request, Material) else read(request, read_file=read_file)
    given = response if response is not None else material.response
    answer = None if given is None else Answer(as_response(given))
    known = None if credentials is None else provider_of(credentials).get()
    if at is not None:
        at = in_utc(at)
    return _Explainer(material, known, answer, at, effort=effort).report()


class _Explainer:
    def __init__(
        self, material: Material, credentials: Credentials | None, answer: Answer | None, at: datetime | None, *, effort: str
    ) -> None:
        self.material = material
        self.request: Request = material.request
        self.credentials = credentials
        self.answer = answer
        self.effort = effort
        self.told_when = at is not None or (answer is not None and answer.at is not None)
        self.at: datetime = at or (answer.at if answer else None) or now()
        self.notes = list(material.notes)
        self.checked = False
        self._weighed: list[tuple[int, int, Cause]] = []
        self._payload_is_told = False
        self.claim = read_claim(self.request)

    def add(self, weight: int, cause: Cause) -> None:
        self._weighed.append((weight, len(self._weighed), cause))

    def has(self, *weights: int) -> bool:
        return any(weight in weights for weight, _, _ in self._weighed)

    def kinds(self) -> list[str]:
        return [cause.kind for _, _, cause in self._weighed]

    def report(self) -> Report:
        self._repair()
        claim = self.claim
        derivation = None
        if claim is None and is_form(self.request.method, self.request.headers, MULTIPART):
            self._explain_form()
        elif claim is None:
            for cause in of_head(self.request, None, self.at):
                self.add(_FOUND, cause)
        else:
            derivation = self._explain_claim(claim)
        self._hear()
        return Report(
            self._causes(),
            checked=self.checked,
            form=self.material.form,
            request=self.material.shown(),
            scheme=claim.scheme if claim else None,
            access_key_id=claim.access_key_id if claim else None,
            scope=claim.scope if claim else None,
            derivation=derivation,
            notes=self.notes,
        )

    def _repair(self) -> None:
        """A presigned URL that was quoted again is told first, and looked at as it was before that."""
        before = repaired(self.request)
        claim = read_claim(before) if before is not None else None
        if before is None or claim is None or not claim.signature:
            return
        judged = self._judge(before, claim)
        proved = judged is not None and judged.verified is not None
        self.add(
            _SAID_FIRST,
            Cause(
                "presigned-url-requoted", f"{KINDS['presigned-url-requoted'].meaning} Its parameters do not read as they were written",
                ours=readable(before.query), theirs=readable(self.request.query), proved=proved,
            ),
        )  # fmt: skip
        self.request, self.claim = before, claim

    def _causes(self) -> list[Cause]:
        """In their order, one of each kind: the first."""
        found: dict[str, Cause] = {}
        for _, _, cause in sorted(self._weighed, key=lambda entry: entry[:2]):
            found.setdefault(cause.kind, cause)
        if not _READ_AS_MALFORMED.isdisjoint(found):
            found.pop("malformed-authorization", None)
        return list(found.values())

    # A request that is signed in its head.

    def _explain_claim(self, claim: Claimed) -> Derivation:
        credentials = self.credentials
        case = case_of(self.request, claim, credentials.secret_access_key if credentials else "", self.answer)
        self._take_payload(case)
        right = case.recipe.texts()
        holds = False
        judged = self._judge(self.request, claim)
        if credentials is not None:
            holds = bool(claim.signature) and case.recipe.gives(right[1], claim.signature)
            # The verifier knows cases that the recipe does not, as the two paths of a bucket in S3's older scheme.
            holds = holds or (judged is not None and judged.verified is not None)
            self.checked = holds or not self._lacks_body(case)
            if claim.scheme == "sigv4a" and not can_check(case):
                self.checked = False
                self.notes.append(
                    "The signature was not checked: SigV4A needs the cryptography package; pip install 'awsign[sigv4a]'"
                )
        self._find(claim, holds, judged)
        if holds:
            self._explain_refusal_of_what_holds(case, right)
        elif credentials is not None and self.checked:
            self._explain_mismatch(case, right)
        else:
            self._explain_without_secret(case, right)
        return Derivation(right[1], canonical_request=right[0], scope=claim.scope, signed_headers=claim.signed_headers or None)

    def _take_payload(self, case: Case) -> None:
        """The payload hash of a body that is not here, where the signer or the server says it."""
        if not self._lacks_body(case):
            return
        for text in (self.material.canonical_request, self.answer.canonical_request if self.answer else None):
            payload = text.rstrip("\n").rpartition("\n")[2] if text else ""
            if payload and is_content_sha256(payload):
                case.recipe = case.recipe.but({"payload": payload})
                self._payload_is_told = True
                return
        self.notes.append("The body is part of what was signed, and it is not here: the signature was not checked")

    def _lacks_body(self, case: Case) -> bool:
        """Whether the signature covers a body that is not here, and whose hash is not declared."""
        if case.claim.scheme not in ("sigv4", "sigv4a") or self.request.body is not None or self._payload_is_told:
            return False
        declared = case.headers.get("x-amz-content-sha256", "")
        return case.steps["payload"] != UNSIGNED_PAYLOAD and not (declared and declared == case.steps["payload"])

    def _judge(self, request: Request, claim: Claimed) -> Judgement | None:
        """The verifier's judgement of a request at its own time, with the secret; None without one that could be its signer's."""
        if self.credentials is None:
            return None
        secret = credentials_for(claim.access_key_id, self.credentials, claim.token)
        return None if secret is None else Judgement(request, secret, claim.signed_at or self.at)

    def _find(self, claim: Claimed, holds: bool, judged: Judgement | None) -> None:
        """What can be seen in the request itself."""
        request = self.request
        if self.credentials is not None:
            for cause in of_credentials(claim, self.credentials, self.at):
                self.add(_PROVED if holds and cause.kind == "access-key-of-others" else _FOUND, cause)
        for cause in of_place(request, claim):
            self.add(_FOUND, cause)
        for cause in of_token(claim, self.credentials):
            self.add(_FOUND, cause)
        for cause in of_signature(claim):
            self.add(_FOUND, cause)
        for cause in of_head(request, claim, self.at, told_when=self.told_when):
            by_clock = cause.kind in ("clock-skew", "local-time-for-utc", "expired-url")
            # Judged by this machine's clock, an old request is late whatever else is wrong with it.
            whatever = cause.kind in ("host-not-signed", "malformed-request")  # Whatever is proved besides, that is what to mend.
            self.add(_PROVED if whatever else _FOUND if self.told_when or not by_clock or holds else _LATER, cause)
        for cause in of_body(request):
            self.add(_FOUND, cause)
        if holds and request.body is not None and judged is not None and judged.error is not None and judged.error.kind not in TIME:
            for cause in of_verified(judged.error, request, claim, self.at):
                self.add(_FOUND, cause)

    def _explain_mismatch(self, case: Case, right: tuple[str | None, str]) -> None:
        """The signature is not that of this request: the mistake that makes it one."""
        claim = case.claim
        every = Effects(case, TABLES[claim.scheme], effort=self.effort)
        if self._said_the_same(right):
            every.keep_texts()
        found = reproduce(every, claim.signature)
        server = self._server_texts()
        if found is None and server is not None:
            if case.recipe.gives(server[1], claim.signature):
                self._tell_other_secret(case, right, server)
                return
            if not same(right, server):
                for cause in what_became(case, right, server):
                    self.add(_SEEN_BY_SERVER, cause)
        if found is None and self.effort == "full" and claim.scheme != "sigv4a":  # An ECDSA check takes a hundred times as long.
            found = reproduce_by_two(every, claim.signature)
            if found is None and claim.scheme == "sigv4" and not self._said_the_same(right):
                found = reproduce_by_host(case, other_ports(case), claim.signature)
        if found is None and (self.material.canonical_request or self.material.string_to_sign):
            found = self._from_what_the_signer_says(case, right, every)
        if every.cut_short:
            self.notes.append("The search for mistakes was cut short: the request is large")
        if found is not None:
            self._tell(case, right, found)
        elif not self.has(_SAID_FIRST, _PROVED, _SEEN_BY_SERVER) and "access-key-of-others" not in self.kinds():
            self.add(_GUESSED, _unseen(self.effort))

    def _server_texts(self) -> tuple[str | None, str] | None:
        """What the server says that it derived."""
        answer = self.answer
        if answer is None or answer.string_to_sign is None:
            return None
        return answer.canonical_request, answer.string_to_sign

    def _said(self) -> tuple[str | None, str | None]:
        """What the signer says that it signed, in a log."""
        canonical, to_sign = self.material.canonical_request, self.material.string_to_sign
        return None if canonical is None else arrived(canonical), None if to_sign is None else arrived(to_sign)

    def _said_the_same(self, right: tuple[str | None, str]) -> bool:
        """Whether the signer says that it signed just what is derived here: then what differs is its key."""
        canonical, to_sign = self._said()
        return canonical is not None and canonical == right[0] and to_sign in (None, right[1])

    def _from_what_the_signer_says(self, case: Case, right: tuple[str | None, str], every: Effects) -> Found | None:
        """A log has what the signer signed: compare that."""
        canonical, to_sign = self._said()
        if right[0] is None:
            canonical = None
        if canonical in (None, right[0]) and to_sign in (None, right[1]):
            return None
        found = reproduce_text(every, canonical, to_sign)
        if found is None and canonical is not None and right[0] is not None:
            for cause in of_canonical(case, canonical, right[0], by_log=True):
                self.add(_SEEN_BY_SERVER, cause)
        return found

    def _tell(self, case: Case, right: tuple[str | None, str], found: Found) -> None:
        """A mistake that was found, with its two lines."""
        others = [variant.kind for variant in found.others]
        for variant in found.variants:
            texts = case.recipe.but(variant.changes).texts()
            in_key = any(step.startswith(_KEY_STEPS) for step in variant.changes)
            difference = first_difference(right, texts, key_differs=in_key)
            if difference.ours is None:
                self._show_key(difference, case, variant.changes)
            kinds = [variant.kind, *others]
            group = "query-order" if others and all(kind in GROUPS["query-order"].kinds for kind in kinds) else None
            shared = f" The same comes out by {', '.join(others)}." if others else ""
            both = "together with another mistake, " if len(found.variants) > 1 else ""
            self.add(
                _PROVED,
                Cause(
                    variant.kind,
                    f"{KINDS[variant.kind].meaning} Proved: signed {both}{variant.what}, the signature is the one that was given.{shared}",
                    ours=_shown(difference.ours), theirs=_shown(difference.theirs), place=difference.place, part=difference.part, proved=True,
                    group=group, alternatives=() if group else others,
                ),
            )  # fmt: skip

    def _show_key(self, difference: Difference, case: Case, changes: dict[str, Any]) -> None:
        """Of a key, what is no secret: the parts of the scope that it was derived for."""
        if any(f"key.{name}" in changes for name in _SCOPE):
            difference.ours = "/".join(str(case.steps[f"key.{name}"]) for name in _SCOPE)
            difference.theirs = "/".join(str({**case.steps, **changes}[f"key.{name}"]) for name in _SCOPE)
        elif "form" in changes:
            difference.theirs = case.claim.signature if case.claim.location == "header" else MASK
            difference.ours = "64 lower-case hex digits" if case.claim.scheme == "sigv4" else "base64"
        elif "key.prefix" in changes:
            difference.ours, difference.theirs = '"AWS4" + secret', f'"{changes["key.prefix"]}" + secret'

    # What the server says that it saw.

    def _tell_other_secret(self, case: Case, right: tuple[str | None, str], server: tuple[str | None, str]) -> None:
        """The signature holds for what the server saw: then the server has another secret."""
        self.add(
            _PROVED,
            Cause(
                "wrong-secret",
                "The signature is right for exactly what the server derived, by the secret that was given here; the server refused it, so it "
                "knows another secret for this access key",
                place="signing key", proved=True,
            ),
        )  # fmt: skip
        if not same(right, server):
            for cause in what_became(case, right, server):
                self.add(_LATER, cause)

    def _explain_refusal_of_what_holds(self, case: Case, right: tuple[str | None, str]) -> None:
        """The signature is right for the request as it is here; if the server refused it, it saw another, or has another secret."""
        answer = self.answer
        if answer is None or not answer.is_refusal:
            return
        server = self._server_texts()
        if server is not None and not same(right, server):
            for cause in what_became(case, right, server):
                self.add(_SEEN_BY_SERVER, cause)
        elif server is not None:
            self._tell_other_secret(case, right, server)
        elif answer.says_mismatch and not self.has(_SAID_FIRST, _PROVED, _SEEN_BY_SERVER, _FOUND):
            self.add(
                _GUESSED,
                Cause(
                    "wrong-secret",
                    "The request as it is here is signed right for this secret, and the server refused it: either it knows another secret for "
                    "this access key, or it saw another request. It does not say what it saw",
                    group="on-the-way", place="signing key",
                ),
            )  # fmt: skip

    def _explain_without_secret(self, case: Case, right: tuple[str | None, str]) -> None:
        """Texts alone can be compared: what the signer says that it signed, what the server says that it derived, what is derived here."""
        if self.material.canonical_request or self.material.string_to_sign:
            found = self._from_what_the_signer_says(case, right, Effects(case, TABLES[case.claim.scheme], effort=self.effort))
            if found is not None:
                self._tell(case, right, found)
                return
        server = self._server_texts()
        if server is not None and not same(right, server):
            for cause in what_became(case, right, server):
                self.add(_SEEN_BY_SERVER, cause)
            return
        if self.answer is None or not (self.answer.says_mismatch or server is not None):
            return
        if not self._said_the_same(right):
            for kind, why in suspicions(case):
                self.add(_GUESSED, Cause(kind, f"{KINDS[kind].meaning} Not proved: {why}.", group="signer"))
        said = "derived the same from it" if server is not None else "does not say what it derived"
        self.add(
            _GUESSED,
            Cause(
                "wrong-secret",
                f"The server {said}: what differs is inside the signer, its secret above all. With the secret, this report could say what",
                group="signer", place="signing key",
            ),
        )  # fmt: skip

    # A form.

    def _explain_form(self) -> None:
        body, credentials = self.request.body, self.credentials
        if not isinstance(body, bytes):
            self.notes.append("The form's body is not here: nothing of it was checked")
            return
        judged = Judgement(self.request, None, self.at)
        if judged.claim is None:
            if judged.error is not None:
                for cause in of_verified(judged.error, self.request, None, self.at):
                    self.add(_FOUND, cause)
            return
        claim = judged.claim
        for cause in of_policy(claim, self.request, self.at):
            self.add(_FOUND, cause)
        if credentials is None:
            return
        self.checked = True
        if claim.access_key_id != credentials.access_key_id:
            told = f"The form names the access key {claim.access_key_id[:60]}; the credentials are of {credentials.access_key_id}"
            self.add(_FOUND, Cause("access-key-of-others", told))
        if claim.session_token and credentials.session_token and claim.session_token != credentials.session_token:
            self.add(_FOUND, Cause("session-token-of-others", "The session token of the form is not that of the credentials"))
        case, table = case_of_form(claim, self.request, credentials.secret_access_key)
        right = case.recipe.texts()
        if not case.recipe.gives(right[1], claim.signature):
            every = Effects(case, table, effort=self.effort)
            found = reproduce(every, claim.signature) or reproduce_by_two(every, claim.signature)
            if found is not None:
                self._tell(case, right, found)
            else:
                self.add(
                    _GUESSED,
                    _unseen(self.effort, "the policy of this form"),
                )
        elif self.answer is not None and self.answer.says_mismatch:
            self._tell_other_secret(case, right, right)

    # What the server says in words.

    def _hear(self) -> None:
        answer = self.answer
        if answer is None or not answer.is_refusal:
            return
        heard = False
        for kind, sentence in sayings(answer):
            heard = True
            self._repeat(self._kind_heard(kind), sentence, answer)
        status = answer.response.status
        endpoint = answer.elements.get("Endpoint") or answer.response.header("location")
        if status in (301, 302, 307, 308) and not heard and self.claim is not None:
            kind = (
                "global-endpoint-redirected" if self.claim.service.startswith("s3") or self.claim.scheme == "s3v2" else "other-host"
            )
            self.add(
                _SAID_FIRST, Cause(kind, f"{KINDS[kind].meaning} The server sends it on{f' to {endpoint}' if endpoint else ''}.")
            )
        elif answer.says_mismatch and not self._weighed:
            self.add(
                _GUESSED,
                Cause(
                    "wrong-secret",
                    "The server says that the signature does not match, and nothing else is to be seen here",
                    group="signer",
                    place="signing key",
                ),
            )
        elif not heard and not answer.says_mismatch and (answer.code or (status or 0) >= 400):
            said = " ".join(filter(None, (str(status or ""), answer.code, answer.message[:300])))
            if said == str(status) and status in (400, 401, 403):
                self.notes.append(f"The server answered {said} and does not say why; ask with GET, since HEAD gets no reason")
            else:
                self.notes.append(masked(f"The server answered {said!r}, which is not about the signature"))

    def _repeat(self, kind: str, sentence: str, answer: Answer) -> None:
        """What the server says, with what it expects and what was found."""
        expected = {"wrong-region": expected_region(answer), "wrong-service": expected_service(answer)}.get(kind)
        known = next((cause for _, _, cause in self._weighed if cause.kind == kind), None)
        ours, theirs = (known.ours, known.theirs) if known else (None, None)
        fix = None
        if expected and self.claim is not None:
            ours, theirs = expected, self.claim.region if kind == "wrong-region" else self.claim.service
            fix = f"{KINDS[kind].fix} Here: {expected}."
        self.add(
            _SAID_FIRST,
            Cause(
                kind, f"{KINDS[kind].meaning} The server says: {sentence}", fix=fix, ours=ours, theirs=theirs,
                group="wrong-time" if kind in GROUPS["wrong-time"].kinds else None,
            ),
        )  # fmt: skip

    def _kind_heard(self, kind: str) -> str:
        """The kind of a sentence in the light of what was found: S3 has one for several things."""
        found = self.kinds()
        return next((other for other in _HEARD_AS.get(kind, ()) if other in found), kind)


# What a server means by a sentence, where something of these was found.
_HEARD_AS = {
    "clock-skew": ("local-time-for-utc", "expired-url"),
    "session-token-of-others": ("session-token-url-encoded", "session-token-missing", "session-token-unsigned"),
    "access-key-of-others": ("session-token-missing",),
    "header-added": ("session-token-unsigned",),
    "body-changed": ("empty-hash-for-body", "body-encoding", "body-compressed", "body-trailing-newline"),
    "malformed-authorization": (
        "base64-for-hex", "signature-form", "signed-headers-differ", "presigned-url-requoted", "terminator-misspelt", "wrong-region",
        "wrong-service", "scope-date",
    ),
    "not-signed": ("presigned-url-requoted",),
}  # fmt: skip
_SCOPE = ("date", "region", "service", "end")


def _unseen(effort: str, what: str = "this request") -> Cause:
    tried = "one, or two together" if effort == "full" else "one by itself"
    message = (
        f"The signature is not that of {what} with this secret, nor of any mistake of the catalogue ({tried}): either another secret signed, "
        "or what was signed differed in something that cannot be guessed (a header's old value, another body or host)."
    )
    return Cause("wrong-secret", message, group="unseen", place="signing key")


def _shown(text: str | None) -> str | None:
    return None if text is None else readable(text)
