"""The shared files, `~/.aws/config` and `~/.aws/credentials`, read as the AWS CLI reads them.

Source: AWS SDKs and tools reference, "Shared config and credentials files"; botocore's configloader.py for what that leaves open:
keys are lower-cased, a profile that stands in both files is joined and the credentials file counts first, of `[default]` and
`[profile default]` the later counts. Here alone a byte order mark is passed over.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from .errors import CredentialsError, system_reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    # The settings of a section; those of an indented block under one are joined to it: "s3.addressing_style".
    Section = dict[str, str]

_CREDENTIALS = "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"
_CONFIG = "AWS_CONFIG_FILE", "~/.aws/config"
_VARIABLE = re.compile(r"\$(?:(\w+)|\{([^}]*)\})", re.ASCII)
_KEPT_FILES = 16

_read_before: dict[Path, tuple[tuple[int, int, int], dict[str, Section]]] = {}


class UnreadableFile(CredentialsError):
    """A file that is there, and cannot be read for what it should be."""


class SharedFiles:
    """Both files, as they are now.

    config, credentials: where they are. profiles: name -> settings, joined. in_credentials, in_config: of one file alone.
    sso_sessions, services: the sections that profiles refer to. without_kind: sections of the config file that are of no kind.
    Raises UnreadableFile, with file and line, for what is no such file.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        self.config, self.credentials = (_path(environ, *each) for each in (_CONFIG, _CREDENTIALS))
        self.in_credentials = _read(self.credentials)
        self.in_config: dict[str, Section] = {}
        self.sso_sessions: dict[str, Section] = {}
        self.services: dict[str, Section] = {}
        self.without_kind: set[str] = set()
        kinds = {"profile": self.in_config, "sso-session": self.sso_sessions, "services": self.services}
        for title, section in _read(self.config).items():
            if title == "default":
                self.in_config[title] = section
                continue
            kind = next(filter(title.startswith, kinds), None)
            try:
                _, name = _words(title)
            except ValueError:  # One word, or more than two, or a quote without its end: a section of somebody else's.
                kind = None
            if kind is None:
                self.without_kind.add(title)
            else:
                kinds[kind][name] = section
        self.profiles = {
            name: self.in_config.get(name, {}) | self.in_credentials.get(name, {})
            for name in [*self.in_config, *self.in_credentials]
        }


def _words(title: str) -> list[str]:
    """A section's title as a shell reads it; ValueError for an open quote."""
    import shlex

    return shlex.split(title)


def expanded(path: str, environ: Mapping[str, str]) -> Path:
    """A path with its variables and its `~`, by an environment that may not be the process's."""
    path = _VARIABLE.sub(lambda match: environ.get(match[1] or match[2], match[0]), path)
    home = environ.get("HOME")
    if home and (path == "~" or path.startswith("~/")):
        return Path(home + path[1:])
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Where nobody's home is known, it leaves the path as it is.


def _path(environ: Mapping[str, str], variable: str, default: str) -> Path:
    """Where a file is; a variable that is set to nothing leaves none."""
    return expanded(environ.get(variable, default), environ)


def _read(path: Path) -> dict[str, Section]:
    """The sections of a file, {} where there is none. Read again when the file is another than before."""
    try:
        if not path.is_file():
            return {}
        stat = path.stat()
        mark = stat.st_mtime_ns, stat.st_size, stat.st_ino
        before = _read_before.get(path)
        if before is not None and before[0] == mark:
            return before[1]
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise UnreadableFile(f"{path} cannot be read: {system_reason(error)}") from None
    parsed = _parsed(path, _text(path, raw))
    if len(_read_before) >= _KEPT_FILES:
        _read_before.clear()
    _read_before[path] = mark, parsed
    return parsed


def _text(path: Path, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
    # Outside of the block above: the error holds the file.
    raise UnreadableFile(f"{path}, line {line}: it is not UTF-8; write the file anew in that encoding")


def _parsed(path: Path, text: str) -> dict[str, Section]:
    import configparser  # Where there are no files, as in most containers, it is not needed.

    flaws: dict[type[configparser.Error], str] = {
        configparser.DuplicateSectionError: "a section stands there a second time; join the two",
        configparser.DuplicateOptionError: "a setting stands there a second time in its section; leave one",
        configparser.MissingSectionHeaderError: "there is no [section] before it, or the ] of one is missing",
    }
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
        return {title: _flat(parser[title]) for title in parser.sections()}
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or next((number for number, _ in getattr(error, "errors", ())), None)
        why = flaws.get(type(error), "it is neither a [section] nor a line of the form name = value")
    except _NoSetting as error:
        line = next((number for number, each in enumerate(text.splitlines(), 1) if each.strip() == error.args[0]), None)
        why = "under a setting without a value there are lines name = value"
    # Outside of the block above: the error quotes the line that the parser stumbled on, which may hold a secret.
    raise UnreadableFile(f"{path}, line {line}: {why}")


class _NoSetting(Exception):
    """A line of an indented block that sets nothing."""


def _flat(section: Mapping[str, str]) -> Section:
    flat = {}
    for name, value in section.items():
        if not value.startswith("\n"):
            flat[name] = value
            continue
        for line in filter(None, map(str.strip, value.splitlines())):
            inner, equals, setting = line.partition("=")
            if not equals:
                raise _NoSetting(line)
            flat[f"{name}.{inner.strip()}"] = setting.strip()
    return flat
