"""What services do differently: rows with their sources, no branches.

`Rules` are the choices a signer makes for a service; `rules_for` looks them up by signing name (the service of the credential
scope). The defaults are those of almost every service.
"""

from __future__ import annotations

import re

from .errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from .request import Request

# Where a session token stands; that of an S3 Express session has a name of its own (RULES, Session tokens).
SECURITY_TOKEN = "x-amz-security-token"
SESSION_TOKEN = "x-amz-s3session-token"
_TOKEN_HEADER = re.compile(r"x-amz-[a-z0-9-]+")
_CHOICES = {
    "path": ("normalize", "as-is"),
    "encode": ("twice", "once"),
    "payload": ("hash", "unsigned", "unsigned-on-https"),
    "content_sha256": ("omit", "send"),
    "token": ("signed", "after"),
    "presigned_payload": ("hash", "unsigned"),
}


class Rules:
    """How one service has its requests signed. Immutable; `replace` gives a changed copy.

    path: "normalize" removes dot and empty segments before signing, "as-is" keeps every byte.
    encode: "twice" percent-encodes the path of the wire once more, "once" signs its single encoding.
    payload: "hash" signs the body's SHA-256, "unsigned" the word UNSIGNED-PAYLOAD, "unsigned-on-https" that over https alone.
    content_sha256: "send" sends and signs x-amz-content-sha256; "omit" does so only where its value is a word, not the body's hash.
    token: "signed" signs the session token, "after" adds it to the signed request.
    token_header: the header that carries the session token.
    presigned_payload: what a presigned URL signs as its payload: "hash" or "unsigned".
    """

    __slots__ = ("content_sha256", "encode", "path", "payload", "presigned_payload", "token", "token_header")

    path: Literal["normalize", "as-is"]
    encode: Literal["twice", "once"]
    payload: Literal["hash", "unsigned", "unsigned-on-https"]
    content_sha256: Literal["omit", "send"]
    token: Literal["signed", "after"]
    token_header: str
    presigned_payload: Literal["hash", "unsigned"]

    def __init__(
        self,
        path: Literal["normalize", "as-is"] = "normalize",
        encode: Literal["twice", "once"] = "twice",
        payload: Literal["hash", "unsigned", "unsigned-on-https"] = "hash",
        content_sha256: Literal["omit", "send"] = "omit",
        token: Literal["signed", "after"] = "signed",
        token_header: str = SECURITY_TOKEN,
        presigned_payload: Literal["hash", "unsigned"] = "hash",
    ) -> None:
        given = (path, encode, payload, content_sha256, token, presigned_payload)
        for (name, choices), value in zip(_CHOICES.items(), given, strict=True):
            if value not in choices:
                raise InvalidRequest(f"Rules({name}={value!r}): {name} is one of {', '.join(map(repr, choices))}")
            object.__setattr__(self, name, value)
        if not isinstance(token_header, str) or not _TOKEN_HEADER.fullmatch(token_header.lower()):
            raise InvalidRequest(f"Rules(token_header={token_header!r}): it is the name of an x-amz-... header")
        object.__setattr__(self, "token_header", token_header.lower())

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Rules cannot be changed; use rules.replace({name}=...)")

    def __reduce__(self) -> tuple[type[Rules], tuple[str, ...]]:
        return Rules, (
            self.path, self.encode, self.payload, self.content_sha256, self.token, self.token_header, self.presigned_payload
        )  # fmt: skip

    def replace(self, **changes: str) -> Rules:
        """The same rules but for the named choices."""
        return Rules(**({name: getattr(self, name) for name in self.__slots__} | changes))

    def __repr__(self) -> str:
        return f"Rules({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rules):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in self.__slots__))


_DEFAULT = Rules()

# S3 API reference, "Signature calculations for the Authorization header" and "Authenticating requests: using query parameters".
_S3 = Rules(path="as-is", encode="once", content_sha256="send", presigned_payload="unsigned")

_RULES = {
    "s3": _S3,
    "s3-outposts": _S3,
    "s3-object-lambda": _S3,
    # S3 user guide, "S3 Express One Zone: CreateSession": session calls carry their own token header.
    "s3express": _S3.replace(token_header=SESSION_TOKEN),
    "s3-express": _S3.replace(token_header=SESSION_TOKEN),
    # VPC Lattice user guide, "SigV4 authenticated requests": takes no payload hash.
    "vpc-lattice-svcs": _DEFAULT.replace(payload="unsigned", content_sha256="send", presigned_payload="unsigned"),
    # mhart/aws4 pull request 169: OpenSearch Serverless refuses a request without the header.
    "aoss": _DEFAULT.replace(content_sha256="send"),
    # Glacier developer guide, "UploadArchive": needed by what uploads, harmless to the rest (botocore, add_glacier_checksums).
    "glacier": _DEFAULT.replace(content_sha256="send"),
    # AWS IoT developer guide, "MQTT over WebSocket": the token is appended to the signed URL.
    "iotdevicegateway": _DEFAULT.replace(token="after"),
}

# The version of its Query API that tells EC2 where a signature names no service: EC2 API reference, "Common parameters".
QUERY_API_VERSIONS = {"2016-11-15": "ec2"}

S3_EXPRESS = frozenset(("s3express", "s3-express"))
S3_FAMILY = S3_EXPRESS | {"s3", "s3-outposts", "s3-object-lambda"}

# Where UNSIGNED-PAYLOAD is taken: S3, VPC Lattice, and the services of the operations that botocore's models mark
# `unsigned-body` (ebs PutSnapshotBlock, lex PostContent and RecognizeUtterance, mediastore PutObject, omics UploadReadSetPart).
TAKES_UNSIGNED_PAYLOAD = S3_FAMILY | {"vpc-lattice-svcs", "ebs", "lex", "mediastore", "omics"}

# Refuse a request without x-amz-content-sha256: S3 API reference, "Common request headers". The control planes of S3 on Outposts
# and OpenSearch Serverless take one without (as boto3 sends it).
REQUIRES_CONTENT_SHA256 = frozenset(("s3", "s3express", "s3-express", "s3-object-lambda"))

# A bucket's own path: in its virtual host, or where another endpoint has it in the path.
_BUCKET = re.compile(r"/(?:[^/]+--xa?-s3/?)?")
# Calls to S3 Express that keep IAM credentials, whose token has its usual header: S3 user guide, "Authorizing Zonal endpoint API
# operations with CreateSession", and opendal-reqsign pull 841. Of each: its name, the method, how the host begins, whether the
# path is the bucket's, a parameter, a header; None is any.
_IAM_CALLS_OF_S3_EXPRESS = (
    ("CreateSession", "GET", None, True, "session", None),
    ("HeadBucket", "HEAD", None, True, None, None),
    ("CopyObject or UploadPartCopy", "PUT", None, None, None, "x-amz-copy-source"),
    ("a call to the regional endpoint", None, "s3express-control", None, None, None),  # s3express-control-fips too.
)

# Services of no newer signature version: botocore's models of sdb and importexport, `signatureVersion: v2`.
SIGV2_ONLY = frozenset(("sdb", "importexport"))


def rules_for(service: str) -> Rules:
    """The rules of a service, by its signing name (`s3`, `execute-api`, ...)."""
    return _RULES.get(service, _DEFAULT)


def has_rules_of_calls(rules: Rules) -> bool:
    """Whether some calls of a service have other rules than the rest."""
    return rules.token_header == SESSION_TOKEN


def rules_of_call(rules: Rules, request: Request) -> Rules:
    """The rules of one call, where it has others than its service: the session tokens of S3 Express are not for all."""
    if not has_rules_of_calls(rules) or iam_call_of_s3_express(request) is None:
        return rules
    return rules.replace(token_header=SECURITY_TOKEN)


def iam_call_of_s3_express(request: Request) -> str | None:
    """Which of the calls it is that keep IAM credentials, None for one that takes a session's."""
    for operation, method, host, of_bucket, parameter, header in _IAM_CALLS_OF_S3_EXPRESS:
        if (
            (method is None or method == request.method)
            and (host is None or request.host.startswith(host))
            and (of_bucket is None or _BUCKET.fullmatch(request.path) is not None)
            and (parameter is None or parameter in [pair.partition("=")[0] for pair in request.query.split("&")])
            and (header is None or any(name.lower() == header for name, _ in request.headers))
        ):
            return operation
    return None


def answer_shape(service: str | None, headers: dict[str, str], is_query_api: bool) -> str:
    """The shape in which a service words its errors: s3, ec2, query, json or rest.

    headers: by lower-case name. is_query_api: whether the request names an `Action`, as the Query APIs' do.
    """
    if service in S3_FAMILY:
        return "s3"
    if "x-amz-target" in headers or headers.get("content-type", "").startswith("application/x-amz-json"):
        return "json"
    if service == "ec2":
        return "ec2"
    return "query" if is_query_api else "rest"
