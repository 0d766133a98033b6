"""The explainer: what should have been signed beside what was, and the cause of the first difference.

In the order in which evidence is strong: a mistake that gives exactly the signature; what the server says that it saw; what can be
seen in the request; what the server says in words; and what is left when none of these speaks.
"""

from __future__ import annotations

from ..derivation import Derivation
from ..encoding import arrived, readable
from ..identity import Credentials, provider_of
from ..payload import is_sha256
from ..redact import MASK, masked
from ..request import MULTIPART, is_form, split_authority
from ..scope import in_utc, now
from .answer import Answer, as_response
from .cases import TABLES, case_of
from .claimed import read_claim
from .difference import Difference, Parts, first_difference
from .findings import Judgement, credentials_for, of_body, of_credentials, of_head, of_place, of_policy, of_token, of_verified
from .kinds import GROUPS, KINDS
from .material import read
from .mistakes import LAST
from .mistakes.body import bodies, hash_of
from .report import Cause, Report
from .sayings import expected_region, expected_service, sayings
from .search import Effects, reproduce, reproduce_by_two, reproduce_text
from .suspicions import suspicions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from typing import Any, Literal

    from ..identity import Provider
    from ..request import Request
    from .answer import Response
    from .material import Material
    from .mistakes import Case
    from .search import Found

# How much a cause counts: the lower, the further up in the report.
_SAID_FIRST, _PROVED, _SEEN_BY_SERVER, _FOUND, _GUESSED, _LATER = range(6)
_KEY_STEPS = ("key.", "form")


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
    some 20 ms; "full" for two together as well, which may take two seconds.
    Raises InvalidRequest for a text in which there is no request, TypeError for what is none of these. Nothing secret is in the report:
    session tokens and the signatures of URLs are masked.
    """
    material = read(request, read_file=read_file)
    given = response if response is not None else material.response
    answer = None if given is None else Answer(as_response(given))
    known = None if credentials is None else provider_of(credentials).get()
    if at is not None:
        at = in_utc(at)
    return _Explainer(material, known, answer, at, quick=effort == "quick").report()


class _Explainer:
    def __init__(
        self,
        material: Material,
        credentials: Credentials | None,
        answer: Answer | None,
        at: datetime | None,
        *,
        quick: bool = False,
    ) -> None:
        self._quick = quick
        self.material = material
        self.request: Request = material.request
        self.credentials = credentials
        self.answer = answer
        self.told_when = at is not None or (answer is not None and answer.at is not None)
        self.at: datetime = at or (answer.at if answer else None) or now()
        self.claim = read_claim(self.request)
        self.notes = list(material.notes)
        self.checked = False
        self._weighed: list[tuple[int, int, Cause]] = []

    def add(self, weight: int, cause: Cause) -> None:
        self._weighed.append((weight, len(self._weighed), cause))

    def report(self) -> Report:
        claim = self.claim
        derivation = None
        if claim is None and is_form(self.request.method, self.request.headers, MULTIPART):
            self._explain_form()
        elif claim is None:
            for cause in of_head(self.request, None, self.at):
                self.add(_FOUND, cause)
        else:
            derivation = self._explain_claim()
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

    def _causes(self) -> list[Cause]:
        """In their order, one of each kind: the first."""
        found: dict[str, Cause] = {}
        for _, _, cause in sorted(self._weighed, key=lambda entry: entry[:2]):
            found.setdefault(cause.kind, cause)
        # What reads as malformed because of a mistake that is named is not told twice.
        if (
            "malformed-authorization" in found
            and {"base64-for-hex", "signed-headers-differ", "presigned-url-requoted", "terminator-misspelt"} & found.keys()
        ):
            del found["malformed-authorization"]
        return list(found.values())

    # A request that is signed in its head.

    def _explain_claim(self) -> Derivation:
        claim, request, credentials = self.claim, self.request, self.credentials
        assert claim is not None
        case = case_of(request, claim, credentials.secret_access_key if credentials else "", self.answer)
        right = case.recipe.texts()
        holds = False
        if credentials is not None:
            self.checked = True
            holds = bool(claim.signature) and case.recipe.gives(right[1], claim.signature)
            holds = holds or self._holds_by_verifier()
        self._find(holds)
        if credentials is not None and not holds:
            self._explain_mismatch(case, right)
        elif holds:
            self._explain_refusal_of_what_holds(case, right)
        else:
            self._explain_without_secret(case, right)
        return Derivation(right[1], canonical_request=right[0], scope=claim.scope, signed_headers=claim.signed_headers or None)

    def _holds_by_verifier(self) -> bool:
        """The verifier knows cases that the recipe does not, as the two paths of a bucket in S3's older scheme."""
        claim, credentials = self.claim, self.credentials
        assert claim is not None and credentials is not None
        secret = credentials_for(claim.access_key_id, credentials, claim.token)
        if secret is None:
            return False
        judged = Judgement(self.request, secret, claim.signed_at or self.at)
        return judged.verified is not None

    def _find(self, holds: bool) -> None:
        """What can be seen in the request itself."""
        claim, request = self.claim, self.request
        assert claim is not None
        if self.credentials is not None:
            for cause in of_credentials(claim, self.credentials, self.at):
                self.add(_PROVED if holds and cause.kind == "access-key-of-others" else _FOUND, cause)
        for cause in of_place(request, claim):
            self.add(_FOUND, cause)
        for cause in of_token(claim, self.credentials):
            self.add(_FOUND, cause)
        for cause in of_head(request, claim, self.at):
            by_clock = cause.kind in ("clock-skew", "local-time-for-utc", "expired-url")
            # Judged by this machine's clock, an old request is late whatever else is wrong with it.
            self.add(_FOUND if self.told_when or not by_clock or holds else _LATER, cause)
        for cause in of_body(request):
            self.add(_FOUND, cause)
        if self.credentials is not None and holds:
            secret = credentials_for(claim.access_key_id, self.credentials, claim.token)
            judged = Judgement(request, secret, claim.signed_at or self.at) if secret else None
            if judged is not None and judged.error is not None and judged.error.kind not in ("skew", "not-yet-valid", "expired"):
                for cause in of_verified(judged.error, request, claim, self.at):
                    self.add(_FOUND, cause)

    def _explain_mismatch(self, case: Case, right: tuple[str | None, str]) -> None:
        """The signature is not that of this request: the mistake that makes it one."""
        claim = case.claim
        every = Effects(case, TABLES[claim.scheme])
        found = reproduce(every, claim.signature)
        server = self._server_texts()
        if found is None and server is not None:
            if case.recipe.gives(server[1], claim.signature):
                self._tell_changed_on_the_way(case, right, server, proved=True)
                return
            self._tell_server_differs(case, right, server, every)
        if (
            found is None and claim.scheme != "sigv4a" and not self._quick
        ):  # An ECDSA check takes a hundred times as long as an HMAC.
            found = reproduce_by_two(every, claim.signature) or reproduce(Effects(case, LAST), claim.signature)
        if found is None and (self.material.canonical_request or self.material.string_to_sign):
            found = self._from_what_the_signer_says(case, right, every)
        if found is not None:
            self._tell(case, right, found)
            return
        if any(weight <= _SEEN_BY_SERVER for weight, _, _ in self._weighed):
            return
        self._tell_unseen(case)

    def _server_texts(self) -> tuple[str | None, str] | None:
        """What the server says that it derived."""
        answer = self.answer
        if answer is None or answer.string_to_sign is None:
            return None
        return answer.canonical_request, answer.string_to_sign

    def _from_what_the_signer_says(self, case: Case, right: tuple[str | None, str], every: Effects) -> Found | None:
        """A log has what the signer signed: compare that."""
        canonical = self.material.canonical_request
        to_sign = self.material.string_to_sign
        said = (None if canonical is None else arrived(canonical), "" if to_sign is None else arrived(to_sign))
        if right[0] is None:
            said = (None, said[1])
        if (said[0] is None or said[0] == right[0]) and (not said[1] or said[1] == right[1]):
            return None
        found = reproduce_text(every, said[0], said[1])
        if found is None and said[0] is not None and right[0] is not None:
            for cause in self._parts_that_differ(case, said[0], right[0]):
                self.add(_SEEN_BY_SERVER, cause)
        return found

    def _tell(self, case: Case, right: tuple[str | None, str], found: Found, *, of_server: bool = False) -> None:
        """A mistake that was found, with its two lines."""
        others = [variant.kind for variant in found.others]
        for variant in found.variants:
            recipe = case.recipe.but(variant.changes)
            texts = recipe.texts()
            in_key = any(step.startswith(_KEY_STEPS) for step in variant.changes)
            difference = first_difference(right, texts, key_differs=in_key)
            if difference.ours is None:
                self._show_key(difference, case, variant.changes)
            kinds = [variant.kind, *others]
            group = "query-order" if others and all(kind in GROUPS["query-order"].kinds for kind in kinds) else None
            shared = f" The same comes out by {', '.join(others)}." if others else ""
            both = "together with another mistake, " if len(found.variants) > 1 else ""
            if of_server:
                message = f"{KINDS[variant.kind].meaning} The server derived the request {variant.what}.{shared}"
            else:
                message = f"{KINDS[variant.kind].meaning} Proved: signed {both}{variant.what}, the signature is the one that was given.{shared}"
            self.add(
                _SEEN_BY_SERVER if of_server else _PROVED,
                Cause(
                    variant.kind, message, ours=_shown(difference.ours), theirs=_shown(difference.theirs), place=difference.place,
                    part=difference.part, proved=not of_server, group=group, alternatives=() if group else others,
                ),
            )  # fmt: skip

    def _show_key(self, difference: Difference, case: Case, changes: dict[str, Any]) -> None:
        """Of a key, what is no secret: the parts of the scope that it was derived for."""
        named = [name for name in ("date", "region", "service", "end") if f"key.{name}" in changes]
        if named:
            difference.ours = "/".join(str(case.steps[f"key.{name}"]) for name in ("date", "region", "service", "end"))
            difference.theirs = "/".join(
                str({**case.steps, **changes}[f"key.{name}"]) for name in ("date", "region", "service", "end")
            )
        elif "form" in changes:
            difference.theirs = MASK if case.presigned else case.claim.signature
            difference.ours = "64 lower-case hex digits" if case.claim.scheme == "sigv4" else "base64"
        elif "key.prefix" in changes:
            difference.ours, difference.theirs = '"AWS4" + secret', f'"{changes["key.prefix"]}" + secret'

    def _tell_unseen(self, case: Case) -> None:
        """Nothing that is known here gives the signature."""
        claim = case.claim
        body = self.request.body
        declared = is_sha256(case.steps.get("payload", "")) and "x-amz-content-sha256" in case.headers
        if claim.scheme in ("sigv4", "sigv4a") and body is None and not declared and case.steps["payload"] != "UNSIGNED-PAYLOAD":
            self.add(
                _GUESSED,
                Cause(
                    "body-changed", "The body is part of what was signed, and it is not here: the signature cannot be checked without it",
                    fix="Give the whole request, with its body.", group="unseen", place="canonical request", part="payload hash",
                ),
            )  # fmt: skip
            self.checked = False
        self.add(
            _GUESSED,
            Cause(
                "wrong-secret",
                "The signature is not that of this request with this secret, nor of any mistake of the catalogue (one, or two together): "
                "either another secret signed, or what was signed differed in something that cannot be guessed (a header's old value, another body or host)",
                group="unseen", place="signing key",
            ),
        )  # fmt: skip

    # What the server says that it saw.

    def _tell_server_differs(
        self, case: Case, right: tuple[str | None, str], server: tuple[str | None, str], every: Effects
    ) -> None:
        """The server derived something else from what arrived than is derived here from what was given."""
        if _same(right, server):
            return
        found = reproduce_text(every, server[0] if right[0] is not None else None, server[1])
        if found is not None:
            self._tell(case, right, found, of_server=True)
            return
        self._tell_parts(case, right, server)

    def _tell_changed_on_the_way(
        self, case: Case, right: tuple[str | None, str], server: tuple[str | None, str], *, proved: bool
    ) -> None:
        """The signature holds for what the server saw: then the server has another secret."""
        self.add(
            _PROVED,
            Cause(
                "wrong-secret",
                "The signature is right for exactly what the server derived, by the secret that was given here; the server refused it, so it "
                "knows another secret for this access key",
                place="signing key", proved=proved,
            ),
        )  # fmt: skip
        if not _same(right, server):
            self._tell_parts(case, right, server, weight=_LATER)

    def _tell_parts(
        self, case: Case, right: tuple[str | None, str], server: tuple[str | None, str], weight: int = _SEEN_BY_SERVER
    ) -> None:
        if right[0] is not None and server[0] is not None and right[0] != server[0]:
            for cause in self._parts_that_differ(case, right[0], server[0]):
                self.add(weight, cause)
            return
        difference = first_difference((None, right[1]), (None, server[1]))
        lines_here, lines_there = right[1].split("\n"), server[1].split("\n")
        kind = "malformed-request"
        if case.claim.scheme in ("sigv4", "sigv4a"):
            if len(lines_here) > 2 and len(lines_there) > 2:
                kind = (
                    "time-of-signing-differs"
                    if lines_here[1] != lines_there[1]
                    else "wrong-region"
                    if lines_here[2] != lines_there[2]
                    else "header-rewritten"
                )
                if kind == "wrong-region":
                    a, b = lines_here[2].split("/"), lines_there[2].split("/")
                    if len(a) == len(b) == 4:
                        kind = next(
                            (
                                k
                                for k, x, y in zip(
                                    ("scope-date", "wrong-region", "wrong-service", "terminator-misspelt"), a, b, strict=True
                                )
                                if x != y
                            ),
                            kind,
                        )
        elif case.claim.scheme == "s3v2":
            kind = "resource-differs" if lines_here[-1] != lines_there[-1] else "header-rewritten"
            if lines_here[0] != lines_there[0]:
                kind = "wrong-method"
            elif lines_here[:-1] != lines_there[:-1] and len(lines_here) > 3 and len(lines_there) > 3:
                kind = (
                    "content-type-changed"
                    if lines_here[2] != lines_there[2]
                    else "date-line-differs"
                    if lines_here[3] != lines_there[3]
                    else kind
                )
        else:
            kind = ("wrong-method", "other-host", "path-rewritten", "parameter-added")[
                min(3, int((difference.part or "line 4").rpartition(" ")[2]) - 1)
            ]
        self.add(
            weight,
            Cause(kind, f"{KINDS[kind].meaning} The server derived another {difference.part or 'text'}.", ours=_shown(difference.ours),
                  theirs=_shown(difference.theirs), place="string to sign", part=difference.part, group="on-the-way" if kind in GROUPS["on-the-way"].kinds else None),
        )  # fmt: skip

    def _parts_that_differ(self, case: Case, here: str, there: str) -> Iterator[Cause]:
        """Each part of the canonical request in which here and there differ: what became of it on the way."""
        ours, theirs = Parts(here), Parts(there)
        for part, a, b in ours.against(theirs):
            kind = _kind_of_part(part, a, b, case)
            if part == "signed headers" and any(p.startswith("header ") for p, _, _ in ours.against(theirs)):
                continue  # The header itself was told.
            yield Cause(
                kind, f"{KINDS[kind].meaning} In the {part}, the server derived something else than the request as it is here.",
                ours=_shown(a), theirs=_shown(b), place="canonical request", part=part,
            )  # fmt: skip

    def _explain_refusal_of_what_holds(self, case: Case, right: tuple[str | None, str]) -> None:
        """The signature is right for the request as it is here; if the server refused it, it saw another, or has another secret."""
        answer = self.answer
        if answer is None or not answer.is_refusal:
            return
        server = self._server_texts()
        if server is not None and not _same(right, server):
            every = Effects(case, TABLES[case.claim.scheme])
            found = reproduce_text(every, server[0] if right[0] is not None else None, server[1])
            if found is not None:
                self._tell(case, right, found, of_server=True)
            else:
                self._tell_parts(case, right, server)
        elif server is not None:
            self._tell_changed_on_the_way(case, right, server, proved=True)
        elif answer.says_mismatch and not any(weight <= _FOUND for weight, _, _ in self._weighed):
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
        every: Effects | None = None
        if self.material.canonical_request or self.material.string_to_sign:
            every = Effects(case, TABLES[case.claim.scheme])
            found = self._from_what_the_signer_says(case, right, every)
            if found is not None:
                self._tell(case, right, found)
                return
        server = self._server_texts()
        if server is not None and not _same(right, server):
            self._tell_server_differs(case, right, server, every if every is not None else Effects(case, TABLES[case.claim.scheme]))
            return
        if self.answer is None or not (self.answer.says_mismatch or server is not None):
            return
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
        body = self.request.body
        if not isinstance(body, bytes):
            self.notes.append("the form's body is not here: nothing of it was checked")
            return
        judged = Judgement(self.request, None, self.at)
        if judged.claim is None:
            if judged.error is not None:
                for cause in of_verified(judged.error, self.request, None, self.at):
                    self.add(_FOUND, cause)
            return
        for cause in of_policy(judged.claim, self.at):
            self.add(_FOUND, cause)
        if self.credentials is None:
            return
        self.checked = True
        if judged.claim.access_key_id != self.credentials.access_key_id:
            self.add(
                _FOUND,
                Cause(
                    "access-key-of-others",
                    f"The form names the access key {judged.claim.access_key_id[:60]}; the credentials are of {self.credentials.access_key_id}",
                ),
            )
        token = judged.claim.session_token
        if token and self.credentials.session_token and token != self.credentials.session_token:
            self.add(_FOUND, Cause("session-token-of-others", "The session token of the form is not that of the credentials"))
        secret = credentials_for(judged.claim.access_key_id, self.credentials, token)
        verdict = Judgement(self.request, secret, self.at).error if secret else None
        if verdict is None:
            return
        if verdict.kind == "signature-mismatch":
            self.add(
                _GUESSED,
                Cause(
                    "wrong-secret",
                    "The form's signature is not that of its policy with this secret: another secret signed, or the policy was changed after signing",
                    group="unseen",
                    place="signing key",
                ),
            )
        else:
            for cause in of_verified(verdict, self.request, None, self.at):
                self.add(_FOUND, cause)

    # What the server says in words.

    def _hear(self) -> None:
        answer = self.answer
        if answer is None or not answer.is_refusal:
            return
        heard = False
        for kind, sentence in sayings(answer):
            heard = True
            kind = self._kind_heard(kind)
            expected = {"wrong-region": expected_region(answer), "wrong-service": expected_service(answer)}.get(kind)
            fix = None
            theirs = ours = None
            if expected and self.claim is not None:
                theirs = self.claim.region if kind == "wrong-region" else self.claim.service
                ours = expected
                fix = f"{KINDS[kind].fix} Here: {expected}."
            known = [cause for _, _, cause in self._weighed if cause.kind == kind]
            evidence = known[0] if known else None
            self.add(
                _SAID_FIRST,
                Cause(
                    kind, f"{KINDS[kind].meaning} The server says: {sentence}", fix=fix, ours=ours or (evidence.ours if evidence else None),
                    theirs=theirs or (evidence.theirs if evidence else None), group="wrong-time" if kind in GROUPS["wrong-time"].kinds else None,
                ),
            )  # fmt: skip
        status = answer.response.status
        endpoint = answer.elements.get("Endpoint") or answer.response.header("location")
        if status in (301, 302, 307, 308) and not heard and self.claim is not None:
            kind = (
                "global-endpoint-redirected" if self.claim.service.startswith("s3") or self.claim.scheme == "s3v2" else "other-host"
            )
            self.add(
                _SAID_FIRST, Cause(kind, f"{KINDS[kind].meaning} The server sends it on{f' to {endpoint}' if endpoint else ''}.")
            )
        elif not heard and not answer.says_mismatch and (answer.code or (status or 0) >= 400):
            said = " ".join(filter(None, (str(status or ""), answer.code, answer.message[:300])))
            self.notes.append(masked(f"The server answered {said!r}, which is not about the signature"))

    def _kind_heard(self, kind: str) -> str:
        """The kind of a sentence in the light of what was found: S3 has one for several things."""
        found = [cause.kind for _, _, cause in self._weighed]
        alike = {
            "clock-skew": ("local-time-for-utc", "expired-url", "clock-skew"),
            "expired-url": ("expired-url",),
            "session-token-of-others": ("session-token-url-encoded", "session-token-missing", "session-token-unsigned", "session-token-of-others"),
            "access-key-of-others": ("session-token-missing", "access-key-of-others"),
            "header-added": ("session-token-unsigned", "header-added"),
            "body-changed": ("empty-hash-for-body", "body-encoding", "body-compressed", "body-trailing-newline", "body-changed"),
            "malformed-authorization": ("base64-for-hex", "signed-headers-differ", "presigned-url-requoted", "terminator-misspelt", "wrong-region", "wrong-service", "scope-date"),
            "not-signed": ("presigned-url-requoted", "not-signed"),
        }.get(kind, ())  # fmt: skip
        return next((other for other in alike if other in found), kind)


def _same(right: tuple[str | None, str], server: tuple[str | None, str]) -> bool:
    if right[0] is not None and server[0] is not None:
        return right[0] == server[0] and right[1] == server[1]
    return right[1] == server[1]


def _shown(text: str | None) -> str | None:
    return None if text is None else readable(text)


def _kind_of_part(part: str, here: str | None, there: str | None, case: Case) -> str:
    """What became of a part of the canonical request on its way to the server."""
    if part == "method":
        return "presigned-for-another-method" if case.presigned else "wrong-method"
    if part == "path":
        return "path-rewritten"
    if part == "query":
        ours, theirs = set((here or "").split("&")), set((there or "").split("&"))
        if ours < theirs or theirs < ours:
            return "parameter-added"
        if {pair.replace("%2B", "%20") for pair in ours} == {pair.replace("%2B", "%20") for pair in theirs}:
            return "plus-for-space"
        return "presigned-url-requoted" if case.presigned else "query-rewritten"
    if part == "signed headers":
        return "signed-headers-differ"
    if part == "payload hash":
        body = case.body
        if there and body is not None:
            return next((kind for kind, other, _ in bodies(body) if hash_of(other) == there), "body-changed")
        return "unsigned-payload-not-taken" if "UNSIGNED-PAYLOAD" in (here, there) else "body-changed"
    name = part.removeprefix("header ")
    if there is None:
        return "header-dropped"
    if here is None:
        return "header-added"
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
