"""Runs test vectors: `python -m tests.vectors.harness DIR` prints a line a file, and what did not pass.

Each case is derived through the functions that signer and verifier share; where the public API can express the request, it is
also signed with a signer, and verified as a server would.
"""

from __future__ import annotations

import json
import sys
import tomllib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import awsign
from awsign import event_stream, s3_sigv2, sigv2
from awsign.authorization import TOKEN_HEADERS, Fault, format_authorization, format_presigned, parse_authorization, parse_presigned
from awsign.canonical import canonical_fields, canonical_headers, canonical_path, may_be_signed
from awsign.chain import Chain
from awsign.checksum import CHECKSUM_HEADERS
from awsign.chunked import canonical_trailer
from awsign.derivation import derive
from awsign.encoding import encode, readable, reencode_path, utf8
from awsign.payload import EMPTY_SHA256, hash_body, is_content_sha256, is_sha256
from awsign.query import Query, canonical_query
from awsign.request import URLENCODED, host_header, split_authority
from awsign.scope import ALGORITHM, ASYMMETRIC, HmacSha256, SigningKey, derive_key, parse_http_date, scope_of
from awsign.sigv4a import EcdsaP256Sha256, public_key

HERE = Path(__file__).parent
Case = dict[str, Any]

# What a case calls the reason of a refusal -> our kinds for it, where they are finer or worded otherwise.
REASONS = {
    "bad-expires": {"bad-expires", "expires-too-large"},
    "signature-mismatch": {"signature-mismatch", "signed-header-missing"},
    "bad-policy-or-size": {"bad-policy", "file-too-large"},
}


class NotApplicable(Exception):
    """The case is of a kind that is not built, or differs from awsign for a reason."""


class Failed(AssertionError):
    """awsign gives another value than the case expects."""


def equal(what: str, ours: object, expected: object) -> None:
    if ours != expected:
        raise Failed(f"{what}:\n   ours     {ours!r}\n   expected {expected!r}")


def credentials_of(case: Case) -> awsign.Credentials:
    given = case["credentials"]
    return awsign.Credentials(given["access_key"], given["secret_key"], given.get("token"))


def time_of(case: Case) -> datetime:
    return datetime.fromisoformat(case["time"])


def body_of(request: Case) -> bytes:
    return b64decode(request["body_b64"]) if "body_b64" in request else (request.get("body") or "").encode()


def rules_of(case: Case) -> awsign.Rules:
    options = case["options"]
    return awsign.Rules(
        path="normalize" if options.get("normalize_path", True) else "as-is",
        encode="twice" if options.get("double_encode", True) else "once",
        content_sha256="send" if options.get("add_content_sha256") else "omit",
        token_header=awsign.rules_for(case.get("service", "")).token_header,
    )


def host_of(headers: list[list[str]]) -> str:
    return next(value for name, value in headers if name.lower() == "host")


def parameters(url: str) -> list[tuple[str, str]]:
    return sorted(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def sendable(case: Case) -> bool:
    """Whether `Request` takes the request as it stands, and a signer signs what the case signs: what it refuses, encodes or
    always signs has tests of its own."""
    request, options = case["request"], case["options"]
    headers = request["headers"]
    left_out = {name.lower() for name in options.get("unsigned_headers", ())}
    return (
        request["target"].isascii()
        and not any(character in request["target"] for character in ' "<>\\^`{|}[]+#')
        and all(value.isascii() and value.isprintable() and value == value.strip() for _, value in headers)
        and not any(name.lower() in ("authorization", "x-amz-content-sha256") for name, _ in headers)
        and sum(name.lower() == "host" for name, _ in headers) == 1
        and not any(map(may_be_signed, left_out))
        and options.get("add_date", True)
        and not {"signed_headers", "signing_key"} & options.keys()
        and (
            is_sha256(payload := options.get("payload_hash") or "0" * 64)
            or (payload == awsign.UNSIGNED_PAYLOAD and (case["kind"] != "sigv4-header" or options.get("add_content_sha256", False)))
        )
    )


def as_suite_of_old(case: Case) -> Case:
    """The case with what its quirks mean written out: an older AWS suite took folded lines of a header for values of their own,
    and moved a form into the query."""
    request, options = dict(case["request"]), case["options"]
    if "multiline_join" in options:
        request["headers"] = [[name, line] for name, value in request["headers"] for line in value.split("\n")]
    if options.get("form_body_to_query"):
        request |= {"target": f"{request['target']}?{request['body']}", "body": ""}
    return {**case, "request": request}


def signed_names(case: Case, given: list[tuple[str, str]], added: list[tuple[str, str]] = ()) -> tuple[str, ...]:
    """The names that are signed: of the headers given, what the options let; and all that the signer adds."""
    options = case["options"]
    names = {name.lower() for name, _ in given} - {name.lower() for name in options.get("unsigned_headers", ())}
    if "signed_headers" in options:
        names &= {name.lower() for name in options["signed_headers"]} | {"host", "x-amz-date"}
    return tuple(sorted(filter(may_be_signed, names | {name.lower() for name, _ in added})))


def stamp_of(case: Case) -> str:
    return time_of(case).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def check_derivation(derivation: Any, expected: Case) -> None:
    for what in ("canonical_request", "string_to_sign", "signature"):
        if what in expected:
            equal(what, getattr(derivation, what), expected[what])


def require_plus_as_space(case: Case, text: str) -> None:
    if not case["options"].get("plus_is_space", True) and "+" in text:
        raise NotApplicable("awsign reads a `+` in a query as a space, as the servers of the AWS family do")


def is_asymmetric(case: Case) -> bool:
    return case["kind"].startswith("sigv4a") or case.get("algorithm") == ASYMMETRIC


def region_of(case: Case) -> str:
    """The region, or the region set."""
    return case["region_set"] if is_asymmetric(case) else case["region"]


def algorithm_of(case: Case) -> Any:
    return EcdsaP256Sha256() if is_asymmetric(case) else HmacSha256()


def signer_of(case: Case, credentials: awsign.Credentials, **options: Any) -> awsign.SigV4:
    scheme = awsign.SigV4A if is_asymmetric(case) else awsign.SigV4
    return scheme(credentials, case["service"], region_of(case), **options)


def check_signature(case: Case, ours: str | None, theirs: str, derivation: Any) -> None:
    """The same signature; or where each has a random part, one that our key takes for its own."""
    if not is_asymmetric(case):
        equal("signature", ours, theirs)
    key = algorithm_of(case).key(credentials_of(case), stamp_of(case)[:8], region_of(case), case["service"])
    for signature in (ours, theirs):
        if not key.matches(derivation.wire_string_to_sign, signature or ""):
            raise Failed(f"the key does not take the signature {signature}")


def derive_case(case: Case, query: str, headers: list[tuple[str, str]], signed: tuple[str, ...], payload_hash: str) -> Any:
    """The case through the functions that signer and verifier share, from the request exactly as the case has it."""
    require_plus_as_space(case, query)
    credentials, stamp = credentials_of(case), stamp_of(case)
    path = utf8(case["request"]["target"]).partition("?")[0]
    algorithm, region, service = algorithm_of(case), region_of(case), case["service"]
    derivation = derive(
        algorithm=algorithm.name,
        stamp=stamp,
        scope=algorithm.scope(stamp[:8], region, service),
        method=case["request"]["method"],
        path=canonical_path(path, rules_of(case)),
        query=canonical_query(query),
        fields=canonical_fields([(name, utf8(value)) for name, value in headers]),
        signed_headers=signed,
        payload_hash=payload_hash,
    )
    key = algorithm.key(credentials, stamp[:8], region, service)
    if "signing_key" in case["options"]:
        key = SigningKey(bytes.fromhex(case["options"]["signing_key"]))
    derivation.signature = key.sign(derivation.wire_string_to_sign)
    check_derivation(derivation, case["expected"])
    if "example_signature" in case["expected"]:
        check_signature(case, derivation.signature, case["expected"]["example_signature"], derivation)
    return derivation


def check_key(case: Case) -> None:
    if "public_key" in case["expected"]:
        point = public_key(credentials_of(case)).public_numbers()
        equal("public key", {"x": f"{point.x:064x}", "y": f"{point.y:064x}"}, case["expected"]["public_key"])
    if "signing_key" in case["expected"]:
        given = case["credentials"]
        day = case["time"].replace("-", "")[:8]
        equal(
            "signing key",
            derive_key(given["secret_key"], day, case["region"], case["service"]).hex(),
            case["expected"]["signing_key"],
        )


def derived_by_a_server(known: awsign.Credentials, at: datetime, received: awsign.Request, **options: Any) -> None:
    """A server must derive the same signature. What it refuses for its own reasons (a header left unsigned, a date that it does
    not read) has cases of its own."""
    try:
        awsign.Verifier(lambda key: known if key == known.access_key_id else None, now=at, **options).verify(received)
    except awsign.SignatureError as error:
        if error.kind in ("signature-mismatch", "payload-hash-mismatch", "missing-authentication"):
            raise Failed(f"as a server: refused as {error.kind}: {error}") from None


def claims_equal(case: Case, derivation: Any, ours: str, theirs: str) -> None:
    (a, our_signature), (b, their_signature) = (parse_authorization(text, (algorithm_of(case).name,)) for text in (ours, theirs))
    for part in ("access_key_id", "date", "region", "service", "signed_headers"):
        equal(f"Authorization {part}", getattr(a, part), getattr(b, part))
    check_signature(case, our_signature, their_signature, derivation)


def sigv4_header(case: Case) -> None:
    case = as_suite_of_old(case)
    options, request, expected = case["options"], case["request"], case["expected"]
    check_key(case)
    body = body_of(request)
    payload_hash = options.get("payload_hash") or hash_body(body if options.get("sign_body", True) else b"")[0]
    given: list[tuple[str, str]] = [(name, value) for name, value in request["headers"]]
    present = {name.lower() for name, _ in given}
    added = []
    if options.get("add_date", True) and "x-amz-date" not in present:
        added.append(("X-Amz-Date", stamp_of(case)))
    if options.get("add_content_sha256") and "x-amz-content-sha256" not in present:
        added.append(("X-Amz-Content-Sha256", payload_hash))
    token = case["credentials"].get("token")
    if token and not options.get("omit_session_token") and not present & set(TOKEN_HEADERS):
        added.append((rules_of(case).token_header, token))
    if is_asymmetric(case):
        added.append(("X-Amz-Region-Set", region_of(case)))
    headers = given + added
    query = utf8(request["target"]).partition("?")[2]
    derivation = derive_case(case, query, headers, signed_names(case, given, added), payload_hash)

    rules = rules_of(case)
    if sendable(case):
        signer = signer_of(
            case, credentials_of(case), sign_headers=awsign.ALL_HEADERS,
            rules=rules.replace(token="after") if options.get("omit_session_token") else rules,
        )  # fmt: skip
        unbodied = options.get("sign_body", True) or not body
        signed = signer.sign(
            awsign.Request(
                request["method"], f"https://{host_of(request['headers'])}{request['target']}", request["headers"], body
            ),
            at=time_of(case),
            payload=None if unbodied and "payload_hash" not in options else payload_hash,
        )
        check_derivation(signed.derivation, expected)
        if "authorization" in expected:
            claims_equal(case, derivation, dict(signed.headers)["Authorization"], expected["authorization"])
    if "authorization" not in expected:
        return
    credentials = credentials_of(case)
    name = algorithm_of(case).name
    claims_equal(
        case,
        derivation,
        format_authorization(name, credentials.access_key_id, derivation.scope, derivation.signed_headers, derivation.signature),
        expected["authorization"],
    )
    # As a server: with its own table of services, so where the case's rules are those of its service.
    own = awsign.rules_for(case["service"])
    declared = any(name.lower() == "x-amz-content-sha256" for name, _ in headers)
    if (
        (own.path, own.encode) == (rules.path, rules.encode)
        and "signing_key" not in options
        and (payload_hash == hash_body(body)[0] or (declared and payload_hash == awsign.UNSIGNED_PAYLOAD))
    ):
        arrived = [pair for pair in headers if pair[0].lower() != "authorization"]
        received = awsign.Request.received(
            request["method"], request["target"], [*arrived, ("Authorization", expected["authorization"])], body
        )
        derived_by_a_server(credentials, time_of(case), received)


def token_parameter(case: Case) -> str:
    return "-".join(word.capitalize() for word in rules_of(case).token_header.split("-"))


def presign(case: Case) -> None:
    options, request, expected = case["options"], case["request"], case["expected"]
    credentials, stamp = credentials_of(case), stamp_of(case)
    body = body_of(request)
    payload_hash = options.get("payload_hash") or hash_body(body if options.get("sign_body", True) else b"")[0]
    target = request["target"]
    if options.get("content_sha256_in_query"):
        target += f"{'&' if '?' in target else '?'}X-Amz-Content-Sha256={payload_hash}"
    headers: list[tuple[str, str]] = [(name, value) for name, value in request["headers"]]
    signed = signed_names(case, headers)
    omit = bool(options.get("omit_session_token"))
    token = credentials.session_token
    algorithm = algorithm_of(case)
    query = format_presigned(
        algorithm.name, credentials.access_key_id, algorithm.scope(stamp[:8], region_of(case), case["service"]), stamp,
        options.get("expires"), signed, (token_parameter(case), token) if token and not omit else None,
        region_of(case) if algorithm.names_region_set else None,
    )  # fmt: skip
    given = utf8(target).partition("?")[2]
    derivation = derive_case(case, f"{given}&{query}" if given else query, headers, signed, payload_hash)
    for what in ("signed_url", "signed_target"):
        if what in expected:
            check_signature(case, derivation.signature, dict(parameters(expected[what]))["X-Amz-Signature"], derivation)

    if not sendable(case) or any(name.lower() == "x-amz-date" for name, _ in headers):
        return
    rules = rules_of(case)
    signer = signer_of(case, credentials, sign_headers=awsign.ALL_HEADERS, rules=rules.replace(token="after") if omit else rules)
    link = signer.presign(
        awsign.Request(request["method"], f"https://{host_of(request['headers'])}{target}", request["headers"], body),
        expires=options.get("expires"),
        at=time_of(case),
        payload=payload_hash,
    )
    check_derivation(link.derivation, expected)
    for what in ("signed_url", "signed_target"):
        if what in expected:
            ours, theirs = dict(parameters(link.url)), dict(parameters(expected[what]))
            check_signature(case, ours.pop("X-Amz-Signature"), theirs.pop("X-Amz-Signature"), derivation)
            equal(what, ours, theirs)
    own = awsign.rules_for(case["service"])
    if (own.path, own.encode) == (rules.path, rules.encode) and options.get("expires") and not omit:
        if payload_hash != (awsign.UNSIGNED_PAYLOAD if own.presigned_payload == "unsigned" else hash_body(body)[0]):
            return
        parts = urlsplit(link.url)
        received = awsign.Request.received(
            request["method"], f"{parts.path}?{parts.query}", [("Host", parts.netloc), *link.headers], body
        )
        derived_by_a_server(credentials, time_of(case), received)


def data_of_chunks(case: Case) -> bytes:
    return b"".join((chunk["repeat"] * chunk["count"]).encode() for chunk in case["chunks"])


def chunked(case: Case) -> None:
    """A stream as its source has it: the seed, each chunk's string to sign and signature, the trailer's, and the bytes sent."""
    options, expected = case["options"], case["expected"]
    if "request" in case:
        check_key(case)
        request = case["request"]
        headers = [(name, value) for name, value in request["headers"]]
        added = [("x-amz-date", stamp_of(case)), ("x-amz-content-sha256", options["payload_hash"])]
        if is_asymmetric(case):
            added.append(("x-amz-region-set", region_of(case)))
        query = utf8(request["target"]).partition("?")[2]
        derivation = derive_case(case, query, headers + added, signed_names(case, headers, added), options["payload_hash"])
        seed = derivation.signature
        if "authorization" in expected:
            equal("seed", seed, expected["seed_signature"])
    else:
        seed = options["seed_given"]
    algorithm, stamp = algorithm_of(case), stamp_of(case)
    region, service = region_of(case), case["service"]
    scope = algorithm.scope(stamp[:8], region, service)
    chain = Chain.at(algorithm.name, stamp, scope, algorithm.key(credentials_of(case), stamp[:8], region, service), seed)
    strings = expected.get("chunk_strings_to_sign", expected.get("chunk_string_to_sign_template", []))
    for index, chunk in enumerate(case["chunks"]):
        digest = hash_body((chunk["repeat"] * chunk["count"]).encode())[0]
        expected_text = strings[index].replace("{previous-signature}", chain.previous)
        equal("string to sign of a chunk", chain.string_to_sign("PAYLOAD", f"{EMPTY_SHA256}\n{digest}"), expected_text)
        signature = chain.sign("PAYLOAD", f"{EMPTY_SHA256}\n{digest}")
        if "chunk_signatures" in expected:
            equal("signature of a chunk", signature, expected["chunk_signatures"][index])
    trailer = case.get("trailers", [])
    if trailer:
        canonical = canonical_trailer(trailer)
        if "trailer_canonical" in expected:
            equal("canonical trailer", canonical, expected["trailer_canonical"])
        covered = hash_body(canonical.encode())[0]
        text = expected.get("trailer_string_to_sign", expected.get("trailer_string_to_sign_template", ""))
        equal(
            "string to sign of the trailer",
            chain.string_to_sign("TRAILER", covered),
            text.replace("{previous-signature}", chain.previous),
        )
        signature = chain.sign("TRAILER", covered)
        if "trailer_signature" in expected:
            equal("signature of the trailer", signature, expected["trailer_signature"])
    if "request" in case and all(name in CHECKSUM_HEADERS for name, _ in trailer):
        chunked_by_a_signer(case, trailer)


def chunked_by_a_signer(case: Case, trailer: list[list[str]]) -> None:
    """The same with the signer, whose body a server takes."""
    request, expected, data = case["request"], case["expected"], data_of_chunks(case)
    names = [name.lower() for name, _ in request["headers"]]
    if is_asymmetric(case) and "content-length" in names:
        return  # The source signs the length that the stream of the HMAC scheme has.
    signer = signer_of(case, credentials_of(case), sign_headers=["content-length"] if "content-length" in names else ())
    signed = signer.sign(
        awsign.Request(request["method"], f"https://{host_of(request['headers'])}{request['target']}", request["headers"], data),
        at=time_of(case),
        payload=awsign.Chunked(len(data), trailer=trailer[0][0] if trailer else None),
    )
    check_derivation(signed.derivation, {what: text for what, text in expected.items() if what != "signature"})
    wire = b"".join(signed.body)
    equal("length on the wire", len(wire), signed.body.content_length)
    if "wire_sha256" in expected:
        equal("length on the wire", len(wire), expected["wire_length"])
        equal("bytes on the wire", hash_body(wire)[0], expected["wire_sha256"])
    received = awsign.Request.received(request["method"], request["target"], signed.headers)
    verified = awsign.Verifier(
        {case["credentials"]["access_key"]: case["credentials"]["secret_key"]}.get, now=time_of(case)
    ).verify(received)
    equal("decoded", verified.body.feed(wire) + verified.body.close(), data)


def event_stream_case(case: Case) -> None:
    options, request, expected = case["options"], case.get("request"), case["expected"]
    seed = expected["seed_signature"]
    if request is not None:
        given = [(name, value) for name, value in request["headers"]]
        signed = awsign.SigV4(credentials_of(case), case["service"], case["region"], sign_headers=awsign.ALL_HEADERS).sign(
            awsign.Request(request["method"], f"https://{host_of(given)}{request['target']}", given),
            at=time_of(case), payload=options["payload_hash"],
        )  # fmt: skip
        check_derivation(signed.derivation, expected)
        equal("seed", signed.derivation.signature, seed)
        claims_equal(case, signed.derivation, dict(signed.headers)["Authorization"], expected["authorization"])
        events = awsign.SigV4(credentials_of(case), case["service"], case["region"]).events(signed)
        received = awsign.Request.received(request["method"], request["target"], signed.headers)
        body = (
            awsign.Verifier({case["credentials"]["access_key"]: case["credentials"]["secret_key"]}.get, now=time_of(case))
            .verify(received)
            .body
        )
    for event in case["events"]:
        at = datetime.strptime(event["time"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        payload, encoded = b64decode(event["payload_b64"]), b64decode(event["headers_b64"])
        headers = event_stream.decode_headers(encoded)
        equal("encoded headers", event_stream.encode_headers(headers), encoded)
        scope = scope_of(event["time"][:8], case["region"], case["service"])
        key = HmacSha256().key(credentials_of(case), event["time"][:8], case["region"], case["service"])
        chain = Chain.at(ALGORITHM, event["time"], scope, key, event["prior_signature"])
        covered = event_stream.covered_by(headers, payload)
        equal("string to sign of a frame", chain.string_to_sign("PAYLOAD", covered), event["string_to_sign"])
        equal("signature of a frame", chain.sign("PAYLOAD", covered), event["signature"])
        if request is not None:
            frame = events.frame(payload, at=at) if payload else events.end(at=at)
            [message] = event_stream.Decoder().feed(frame)
            equal("frame", dict(message.headers)[":chunk-signature"].hex(), event["signature"])
            equal("payload of a frame", body.feed(frame), payload)
    if request is not None:
        body.close()


def sigv2_query(case: Case) -> None:
    request, expected, options = case["request"], case["expected"], case["options"]
    credentials = credentials_of(case)
    pairs = [(utf8(name), utf8(value)) for name, value in request["params"]]
    version, method = options.get("signature_version", "2"), options.get("signature_method", "HmacSHA256")
    text = sigv2.string_to_sign(version, request["method"], request["host"], request["target"], pairs)
    if "string_to_sign" in expected:
        equal("string_to_sign", readable(text), expected["string_to_sign"])
    equal("signature", sigv2.signature(credentials.secret_access_key, text, method), expected["signature"])

    names = {name for name, _ in pairs}
    if "signed_url" in expected:
        equal("signature in signed_url", dict(parameters(expected["signed_url"])).get("Signature"), expected["signature"])
    complete = {"Timestamp", "AWSAccessKeyId"} <= names and "Expires" not in names
    if version != "2" or not request["host"] or not complete or (credentials.session_token and "SecurityToken" not in names):
        return
    written = ("AWSAccessKeyId", "SignatureMethod", "SignatureVersion", "SecurityToken")
    encoded = "&".join(f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in request["params"] if n not in written)
    url = f"https://{request['host']}{request['target']}"
    if request["method"] == "POST":
        sent = awsign.Request("POST", url, {"Content-Type": URLENCODED}, encoded)
    else:
        sent = awsign.Request(request["method"], f"{url}?{encoded}")
    signed = awsign.SigV2(credentials, method=method).sign(sent)
    equal("signature", signed.derivation.signature, expected["signature"])
    if "signed_url" in expected:
        equal("signed_url", parameters(signed.url), parameters(expected["signed_url"]))
    at = datetime.fromisoformat(dict(request["params"])["Timestamp"])
    target = "/" + signed.url.partition("://")[2].partition("/")[2]
    received = awsign.Request.received(signed.method, target, signed.headers, signed.body)
    derived_by_a_server(credentials, at if at.tzinfo else at.replace(tzinfo=UTC), received)


def s3_v2(case: Case) -> None:
    request, expected, options = case["request"], case["expected"], case["options"]
    credentials, bucket = credentials_of(case), options.get("bucket_in_host")
    headers = [(name, utf8(value)) for name, value in request["headers"] if name.lower() != "authorization"]
    names = {name.lower() for name, _ in headers}
    if credentials.session_token and "x-amz-security-token" not in names:
        headers.append(("x-amz-security-token", credentials.session_token))
    path, _, query = utf8(request["target"]).partition("?")
    expires = str(options["expires_at"]) if "expires_at" in options else None
    text = s3_sigv2.string_to_sign(request["method"], path, query, headers, bucket, expires)
    if readable(text) != expected["string_to_sign"] and bucket is None and path.count("/") == 1:
        # A bucket by itself is signed with a slash that botocore does not send.
        text = s3_sigv2.string_to_sign(request["method"], f"{path}/", query, headers, bucket, expires)
    equal("string_to_sign", readable(text), expected["string_to_sign"])
    signature = sigv2.signature(credentials.secret_access_key, text, "HmacSHA1")
    equal("signature", signature, expected["signature"])
    if "authorization" in expected:
        equal("Authorization", f"AWS {credentials.access_key_id}:{signature}", expected["authorization"])

    url = f"https://{host_of(request['headers'])}{request['target']}"
    if not request["target"].isascii() or reencode_path(path) != path or (bucket is None and path != "/" and path.count("/") == 1):
        return  # The signer sends another path than the case has.
    if expires is not None and not names & {"date", "x-amz-date"}:
        end = datetime.fromtimestamp(options["expires_at"], UTC)
        link = awsign.S3SigV2(credentials, bucket).presign(
            awsign.Request(request["method"], url, request["headers"]), at=end - timedelta(seconds=60), expires=60
        )
        equal("signature", link.derivation.signature, expected["signature"])
        if "query" in expected:
            equal("query", dict(parameters(link.url)), expected["query"])
        target, sent, at = link.url.partition(host_of(request["headers"]))[2], request["headers"], end - timedelta(seconds=1)
    elif expires is None and names & {"date", "x-amz-date"}:
        date = next(value for wanted in ("x-amz-date", "date") for name, value in headers if name.lower() == wanted)
        at = parse_http_date(date)
        signed = awsign.S3SigV2(credentials, bucket).sign(awsign.Request(request["method"], url, request["headers"]))
        equal("signature", signed.derivation.signature, expected["signature"])
        if at is None:
            return
        target, sent = request["target"], list(signed.headers)
    else:
        return
    received = awsign.Request.received(request["method"], target, sent)
    derived_by_a_server(credentials, at, received, bucket_of=lambda host: bucket)


def multipart(fields: list[tuple[str, str]], file_name: str, data: bytes) -> tuple[str, bytes]:
    """A form as browsers send it: its Content-Type, and the body."""
    boundary = "----awsign7MA4YWxkTrZu0gW"
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return f"multipart/form-data; boundary={boundary}", "".join(parts).encode() + data + f"\r\n--{boundary}--\r\n".encode()


def posted(case: Case) -> awsign.Request:
    file = case["request"]["file"]
    data = file["text"].encode() if "text" in file else bytes(file["size"])
    kind, body = multipart(case["request"]["fields"], file["name"], data)
    headers = [("Host", "s3.amazonaws.com"), ("Content-Type", kind), ("Content-Length", str(len(body)))]
    return awsign.Request.received("POST", f"/{case['options']['url_bucket']}", headers, body)


def post_policy(case: Case) -> None:
    """The signature of a policy as its source has it; and one of the same conditions, by the presigner, which a server takes."""
    request, expected, v4 = case["request"], case["expected"], case["options"]["signature_version"] == "4"
    encoded = b64encode(request["policy"].encode()).decode()
    equal("policy", encoded, expected["policy_b64"])
    equal("string_to_sign", encoded, expected["string_to_sign"])
    credentials, stamp = credentials_of(case), stamp_of(case)
    if v4:
        signature = HmacSha256().key(credentials, stamp[:8], case["region"], "s3").sign(encoded)
    else:
        signature = sigv2.signature(credentials.secret_access_key, encoded, "HmacSHA1")
    equal("signature", signature, expected["signature"])
    names = {"x-amz-signature": signature} if v4 else {"AWSAccessKeyId": credentials.access_key_id, "signature": signature}
    equal("fields", names, expected["fields"])
    document = json.loads(request["policy"])
    written = ("x-amz-algorithm", "x-amz-credential", "x-amz-date")
    conditions = [one for one in document["conditions"] if not (isinstance(one, dict) and set(one) & {*written, "bucket"})]
    fields = {name: value for name, value in request["fields"].items() if name not in (*written, "key")}
    bucket = next(one["bucket"] for one in document["conditions"] if isinstance(one, dict) and "bucket" in one)
    presigner = awsign.S3Presigner(credentials, case["region"] or "us-east-1", bucket, path_style=True, at=time_of(case))
    form = presigner.post(request["fields"]["key"], conditions, fields, scheme="sigv4" if v4 else "s3v2")
    kind, body = multipart(list(form.fields.items()), "photo.jpg", b"data")
    received = awsign.Request.received("POST", f"/{bucket}", [("Host", "s3.amazonaws.com"), ("Content-Type", kind)], body)
    derived_by_a_server(credentials, time_of(case), received)


def verify(case: Case) -> None:
    request, expected = case["request"], case["expected"]
    if "fields" in request:
        received = posted(case)
        scoped = case["options"]["signature_version"] == "4"
    else:
        received = awsign.Request.received(request["method"], request["target"], request["headers"], body_of(request))
        scoped = "AWS4-" in request["target"] + str(request["headers"])  # The older schemes name no region to compare.
    verifier = awsign.Verifier(
        case["keys"].get,
        now=time_of(case),
        max_skew=case["options"].get("max_skew_seconds", 900),
        services={case["service"]} if scoped else None,
        regions={case["region"]} if scoped else None,
        **({"bucket_of": lambda host: case["options"]["bucket_in_host"]} if "bucket_in_host" in case["options"] else {}),
    )
    try:
        verifier.verify(received)
    except awsign.SignatureError as error:
        if expected["accept"]:
            raise Failed(f"refused as {error.kind}: {error}") from None
        reason = expected["reason"]
        if error.kind not in REASONS.get(reason, {reason}):
            raise Failed(f"refused as {error.kind}, expected {reason}") from None
        if "s3_error" in expected:
            equal("code", error.code, expected["s3_error"])
        if "http_status" in expected:
            equal("status", error.status, expected["http_status"])
    else:
        if not expected["accept"]:
            raise Failed(f"accepted, but it must be refused: {expected['reason']}")


def unit_path(case: Case) -> None:
    path = canonical_path(utf8(case["request"]["path"]), rules_of(case))
    # A relative path, which no request line has, is taken from the root.
    equal("canonical path", path if path.startswith("/") else f"/{path}", case["expected"]["canonical_path"])


def unit_query(case: Case) -> None:
    request = case["request"]
    query = request.get("query")
    if query is None:
        query = "&".join(
            quote(name, safe="") + ("" if value is None else f"={quote(value, safe='')}") for name, value in request["params"]
        )
    else:
        require_plus_as_space(case, query)
    equal("canonical query", canonical_query(utf8(query)), case["expected"]["canonical_query"])


def unit_headers(case: Case) -> None:
    headers = [(name, utf8(value)) for name, value in case["request"]["headers"]]
    equal(
        "canonical headers",
        readable(canonical_headers(canonical_fields(headers), signed_names(case, headers))),
        case["expected"]["canonical_headers"],
    )


def unit_host(case: Case) -> None:
    scheme, _, rest = case["request"]["url"].partition("://")
    _, host, port = split_authority(rest.partition("/")[0])
    equal("host", host_header(scheme, host, port), case["expected"]["host"])


def unit_skip(case: Case) -> None:
    request = case["request"]
    signed = awsign.SigV4(credentials_of(case), case["service"], case["region"], sign_headers=awsign.ALL_HEADERS).sign(
        awsign.Request(
            request["method"], f"https://{host_of(request['headers'])}{request['target']}", request["headers"], body_of(request)
        ),
        at=time_of(case),
    )
    equal("signed headers", ";".join(signed.derivation.signed_headers or ()), case["expected"]["signed_headers"])


def unit_refuse(case: Case) -> None:
    try:
        unit_skip({**case, "expected": {"signed_headers": None}})
    except awsign.InvalidRequest:
        return
    except Failed:
        pass
    raise Failed("signed, but it must be refused")


def unit_content_sha256(case: Case) -> None:
    equal("valid", is_content_sha256(case["request"]["value"]), case["expected"]["valid"])


def unit_parse(case: Case) -> None:
    request, expected = case["request"], case["expected"]
    try:
        if "authorization" in request:
            claimed, signature = parse_authorization(request["authorization"])
        else:
            query = Query("&".join([f"{encode(utf8(name))}={encode(utf8(value))}" for name, value in request["params"]]))
            in_query = parse_presigned(query)
            claimed, signature = in_query.authorization, in_query.signature
    except Fault as fault:
        if expected["accept"]:
            raise Failed(f"refused as {fault.kind}: {fault}") from None
        if fault.kind not in REASONS.get(expected["reason"], {expected["reason"]}):
            raise Failed(f"refused as {fault.kind}, expected {expected['reason']}") from None
        return
    if not expected["accept"]:
        raise Failed(f"accepted, but it must be refused: {expected['reason']}")
    for theirs, ours in {
        "algorithm": "algorithm",
        "access_key": "access_key_id",
        "date": "date",
        "region": "region",
        "service": "service",
    }.items():
        if theirs in expected:
            equal(theirs, getattr(claimed, ours), expected[theirs])
    if "signature" in expected:
        equal("signature", signature, expected["signature"])
    if "signed_headers" in expected:
        equal("signed headers", list(claimed.signed_headers), expected["signed_headers"])


CHECKS: dict[str, Callable[[Case], None]] = {
    "sigv4-header": sigv4_header,
    "sigv4-query": presign,
    "presign": presign,
    "sigv4a-header": sigv4_header,
    "sigv4a-query": presign,
    "s3-chunked": chunked,
    "s3-chunked-trailer": chunked,
    "event-stream": event_stream_case,
    "post-policy": post_policy,
    "sigv2-query": sigv2_query,
    "s3-v2-header": s3_v2,
    "s3-v2-query": s3_v2,
    "verify-accept": verify,
    "verify-reject": verify,
    "unit-canonical-path": unit_path,
    "unit-canonical-query": unit_query,
    "unit-canonical-headers": unit_headers,
    "unit-host": unit_host,
    "unit-skip-header": unit_skip,
    "unit-sign-refuse": unit_refuse,
    "unit-content-sha256": unit_content_sha256,
    "unit-parse-authorization": unit_parse,
    "unit-parse-presigned": unit_parse,
    "unit-signing-key": check_key,
}


def exceptions() -> list[dict[str, str]]:
    listed: list[dict[str, str]] = tomllib.loads((HERE / "exceptions.toml").read_text())["exception"]
    return listed


def check(case: Case) -> None:
    """Run one case: returns if it passes, raises NotApplicable or Failed."""
    case = {"options": {}, **case}
    for exception in exceptions():
        if exception["id"] == case["id"]:
            raise NotApplicable(exception["reason"])
    if case["kind"] not in CHECKS:
        raise NotApplicable(f"{case['kind']} is not built yet")
    try:
        CHECKS[case["kind"]](case)
    except (Failed, NotApplicable):
        raise
    except Exception as error:
        raise Failed(f"{type(error).__name__}: {error}") from error


def cases(folder: Path) -> Iterator[tuple[Path, list[Case]]]:
    for file in sorted(folder.glob("*.jsonl")):
        yield file, [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def main(folder: str) -> int:
    any_failed = False
    details: list[str] = []
    files = list(cases(Path(folder)))
    if not files:
        print(f"no .jsonl files in {folder}", file=sys.stderr)
        return 2
    for file, listed in files:
        count = {"passed": 0, "failed": 0, "not applicable": 0}
        for case in listed:
            try:
                check(case)
                count["passed"] += 1
            except NotApplicable as reason:
                count["not applicable"] += 1
                details.append(f"not applicable  {case['id']}: {reason}")
            except Failed as reason:
                count["failed"] += 1
                any_failed = True
                details.append(f"FAILED          {case['id']}: {reason}")
        print(f"{file.name:32} {count['passed']:4} passed, {count['failed']} failed, {count['not applicable']} not applicable")
    print(*details, sep="\n")
    return 1 if any_failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else str(HERE)))
