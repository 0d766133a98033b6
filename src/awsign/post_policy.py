"""The policy of a form with which a browser uploads to S3: conditions that its fields must meet, signed.

Built here for a form, read here by the verifier; both check it by the same function. The signature covers the policy's base64 as
it stands in the form.
Source: S3 API reference, "Browser-based uploads using POST (AWS Signature Version 4)": "POST policy", "Creating an HTML form".
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime

from .errors import InvalidRequest
from .redact import masked_value
from .scope import plausible
from .services import SECURITY_TOKEN, SESSION_TOKEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, NoReturn, TypeAlias

    Condition: TypeAlias = "Mapping[str, str] | Sequence[str | int]"

FILENAME = "${filename}"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What signs a form, by lower-case name.
SIGNING_FIELDS = frozenset(
    (
        "policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "awsaccesskeyid", "signature",
        SECURITY_TOKEN, SESSION_TOKEN,
    )
)  # fmt: skip
# What a form has that no condition is for, by lower-case name: the file, the policy and what signs it.
_EXEMPT = frozenset(("file", "policy", "x-amz-signature", "signature", "awsaccesskeyid"))
_EXEMPT_PREFIX = "x-ignore-"
# ISO 8601 in GMT, as AWS's page has it.
_EXPIRATION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)
_RANGE = "content-length-range"


class PolicyFault(Exception):
    """A policy that does not read as one, or that a form does not meet: the kind of errors.py, and the reason in S3's words."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def folded(name: str) -> str:
    """A field's name as it is compared: S3 takes it in any case, of ASCII (elsewhere `lower` makes two letters one)."""
    return name.lower() if name.isascii() else name


class Policy:
    """What a policy says.

    expiration: aware. conditions: ("eq" or "starts-with", the field's lower-case name, a value), or ("content-length-range", least,
    most) in bytes.
    """

    __slots__ = ("conditions", "expiration")

    def __init__(self, expiration: datetime, conditions: list[tuple[str, Any, Any]]) -> None:
        self.expiration = expiration
        self.conditions = conditions

    def __repr__(self) -> str:
        return f"<Policy of {len(self.conditions)} conditions until {self.expiration.isoformat()}>"

    @property
    def size_range(self) -> tuple[int, int | None]:
        """The least and the most bytes that the file may have."""
        ranges = [(least, most) for operator, least, most in self.conditions if operator == _RANGE]
        return max((least for least, _ in ranges), default=0), min((most for _, most in ranges), default=None)

    def covers(self, name: str) -> bool:
        """Whether a field, by its lower-case name, has a condition or needs none."""
        return (
            name in _EXEMPT
            or name.startswith(_EXEMPT_PREFIX)
            or any(operator != _RANGE and field == name for operator, field, _ in self.conditions)
        )

    def check(self, fields: Mapping[str, str]) -> None:
        """PolicyFault for the first condition that is not met, or a field that has none.

        fields: by lower-case name, `bucket` as the URL has it and the key with its file's name in place.
        """
        for operator, name, wanted in self.conditions:
            if operator != _RANGE and not _met(operator, name, wanted, fields.get(name)):
                shown = json.dumps([operator, f"${name}", masked_value(name, wanted)])
                raise PolicyFault("condition-failed", f"Invalid according to Policy: Policy Condition failed: {shown}")
        if not self.covers("bucket"):
            raise PolicyFault("condition-missing", "Invalid according to Policy: the policy has no condition for the bucket")
        extra = [name for name in fields if not self.covers(name)]
        if extra:
            raise PolicyFault("condition-missing", f"Invalid according to Policy: Extra input fields: {', '.join(extra)[:200]}")


def _met(operator: str, name: str, wanted: str, value: str | None) -> bool:
    if operator == "eq":
        return value == wanted
    if name == "content-type" and value is not None and "," in value:
        # AWS's page, "Condition matching": each of a list of Content-Types must begin so.
        return all(part.strip().startswith(wanted) for part in value.split(","))
    # An empty beginning takes any value; but a value there must be, as S3 has it.
    return value is not None and value.startswith(wanted)


def parse_policy(encoded: str) -> Policy:
    """The policy field of a form -> what it says. PolicyFault for what S3 does not take either."""
    try:
        text = b64decode(encoded, validate=True).decode()
        document = json.loads(text, object_pairs_hook=_unique, parse_float=_no_number, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise PolicyFault("bad-policy", "Invalid Policy: Invalid JSON.") from None
    if not isinstance(document, dict):
        raise PolicyFault("bad-policy", "Invalid Policy: Invalid JSON.")
    for name in ("expiration", "conditions"):
        if name not in document:
            raise PolicyFault("bad-policy", f"Invalid Policy: Policy missing {name}.")
    for name in document:
        if name not in ("expiration", "conditions"):
            raise PolicyFault("bad-policy", f"Invalid Policy: Unexpected: '{name[:40]}'.")
    conditions = document["conditions"]
    if not isinstance(conditions, list):
        raise PolicyFault("bad-policy", "Invalid Policy: Invalid 'conditions' value: must be a List.")
    parsed = [one for condition in conditions for one in parse_condition(condition)]
    return Policy(_parse_expiration(document["expiration"]), parsed)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):  # Two readers could take two of them.
        raise ValueError("a name stands twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no integer")


def _parse_expiration(text: object) -> datetime:
    at = None
    if isinstance(text, str) and _EXPIRATION.fullmatch(text):
        try:
            at = plausible(datetime.fromisoformat(text))
        except ValueError:
            at = None
    if at is None:
        raise PolicyFault("bad-expiration", f"Invalid Policy: Invalid 'expiration' value: '{str(text)[:40]}'")
    return at


def parse_condition(condition: object) -> list[tuple[str, Any, Any]]:
    """One condition of a policy, in any of its forms. PolicyFault for what is none."""
    if isinstance(condition, dict) or hasattr(condition, "items"):
        pairs = list(condition.items())
        if len(pairs) != 1:
            raise PolicyFault(
                "bad-policy",
                "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
            )
        [(name, value)] = pairs
        if not isinstance(name, str) or not isinstance(value, str):
            raise PolicyFault("bad-policy", "Invalid Policy: Invalid Simple-Condition: value must be a string.")
        return [("eq", folded(name), value)]
    if not isinstance(condition, (list, tuple)):
        raise PolicyFault(
            "bad-policy",
            f"Invalid Policy: Invalid Condition: {str(condition)[:60]!r} is neither a list of three nor an object of one.",
        )
    if len(condition) != 3 or not isinstance(condition[0], str):
        raise PolicyFault(
            "bad-policy",
            f"Invalid Policy: Invalid Condition: wrong number of arguments in {str(condition)[:80]}; "
            'it is an operator and two more, as ["starts-with", "$key", "in/"].',
        )
    operator, first, second = condition
    operator = operator.lower()
    if operator == _RANGE:
        least, most = _size(first), _size(second)
        if least > most:
            raise PolicyFault("bad-policy", f"Invalid Policy: Invalid Condition: {_RANGE} from {least} to {most} is empty.")
        return [(_RANGE, least, most)]
    if operator not in ("eq", "starts-with"):
        raise PolicyFault("bad-policy", f"Invalid Policy: Invalid Condition: unknown operation '{operator[:40]}'.")
    if not isinstance(first, str) or not first.startswith("$") or len(first) < 2 or not isinstance(second, str):
        raise PolicyFault("bad-policy", f"Invalid Policy: Invalid Condition: {operator} takes a field as $name, and a string.")
    return [(operator, folded(first[1:]), second)]


def _size(value: object) -> int:
    """A bound of a range: a number, or as some write it, its digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise PolicyFault("bad-policy", f"Invalid Policy: Invalid Condition: {str(value)[:40]!r} is not a number of bytes.")
    return value


def build_policy(
    expiration: datetime, bucket: str, key: str, conditions: Iterable[Condition], fields: Mapping[str, str]
) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """A policy, as base64, the fields of its form, and the names of those that the sender is to fill in.

    What a field has no condition for, it must be exactly; what an exact condition asks for, the form has. InvalidRequest where
    a field does not meet its conditions.
    """
    form = {"key": key, **_checked_fields(fields)}
    given = [_as_json(condition) for condition in conditions]
    try:
        asked = [one for condition in given for one in parse_condition(condition)]
    except PolicyFault as fault:
        raise InvalidRequest(str(fault).removeprefix("Invalid Policy: ")) from None
    names = {folded(name): name for name in form}
    open_fields: dict[str, str] = {}
    for condition, (operator, name, wanted) in zip(given, asked, strict=True):
        if operator == "eq" and name not in names and name != "bucket":
            spelt = next(iter(condition)) if isinstance(condition, dict) else condition[1][1:]
            form[spelt] = wanted
            names[name] = spelt
        elif operator == "starts-with" and name not in names and name != "bucket":
            open_fields[name] = condition[1][1:]
    policy = Policy(expiration, asked)
    before, found, _ = key.partition(FILENAME)
    written: list[Any] = list(given)
    if not policy.covers("bucket"):
        written.append({"bucket": bucket})
    for name, value in form.items():
        if not policy.covers(folded(name)):
            written.append(["starts-with", "$key", before] if name == "key" and found else {name: value})
    _check_form(Policy(expiration, [one for condition in written for one in parse_condition(condition)]), bucket, form)
    document = {"expiration": f"{expiration.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}", "conditions": written}
    try:
        encoded = b64encode(json.dumps(document, ensure_ascii=False).encode()).decode()
    except UnicodeEncodeError:
        raise InvalidRequest("the key, a field or a condition has a lone surrogate, which UTF-8 has no bytes for") from None
    return encoded, form, tuple(spelt for name, spelt in open_fields.items() if name not in names)


def _checked_fields(fields: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in fields.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError("fields must be a mapping of str to str")
        if not name or '"' in name or _CONTROL.search(name):
            raise InvalidRequest(f"{name!r} cannot be the name of a form's field")
        if name.lower() in ("key", "bucket", "file", "policy", "x-amz-signature") or name.lower() in map(str.lower, found):
            raise InvalidRequest(
                f"the field {name!r} cannot be given: it is the key's, the file's, the signature's, or is there already"
            )
        found[name] = value
    return found


def _as_json(condition: Any) -> Any:
    return (
        dict(condition.items()) if hasattr(condition, "items") else list(condition) if isinstance(condition, tuple) else condition
    )


def _check_form(policy: Policy, bucket: str, form: Mapping[str, str]) -> None:
    """That the fields meet their conditions; those that the browser is to fill in are not there yet."""
    values = {folded(name): value for name, value in form.items()} | {"bucket": bucket}
    for operator, name, wanted in policy.conditions:
        if operator != _RANGE and name in values and not _met(operator, name, wanted, values[name]):
            raise InvalidRequest(
                f"the field {name!r} is {masked_value(name, values[name])!r}, "
                f"which its condition {[operator, f'${name}', masked_value(name, wanted)]} does not take"
            )


class PostForm:
    """A form that uploads one file: POST `fields` to `url` as multipart/form-data, and after them the file, as `file`.

    url: of the bucket. fields: name to value, in the order in which they are sent; the policy and its signature are among them.
    open_fields: names that a "starts-with" condition asks for and that have no value yet: the sender is to add them. expires_at: an
    aware datetime, no later than the end of the credentials that signed. `html()` gives a page.
    """

    __slots__ = ("expires_at", "fields", "open_fields", "url")

    def __init__(self, url: str, fields: dict[str, str], open_fields: tuple[str, ...], expires_at: datetime) -> None:
        self.url = url
        self.fields = fields
        self.open_fields = open_fields
        self.expires_at = expires_at

    def __repr__(self) -> str:
        # Whoever has the fields may upload: they are secrets.
        return f"<PostForm {self.url} {self.fields.get('key')!r} until {self.expires_at}>"

    def html(self, *, title: str = "Upload", button: str = "Upload") -> str:
        """A page of HTML with the form: choose a file, send it. Text in it is escaped."""
        from html import escape

        rows = [f'    <input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in self.fields.items()]
        rows += [f'    <p><label>{escape(name)} <input name="{escape(name)}"></label></p>' for name in self.open_fields]
        # The file is last: S3 reads no field after it. A button with a name would be one.
        rows += [
            '    <p><input type="file" name="file" required></p>',
            f'    <p><button type="submit">{escape(button)}</button></p>',
        ]
        page = [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '  <meta charset="utf-8">',
            f"  <title>{escape(title)}</title>",
            "</head>",
            "<body>",
            f'  <form action="{escape(self.url)}" method="post" enctype="multipart/form-data">',
            *rows,
            "  </form>",
            "</body>",
            "</html>",
        ]
        return "\n".join(page) + "\n"
