"""Every error that awsign raises.

Three things can go wrong, and each has its class: what was to be signed cannot be signed faithfully (`InvalidRequest`, a
`ValueError`), there are no usable credentials (`CredentialsError`), or what arrived does not verify (`SignatureError`).
Every message says what was wrong, which rule it broke and what to do. None holds a secret, a session token or the signature
that would have been right.
"""

from __future__ import annotations


class AwsignError(Exception):
    """The base of every error that awsign raises on purpose."""


class InvalidRequest(AwsignError, ValueError):
    """A request, a setting or a time that cannot be signed as it stands. Raised before anything is sent."""


class CredentialsError(AwsignError):
    """No credentials where some were needed, or credentials that are of no use: expired, malformed, refused by their source."""


class MissingExtra(AwsignError, ImportError):
    """A part of awsign that needs a package which is not installed."""


class SignatureError(AwsignError):
    """What arrived is not what its signer signed, or was never signed, or no longer counts.

    kind: a stable word of this module's table (`signature-mismatch`, `expired`, ...), to branch on.
    code, status: AWS's error code and HTTP status for it, in the shape of the service that was addressed.
    access_key_id: the one that was claimed, where one was read.
    canonical_request, string_to_sign: what the verifier derived, where it came that far; else None. They are exact, so they
    hold the session token of a request that carries one: mask them (`awsign.redact.masked`) before they are shown.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        shape: str = "s3",
        location: str = "header",
        canonical_request: str | None = None,
        string_to_sign: str | None = None,
        access_key_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.shape = shape
        self.code, self.status = code_and_status(kind, shape, location)
        self.canonical_request = canonical_request
        self.string_to_sign = string_to_sign
        self.access_key_id = access_key_id


# S3 has one word for whatever is wrong with an Authorization header and another for the same thing in a query.
_MALFORMED = "AuthorizationHeaderMalformed"
_MALFORMED_QUERY = "AuthorizationQueryParametersError"

# What AWS answers: kind -> S3, Query APIs, JSON APIs.
# S3: docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, "List of error codes" and "SigV4 errors", and the answers
# recorded in localstack's, versitygw's and ceph's test suites. Query: docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html.
# JSON: docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html.
_INCOMPLETE = ("IncompleteSignature", 400), ("IncompleteSignatureException", 400)
_INVALID = ("SignatureDoesNotMatch", 403), ("InvalidSignatureException", 400)
_CODES: dict[str, tuple[tuple[str, int], tuple[str, int], tuple[str, int]]] = {
    "missing-authentication": (
        ("AccessDenied", 403),
        ("MissingAuthenticationToken", 403),
        ("MissingAuthenticationTokenException", 400),
    ),
    "two-authentications": (("InvalidArgument", 400), *_INCOMPLETE),
    "malformed-authorization": (("InvalidArgument", 400), *_INCOMPLETE),
    "unsupported-algorithm": (("InvalidRequest", 400), *_INCOMPLETE),
    "unsupported-version": (("InvalidRequest", 400), *_INCOMPLETE),
    "missing-component": ((_MALFORMED, 400), *_INCOMPLETE),
    "malformed-component": ((_MALFORMED, 400), *_INCOMPLETE),
    "malformed-credential": ((_MALFORMED, 400), *_INCOMPLETE),
    "bad-terminator": ((_MALFORMED, 400), *_INVALID),
    "bad-scope-date": ((_MALFORMED, 400), *_INVALID),
    "scope-date-mismatch": ((_MALFORMED, 400), *_INVALID),
    "wrong-region": ((_MALFORMED, 400), *_INVALID),
    "wrong-service": ((_MALFORMED, 400), *_INVALID),
    "wrong-host": (("InvalidRequest", 400), *_INVALID),
    "missing-query-parameter": ((_MALFORMED_QUERY, 400), *_INCOMPLETE),
    "duplicate-parameter": ((_MALFORMED_QUERY, 400), *_INCOMPLETE),
    "duplicate-header": (("InvalidArgument", 400), *_INCOMPLETE),
    "bad-expires": ((_MALFORMED_QUERY, 400), *_INCOMPLETE),
    "expires-too-large": ((_MALFORMED_QUERY, 400), *_INCOMPLETE),
    "missing-date": (("AccessDenied", 403), *_INCOMPLETE),
    "bad-date": (("AccessDenied", 403), *_INCOMPLETE),
    "host-not-signed": _INVALID[:1] + _INVALID,
    "unsigned-header": (("AccessDenied", 403), *_INVALID),
    "unsigned-content": (("AccessDenied", 403), *_INVALID),
    "signed-header-missing": _INVALID[:1] + _INVALID,
    "missing-content-sha256": (("InvalidRequest", 400), *_INVALID),
    "bad-content-sha256": (("InvalidArgument", 400), *_INVALID),
    "missing-region-set": ((_MALFORMED, 400), *_INCOMPLETE),
    "missing-decoded-length": (("MissingContentLength", 411), *_INVALID),
    "malformed-chunk": (("IncompleteBody", 400), *_INVALID),
    "incomplete-body": (("IncompleteBody", 400), *_INVALID),
    "chunk-too-small": (("InvalidChunkSizeError", 403), *_INVALID),
    "chunk-too-large": (("EntityTooLarge", 400), *_INVALID),
    "malformed-trailer": (("MalformedTrailerError", 400), *_INVALID),
    "bad-checksum": (("InvalidRequest", 400), *_INVALID),
    "checksum-mismatch": (("BadDigest", 400), *_INVALID),
    "malformed-form": (("MalformedPOSTRequest", 400), *_INVALID),
    "form-too-large": (("MaxPostPreDataLengthExceeded", 400), *_INVALID),
    "missing-field": (("InvalidArgument", 400), *_INCOMPLETE),
    "bad-policy": (("InvalidPolicyDocument", 400), *_INVALID),
    "bad-expiration": (("InvalidPolicyDocument", 400), *_INVALID),
    "condition-failed": (("AccessDenied", 403), *_INVALID),
    "condition-missing": (("AccessDenied", 403), *_INVALID),
    "file-too-large": (("EntityTooLarge", 400), *_INVALID),
    "file-too-small": (("EntityTooSmall", 400), *_INVALID),
    "malformed-event": (("InvalidRequest", 400), *_INVALID),
    "unsupported-payload": (("NotImplemented", 501), ("NotImplemented", 501), ("NotImplemented", 501)),
    "undeclared-payload": (("InvalidRequest", 400), *_INVALID),
    "body-too-large": (("EntityTooLarge", 400), ("RequestEntityTooLargeException", 413), ("RequestEntityTooLargeException", 413)),
    "head-too-large": (
        ("RequestHeaderSectionTooLarge", 400),
        ("RequestHeaderFieldsTooLarge", 431),
        ("RequestHeaderFieldsTooLarge", 431),
    ),
    # AWS has no word for it, as it has no such guard: the code is that of a signature that does not count.
    "replayed": (("AccessDenied", 403), *_INVALID),
    "replay-guard-full": (("SlowDown", 503), ("ServiceUnavailable", 503), ("ServiceUnavailableException", 503)),
    "bad-target": (("InvalidURI", 400), *_INCOMPLETE),
    "two-lengths": (("InvalidRequest", 400), *_INCOMPLETE),
    "path-not-recoverable": (("InvalidURI", 400), ("MalformedQueryString", 400), ("ValidationException", 400)),
    "skew": (("RequestTimeTooSkewed", 403), ("RequestExpired", 400), ("InvalidSignatureException", 400)),
    "not-yet-valid": (("AccessDenied", 403), *_INVALID),
    "expired": (("AccessDenied", 403), ("RequestExpired", 400), ("InvalidSignatureException", 400)),
    "unknown-access-key": (("InvalidAccessKeyId", 403), ("InvalidClientTokenId", 403), ("UnrecognizedClientException", 400)),
    "expired-token": (("ExpiredToken", 400), ("ExpiredToken", 403), ("ExpiredTokenException", 400)),
    "invalid-token": (("InvalidToken", 400), ("InvalidClientTokenId", 403), ("UnrecognizedClientException", 400)),
    "signature-mismatch": _INVALID[:1] + _INVALID,
    "payload-hash-mismatch": (("XAmzContentSHA256Mismatch", 400), *_INVALID),
    "bad-content-md5": (("InvalidDigest", 400), *_INVALID),
    "content-md5-mismatch": (("BadDigest", 400), *_INVALID),
}
_COLUMN = {"s3": 0, "query": 1, "ec2": 1, "json": 2, "rest": 2}

# EC2 answers so to a key that it does not know: docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
_EC2 = {"unknown-access-key": ("AuthFailure", 401), "invalid-token": ("AuthFailure", 401)}


def code_and_status(kind: str, shape: str, location: str = "header") -> tuple[str, int]:
    """AWS's error code and HTTP status for a kind: in the words of `shape`, one of s3, query, ec2, json, rest.

    location: where the signature is: header, query or form.
    """
    if shape == "ec2" and kind in _EC2:
        return _EC2[kind]
    code, status = _CODES[kind][_COLUMN[shape]]
    if shape == "s3" and location != "header" and (code == _MALFORMED or kind in ("unsupported-algorithm", "bad-date")):
        return (_MALFORMED_QUERY if location == "query" else "InvalidArgument"), 400
    if shape == "rest" and status == 400:
        # API Gateway, Lambda and OpenSearch answer 403 where DynamoDB and the other x-amz-json services answer 400.
        return code, 403
    return code, status


def system_reason(error: BaseException) -> str:
    """What the operating system says of an error that is not ours, else its class: its text may quote what was read or sent."""
    return getattr(error, "strerror", None) or type(error).__name__
