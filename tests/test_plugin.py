"""The pytest plugin, in test runs of its own, with real clients."""

from __future__ import annotations

import urllib.request

import awsign

pytest_plugins = ["pytester"]

SEND = """
import urllib.request
import urllib.error
import awsign

def send(url, credentials, path="/bucket/a%20b", rules=None):
    signed = awsign.SigV4(credentials, "s3", "us-east-1", rules=rules).sign(awsign.Request("PUT", url + path, body=b"content"))
    request = urllib.request.Request(signed.url, signed.body, dict(signed.headers), method="PUT")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["x-awsign-cause"], error.read()
"""


def run(pytester, body: str):
    pytester.makepyfile(SEND + body)
    return pytester.runpytest_subprocess("-q")


class TestFixture:
    def test_what_verifies(self, pytester) -> None:
        result = run(pytester, """
def test_it(awsign_server):
    assert send(awsign_server.url, awsign_server.credentials) == 200
    [arrived] = awsign_server.requests
    assert (arrived.body, arrived.request.path, arrived.verified.access_key_id) == (b"content", "/bucket/a%20b", "AKIDEXAMPLE")
""")  # fmt: skip
        result.assert_outcomes(passed=1)

    def test_what_does_not_fails_the_test_with_the_report(self, pytester) -> None:
        result = run(pytester, """
def test_it(awsign_server):
    send(awsign_server.url, awsign_server.credentials, rules=awsign.Rules(content_sha256="send"))
""")  # fmt: skip
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(
            ["*1 of 1 requests did not verify*", "*path-encoded-twice (proved*", "*theirs*/bucket/a%2520b*"]
        )

    def test_a_test_that_fails_by_itself_has_the_report_too(self, pytester) -> None:
        result = run(pytester, """
def test_it(awsign_server):
    assert send(awsign_server.url, awsign_server.credentials, rules=awsign.Rules(content_sha256="send")) == 200
""")  # fmt: skip
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["*assert*== 200*", "*path-encoded-twice (proved*"])

    def test_what_a_fixture_sends_at_its_end(self, pytester) -> None:
        result = run(pytester, """
import pytest

@pytest.fixture
def client(awsign_server):
    yield
    send(awsign_server.url, awsign.Credentials("AKIDEXAMPLE", "another"))

def test_it(client):
    pass
""")  # fmt: skip
        result.assert_outcomes(passed=1, errors=1)

    def test_refusals_that_are_expected(self, pytester) -> None:
        result = run(pytester, """
def test_it(awsign_server):
    awsign_server.expect_mismatches = True
    wrong = awsign.Credentials("AKIDEXAMPLE", "another")
    status, cause, body = send(awsign_server.url, wrong)
    assert (status, cause) == (403, "wrong-secret")
    assert b"<Kind>wrong-secret</Kind>" in body
    assert awsign_server.mismatches[0].error.kind == "signature-mismatch"

def test_other_keys(awsign_server):
    other = awsign_server.add(awsign.Credentials("ASIAOTHER", "secret", "token"))
    assert send(awsign_server.url, other) == 200
""")  # fmt: skip
        result.assert_outcomes(passed=2)


def test_the_fixture_here(awsign_server) -> None:
    """The plugin is installed with the package: nothing has to be said."""
    signed = awsign.SigV4(awsign_server.credentials, "execute-api", "us-east-1").sign(
        awsign.Request("GET", awsign_server.url + "/x?a=b c")
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(signed.url, headers=dict(signed.headers))) as answer:
        assert answer.status == 200
    assert awsign_server.requests[0].request.query == "a=b%20c"
