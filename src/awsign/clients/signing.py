"""What the adapters are told, the same for all: how requests are signed, and by whom."""

from __future__ import annotations

from ..chunked import Chunked
from ..clock_skew import ClockSkew
from ..credentials import find_credentials, find_region
from ..endpoints import infer
from ..errors import InvalidRequest
from ..identity import provider_of
from ..payload import UNSIGNED_PAYLOAD, is_sha256
from ..s3_sigv2 import S3SigV2
from ..services import SIGV2_ONLY, Rules, rules_for
from ..settings import Settings
from ..sigv2 import SigV2
from ..sigv4 import SigV4, scope_part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from ..identity import Credentials, Provider

    Scheme = Literal["sigv4", "sigv4a", "sigv2", "s3v2"]

SCHEMES = ("sigv4", "sigv4a", "sigv2", "s3v2")
_WITHOUT_REGION = frozenset(("sigv2", "s3v2"))
_KEPT_SIGNERS = 64


class Signing:
    """How a client's requests are signed. Every argument may be left out.

    service, region: of the credential scope; None takes them from the host of each request, and a region that no host tells from
    the environment, the profile or the instance. credentials: Credentials or a provider; None is awsign.find_credentials().
    payload: None is what is safe for the service: the body's hash, for which a body that can be read only once goes by way of a
    temporary file. UNSIGNED_PAYLOAD leaves the body to TLS, Chunked(...) signs it as it is sent (S3 alone); a request that has an
    x-amz-content-sha256 says so itself. rules: awsign.Rules, None are those of the service. scheme: sigv4, sigv4a, sigv2 or s3v2;
    None is sigv4, but for Multi-Region Access Points and the services that know no other than sigv2.

    One may be shared by any number of threads and tasks: it also remembers the clocks of endpoints.
    """

    def __init__(
        self,
        *,
        service: str | None = None,
        region: str | None = None,
        credentials: Credentials | Provider | None = None,
        payload: str | Chunked | None = None,
        rules: Rules | None = None,
        scheme: Scheme | None = None,
    ) -> None:
        if scheme is not None and scheme not in SCHEMES:
            raise InvalidRequest(f"scheme={scheme!r}: it is one of {', '.join(map(repr, SCHEMES))}")
        if isinstance(payload, str) and payload != UNSIGNED_PAYLOAD and not is_sha256(payload):
            raise InvalidRequest(
                f"payload={payload[:40]!r}: it is awsign.UNSIGNED_PAYLOAD, awsign.Chunked(...), a SHA-256 in lower-case hex, or None "
                "for the hash of each body"
            )
        if payload is not None and not isinstance(payload, (str, Chunked)):
            raise TypeError(f"payload must be awsign.UNSIGNED_PAYLOAD, awsign.Chunked(...) or None, not {type(payload).__name__}")
        if payload is not None and scheme in _WITHOUT_REGION:
            raise InvalidRequest(f"payload belongs to Signature Version 4; {scheme} covers no body, leave it out")
        if rules is not None and not isinstance(rules, Rules):
            raise TypeError(f"rules must be awsign.Rules, not {type(rules).__name__}; awsign.rules_for('s3') has those of S3")
        self.service = scope_part("service", service)
        self.region = scope_part("region", region)
        self.provider = provider_of(find_credentials() if credentials is None else credentials)
        self.payload = payload
        self.skew = ClockSkew()
        self._rules = rules
        self._scheme = scheme
        self._configured: str | None = None
        self._looked = False
        self._signers: dict[tuple[str, str | None, str | None], SigV4 | SigV2 | S3SigV2] = {}

    def __getstate__(self) -> dict[str, object]:
        return self.__dict__ | {"_signers": {}}

    def __repr__(self) -> str:
        return f"service={self.service!r}, region={self.region!r}"

    def service_of(self, url: str) -> str | None:
        """The service of a request."""
        return self.service or infer(url)[0]

    def region_of(self, url: str, *, moved: bool = False) -> str | None:
        """The region of a request. moved: a server pointed there, so its host counts before what was configured."""
        if self._scheme in _WITHOUT_REGION:
            return None
        if moved:
            return infer(url)[1] or self.region or self._found_region(url)
        return self.region or infer(url)[1] or self._found_region(url)

    def knows_region(self, url: str) -> bool:
        """Whether the region is known without looking for it, which may take a second."""
        return self._looked or self._scheme in _WITHOUT_REGION or bool(self.region or infer(url)[1])

    def _found_region(self, url: str) -> str | None:
        """The configured one, looked for once. The instance is asked only of what is a service at all."""
        if not self._looked and (service := self.service_of(url)):
            region_set = Settings().sigv4a_signing_region_set if self._scheme == "sigv4a" else None
            self._configured = None if service in SIGV2_ONLY else region_set or find_region()
            self._looked = True
        return self._configured

    def rules(self, service: str | None) -> Rules:
        """The rules that a request to a service is signed by."""
        return self._rules or rules_for(service or "")

    def signer(self, service: str | None, region: str | None) -> SigV4 | SigV2 | S3SigV2:
        """What signs for a service in a region."""
        scheme = self._scheme or ("sigv2" if service in SIGV2_ONLY else "sigv4a" if region == "*" else "sigv4")
        key = (scheme, service, region)
        signer = self._signers.get(key)
        if signer is None:
            if len(self._signers) >= _KEPT_SIGNERS:
                self._signers.clear()
            signer = self._signers[key] = self._made(*key)
        return signer

    def _made(self, scheme: str, service: str | None, region: str | None) -> SigV4 | SigV2 | S3SigV2:
        if scheme == "sigv2":
            return SigV2(self.provider)
        if scheme == "s3v2":
            return S3SigV2(self.provider)
        if scheme == "sigv4a":
            from ..sigv4a import SigV4A

            return SigV4A(self.provider, service, region, rules=self._rules)
        return SigV4(self.provider, service, region, rules=self._rules)


class Signs:
    """What signs for a client as it is told. Arguments: those of Signing."""

    def __init__(
        self,
        *,
        service: str | None = None,
        region: str | None = None,
        credentials: Credentials | Provider | None = None,
        payload: str | Chunked | None = None,
        rules: Rules | None = None,
        scheme: Scheme | None = None,
    ) -> None:
        self.signing = Signing(service=service, region=region, credentials=credentials, payload=payload, rules=rules, scheme=scheme)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.signing!r}>"
