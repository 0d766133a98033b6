"""The mistakes that signers make, each as the steps that it exchanges: one file for each part of the derivation.

A mistake is a function from a case to variants; a variant is one way of making it. The tables here say which there are for a scheme,
the more frequent first.
"""

from __future__ import annotations

from . import body, encoding, headers, host, key, older, query, target, time_and_scope
from .case import Case, Variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Mistake = Callable[[Case], Iterable[Variant]]

V4: tuple[Mistake, ...] = (
    encoding.plus_for_space,
    target.normalized,
    target.not_normalized,
    target.encoded_twice,
    target.encoded_once,
    encoding.unreserved_escaped,
    encoding.reserved_not_escaped,
    encoding.lower_case_hex,
    query.order,
    query.valueless,
    query.duplicates,
    query.parameter_added,
    query.parameter_edited,
    query.not_signed,
    query.encoded_otherwise,
    body.other_body,
    body.payload_line,
    target.other_method,
    headers.white_space,
    headers.names,
    headers.content_type,
    headers.rewritten,
    headers.other_encoding,
    headers.added_value,
    headers.left_out,
    headers.list_of_names,
    time_and_scope.other_place,
    time_and_scope.other_day,
    time_and_scope.other_time,
    time_and_scope.terminator,
    key.secret_variants,
    key.prefix_forgotten,
    key.hex_for_bytes,
    key.other_derivation,
    key.layouts,
    key.signature_form,
    headers.token,
    query.requoted,
    target.rewritten,
    host.other_host,
    target.collapsed_on_the_way,
)
# Of a form, the policy alone is signed.
FORM: tuple[Mistake, ...] = (
    older.policy,
    time_and_scope.other_place,
    time_and_scope.other_day,
    time_and_scope.terminator,
    key.secret_variants,
    key.prefix_forgotten,
    key.hex_for_bytes,
    key.other_derivation,
    key.signature_form,
)
OLDER_FORM: tuple[Mistake, ...] = (older.policy, key.secret_variants, older.signature_encoding, older.hash_differs)
V2: tuple[Mistake, ...] = (
    older.parameter_order,
    encoding.plus_for_space,
    encoding.unreserved_escaped,
    encoding.reserved_not_escaped,
    encoding.lower_case_hex,
    query.duplicates,
    query.empty_dropped,
    query.parameter_added,
    older.host,
    target.other_method,
    older.newlines,
    older.signature_encoding,
    older.hash_differs,
    older.path,
    key.secret_variants,
    older.token,
)
S3V2: tuple[Mistake, ...] = (
    older.resource,
    older.dates,
    older.headers,
    encoding.lower_case_hex,
    encoding.reserved_not_escaped,
    target.other_method,
    older.newlines,
    older.signature_encoding,
    older.hash_differs,
    key.secret_variants,
)

__all__ = ["FORM", "OLDER_FORM", "S3V2", "V2", "V4", "Case", "Variant"]
