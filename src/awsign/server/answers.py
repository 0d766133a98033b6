"""What the server answers: in the shape of the service that was addressed, with what was verified or why it was not.

Shapes: S3 API reference, "REST error responses"; EC2 API reference, "Error response structure"; IAM API reference, "Common
errors"; Smithy's AWS JSON 1.0 and REST JSON protocols, "Operation error serialization".
"""

from __future__ import annotations

import json
import re
import uuid
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ..redact import masked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..errors import SignatureError
    from ..explainer import Report
    from ..verify import Verified

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]

S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_ACTION = re.compile("[A-Za-z][A-Za-z0-9]*")
_XML = b"application/xml"
_JSON = b"application/json"
_AMZ_JSON = b"application/x-amz-json-1.0"


def posted_answer(verified: Verified) -> Answer:
    """S3's answer to a form: 204, or what its success_action_... fields ask for (S3 API reference, "POST Object")."""
    form = verified.form
    assert form is not None
    where = form.fields.get("success_action_redirect", "")
    if where.startswith(("http://", "https://")) and where.isascii() and where.isprintable():
        joint = "&" if "?" in where else "?"
        where += f"{joint}bucket={_quoted(form.bucket)}&key={_quoted(form.key)}"
        return 303, [(b"location", where.encode())], b""
    status = form.fields.get("success_action_status")
    if status != "201":
        return (200 if status == "200" else 204), [], b""
    root = Element("PostResponse")
    for name, value in (("Bucket", form.bucket), ("Key", form.key)):
        SubElement(root, name).text = _xml_text(value)
    return 201, [(b"content-type", _XML)], document(root)


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogateescape"), safe="")


def verified_answer(shape: str, verified: Verified, method: str, path: str, action: str | None, payload: str | None) -> Answer:
    """A success that says what was verified. action: of a Query API request. payload: its x-amz-content-sha256."""
    action = action if action and _ACTION.fullmatch(action) else "Unknown"  # It becomes the name of an element.
    facts = _facts(verified, payload)
    if shape in ("json", "rest"):
        answer = {"Verified": facts}
        return 200, [(b"content-type", _AMZ_JSON if shape == "json" else _JSON)], json.dumps(answer, indent=2).encode() + b"\n"
    if shape == "s3":
        root = parent = Element(_s3_result(method, path), xmlns=S3_NAMESPACE)
        if root.tag == "ListAllMyBucketsResult":
            owner = SubElement(root, "Owner")
            SubElement(owner, "ID").text = verified.access_key_id
            SubElement(root, "Buckets")  # This server stores nothing.
    elif shape == "ec2":
        root = parent = Element(f"{action}Response")
        SubElement(root, "requestId").text = _request_id()
    else:
        return query_result(action, [], verified, payload)
    _tell(parent, facts)
    return 200, [(b"content-type", _XML)], document(root)


def query_result(action: str, result: list[Element], verified: Verified | None, payload: str | None = None) -> Answer:
    """The success of a Query API, with its result and what was verified."""
    root = Element(f"{action}Response")
    parent = SubElement(root, f"{action}Result")
    parent.extend(result)
    if verified is not None:
        _tell(parent, _facts(verified, payload))
    SubElement(SubElement(root, "ResponseMetadata"), "RequestId").text = _request_id()
    return 200, [(b"content-type", _XML)], document(root)


def _facts(verified: Verified, payload: str | None) -> dict[str, str]:
    facts = {
        "Scheme": verified.scheme,
        "Location": verified.location,
        "AccessKeyId": verified.access_key_id,
        "Scope": verified.scope,
        "RegionSet": verified.region if verified.scheme == "sigv4a" else None,
        "Payload": payload,
        "SignedHeaders": ";".join(verified.signed_headers) if verified.signed_headers is not None else None,
        "SignedAt": verified.signed_at.isoformat() if verified.signed_at else None,
        "ExpiresAt": verified.expires_at.isoformat() if verified.expires_at else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _tell(parent: Element, facts: dict[str, str]) -> None:
    told = SubElement(parent, "Verified")
    for name, value in facts.items():
        SubElement(told, name).text = value


def _s3_result(method: str, path: str) -> str:
    if method != "GET":
        return "VerifiedResult"
    depth = len(path.strip("/").split("/")) if path.strip("/") else 0
    return ("ListAllMyBucketsResult", "ListBucketResult")[depth] if depth < 2 else "VerifiedResult"


def error_answer(error: SignatureError, report: Report | None = None) -> Answer:
    """AWS's error, with the canonical request and string to sign that were derived; session tokens masked.

    report: the explainer's, whose findings are added: as the header X-Awsign-Cause, and as a field of the body. It tells what the
    signer did wrong, so it is for a server that is there for those who write signers.
    """
    status, headers, body = _error_answer(error, report)
    if report is not None and report.causes:
        headers = [*headers, (b"x-awsign-cause", ", ".join(cause.kind for cause in report.causes[:3]).encode())]
    return status, headers, body


def _error_answer(error: SignatureError, report: Report | None) -> Answer:
    message = f"{error}"
    canonical = masked(error.canonical_request) if error.canonical_request else None
    to_sign = masked(error.string_to_sign) if error.string_to_sign else None
    if error.shape == "s3":
        root = Element("Error")
        told = {
            "Code": error.code,
            "Message": message,
            "AWSAccessKeyId": error.access_key_id,
            "StringToSign": to_sign,
            "CanonicalRequest": canonical,
            "RequestId": _request_id(),
        }
        for name, value in told.items():
            if value is not None:
                SubElement(root, name).text = _xml_text(value)
        _explain_in_xml(root, report)
        return error.status, [(b"content-type", _XML)], document(root)
    if canonical:
        message += f"\n\nThe Canonical String for this request should have been\n'{canonical}'"
    if to_sign:
        message += f"\n\nThe String-to-Sign should have been\n'{to_sign}'"
    if error.shape in ("query", "ec2"):
        return error.status, [(b"content-type", _XML)], document(_query_error(error, message, report))
    kind = error.code.encode()
    if error.shape == "json":
        body = {"__type": error.code, "message": message, **_findings(report)}
        return error.status, [(b"content-type", _AMZ_JSON), (b"x-amzn-errortype", kind)], json.dumps(body).encode() + b"\n"
    return (
        error.status,
        [(b"content-type", _JSON), (b"x-amzn-errortype", kind)],
        json.dumps({"message": message, **_findings(report)}).encode() + b"\n",
    )


def _findings(report: Report | None) -> dict[str, Any]:
    """The explainer's findings, as the field of a JSON body."""
    if report is None or not report.causes:
        return {}
    return {"awsign": {"causes": [cause.as_json() for cause in report.causes]}}


def _explain_in_xml(parent: Element, report: Report | None) -> None:
    for cause in report.causes if report is not None else ():
        told = SubElement(parent, "AwsignCause")
        for name, value in (
            ("Kind", cause.kind),
            ("Message", cause.message),
            ("Fix", cause.fix),
            ("Ours", cause.ours),
            ("Theirs", cause.theirs),
        ):
            if value is not None:
                SubElement(told, name).text = _xml_text(value)


def query_refusal(status: int, code: str, message: str) -> Answer:
    """An error of a Query API that is none of the signature."""
    root = Element("ErrorResponse")
    told = SubElement(root, "Error")
    for name, value in (("Type", "Sender"), ("Code", code), ("Message", message)):
        SubElement(told, name).text = value
    SubElement(root, "RequestId").text = _request_id()
    return status, [(b"content-type", _XML)], document(root)


def _query_error(error: SignatureError, message: str, report: Report | None) -> Element:
    if error.shape == "ec2":
        root = Element("Response")
        told = SubElement(SubElement(root, "Errors"), "Error")
        SubElement(root, "RequestID").text = _request_id()
    else:
        root = Element("ErrorResponse")
        told = SubElement(root, "Error")
        SubElement(told, "Type").text = "Sender"
        SubElement(root, "RequestId").text = _request_id()
    SubElement(told, "Code").text = error.code
    SubElement(told, "Message").text = _xml_text(message)
    _explain_in_xml(told, report)
    return root


def _xml_text(text: str) -> str:
    # XML 1.0 has no way to write most control characters, nor lone surrogates.
    return "".join(c if c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff") else "\ufffd" for c in text)


def document(root: Element) -> bytes:
    """An answer in XML."""
    indent(root)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root) + b"\n"


def _request_id() -> str:
    return str(uuid.uuid4())
