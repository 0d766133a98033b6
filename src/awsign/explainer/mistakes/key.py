"""The secret, the derivation of the key, the layout of the texts, the form of the signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
from contextlib import suppress
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from ...scope import SigningKey
from ..recipe import base64_of, derived_key
from .case import Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .case import Case


def secret_variants(case: Case) -> Iterator[Variant]:
    secret = case.steps["key.secret"]
    for end in ("\n", "\r\n", " ", "\r", "\t", "  ", "\n\n", "\0", "\u00a0", "\ufeff", "\u200b"):
        yield Variant("secret-white-space", {"key.secret": secret + end}, "with white space after the secret")
        yield Variant("secret-white-space", {"key.secret": end + secret}, "with white space before the secret")
    yield Variant("secret-white-space", {"key.secret": f" {secret} "}, "with white space around the secret")
    for mark in "\"'":
        yield Variant("secret-white-space", {"key.secret": f"{mark}{secret}{mark}"}, "with quotes around the secret")
        yield Variant("secret-white-space", {"key.secret": f"{secret}{mark}"}, "with a quote after the secret")
    others = (
        unquote(secret),
        unquote_plus(secret),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        secret.replace("+", " "),
        secret.replace("/", "\\/"),
    )
    for other in dict.fromkeys(others):
        if other != secret:
            yield Variant("secret-url-decoded", {"key.secret": other}, "with the secret decoded or encoded")
    yield Variant("wrong-secret", {"key.secret": case.claim.access_key_id}, "with the access key ID for the secret")
    if case.claim.token:
        yield Variant("wrong-secret", {"key.secret": case.claim.token}, "with the session token for the secret")
    for other, what in (
        (secret.lower(), "in lower case"),
        (secret.upper(), "in upper case"),
        (secret[:-1], "without its last character"),
        (secret[1:], "without its first character"),
        ("", "left empty"),
        ("None", "as the word None"),
        (f"b'{secret}'", "as Python prints bytes"),
    ):
        yield Variant("wrong-secret", {"key.secret": other}, f"with the secret {what}")
    with suppress(ValueError):
        yield Variant(
            "wrong-secret",
            {"key.secret": base64.b64decode(secret, validate=True).decode("latin-1")},
            "with the secret decoded from base64",
        )


def prefix_forgotten(case: Case) -> Iterator[Variant]:
    for prefix in ("", "aws4", "AWS", "AWS4 ", "AWS4-", "AWS4A"):
        yield Variant("aws4-prefix-forgotten", {"key.prefix": prefix}, f"with {prefix!r} before the secret in the place of 'AWS4'")


def _chain(
    step: Callable[[bytes, bytes], bytes], last: Callable[[bytes, bytes], bytes] | None = None
) -> Callable[[str, list[str]], SigningKey]:
    def rule(secret: str, parts: list[str]) -> SigningKey:
        key = secret.encode("utf-8", "surrogateescape")
        for n, part in enumerate(parts):
            key = (last if last and n == len(parts) - 1 else step)(key, part.encode("utf-8", "surrogateescape"))
        return SigningKey(key)

    return rule


def _digest(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _hex(key: bytes, message: bytes) -> bytes:
    return _digest(key, message).hex().encode()


def hex_for_bytes(case: Case) -> Iterator[Variant]:
    yield Variant("key-hex", {"key.rule": _chain(_hex)}, "with hex for the bytes of every key")
    yield Variant("key-hex", {"key.rule": _chain(_digest, _hex)}, "with hex for the bytes of the signing key")
    yield Variant("key-hex", {"key.rule": _chain(_hex, _digest)}, "with hex for the bytes of the keys before the last")
    yield Variant(
        "key-hex",
        {"key.rule": _chain(lambda key, part: _digest(key, part).hex().upper().encode())},
        "with upper-case hex for the keys",
    )
    yield Variant(
        "key-hex",
        {"key.rule": _chain(lambda key, part: base64.b64encode(_digest(key, part)))},
        "with base64 for the bytes of every key",
    )
    yield Variant(
        "key-hex",
        {"key.rule": _chain(lambda key, part: _digest(key, part).decode("latin-1").encode())},
        "with keys turned into text and back",
    )


def other_derivation(case: Case) -> Iterator[Variant]:
    def using(change: Callable[[list[str]], list[str]]) -> dict[str, object]:
        return {"key.rule": lambda secret, parts: derived_key(secret, change(parts))}

    yield Variant(
        "key-derivation", using(lambda parts: [parts[0], parts[2], parts[1], parts[3]]), "with the service before the region"
    )
    yield Variant("key-derivation", using(lambda parts: [parts[1], parts[0], *parts[2:]]), "with the region before the date")
    yield Variant("key-derivation", using(lambda parts: parts[:3]), "without aws4_request")
    yield Variant("key-derivation", using(lambda parts: ["/".join(parts)]), "with the whole scope at once")
    yield Variant("key-derivation", using(lambda _: []), "from the secret alone")
    yield Variant("key-derivation", {"key.rule": _chain(lambda key, part: _digest(part, key))}, "with key and message swapped")
    yield Variant("key-derivation", {"key.rule": _chain(lambda key, part: hmac.digest(key, part, "sha1"))}, "with SHA-1")


def layouts(case: Case) -> Iterator[Variant]:
    def canonical(change: Callable[[list[str]], str]) -> dict[str, object]:
        return {"layout": change}

    yield Variant("string-to-sign-crlf", {"to_sign.layout": "\r\n".join}, "with CR LF between the lines of the string to sign")
    yield Variant(
        "string-to-sign-crlf",
        canonical(lambda parts: "\r\n".join(parts).replace("\r\n", "\n").replace("\n", "\r\n")),
        "with CR LF between the lines of the canonical request",
    )
    yield Variant("string-to-sign-crlf", canonical("\r\n".join), "with CR LF between the parts of the canonical request")
    yield Variant(
        "string-to-sign-crlf",
        {"layout": lambda parts: "\n".join(parts).replace("\n", "\r\n"), "to_sign.layout": "\r\n".join},
        "with CR LF between all lines",
    )
    yield Variant(
        "newline-after-headers-missing",
        canonical(lambda parts: "\n".join([*parts[:3], parts[3].removesuffix("\n"), *parts[4:]])),
        "without the empty line after the headers",
    )
    yield Variant(
        "newline-after-headers-missing",
        canonical(lambda parts: "\n".join([*parts[:3], parts[3] + "\n", *parts[4:]])),
        "with one empty line too many after the headers",
    )
    yield Variant(
        "newline-after-headers-missing",
        canonical(lambda parts: "\n".join([*parts[:3], parts[3].replace("\n", ""), *parts[4:]])),
        "with the headers in one line",
    )
    yield Variant(
        "trailing-newline",
        canonical(lambda parts: "\n".join(parts) + "\n"),
        "with a line break at the end of the canonical request",
    )
    yield Variant(
        "trailing-newline",
        {"to_sign.layout": lambda lines: "\n".join(lines) + "\n"},
        "with a line break at the end of the string to sign",
    )
    yield Variant(
        "trailing-newline",
        {"to_sign.layout": lambda lines: "\n".join(lines) + "\r\n"},
        "with CR LF at the end of the string to sign",
    )
    yield Variant(
        "canonical-request-not-hashed", {"hash": lambda text: text.decode("latin-1")}, "with the canonical request for its hash"
    )
    yield Variant(
        "canonical-request-not-hashed",
        {"hash": lambda text: hashlib.sha256(text).hexdigest().upper()},
        "with the canonical request's hash in upper-case hex",
    )
    yield Variant(
        "canonical-request-not-hashed",
        {"hash": lambda text: base64.b64encode(hashlib.sha256(text).digest()).decode()},
        "with the canonical request's hash in base64",
    )
    yield Variant(
        "canonical-request-not-hashed",
        {"hash": lambda text: hashlib.sha256(text).digest().decode("latin-1")},
        "with the bytes of the canonical request's hash",
    )
    yield Variant(
        "canonical-request-not-hashed",
        {"hash": lambda text: hashlib.sha1(text, usedforsecurity=False).hexdigest()},
        "with the canonical request's SHA-1",
    )


def signature_form(case: Case) -> Iterator[Variant]:
    yield Variant("base64-for-hex", {"form": base64_of}, "in base64")
    yield Variant("base64-for-hex", {"form": lambda digest: base64_of(digest).rstrip("=")}, "in base64 without padding")
    yield Variant("base64-for-hex", {"form": lambda digest: base64.urlsafe_b64encode(digest).decode()}, "in the base64 of URLs")
    yield Variant(
        "base64-for-hex",
        {"form": lambda digest: base64.urlsafe_b64encode(digest).decode().rstrip("=")},
        "in the base64 of URLs, without padding",
    )
    yield Variant("base64-for-hex", {"form": lambda digest: quote(base64_of(digest), safe="")}, "in base64, percent-encoded")
    yield Variant(
        "base64-for-hex", {"form": lambda digest: base64.b64encode(digest.hex().encode()).decode()}, "as the base64 of the hex"
    )
    yield Variant("base64-for-hex", {"form": lambda digest: base64.b64encode(digest).hex()}, "as the hex of the base64")
    yield Variant("signature-form", {"form": lambda digest: digest.hex().upper()}, "in upper-case hex")
    size = len(case.claim.signature)
    if 16 <= size < 64:
        yield Variant("signature-form", {"form": lambda digest: digest.hex()[:size]}, f"cut after {size} of its 64 digits")
        yield Variant("signature-form", {"form": lambda digest: digest.hex()[-size:]}, f"cut to the last {size} of its 64 digits")
    yield Variant("signature-form", {"form": lambda digest: f"0x{digest.hex()}"}, "in hex with 0x before it")
