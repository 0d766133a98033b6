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
    from collections.abc import Generator, Iterator

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
    if server.unexpected:  # What a fixture sent when it was torn down.
        pytest.fail(_told(server), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test fails if what it sent does not verify; one that fails by itself has the report beside its own reason."""
    server: LocalServer | None = getattr(item, "funcargs", {}).get("awsign_server")
    try:
        result = yield
    except BaseException:
        if server is not None and server.unexpected:
            item.add_report_section("call", "awsign", _told(server))
        raise
    if server is not None and server.unexpected:
        pytest.fail(_told(server), pytrace=False)
    return result


def _told(server: LocalServer) -> str:
    """The report, told once."""
    some = server.unexpected
    server.told = len(server.mismatches)
    return f"{len(some)} of {len(server.requests)} requests did not verify\n\n{server.report()}"
