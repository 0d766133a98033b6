"""A query: its parameters, and how it is signed.

Source: AWS IAM user guide, "Create a signed AWS API request", CanonicalQueryString. Text in and out is wire text (see encoding.py).
"""

from __future__ import annotations

import re

from .encoding import CANONICAL, decode, encode

_SIGNATURE = "x-amz-signature\0"
# Every value as it is signed, every name plain, and one `=` in each parameter.
_NAME = r"[A-Za-z0-9\-._~]++"
_CANONICAL_QUERY = re.compile(f"{_NAME}={CANONICAL}(?:&{_NAME}={CANONICAL})*+")


def query_pairs(query: str) -> list[tuple[str, str]]:
    """The decoded names and values of a query, in its order. A `+` is a space, as every server of the family reads it."""
    plain = "%" not in query and "+" not in query
    pairs = []
    for pair in query.split("&"):
        if pair:  # Between `&&`: no parameter (aws-c-common's and Go's reading).
            name, _, value = pair.partition("=")
            pairs.append((name, value) if plain else (_decoded(name), _decoded(value)))
    return pairs


def _decoded(text: str) -> str:
    return decode(text.replace("+", " ")) if "%" in text or "+" in text else text


def canonical_query(query: str) -> str:
    """The query as it is signed: each name and value decoded once and encoded once, sorted as pairs, duplicates kept.

    Its own signature, X-Amz-Signature in whatever case, is no part of it.
    """
    if not query:
        return ""
    parameters = _sorted_parameters(query, _CANONICAL_QUERY.fullmatch(query) is not None)
    if _SIGNATURE in "&".join(parameters).lower():
        parameters = [parameter for parameter in parameters if not parameter.lower().startswith(_SIGNATURE)]
    return _written(parameters)


def _sorted_parameters(query: str, is_canonical: bool) -> list[str]:
    """The parameters as they are signed, with a NUL for each `=`: text sorts then as pairs of name and value do."""
    if is_canonical:  # As most are.
        parameters = query.replace("=", "\0").split("&")
    else:
        parameters = [f"{encode(name)}\0{encode(value)}" for name, value in query_pairs(query)]
    parameters.sort()
    return parameters


def _written(parameters: list[str]) -> str:
    return "&".join(parameters).replace("\0", "=")


class Query:
    """A query that arrived, read once: for whoever looks for a parameter, and for the canonical request.

    text: as it came. is_canonical: whether it came as it is signed but for the order, so that no character of it is odd.
    encoded: values by name, both as they are signed (AWS's own names have nothing to encode); of a name that stands twice, the
    greater value. names: in lower case.
    """

    text: str
    is_canonical: bool
    encoded: dict[str, str]
    names: set[str]

    def __init__(self, query: str) -> None:
        self.text = query
        self.is_canonical = _CANONICAL_QUERY.fullmatch(query) is not None
        self._parameters = parameters = _sorted_parameters(query, self.is_canonical)
        self.encoded = encoded = {}
        for parameter in parameters:
            name, _, value = parameter.partition("\0")
            encoded[name] = value
        self.names = {name.lower() for name in encoded}

    def get(self, name: str) -> str | None:
        """The value of a parameter, decoded, or None."""
        value = self.encoded.get(name)
        return None if value is None else decode(value)

    def canonical(self, *leave_out: str) -> str:
        """The query as it is signed. leave_out: names of parameters that are not covered, the signature's above all; none stands twice."""
        parameters = self._parameters.copy()
        for name in leave_out:
            if name in self.encoded:
                parameters.remove(f"{name}\0{self.encoded[name]}")
        return _written(parameters)

    def repeated(self) -> list[str]:
        """The names that stand in it again, in whatever case."""
        if len(self.names) == len(self._parameters):
            return []
        seen: set[str] = set()
        again = []
        for parameter in self._parameters:
            name = parameter.partition("\0")[0]
            if name.lower() in seen:
                again.append(name)
            seen.add(name.lower())
        return again
