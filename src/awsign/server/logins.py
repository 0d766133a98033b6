"""The services behind `aws sso login` and `aws login`: tokens are refreshed, and buy credentials.

Source: IAM Identity Center portal API reference, GetRoleCredentials; its OIDC API reference, CreateToken; sign-in API reference,
CreateOAuth2Token; RFC 9449 for the proof that the last asks for.
"""

from __future__ import annotations

import json
import secrets
import time
from base64 import urlsafe_b64decode
from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .answers import Answer
    from .issued import Issued

_JSON = [(b"content-type", b"application/json")]
# What is there from the beginning: the access token that the portal takes, and the refresh token of both logins.
ACCESS_TOKEN, REFRESH_TOKEN = "awsign-access-token", "awsign-refresh-token"
_PROOF_SECONDS = 300


class Logins:
    """issued: where credentials are kept. seconds: how long they last. Access tokens do not end; a refresh token serves once."""

    def __init__(self, issued: Issued, seconds: int) -> None:
        self._issued = issued
        self._seconds = seconds
        self._access = {ACCESS_TOKEN}
        self._refresh = {REFRESH_TOKEN}
        self._proofs: set[str] = set()

    def role_credentials(self, query: str, headers: dict[str, str]) -> Answer:
        """GetRoleCredentials of the portal."""
        asked = parse_qs(query)
        if headers.get("x-amz-sso_bearer_token") not in self._access:
            return _refusal(401, "UnauthorizedException", "Session token not found or invalid")
        if not asked.get("role_name") or not asked.get("account_id"):
            return _refusal(400, "InvalidRequestException", "role_name and account_id are needed")
        made = self._issued.current(f"sso {asked['account_id'][0]} {asked['role_name'][0]}", timedelta(seconds=self._seconds))
        assert made.expiration is not None
        told = {
            "accessKeyId": made.access_key_id,
            "secretAccessKey": made.secret_access_key,
            "sessionToken": made.session_token,
            "expiration": int(made.expiration.timestamp() * 1000),
        }
        return 200, _JSON, json.dumps({"roleCredentials": told}).encode()

    def oidc_token(self, body: bytes) -> Answer:
        """CreateToken of OIDC, of a refresh token."""
        asked = _object(body)
        if asked.get("grantType") != "refresh_token" or not asked.get("clientId") or not asked.get("clientSecret"):
            return _refusal(400, "InvalidRequestException", "grantType is refresh_token, with clientId and clientSecret")
        fresh = self._exchanged(asked.get("refreshToken"))
        if fresh is None:
            return _refusal(400, "InvalidGrantException", "the refresh token is void", error="invalid_grant")
        access = secrets.token_urlsafe(32)
        self._access.add(access)
        told = {"accessToken": access, "tokenType": "Bearer", "expiresIn": self._seconds, "refreshToken": fresh}
        return 200, _JSON, json.dumps(told).encode()

    def sign_in_token(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """CreateOAuth2Token of the sign-in service, of a refresh token and a proof. url: that of the request."""
        if why := self._flaw_of_proof(headers.get("dpop", ""), url):
            return _refusal(400, "AccessDeniedException", why, error="INVALID_DPOP_PROOF")
        asked = _object(body)
        fresh = self._exchanged(asked.get("refreshToken")) if asked.get("grantType") == "refresh_token" else None
        if fresh is None:
            return _refusal(400, "AccessDeniedException", "the refresh token is void", error="TOKEN_EXPIRED")
        made = self._issued.current("sign-in", timedelta(seconds=self._seconds))
        given = {"accessKeyId": made.access_key_id, "secretAccessKey": made.secret_access_key, "sessionToken": made.session_token}
        told = {"accessToken": given, "tokenType": "urn:aws:params:oauth:token-type:access_token_sigv4"}
        return 200, _JSON, json.dumps({**told, "expiresIn": self._seconds, "refreshToken": fresh}).encode()

    def _exchanged(self, refresh_token: object) -> str | None:
        if not isinstance(refresh_token, str) or refresh_token not in self._refresh:
            return None
        self._refresh.discard(refresh_token)
        fresh = secrets.token_urlsafe(32)
        self._refresh.add(fresh)
        return fresh

    def _flaw_of_proof(self, proof: str, url: str) -> str | None:
        """What is wrong with a DPoP proof for a POST: RFC 9449, section 4.3."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric import ec, utils
        from cryptography.hazmat.primitives.hashes import SHA256

        try:
            header, claims, signature = (_decoded(part) for part in proof.split("."))
            head, told = _object(header), _object(claims)
            x, y = (int.from_bytes(_decoded(head["jwk"][name]), "big") for name in ("x", "y"))
            key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
            r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
            key.verify(utils.encode_dss_signature(r, s), proof.rpartition(".")[0].encode(), ec.ECDSA(SHA256()))
        except (ValueError, KeyError, TypeError, InvalidSignature):
            return "the DPoP proof is not one that its own key signed"
        if (head.get("typ"), head.get("alg"), len(signature)) != ("dpop+jwt", "ES256", 64):
            return "the DPoP proof is not of the type dpop+jwt, by ES256"
        if (told.get("htm"), told.get("htu")) != ("POST", url):
            return f"the DPoP proof is of another request than POST {url}"
        now = int(time.time())
        if not isinstance(told.get("iat"), int) or not now - _PROOF_SECONDS <= told["iat"] <= now + _PROOF_SECONDS:
            return "the DPoP proof is of another time"
        once = sha256(str(told.get("jti")).encode("utf-8", "surrogatepass")).hexdigest()
        if not told.get("jti") or once in self._proofs:
            return "the DPoP proof was used before"
        self._proofs.add(once)
        return None


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _refusal(status: int, kind: str, message: str, **more: str) -> Answer:
    return status, [*_JSON, (b"x-amzn-errortype", kind.encode())], json.dumps({"message": message, **more}).encode()
