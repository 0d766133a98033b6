"""awsign: requests to AWS, and to whatever speaks AWS's signatures, signed right and verified right.

    >>> import awsign
    >>> signer = awsign.SigV4(awsign.Credentials("AKIDEXAMPLE", "secret"), "dynamodb", "us-east-1")
    >>> signed = signer.sign(awsign.Request("POST", "https://dynamodb.us-east-1.amazonaws.com/", body=b"{}"))

`signed.method`, `.url`, `.headers` and `.body` are what must be sent, byte for byte.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import credentials as credentials
    from . import endpoints as endpoints
    from . import event_stream as event_stream
    from . import redact as redact
    from . import s3_urls as s3_urls
    from . import settings as settings
    from . import sigv4a as sigv4a
    from .chunked import Chunked as Chunked
    from .clock_skew import ClockSkew as ClockSkew
    from .credentials import find_credentials as find_credentials
    from .credentials import find_region as find_region
    from .endpoints import infer as infer
    from .errors import AwsignError as AwsignError
    from .errors import CredentialsError as CredentialsError
    from .errors import InvalidRequest as InvalidRequest
    from .errors import MissingExtra as MissingExtra
    from .errors import SignatureError as SignatureError
    from .explainer import Cause as Cause
    from .explainer import Report as Report
    from .explainer import explain as explain
    from .identity import Credentials as Credentials
    from .payload import EVENTS as EVENTS
    from .payload import UNSIGNED_PAYLOAD as UNSIGNED_PAYLOAD
    from .payload import spool_async as spool_async
    from .post_policy import PostForm as PostForm
    from .presign import S3Presigner as S3Presigner
    from .request import Request as Request
    from .response import Response as Response
    from .s3_sigv2 import S3SigV2 as S3SigV2
    from .services import Rules as Rules
    from .services import rules_for as rules_for
    from .signed import Presigned as Presigned
    from .signed import Signed as Signed
    from .sigv2 import SigV2 as SigV2
    from .sigv4 import ALL_HEADERS as ALL_HEADERS
    from .sigv4 import SigV4 as SigV4
    from .sigv4a import SigV4A as SigV4A
    from .verify import MemoryReplayGuard as MemoryReplayGuard
    from .verify import Verified as Verified
    from .verify import Verifier as Verifier

__version__ = "0.1.0"

# Imported when first asked for: a program that signs does not pay for the verifier.
_HOME = {
    "Chunked": "chunked",
    "ClockSkew": "clock_skew",
    "find_credentials": "credentials",
    "find_region": "credentials",
    "infer": "endpoints",
    "AwsignError": "errors",
    "CredentialsError": "errors",
    "InvalidRequest": "errors",
    "MissingExtra": "errors",
    "SignatureError": "errors",
    "Cause": "explainer",
    "Report": "explainer",
    "explain": "explainer",
    "Credentials": "identity",
    "EVENTS": "payload",
    "UNSIGNED_PAYLOAD": "payload",
    "spool_async": "payload",
    "PostForm": "post_policy",
    "S3Presigner": "presign",
    "Request": "request",
    "Response": "response",
    "S3SigV2": "s3_sigv2",
    "Rules": "services",
    "rules_for": "services",
    "SigV2": "sigv2",
    "ALL_HEADERS": "sigv4",
    "Presigned": "signed",
    "Signed": "signed",
    "SigV4": "sigv4",
    "SigV4A": "sigv4a",
    "MemoryReplayGuard": "verify",
    "Verified": "verify",
    "Verifier": "verify",
}
__all__ = list(_HOME)


# What has public names of its own, and is imported as `awsign.event_stream` when it is first asked for.
_MODULES = ("credentials", "endpoints", "event_stream", "redact", "s3_urls", "settings", "sigv4a")


def __getattr__(name: str) -> object:
    if name not in _HOME and name not in _MODULES:
        raise AttributeError(f"module 'awsign' has no attribute {name!r}")
    from importlib import import_module

    if name in _MODULES:
        return import_module(f".{name}", __name__)
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES, "__version__"])
