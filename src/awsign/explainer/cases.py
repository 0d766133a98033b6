"""A request and its claim -> the steps of a right signer, for whichever scheme it is."""

from __future__ import annotations

from ..canonical import joined_headers
from ..errors import MissingExtra
from ..identity import Credentials
from ..payload import EVENTS, UNSIGNED_PAYLOAD, is_content_sha256
from ..s3_urls import bucket_of
from ..services import rules_for
from ..sigv2 import METHODS
from .claimed import Claimed
from .mistakes import FORM, OLDER_FORM, S3V2, V2, V4, Case
from .mistakes.body import hash_of
from .recipe import FormRecipe, OlderFormRecipe, S3V2Recipe, V2Recipe, V4Recipe, s3v2_steps, v2_steps, v4_steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..request import Request
    from ..verify.claim import Claim
    from .answer import Answer
    from .mistakes import Mistake

TABLES: dict[str, tuple[Mistake, ...]] = {"sigv4": V4, "sigv4a": V4, "sigv2": V2, "s3v2": S3V2}


def case_of(request: Request, claim: Claimed, secret: str, answer: Answer | None) -> Case:
    """What a right signer would have done. secret: "" where it is not known: then the texts are of use, the signature is not."""
    headers = {name: value.strip(" \t\r\n") for name, value in joined_headers(request.headers).items()}
    if claim.scheme == "sigv2":
        form = request.body if isinstance(request.body, bytes) else b""
        steps = v2_steps(
            method=request.method, host=request.host, path=request.path, secret=secret,
            query=request.query if claim.location == "query" else form.decode("latin-1"), algorithm=METHODS.get(claim.method, "sha256"),
        )  # fmt: skip
        return Case(request, claim, V2Recipe(steps), None, headers, answer)
    if claim.scheme == "s3v2":
        expires = claim.expires if claim.location == "query" else None
        bucket = bucket_of(request.host)
        steps = s3v2_steps(
            method=request.method, path=request.path, query=request.query, headers=request.headers, bucket=bucket, expires=expires, secret=secret
        )  # fmt: skip
        return Case(request, claim, S3V2Recipe(steps), rules_for("s3"), headers, answer)
    rules = rules_for(claim.service)
    at = claim.signed_at
    after = (rules.token_header,) if rules.token == "after" else ()
    steps = v4_steps(
        method=request.method,
        path=request.path,
        query=request.query,
        headers=request.headers,
        signed=claim.signed_headers,
        payload=payload_of(request, claim, headers),
        rules=rules,
        stamp=f"{at:%Y%m%dT%H%M%SZ}" if at else claim.stamp,
        scope=(claim.date, claim.region, claim.service, claim.terminator),
        secret=secret,
        key=_asymmetric_key(claim, secret) if claim.scheme == "sigv4a" else None,
        leave_out=("x-amz-signature", *after),
    )
    return Case(request, claim, V4Recipe(steps), rules, headers, answer)


def case_of_form(posted: Claim, request: Request, secret: str) -> tuple[Case, tuple[Mistake, ...]]:
    """The same for a form, of which the policy alone is signed; and the mistakes that can be made with it."""
    assert posted.form is not None
    policy = posted.form.fields["policy"]
    claim = Claimed(posted.scheme, "form")
    claim.access_key_id, claim.signature = posted.access_key_id, posted.signature
    if posted.scheme == "s3v2":
        older = v2_steps(method="", host="", path="", query="", secret=secret, algorithm="sha1")
        return Case(request, claim, OlderFormRecipe({**older, "policy": policy}), None, {}, None), OLDER_FORM
    claim.date, claim.region, claim.service, claim.terminator = (posted.scope or "").split("/")
    claim.stamp = posted.form.fields["x-amz-date"]
    steps = v4_steps(
        method="", path="/", query="", headers=(), signed=(), payload="", rules=rules_for("s3"), stamp=claim.stamp,
        scope=(claim.date, claim.region, claim.service, claim.terminator), secret=secret,
    )  # fmt: skip
    return Case(request, claim, FormRecipe({**steps, "policy": policy}), None, {}, None), FORM


def payload_of(request: Request, claim: Claimed, headers: dict[str, str]) -> str:
    """The last line of the canonical request, as a server derives it: what is declared, else what the service has, else the body's hash."""
    declared = headers.get("x-amz-content-sha256", "")
    if claim.location == "query":
        if "x-amz-content-sha256" not in claim.signed_headers:
            declared = _parameter(request.query, "x-amz-content-sha256")
        if not declared and rules_for(claim.service).presigned_payload == "unsigned":
            return UNSIGNED_PAYLOAD
    if declared and (is_content_sha256(declared) or declared == EVENTS):
        return declared
    return hash_of(request.body if isinstance(request.body, bytes) else b"")


def _parameter(query: str, name: str) -> str:
    return next((pair.partition("=")[2] for pair in query.split("&") if pair.partition("=")[0].lower() == name), "")


class _NoKey:
    """Without a secret, no signature is known."""

    def matches(self, string_to_sign: str, signature: str) -> bool:
        return False


def can_check(case: Case) -> bool:
    """Whether signatures can be checked: SigV4A's take a package that may not be here."""
    return not isinstance(case.steps["key"], _NoKey)


def _asymmetric_key(claim: Claimed, secret: str) -> Any:
    if not secret:
        return _NoKey()
    from ..sigv4a import key_of

    try:
        return key_of(Credentials(claim.access_key_id, secret))
    except MissingExtra:
        return _NoKey()
