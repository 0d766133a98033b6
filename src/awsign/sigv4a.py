"""Signature Version 4A: signed for a set of regions, with an ECDSA key on P-256 that is derived from the secret.

Whoever verifies needs the public key alone, so that a verifier need not be able to sign: no HMAC scheme has that. Two signatures
of one request differ, since each has a random part. Needs the `cryptography` package: `awsign[sigv4a]`.
Source: AWS IAM user guide, "Signature Version 4A"; aws-c-auth, key_derivation.c; NIST SP 800-108, section 5.1 (the counter mode
that derives the key); FIPS 186-4, appendix B.4.2 (testing candidates).
"""

from __future__ import annotations

import re

from .errors import InvalidRequest, MissingExtra
from .scope import ASYMMETRIC, TERMINATOR, SigningKey
from .sigv4 import SigV4

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Literal

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

    from .identity import Credentials, Provider
    from .services import Rules
    from .sigv4 import AllHeaders

# FIPS 186-4, D.1.2.3: the order of P-256. A candidate may be n - 2 at most, so that the key, one more, is from 1 to n - 1.
_ORDER = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551
_LARGEST_CANDIDATE = _ORDER - 2
_REGION = re.compile(r"[a-z0-9-]*(?:\*[a-z0-9-]*)?")
_LONGEST_SET = 1024
_HEX = re.compile(r"(?:[0-9a-f]{2})+")


def candidate(secret_access_key: str, access_key_id: str, counter: int) -> int:
    """What one round of the key derivation function gives."""
    fixed = b"\x00\x00\x00\x01" + ASYMMETRIC.encode() + b"\x00" + access_key_id.encode() + bytes([counter]) + b"\x00\x00\x01\x00"
    return int.from_bytes(SigningKey(b"AWS4A" + secret_access_key.encode()).digest(fixed), "big")


def private_number(secret_access_key: str, access_key_id: str) -> int:
    """The private key as a number."""
    for counter in range(1, 255):
        found = candidate(secret_access_key, access_key_id, counter)
        # The sign of a difference of two numbers of one size: a comparison would stop at the first digit that differs.
        if not (_LARGEST_CANDIDATE - found) >> 256:
            return found + 1
    raise AssertionError("no candidate in 254 rounds: the chance of that is 2 to the -8128")


class EcdsaKey:
    """A key on P-256 that signs (if it is a private one) and knows its signatures: DER, in hex."""

    __slots__ = ("_private", "_public")

    def __init__(self, private: EllipticCurvePrivateKey | None, public: EllipticCurvePublicKey) -> None:
        self._private = private
        self._public = public

    def sign(self, string_to_sign: str) -> str:
        assert self._private is not None
        return self._private.sign(string_to_sign.encode("latin-1"), _ecdsa()).hex()

    def matches(self, string_to_sign: str, signature: str) -> bool:
        from cryptography.exceptions import InvalidSignature

        if not _HEX.fullmatch(signature):
            return False
        try:
            self._public.verify(bytes.fromhex(signature), string_to_sign.encode("latin-1"), _ecdsa())
        except InvalidSignature:
            return False
        return True

    @property
    def public(self) -> EllipticCurvePublicKey:
        return self._public


class EcdsaP256Sha256:
    """AWS4-ECDSA-P256-SHA256: the scope names no region, X-Amz-Region-Set does; one key for all days, regions and services."""

    name = ASYMMETRIC
    names_region_set = True
    signature_width = 144  # DER of two numbers of 32 bytes takes 72 bytes at most.

    def scope(self, date: str, region: str, service: str) -> str:
        return f"{date}/{service}/{TERMINATOR}"

    def key(self, credentials: Credentials, date: str, region: str, service: str) -> EcdsaKey:
        return key_of(credentials)


def key_of(credentials: Credentials) -> EcdsaKey:
    """The key of credentials: derived once and kept with them."""
    kept = credentials.signing_keys
    key: EcdsaKey | None = kept.get((ASYMMETRIC,))
    if key is None:
        ec = require_cryptography()
        number = private_number(credentials.secret_access_key, credentials.access_key_id)
        private = ec.derive_private_key(number, ec.SECP256R1())
        key = kept[(ASYMMETRIC,)] = EcdsaKey(private, private.public_key())
    return key


def public_key(credentials: Credentials) -> EllipticCurvePublicKey:
    """The public key of credentials, for a verifier that is not to know their secret: `secret_for` may give it in their place.

    A P-256 key of `cryptography`: `key.public_bytes(...)` makes PEM of it, `load_pem_public_key` reads that. MissingExtra where the
    package is not installed.
    """
    return key_of(credentials).public


def key_of_public(key: object) -> EcdsaKey | None:
    """What checks signatures with a public key of `cryptography`; None for what is no such key, InvalidRequest off P-256."""
    ec = require_cryptography()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return None
    if not isinstance(key.curve, ec.SECP256R1):
        raise InvalidRequest(f"the public key is on {key.curve.name}; SigV4A's are on P-256 (secp256r1)")
    return EcdsaKey(None, key)


def require_cryptography() -> Any:
    """The curves of the `cryptography` package; MissingExtra if it is not installed."""
    try:
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError:
        raise MissingExtra("SigV4A needs the cryptography package; pip install 'awsign[sigv4a]'") from None
    return ec


def _ecdsa() -> Any:
    from cryptography.hazmat.primitives.hashes import SHA256

    return require_cryptography().ECDSA(SHA256())


def parse_region_set(region_set: str | Iterable[str]) -> str:
    """A region set as X-Amz-Region-Set has it: names with at most one `*` in each, joined by commas."""
    names = region_set.split(",") if isinstance(region_set, str) else list(region_set)
    if sum(map(len, filter(lambda name: isinstance(name, str), names))) > _LONGEST_SET:
        raise InvalidRequest(f"region_set is longer than {_LONGEST_SET} characters; '*' is every region")
    for name in names:
        if not isinstance(name, str):
            raise TypeError("region_set must be a str or a list of str, such as '*' or ['us-east-1', 'eu-*']")
        if not name.strip() or not _REGION.fullmatch(name.strip()):
            raise InvalidRequest(f"region_set has {name!r}; it is made of names such as us-east-1, us-* or *, joined by commas")
    if not names:
        raise InvalidRequest("region_set is empty; '*' is every region")
    return ",".join([name.strip() for name in names])


def covers(region_set: str, region: str) -> bool:
    """Whether a region set has a region in it; `*` stands for any run of characters."""
    for name in region_set.split(","):
        first, star, last = name.partition("*")
        fits = len(first) + len(last) <= len(region) and region.startswith(first) and region.endswith(last)
        if fits if star else name == region:
            return True
    return False


class SigV4A(SigV4):
    """A Signature Version 4A signer.

    region_set: where the signature counts: a region, several (a list, or joined by commas), with `*` for any run of characters;
    "*" is everywhere. None takes it from the host of each request: "*" for an S3 Multi-Region Access Point, else its region. The
    rest as for SigV4. Raises MissingExtra where `cryptography` is not installed.
    """

    _algorithm = EcdsaP256Sha256()

    def __init__(
        self,
        credentials: Credentials | Provider,
        service: str | None = None,
        region_set: str | Iterable[str] | None = None,
        *,
        rules: Rules | None = None,
        sign_headers: Iterable[str] | AllHeaders = (),
        iterables: Literal["spool", "refuse"] = "spool",
    ) -> None:
        require_cryptography()
        super().__init__(credentials, service, None, rules=rules, sign_headers=sign_headers, iterables=iterables)
        self._region = None if region_set is None else parse_region_set(region_set)

    def __repr__(self) -> str:
        return f"<SigV4A service={self._service!r} region_set={self._region!r}>"
