"""The shared files, `~/.aws/config` and `~/.aws/credentials`, read as the AWS CLI reads them.

Source: AWS SDKs and tools reference, "Shared config and credentials files"; botocore's configloader.py for what that leaves open:
keys are lower-cased, a profile that stands in both files is joined and the credentials file counts first, of `[default]` and
`[profile default]` the later counts. Here alone a byte order mark is passed over.
"""

from __future__ import annotations

import configparser
import os
import re
import shlex
from pathlib import Path

from .errors import CredentialsError

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


class SharedFiles:
    """Both files, as they are now.

    config, credentials: where they are. profiles: name -> settings, joined. in_credentials, in_config: of one file alone.
    sso_sessions, services: the sections that profiles refer to. Raises CredentialsError, with file and line, for what is no such file.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        self.config, self.credentials = (_path(environ, *each) for each in (_CONFIG, _CREDENTIALS))
        self.in_credentials = _read(self.credentials)
        self.in_config: dict[str, Section] = {}
        self.sso_sessions: dict[str, Section] = {}
        self.services: dict[str, Section] = {}
        kinds = {"profile": self.in_config, "sso-session": self.sso_sessions, "services": self.services}
        for title, section in _read(self.config).items():
            if title == "default":
                self.in_config[title] = section
                continue
            try:
                kind, name = shlex.split(title)
            except ValueError:  # One word, or more than two, or a quote without its end: a section of somebody else's.
                continue
            if kind in kinds:
                kinds[kind][name] = section
        self.profiles = {
            name: self.in_config.get(name, {}) | self.in_credentials.get(name, {})
            for name in [*self.in_config, *self.in_credentials]
        }

    def exist(self) -> bool:
        """Whether there is one of the two."""
        return self.config.is_file() or self.credentials.is_file()


def profile_asked_for(explicit: str | None, environ: Mapping[str, str]) -> str | None:
    """The profile that was named: explicitly, or by AWS_PROFILE or its older name. None leaves `default`."""
    return explicit or environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or None


def expanded(path: str, environ: Mapping[str, str]) -> Path:
    """A path with its variables and its `~`, by an environment that may not be the process's."""
    path = _VARIABLE.sub(lambda match: environ.get(match[1] or match[2], match[0]), path)
    home = environ.get("HOME")
    if home and (path == "~" or path.startswith("~/")):
        return Path(home + path[1:])
    return Path(path).expanduser()


def _path(environ: Mapping[str, str], variable: str, default: str) -> Path:
    return expanded(environ.get(variable) or default, environ)


def _read(path: Path) -> dict[str, Section]:
    """The sections of a file, {} where there is none. Read again when the file is another than before."""
    try:
        stat = path.stat()
        if not path.is_file():
            return {}
        mark = stat.st_mtime_ns, stat.st_size, stat.st_ino
        if path not in _read_before or _read_before[path][0] != mark:
            if len(_read_before) >= _KEPT_FILES:
                _read_before.clear()
            _read_before[path] = mark, _parsed(path, path.read_text(encoding="utf-8-sig"))
        return _read_before[path][1]
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise CredentialsError(f"{path} cannot be read: {error.strerror or type(error).__name__}") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise CredentialsError(f"{path}, line {line}: it is not UTF-8; write the file anew in that encoding") from None


def _parsed(path: Path, text: str) -> dict[str, Section]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
        return {title: _flat(parser[title]) for title in parser.sections()}
    except configparser.Error as error:
        # The parser quotes the line that it stumbled on, which may hold a secret: give its number alone.
        line = getattr(error, "lineno", None) or next((number for number, _ in getattr(error, "errors", ())), None)
        why = {
            configparser.DuplicateSectionError: "a section stands there a second time; join the two",
            configparser.DuplicateOptionError: "a setting stands there a second time in its section; leave one",
            configparser.MissingSectionHeaderError: "there is no [section] before it",
        }.get(type(error), "it is neither a [section] nor a line of the form name = value")
        raise CredentialsError(f"{path}, line {line}: {why}") from None
    except _NoSetting as error:
        line = next((number for number, each in enumerate(text.splitlines(), 1) if each.strip() == error.args[0]), None)
        raise CredentialsError(f"{path}, line {line}: under a setting without a value there are lines name = value") from None


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
