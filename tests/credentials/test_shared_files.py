"""The shared files: held against botocore's reading of whatever can stand in one, and what is said of those that are none."""

from __future__ import annotations

import os

import botocore.configloader
import pytest
from botocore.exceptions import ConfigNotFound, ConfigParseError
from hypothesis import example, given
from hypothesis import strategies as st

import awsign
from awsign.settings import Settings
from awsign.shared_files import SharedFiles, expanded

NAMES = st.sampled_from(["region", "aws_access_key_id", "AWS_Secret_Access_Key", "s3", "endpoint_url", "schlüssel", "a b", ""])
VALUES = st.sampled_from(
    ["eu-west-1", "", "a = b", "x # no comment", "x ; none", " spaced  ", "%(here)s", "größe", '"quoted"', "\\", "=", "a:b"]
)
LINES = st.one_of(
    st.builds(
        lambda title: f"[{title}]",
        st.sampled_from(["default", "profile default", "profile dev", "profile  dev", 'profile "my dev"', "profile my dev", "dev", "profiledev",
                         "sso-session s", "services s", "preview", "DEFAULT", "profile 'dev", " default ", "profile\tdev", "plugins"]),
    ),
    st.builds(lambda name, equals, value: f"{name}{equals}{value}", NAMES, st.sampled_from(["=", " = ", ":", " : ", "", " "]), VALUES),
    st.builds(lambda name, value: f"  {name} = {value}", NAMES, VALUES),
    st.sampled_from(["", "   ", "# comment", "; comment", "  # indented", "[unclosed", "garbage", "\tkey = value", "]", "key"]),
)  # fmt: skip


def flat(section: dict) -> dict[str, str]:
    told = {}
    for name, value in section.items():
        told |= {f"{name}.{inner}": each for inner, each in value.items()} if isinstance(value, dict) else {name: value}
    return told


@given(st.lists(LINES, max_size=12), st.sampled_from(["\n", "\r\n"]))
@example(["[profile dev]", "s3 =", "  a = b", "  c"], "\n")
@example(["[default]", "region = a", "[profile default]", "x = b"], "\n")
@example(["[profile default]", "x = b", "[default]", "region = a"], "\n")
def test_as_botocore_reads_it(tmp_path_factory, lines, end) -> None:
    path = tmp_path_factory.getbasetemp() / "config"
    path.write_bytes((end.join(lines) + end).encode())
    environ = {"AWS_CONFIG_FILE": str(path), "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    try:
        theirs = botocore.configloader.load_config(str(path))
    except ConfigParseError:
        with pytest.raises(awsign.CredentialsError, match=r"config, line \d+: "):
            SharedFiles(environ)
        return
    ours = SharedFiles(environ)
    # `[profiledev x]` is a profile to botocore, which looks at the beginning of the title.
    profiles = {name: flat(section) for name, section in theirs["profiles"].items()}
    assert ours.in_config == profiles
    assert ours.sso_sessions == {name: flat(section) for name, section in theirs["sso_sessions"].items()}
    assert ours.services == {name: flat(section) for name, section in theirs["services"].items()}


@given(st.lists(LINES, max_size=12))
def test_the_credentials_file_as_botocore_reads_it(tmp_path_factory, lines) -> None:
    path = tmp_path_factory.getbasetemp() / "credentials"
    path.write_text("\n".join(lines))
    environ = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": str(path)}
    try:
        theirs = botocore.configloader.raw_config_parse(str(path))
    except ConfigParseError:
        with pytest.raises(awsign.CredentialsError, match=r"credentials, line \d+: "):
            SharedFiles(environ)
        return
    except ConfigNotFound:
        theirs = {}
    assert SharedFiles(environ).in_credentials == {name: flat(section) for name, section in theirs.items()}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[default]\nregion = a\n[other]\n[default]\n", "line 4: a section stands there a second time"),
        (b"[default]\nregion = a\nregion = b\n", "line 3: a setting stands there a second time"),
        (b"region = a\n", r"line 1: there is no \[section\] before it"),
        (b"[default]\nSECRET-LINE\n", "line 2: it is neither"),
        (b"[default]\ns3 =\n  a = b\n  SECRET-LINE\n", "line 4: under a setting without a value"),
        (b"[default]\nregion = a\n\nname = \xff\xfe\n", "line 4: it is not UTF-8"),
        ("[default]\nregion = a\n".encode("utf-16"), "line 1: it is not UTF-8"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_line(tmp_path, text, said) -> None:
    path = tmp_path / "a config"
    path.write_bytes(text)
    with pytest.raises(awsign.CredentialsError, match=rf"a config, {said}") as caught:
        SharedFiles({"AWS_CONFIG_FILE": str(path), "AWS_SHARED_CREDENTIALS_FILE": os.devnull})
    assert "SECRET-LINE" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_byte_order_mark_is_passed_over(tmp_path) -> None:
    path = tmp_path / "credentials"
    path.write_text("[default]\naws_access_key_id = AKID\n", encoding="utf-8-sig")
    assert SharedFiles({"AWS_SHARED_CREDENTIALS_FILE": str(path)}).in_credentials["default"] == {"aws_access_key_id": "AKID"}


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch) -> None:
    path = tmp_path / "config"
    path.write_text("[default]\n")

    def refused(self, *arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refused)  # Root, as whom tests may run, may read all.
    with pytest.raises(awsign.CredentialsError, match=r"config cannot be read: Permission denied"):
        SharedFiles({"AWS_CONFIG_FILE": str(path)})


def test_where_they_are(tmp_path) -> None:
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "config").write_text("[default]\nregion = of-home\n")
    (home / "other").write_text("[default]\nregion = of-other\n")
    environ = {"HOME": str(home)}
    assert Settings(environ=environ).region == "of-home"
    for path in ("~/other", "$HOME/other", "${HOME}/other", f"{home}/other"):
        assert Settings(environ=environ | {"AWS_CONFIG_FILE": path}).region == "of-other"
    assert Settings(environ=environ | {"AWS_CONFIG_FILE": str(home)}).region is None  # A directory is no file.
    assert str(expanded("$NONE/x", environ)) == "$NONE/x"
