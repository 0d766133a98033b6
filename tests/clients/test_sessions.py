"""A session's work by each adapter against real servers, whose credentials come to their end in the middle of it."""

from __future__ import annotations

import io
import json
import os
import re
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

import awsign
from awsign.credentials import AssumeRole, InstanceMetadata, Refreshing, Source

from .. import servers
from ..conftest import KEY, SECRET
from ..credentials.test_roles import at
from ..test_real_servers import HOSTILE_KEYS
from .callers import CALLERS, EXACT, Call

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

_PART = 5 << 20  # What S3 asks of all parts but the last.


def _objects(call: Call, base: str, keys: list[str]) -> None:
    """Put, get, list, upload in parts and delete, under names that clients like to change."""
    bucket = f"{base}/clients-{uuid.uuid4().hex[:12]}"
    assert call("PUT", bucket)[0] == 200
    for key in keys:
        url = f"{bucket}/{quote(key, safe='/')}"
        content = key.encode()
        status, answer = call("PUT", url, {"x-amz-meta-note": "a  b"}, content)
        assert status == 200, (key, answer)
        assert call("GET", url) == (200, content), key
    status, listing = call("GET", f"{bucket}?list-type=2&prefix={quote(keys[0], safe='')}&delimiter=%2B")
    assert status == 200 and b"<Key>" in listing, listing
    # Bodies that can be read only once, and a file from its middle.
    assert call("PUT", f"{bucket}/generator", None, iter([b"one", b"two"]))[0] == 200
    assert call("GET", f"{bucket}/generator") == (200, b"onetwo")
    file = io.BytesIO(b"0123456789")
    file.seek(5)
    assert call("PUT", f"{bucket}/file", None, file)[0] == 200
    assert call("GET", f"{bucket}/file") == (200, b"56789")
    _in_parts(call, f"{bucket}/in parts")
    for key in [*keys, "generator", "file", "in parts"]:
        assert call("DELETE", f"{bucket}/{quote(key, safe='/')}")[0] == 204, key
    assert call("DELETE", bucket)[0] == 204


def _in_parts(call: Call, url: str) -> None:
    url = url.replace(" ", "%20")
    status, answer = call("POST", f"{url}?uploads")
    assert status == 200, answer
    upload = quote(re.search(rb"<UploadId>([^<]+)<", answer)[1].decode(), safe="")  # type: ignore[index]
    parts = [os.urandom(_PART), b"the rest"]
    done = []
    for number, part in enumerate(parts, 1):
        status, answer = call("PUT", f"{url}?partNumber={number}&uploadId={upload}", None, part)
        assert status == 200, answer
        import hashlib

        done.append(f"<Part><PartNumber>{number}</PartNumber><ETag>{hashlib.md5(part).hexdigest()}</ETag></Part>")
    whole = f"<CompleteMultipartUpload>{''.join(done)}</CompleteMultipartUpload>".encode()
    status, answer = call("POST", f"{url}?uploadId={upload}", {"Content-Type": "application/xml"}, whole)
    assert status == 200, answer
    assert call("GET", url) == (200, b"".join(parts))


def _items(call: Call, base: str) -> None:
    """DynamoDB: a table, an item, and away with it."""
    table = f"T{uuid.uuid4().hex[:12]}"

    def ask(action: str, body: dict[str, Any]) -> Any:
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{action}"}
        status, answer = call("POST", f"{base}/", headers, json.dumps({"TableName": table, **body}).encode())
        assert status == 200, (action, answer)
        return json.loads(answer)

    attributes = {"AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}], "BillingMode": "PAY_PER_REQUEST"}
    ask("CreateTable", attributes | {"KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}]})
    ask("PutItem", {"Item": {"k": {"S": "é+ "}, "v": {"N": "1"}}})
    assert ask("GetItem", {"Key": {"k": {"S": "é+ "}}})["Item"]["v"] == {"N": "1"}
    ask("DeleteTable", {})


def _keys(name: str) -> list[str]:
    """All of them where a URL goes out as it is written; without dot segments where the library resolves these first."""
    return [key for key in HOSTILE_KEYS if name in EXACT or not re.search(r"(^|/)\.\.?(/|$)", key)]


@pytest.mark.parametrize("name", CALLERS)
def test_on_swift(name: str, swift: str) -> None:
    arguments = {"service": "s3", "region": "us-east-1", "credentials": awsign.Credentials(KEY, SECRET)}
    with CALLERS[name](**arguments) as call:
        _objects(call, swift, _keys(name))


@pytest.mark.parametrize("payload", ["unsigned", "chunked", "trailer"])
@pytest.mark.parametrize("name", CALLERS)
def test_payloads_on_swift(name: str, payload: str, swift: str) -> None:
    choices = {
        "unsigned": awsign.UNSIGNED_PAYLOAD,
        "chunked": awsign.Chunked(),
        "trailer": awsign.Chunked(trailer="CRC32"),
    }
    arguments = {
        "service": "s3",
        "region": "us-east-1",
        "credentials": awsign.Credentials(KEY, SECRET),
        "payload": choices[payload],
    }
    data = os.urandom(300_000)
    with CALLERS[name](**arguments) as call:
        bucket = f"{swift}/payloads"
        assert call("PUT", bucket)[0] in (200, 409)
        assert call("PUT", f"{bucket}/bytes", None, data)[0] == 200
        assert call("GET", f"{bucket}/bytes") == (200, data)
        blocks = (data[start : start + 65536] for start in range(0, len(data), 65536))
        assert call("PUT", f"{bucket}/blocks", {"Content-Length": str(len(data))}, blocks)[0] == 200
        assert call("GET", f"{bucket}/blocks") == (200, data)


class Silent(Source):
    """A source that does not say when its credentials end, so that a server has to."""

    name = "silent"

    def __init__(self, source: Source) -> None:
        self.source = source
        self.asked = 0

    def load(self) -> awsign.Credentials:
        self.asked += 1
        found = self.source.load()
        return awsign.Credentials(found.access_key_id, found.secret_access_key, found.session_token)


@pytest.fixture(scope="module")
def behind() -> Iterator[str]:
    """MiniStack behind `awsign serve`, whose credentials of instances live for two seconds; it says ExpiredToken then."""
    with (
        servers.ministack(auth=False) as store,
        servers.awsign_serve("--role-seconds", "2", "--forward", store) as url,
    ):
        yield url


@pytest.mark.parametrize("name", CALLERS)
def test_credentials_that_end_in_the_middle(name: str, behind: str) -> None:
    source = InstanceMetadata(environ={"AWS_EC2_METADATA_SERVICE_ENDPOINT": behind})
    silent = Silent(source)
    provider = Refreshing(silent)
    with (
        CALLERS[name](service="s3", region="us-east-1", credentials=provider) as s3,
        CALLERS[name](service="dynamodb", region="us-east-1", credentials=provider) as dynamodb,
    ):
        _objects(s3, behind, _keys(name)[:8])
        time.sleep(2.1)
        _items(dynamodb, behind)
    assert silent.asked > 1


def test_a_role_of_ministack(ministack: tuple[str, str, str]) -> None:
    """Its session tokens are checked there; the clock of the provider goes on by an hour in the middle."""
    from datetime import timedelta

    from awsign.scope import now

    url, key, secret = ministack
    for name, make in CALLERS.items():
        ahead = [timedelta(0)]
        role = AssumeRole("arn:aws:iam::000000000000:role/tested", awsign.Credentials(key, secret), settings=at(url))
        provider = Refreshing(role, clock=lambda ahead=ahead: now() + ahead[0])
        first = provider.get()
        with (
            make(service="s3", region="us-east-1", credentials=provider) as s3,
            make(service="dynamodb", region="us-east-1", credentials=provider) as dynamodb,
        ):
            _objects(s3, url, _keys(name)[:4])
            ahead[0] = timedelta(minutes=55)
            _items(dynamodb, url)
        assert provider.get() != first
