"""Servers that awsign has no part in take its streams, forms and SigV4A, store the right bytes, and refuse one changed byte.

Which server speaks which form is what shared/recipes found: Swift checks most, MiniStack SigV4A and forms, JuiceFS (MinIO's front
end) and Ceph RGW chunks and forms, none of these two trailers.
"""

from __future__ import annotations

import random
from urllib.parse import quote

import pytest

import awsign

from . import browser
from .conftest import KEY, SECRET
from .wire import one_byte_changed, send

DATA = random.Random(3).randbytes(300_000)
CHUNKED, SIGNED_TRAILER, UNSIGNED_TRAILER = "chunked", "signed trailer", "unsigned trailer"
FORMS = {
    CHUNKED: {},
    SIGNED_TRAILER: {"trailer": "CRC32"},
    UNSIGNED_TRAILER: {"signed": False, "trailer": "CRC32"},
}  # fmt: skip
SPOKEN = {
    "swift": [CHUNKED, SIGNED_TRAILER, UNSIGNED_TRAILER],
    "ministack": [CHUNKED, SIGNED_TRAILER, UNSIGNED_TRAILER],
    "juicefs": [CHUNKED],
    "rgw": [CHUNKED],
}


class Store:
    def __init__(self, name: str, url: str, key: str, secret: str) -> None:
        self.name = name
        self.url = url
        self.credentials = awsign.Credentials(key, secret)
        self.signer = awsign.SigV4(self.credentials, "s3", "us-east-1")
        status, answer = send(self.signer.sign(awsign.Request("PUT", f"{url}/streams")))
        assert status in (200, 409), answer

    def key(self, key: str) -> str:
        return f"{self.url}/streams/{quote(key)}"

    def get(self, key: str) -> tuple[int, bytes]:
        return send(self.signer.sign(awsign.Request("GET", self.key(key))))


def store(name: str, request: pytest.FixtureRequest) -> Store:
    found = request.getfixturevalue(name)
    return Store(name, *found) if name == "ministack" else Store(name, found, KEY, SECRET)


def put(at: Store, key: str, form: str, *, data: bytes = DATA, change: object = None, **headers: str) -> tuple[int, bytes]:
    request = awsign.Request("PUT", at.key(key), {n.replace("_", "-"): v for n, v in headers.items()}, data)
    signed = at.signer.sign(request, payload=awsign.Chunked(**FORMS[form]))
    if change is None:
        return send(signed)
    wire = change(b"".join(signed.body))
    assert len(wire) == signed.body.content_length
    return send(signed, wire)


@pytest.mark.parametrize(("name", "form"), [(name, form) for name, forms in SPOKEN.items() for form in forms])
class TestStreams:
    def test_taken_and_stored(self, name, form, request) -> None:
        at = store(name, request)
        empty = () if name == "rgw" else (0,)  # RGW 16 takes no empty stream: XAmzContentSHA256Mismatch.
        for size in (*empty, 1, 8192, 65536, 65537, len(DATA)):
            status, answer = put(at, f"{form} {size}", form, data=DATA[:size])
            assert status == 200, answer
            assert at.get(f"{form} {size}") == (200, DATA[:size])

    def test_other_headers_are_kept(self, name, form, request) -> None:
        at = store(name, request)
        status, answer = put(at, "kept", form, Content_Type="text/plain", x_amz_meta_a="b")
        assert status == 200, answer
        head = at.signer.sign(awsign.Request("HEAD", at.key("kept")))
        assert send(head)[0] == 200

    def test_one_byte_changed(self, name, form, request) -> None:
        at = store(name, request)

        def flipped(where: int):
            return lambda wire: wire[:where] + bytes([wire[where] ^ 1]) + wire[where + 1 :]

        places = {"data": 200_000, "the first chunk's data": 1000}
        if form != UNSIGNED_TRAILER:
            places["a chunk's signature"] = 50
        for what, where in places.items():
            status, answer = put(at, "spoilt", form, change=flipped(where))
            assert status in (400, 403), (what, status, answer)
            assert at.get("spoilt")[0] == 404
        signed = at.signer.sign(awsign.Request("PUT", at.key("spoilt"), body=DATA), payload=awsign.Chunked(**FORMS[form]))
        changed = one_byte_changed(signed)
        assert send(changed, b"".join(signed.body))[0] == 403


@pytest.mark.parametrize(("name", "form"), [(name, form) for name in ("swift", "ministack") for form in FORMS])
def test_the_end_changed(name, form, request) -> None:
    """What few check, JuiceFS and RGW not: the final chunk's signature, the trailer's and its checksum."""
    at = store(name, request)

    def last(text: bytes):
        def change(wire: bytes) -> bytes:
            where = wire.rindex(text) + len(text)
            return wire[:where] + (b"0" if wire[where : where + 1] != b"0" else b"1") + wire[where + 1 :]

        return change

    ends = {CHUNKED: [b"0;chunk-signature="], SIGNED_TRAILER: [b"0;chunk-signature=", b"crc32:"], UNSIGNED_TRAILER: [b"crc32:"]}[
        form
    ]
    if name == "swift" and form == SIGNED_TRAILER:
        ends.append(b"x-amz-trailer-signature:")  # MiniStack does not check it.
    for text in ends:
        status, answer = put(at, "spoilt", form, change=last(text))
        assert status in (400, 403), (text, status, answer)


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
@pytest.mark.parametrize("name", ["swift", "ministack"])
def test_every_checksum(name, algorithm, request) -> None:
    """In a trailer and in a header: the server computes its own."""
    at = store(name, request)
    asked = awsign.Request("PUT", at.key(algorithm), body=DATA)
    for signed in (
        at.signer.sign(asked, payload=awsign.Chunked(trailer=algorithm)),
        at.signer.sign(asked, payload=awsign.Chunked(signed=False, trailer=algorithm)),
        at.signer.sign(asked, checksum=algorithm),
    ):
        status, answer = send(signed)
        assert status == 200, answer
        assert at.get(algorithm) == (200, DATA)
    spoilt = at.signer.sign(asked, payload=awsign.Chunked(signed=False, trailer=algorithm))
    assert send(spoilt, b"".join(spoilt.body).replace(DATA[:50], bytes(50)))[0] == 400


class TestSigV4A:
    @pytest.mark.parametrize("region_set", ["*", "us-east-1", "us-*", "eu-west-1,us-east-1", ["us-east-1", "us-west-2"]])
    def test_on_ministack(self, ministack, region_set) -> None:
        at = Store("ministack", *ministack)
        signer = awsign.SigV4A(at.credentials, "s3", region_set)
        for key in ("plain", "a b+c//ü%.txt"):
            assert send(signer.sign(awsign.Request("PUT", at.key(key), {"x-amz-meta-a": "b"}, DATA)))[0] == 200
            assert send(signer.sign(awsign.Request("GET", at.key(key)))) == (200, DATA)
            assert send(signer.presign(awsign.Request("GET", at.key(key)), expires=60)) == (200, DATA)
        assert (
            send(signer.sign(awsign.Request("PUT", at.key("trailer"), body=DATA), payload=awsign.Chunked(signed=False)))[0] == 200
        )
        assert at.get("trailer") == (200, DATA)
        for signed in (signer.sign(awsign.Request("GET", at.key("plain"))), signer.presign(awsign.Request("GET", at.key("plain")))):
            status, answer = send(changed_inside(signed))
            assert (status, b"SignatureDoesNotMatch" in answer) == (403, True)

    def test_a_region_set_that_does_not_cover(self, ministack) -> None:
        at = Store("ministack", *ministack)
        status, answer = send(awsign.SigV4A(at.credentials, "s3", "eu-*").sign(awsign.Request("GET", at.key("plain"))))
        assert (status, b"RegionSetMismatch" in answer) == (400, True)

    def test_another_service(self, ministack) -> None:
        url, key, secret = ministack
        signer = awsign.SigV4A(awsign.Credentials(key, secret), "dynamodb", "us-east-1")
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.ListTables"}
        request = awsign.Request("POST", f"{url}/", headers, b"{}")
        status, answer = send(signer.sign(request))
        assert status == 200, answer
        assert send(signer.sign(request), b'{"Limit":1}')[0] in (400, 403)


def changed_inside(signed: awsign.Signed | awsign.Presigned) -> awsign.Signed | awsign.Presigned:
    """The same with one hex digit inside of its signature changed: a DER that still reads as one."""
    signature = signed.derivation.signature
    other = signature[:40] + ("0" if signature[40] != "0" else "1") + signature[41:]
    headers = tuple((name, value.replace(signature, other) if isinstance(value, str) else value) for name, value in signed.headers)
    if isinstance(signed, awsign.Presigned):
        return awsign.Presigned(signed.method, signed.url.replace(signature, other), headers, signed.expires_at, signed.derivation)
    return awsign.Signed(signed.method, signed.url, headers, signed.body, signed.derivation)


@pytest.mark.parametrize("scheme", ["sigv4", "s3v2"])
@pytest.mark.parametrize("name", ["ministack", "juicefs", "rgw"])
class TestForms:
    """Sent by a browser from the page that awsign makes."""

    def test_by_chromium(self, name, scheme, request, tmp_path) -> None:
        at = store(name, request)
        # MiniStack reads the file's name, which browsers send as UTF-8, as Latin-1.
        file = tmp_path / ("a photo.bin" if name == "ministack" else "a photo é.bin")
        file.write_bytes(DATA)
        presigner = awsign.S3Presigner(at.credentials, "us-east-1", "streams", endpoint=at.url, path_style=True)
        form = presigner.post(
            f"{scheme}/${{filename}}", [["content-length-range", 0, len(DATA)]], {"x-amz-meta-note": '<é&">'}, scheme=scheme
        )
        page = tmp_path / "form.html"
        page.write_text(form.html(), encoding="utf-8")
        assert browser.upload(page, file) == (204, f"{at.url}/streams")
        assert at.get(f"{scheme}/{file.name}") == (200, DATA)

        fields = {**form.fields, "x-amz-meta-note": "other"}
        page.write_text(awsign.PostForm(form.url, fields, (), form.expires_at).html(), encoding="utf-8")
        assert browser.upload(page, file)[0] == 403
        small = presigner.post("small", [["content-length-range", 0, 10]], scheme=scheme)
        page.write_text(small.html(), encoding="utf-8")
        assert browser.upload(page, file)[0] in (400, 403)
        assert at.get("small")[0] == 404
