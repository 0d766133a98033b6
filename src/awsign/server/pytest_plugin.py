"""The pytest plugin: `awsign_server`, a server that verifies what a test sends, and fails the test with the report of what does not match.

    def test_upload(awsign_server):
        client = MyClient(awsign_server.url, awsign_server.credentials)
        client.upload("a b.txt", b"...")
        assert awsign_server.requests[0].body == b"..."

Set `awsign_server.expect_mismatches = True` in a test that is about refusals.
"""

from __future__ import annotations

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .local import LocalServer


@pytest.fixture
def awsign_server() -> Iterator[LocalServer]:
    """A LocalServer of this test's own."""
    try:
        from .local import LocalServer
    except ImportError:
        pytest.fail("the fixture awsign_server needs the server's extra; pip install 'awsign[server]'", pytrace=False)
    with LocalServer() as server:
        yield server
    if server.mismatches and not server.expect_mismatches:
        pytest.fail(
            f"{len(server.mismatches)} of {len(server.requests)} requests did not verify\n\n{server.report()}", pytrace=False
        )
