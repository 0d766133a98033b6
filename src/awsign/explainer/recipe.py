"""How a signer comes from a request to a signature, as steps that can be exchanged one by one.

The steps of a right signer are those of canonical.py, scope.py, sigv2.py and s3_sigv2.py; a mistake exchanges some of them (see
mistakes/). So a mistake is told by what it does, and two of them can be made together where they exchange different steps.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode

from ..canonical import canonical_fields, canonical_path
from ..encoding import decode, encode, fold
from ..query import query_pairs
from ..s3_sigv2 import canonical_resource
from ..s3_sigv2 import string_to_sign as s3v2_string
from ..scope import ALGORITHM, ASYMMETRIC, TERMINATOR, SigningKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Steps = Mapping[str, Any]
    Pair = tuple[str, str, bool]  # Name and value, encoded, and whether there was a `=`.


def pairs_of(query: str) -> list[Pair]:
    """The parameters of a query, each encoded as it is signed, in the order of the wire."""
    found = []
    for text in query.split("&"):
        if text:
            [(name, value)] = query_pairs(text)
            found.append((encode(name), encode(value), "=" in text))
    return found


def in_order(pairs: list[Pair]) -> list[Pair]:
    """Sorted as AWS has it."""
    return sorted(pairs, key=lambda pair: pair[:2])


class Exactly(str):
    """A header's value that is signed as it is, its white space included."""

    __slots__ = ()


def folded(value: str) -> str:
    """A header's value as it is signed."""
    return value if isinstance(value, Exactly) else fold(value)


class Recipe:
    """Steps by name, and what they give. `but(changes)` exchanges some."""

    __slots__ = ("steps",)

    def __init__(self, steps: Steps) -> None:
        self.steps = steps

    def but(self, changes: Steps) -> Recipe:
        return type(self)({**self.steps, **changes})

    def texts(self) -> tuple[str | None, str]:
        """The canonical request, None in the older schemes, and the string to sign; wire text."""
        raise NotImplementedError

    def gives(self, string_to_sign: str, signature: str) -> bool:
        """Whether the signature is that of a string to sign."""
        raise NotImplementedError

    def key_steps(self) -> tuple[Any, ...]:
        """What else than the string to sign decides about the signature."""
        raise NotImplementedError

    def _escaped(self, text: str, where: str) -> str:
        """A canonical path or query with the escapes exchanged that some signers write otherwise."""
        for name in sorted(step for step in self.steps if step.startswith("escape.")):
            text = self.steps[name](text, where)
        return text


class V4Recipe(Recipe):
    """Version 4 and 4A.

    algorithm; key, which of 4A knows its signatures; method; path, path.rule; query, query.pairs, query.order, query.format; headers (by
    lower-case name), header.<name>, header.names; signed; payload; escape.*; layout; stamp; scope.date, scope.region, scope.service,
    scope.end; hash; to_sign.layout; key.secret, key.prefix, key.date, key.region, key.service, key.end, key.rule; form.
    """

    __slots__ = ()

    def texts(self) -> tuple[str | None, str]:
        steps = self.steps
        path = self._escaped(steps["path.rule"](steps["path"]), "path")
        pairs = steps["query.order"](steps["query.pairs"](steps["query"]))
        query = self._escaped("&".join([steps["query.format"](pair) for pair in pairs]), "query")
        signed = steps["signed"]
        lines = []
        for name in signed:
            value = steps.get(f"header.{name}", steps["headers"].get(name))
            if value is not None:
                lines.append(f"{steps['header.names'](name)}{folded(value)}")
        parts = [steps["method"], path, query, "".join([f"{line}\n" for line in lines]), ";".join(signed), steps["payload"]]
        canonical = steps["layout"](parts)
        scope = [steps["scope.date"], steps["scope.region"], steps["scope.service"], steps["scope.end"]]
        if steps["algorithm"] == ASYMMETRIC:
            del scope[1]
        digest = steps["hash"](canonical.encode("latin-1", "replace"))
        return canonical, steps["to_sign.layout"]([steps["algorithm"], steps["stamp"], "/".join(scope), digest])

    def gives(self, string_to_sign: str, signature: str) -> bool:
        steps = self.steps
        if steps["algorithm"] == ASYMMETRIC:
            matches: bool = steps["key"].matches(string_to_sign, signature.lower())
            return matches
        key = steps["key.rule"](
            f"{steps['key.prefix']}{steps['key.secret']}",
            [steps["key.date"], steps["key.region"], steps["key.service"], steps["key.end"]],
        )
        given: bool = steps["form"](key.digest(string_to_sign.encode("latin-1", "replace"))) == signature
        return given

    def key_steps(self) -> tuple[Any, ...]:
        return tuple(
            self.steps.get(name)
            for name in ("key.secret", "key.prefix", "key.date", "key.region", "key.service", "key.end", "key.rule", "form")
        )


def derived_key(secret: str, parts: list[str]) -> SigningKey:
    """The key of the specification: HMAC of HMACs, each part in its turn."""
    key = secret.encode("utf-8", "surrogateescape")
    for part in parts:
        key = SigningKey(key).digest(part.encode("utf-8", "surrogateescape"))
    return SigningKey(key)


def v4_steps(
    *,
    method: str,
    path: str,
    query: str,
    headers: Any,
    signed: tuple[str, ...],
    payload: str,
    rules: Any,
    stamp: str,
    scope: tuple[str, str, str, str],
    secret: str,
    key: Any = None,
    leave_out: tuple[str, ...] = ("x-amz-signature",),
) -> dict[str, Any]:
    """The steps of a right signer of Version 4. scope: date, region, service, terminator. key: for SigV4A, what knows its signatures."""
    date, region, service, end = scope
    return {
        "algorithm": ASYMMETRIC if key is not None else ALGORITHM,
        "method": method,
        "path": path,
        "path.rule": lambda wire: canonical_path(wire, rules),
        "query": query,
        "query.pairs": lambda wire: [pair for pair in pairs_of(wire) if pair[0].lower() not in leave_out],
        "query.order": in_order,
        "query.format": lambda pair: f"{pair[0]}={pair[1]}",
        # A header's values are folded each by itself and then joined, so white space beside the commas is lost here too.
        "headers": canonical_fields(headers),
        "header.names": lambda name: f"{name}:",
        "signed": signed,
        "payload": payload,
        "layout": "\n".join,
        "stamp": stamp,
        "scope.date": date,
        "scope.region": region,
        "scope.service": service,
        "scope.end": end,
        "hash": lambda canonical: hashlib.sha256(canonical).hexdigest(),
        "to_sign.layout": "\n".join,
        "key": key,
        "key.prefix": "AWS4",
        "key.secret": secret,
        "key.date": date,
        "key.region": region,
        "key.service": service,
        "key.end": TERMINATOR,
        "key.rule": derived_key,
        "form": bytes.hex,
    }


class FormRecipe(V4Recipe):
    """A form's policy, signed with a key of Version 4: policy, and the steps of the key and the form."""

    __slots__ = ()

    def texts(self) -> tuple[str | None, str]:
        return None, self.steps["policy"]


class V2Recipe(Recipe):
    """Version 2 of the Query APIs: method, host, host.rule, path, query, query.pairs, query.order, query.format, escape.*, layout,
    key.secret, hash, form.
    """

    __slots__ = ()

    def texts(self) -> tuple[None, str]:
        steps = self.steps
        pairs = steps["query.order"](steps["query.pairs"](steps["query"]))
        query = self._escaped("&".join([steps["query.format"](pair) for pair in pairs]), "query")
        return None, steps["layout"](
            [steps["method"], steps["host.rule"](steps["host"]), self._escaped(steps["path"], "path"), query]
        )

    def gives(self, string_to_sign: str, signature: str) -> bool:
        steps = self.steps
        digest = hmac.digest(
            steps["key.secret"].encode("utf-8", "surrogateescape"), string_to_sign.encode("latin-1", "replace"), steps["hash"]
        )
        given: bool = steps["form"](digest) == signature
        return given

    def key_steps(self) -> tuple[Any, ...]:
        return tuple(self.steps.get(name) for name in ("key.secret", "hash", "form"))


def base64_of(digest: bytes) -> str:
    """Bytes as base64 text."""
    return b64encode(digest).decode()


def v2_steps(*, method: str, host: str, path: str, query: str, secret: str, algorithm: str) -> dict[str, Any]:
    """The steps of a right signer of Version 2. query: the query or form, with the signature still in it."""
    return {
        "method": method,
        "host": host,
        "host.rule": str.lower,
        "path": path,
        "query": query,
        "query.pairs": lambda wire: [pair for pair in pairs_of(wire) if pair[0] != "Signature"],
        # Names are sorted before they are encoded.
        "query.order": lambda pairs: sorted(pairs, key=lambda pair: (decode(pair[0]), decode(pair[1]))),
        "query.format": lambda pair: f"{pair[0]}={pair[1]}",
        "layout": "\n".join,
        "key.secret": secret,
        "hash": algorithm,
        "form": base64_of,
    }


class S3V2Recipe(V2Recipe):
    """S3's HMAC-SHA1: method, md5, type, date, amz (header lines), resource (a function), layout, key.secret, hash, form."""

    __slots__ = ()

    def texts(self) -> tuple[None, str]:
        steps = self.steps
        lines = [
            steps["method"],
            steps["md5"],
            steps["type"],
            steps["date"],
            *steps["amz"],
            self._escaped(steps["resource"], "path"),
        ]
        return None, steps["layout"](lines)


def s3v2_steps(
    *, method: str, path: str, query: str, headers: Any, bucket: str | None, expires: str | None, secret: str
) -> dict[str, Any]:
    """The steps of a right signer of S3's older scheme."""
    lines = s3v2_string(method, path, query, headers, bucket, expires).split("\n")
    return {
        "method": lines[0],
        "md5": lines[1],
        "type": lines[2],
        "date": lines[3],
        "amz": tuple(lines[4:-1]),
        "resource": canonical_resource(path, query, bucket),
        "layout": "\n".join,
        "key.secret": secret,
        "hash": "sha1",
        "form": base64_of,
    }


class OlderFormRecipe(V2Recipe):
    """A form's policy, signed by HMAC-SHA1: policy, key.secret, hash, form."""

    __slots__ = ()

    def texts(self) -> tuple[None, str]:
        return None, self.steps["policy"]
