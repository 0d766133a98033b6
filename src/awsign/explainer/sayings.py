"""What services say in words: sentence -> kind. Of each, the wording as services and stores were seen to send it.

Sources: the answers pasted into the issue threads of botocore, boto3, aws-cli, minio, s3fs, aws4, dynalite and kinesalite; the
sources of OpenStack Swift, MinIO, versitygw and LocalStack, which word theirs after AWS's.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .answer import Answer

_SAYINGS = [
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (r"the region (?:['\"][^'\"]*['\"] )?is wrong|a non-empty region must be provided", "wrong-region"),
        (r"Credential should be scoped to a valid region", "wrong-region"),
        (r"incorrect service(?: \"[^\"]*\")?\. This endpoint belongs to|Credential should be scoped to correct service", "wrong-service"),
        (r"incorrect terminal|Credential should be scoped with a valid terminator", "terminator-misspelt"),
        (r"incorrect date format|Date in Credential scope does not match|Invalid credential date", "scope-date"),
        (r"difference between the request time and the (?:current|server's) time is too large", "clock-skew"),
        (r"Signature expired: |Signature not yet current: |Request is (?:not yet valid|not valid yet)", "clock-skew"),
        (r"Request has expired|Invalid according to Policy: Policy expired", "expired-url"),
        (r"X-Amz-Expires must be less than a week", "expires-over-maximum"),
        (r"provided token has expired|security token included in the request is expired", "expired-credentials"),
        (r"provided token is malformed or otherwise invalid|security token included in the request is invalid", "session-token-of-others"),
        (r"headers present in the request which were not signed", "header-added"),
        (r"'?x-amz-content-sha256'? header does not match what was computed", "body-changed"),
        (r"Missing required header for this request: x-amz-content-sha256", "missing-content-sha256"),
        (r"x-amz-content-sha256 must be UNSIGNED-PAYLOAD", "unsigned-payload-not-taken"),
        (r"'Host'(?: or ':authority')? must be a 'SignedHeader'", "host-not-signed"),
        (r"Access Key Id you provided does not exist|Malformed Access Key Id", "access-key-of-others"),
        (r"must be addressed using the specified endpoint|re-send this request to the specified temporary endpoint", "global-endpoint-redirected"),
        (r"Invalid according to Policy", "post-policy-condition"),
        (r"Only one auth mechanism allowed|Found both 'X-Amz-Algorithm'", "signed-twice"),
        (r"Missing Authentication Token|Query-string authentication (?:version 4 )?requires the", "not-signed"),
        (r"the Credential is mal-formed|requires three components|authorization component \"[^\"]*\" is malformed", "malformed-authorization"),
        (r"key=value pair \(missing equal-sign\)|Authorization header requires|must begin with the algorithm name", "malformed-authorization"),
    )
]  # fmt: skip
# A code that says as much as a sentence, where the server has other words.
_CODES = {
    "RequestTimeTooSkewed": "clock-skew",
    "RequestExpired": "clock-skew",
    "RequestInTheFuture": "clock-skew",
    "ExpiredToken": "expired-credentials",
    "ExpiredTokenException": "expired-credentials",
    "InvalidToken": "session-token-of-others",
    "InvalidAccessKeyId": "access-key-of-others",
    "InvalidClientTokenId": "access-key-of-others",
    "UnrecognizedClientException": "access-key-of-others",
    "XAmzContentSHA256Mismatch": "body-changed",
    "BadDigest": "body-changed",
    "PermanentRedirect": "global-endpoint-redirected",
    "TemporaryRedirect": "global-endpoint-redirected",
    "Redirect": "global-endpoint-redirected",
    "MissingAuthenticationToken": "not-signed",
    "MissingAuthenticationTokenException": "not-signed",
    "AuthorizationHeaderMalformed": "malformed-authorization",
    "IncompleteSignature": "malformed-authorization",
    "IncompleteSignatureException": "malformed-authorization",
}
# What the server expects, named in its answer.
_EXPECTED_REGION = re.compile(r"expecting ['\"]([a-z0-9-]+)['\"]")
_EXPECTED_SERVICE = re.compile(r"(?:belongs to \"|correct service: '?)([A-Za-z0-9-]+)")


def sayings(answer: Answer) -> Iterator[tuple[str, str]]:
    """The kinds that an answer's words tell, and the sentence of each; several may stand in one message."""
    said = False
    for pattern, kind in _SAYINGS:
        if match := pattern.search(answer.message):
            said = True
            yield kind, _sentence(answer.message, match.start())
    if not said and answer.code in _CODES:
        yield _CODES[answer.code], answer.message or answer.code


def _sentence(text: str, at: int) -> str:
    """The line in which a match stands, cut."""
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    return text[start : end if end >= 0 else None].strip()[:300]


def expected_region(answer: Answer) -> str | None:
    """The region that the server would have been signed for."""
    match = _EXPECTED_REGION.search(answer.message)
    return answer.elements.get("Region") or (match[1] if match else None) or answer.response.header("x-amz-bucket-region")


def expected_service(answer: Answer) -> str | None:
    """The service that the server would have been signed for."""
    match = _EXPECTED_SERVICE.search(answer.message)
    return match[1] if match else None
