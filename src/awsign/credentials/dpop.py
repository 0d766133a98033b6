"""DPoP: the proof that whoever sends a token has the key that it was given to. Source: RFC 9449, section 4."""

from __future__ import annotations

import json
import time
import uuid
from base64 import urlsafe_b64encode

from ..errors import CredentialsError, MissingExtra

_WIDTH = 32  # Of a coordinate of P-256, in bytes: RFC 7518, section 6.2.1.2.


def proof(private_key: str, method: str, url: str, *, at: int | None = None, identifier: str | None = None) -> str:
    """The value of the DPoP header of a request.

    private_key: on P-256, as PEM. url: of the request, without query and fragment. at: seconds since 1970; None is now. identifier:
    `jti`, of one proof alone; None makes one. Raises CredentialsError for a key that is none, MissingExtra without awsign[sigv4a].
    """
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ec, utils
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise MissingExtra("the credentials of `aws login` are refreshed with ECDSA; pip install 'awsign[sigv4a]'") from None

    if not private_key.isascii():  # Before it is encoded: the error would hold it.
        raise CredentialsError("the dpopKey of the cached login is not a private key in PEM; run `aws login`")
    try:
        key = load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # `from None`: it may tell of the key.
        raise CredentialsError("the dpopKey of the cached login is not a private key in PEM; run `aws login`") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CredentialsError("the dpopKey of the cached login is not a key on P-256; run `aws login`")
    point = key.public_key().public_numbers()
    x, y = (_encoded(coordinate.to_bytes(_WIDTH, "big")) for coordinate in (point.x, point.y))
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": {"kty": "EC", "x": x, "y": y, "crv": "P-256"}}
    claims = {"htm": method, "htu": url, "iat": int(time.time()) if at is None else at, "jti": identifier or str(uuid.uuid4())}
    signed = ".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    # RFC 7518, section 3.4: the two numbers one after the other, not in DER.
    r, s = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
    return f"{signed}.{_encoded(r.to_bytes(_WIDTH, 'big') + s.to_bytes(_WIDTH, 'big'))}"


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
