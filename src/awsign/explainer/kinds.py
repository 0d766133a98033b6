"""The catalogue: every kind of cause, what it means and what to do; and the groups that some evidence cannot tell apart.

The kinds are stable: programs branch on them. Sources: AWS IAM user guide, "Troubleshoot AWS API request signing issues"; S3 API
reference, "List of error codes"; the rest was collected from the issue threads of the signers that made the mistakes.
"""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """meaning: what happened. fix: what the signer, or whoever sends, is to do."""

    meaning: str
    fix: str


class Group(NamedTuple):
    """evidence: when its kinds cannot be told apart. kinds: those."""

    evidence: str
    kinds: tuple[str, ...]


KINDS = {
    # The method, the path.
    "wrong-method": Kind(
        "The signature is for another HTTP method than the request has.",
        "Sign the method that is sent; a redirect or a form may have changed it (POST to GET).",
    ),
    "presigned-for-another-method": Kind(
        "The URL was presigned for another HTTP method than it is used with.",
        "Use the method that it was presigned for, or presign it for this one: a URL holds for one method.",
    ),
    "path-encoded-twice": Kind(
        "The path was percent-encoded once more than the service expects.",
        "Encode the path of an S3 request once: the canonical path is the one on the wire (Rules(encode='once')).",
    ),
    "path-encoded-once": Kind(
        "The path was percent-encoded once too little.",
        "Encode the path of the wire once more in the canonical request (Rules(encode='twice')); for S3, encode the key once.",
    ),
    "path-normalized": Kind(
        "Dot or empty segments were removed from the path of an S3 request, in which they are part of the key.",
        "Sign and send the path of S3 as it is, `//`, `.` and `..` included.",
    ),
    "path-not-normalized": Kind(
        "The path has dot or empty segments, which all services but S3 remove before they sign it.",
        "Remove `.`, `..` and empty segments from the path before it is signed, or do not send them.",
    ),
    "path-rewritten": Kind(
        "The path that was signed is not the one that arrived: a prefix, a bucket or a slash was added or taken away.",
        "Sign the path that the service sees: what a proxy or a custom domain maps, it must sign itself or leave alone.",
    ),
    # Percent-encoding.
    "plus-for-space": Kind(
        "A space was written or signed as `+`; AWS reads `+` in a query as a space and signs it as `%20`.",
        "Write a space as %20 and a plus as %2B, on the wire and in the canonical request.",
    ),
    "lower-case-hex": Kind(
        "Percent-escapes were signed with lower-case hex digits.", "Write escapes with upper-case hex in the canonical request: %2F, not %2f."
    ),
    "unreserved-escaped": Kind(
        "Unreserved characters (letters, digits, `-`, `.`, `_`, `~`) were signed escaped, as `%7E` for `~`.",
        "Leave unreserved characters alone in the canonical request; older quoting functions escape `~`.",
    ),
    "reserved-not-escaped": Kind(
        "Reserved characters such as `:`, `*`, `'` or `/` were signed as they are, not escaped.",
        "Escape everything but unreserved characters; in Python urllib.parse.quote(text, safe='-._~').",
    ),
    # The query.
    "query-not-sorted": Kind(
        "The parameters of the query were signed in the order of the URL, not sorted.", "Sort the encoded parameters by name, then by value."
    ),
    "query-sorted-decoded": Kind(
        "The parameters were sorted before they were encoded.", "Encode names and values first, then sort them by name, then by value."
    ),
    "query-sorted-joined": Kind(
        "The parameters were sorted as joined `name=value` strings.",
        "Sort pairs of name and value: joined, `a-b=1` comes before `a=2`, where AWS has `a` first.",
    ),
    "query-sorted-otherwise": Kind(
        "The parameters were sorted without regard to case, or by their names alone.",
        "Sort the encoded parameters by code point, by name, then by value.",
    ),
    "valueless-key-without-equals": Kind(
        "A parameter without a value was signed without its `=`.", "Sign `?acl` as `acl=`."
    ),
    "empty-parameter-dropped": Kind(
        "A parameter with an empty value was left out of what was signed.",
        "Sign parameters without a value too; in Python, parse_qsl(..., keep_blank_values=True).",
    ),
    "duplicate-parameter-dropped": Kind(
        "Of a parameter that stands more than once in the query, only one was signed.", "Sign every occurrence; a dict holds only one of them."
    ),
    "query-not-signed": Kind("The query was left out of what was signed.", "Sign the query too: every parameter is covered."),
    "parameter-added": Kind(
        "A parameter of the query was added after signing.",
        "Add it before signing; nothing can be appended to a signed request or a presigned URL.",
    ),
    "query-encoded-twice": Kind("The parameters of the query were percent-encoded once more than they are sent.", "Encode names and values once."),
    "query-not-encoded": Kind(
        "The query was signed as it was written, not encoded.", "Encode each name and value, then sort: in the canonical request and on the wire."
    ),
    "query-rewritten": Kind(
        "The query that arrived is not the one that was signed.", "Send the query as it was signed; see what the client or a proxy makes of it."
    ),
    # The host.
    "host-without-port": Kind(
        "The Host header was signed without the port that the request was sent with.",
        "Sign Host as it is sent, with the port where it is not the scheme's default.",
    ),
    "host-with-port": Kind(
        "The Host header was signed with a port that the request was sent without.",
        "Leave the scheme's default port out of Host, and sign what is sent.",
    ),
    "other-host": Kind(
        "The signature is for another host: a proxy, a CNAME or a redirect stands between.",
        "Sign the host that the service sees, or have the proxy keep the Host header.",
    ),
    "ipv6-brackets": Kind("The IPv6 address of the Host header was signed without its brackets.", "Sign [::1]:port, with brackets, as it is sent."),
    "global-endpoint-redirected": Kind(
        "The request was made for the global S3 endpoint, and went on to the endpoint of the bucket's region.",
        "Use the regional endpoint, bucket.s3.<region>.amazonaws.com, and sign for that region.",
    ),
    # Headers.
    "header-not-trimmed": Kind(
        "A header's value was signed with white space at its ends.", "Trim the value in the canonical headers."
    ),
    "header-not-folded": Kind(
        "A header's value was signed with runs of spaces that AWS makes one.",
        "Make every run of spaces one, in quotes too.",
    ),
    "header-added": Kind(
        "A header, or a value of one, was added on the way: it is not part of what was signed.",
        "Sign every x-amz-* header, and have nothing add one after signing.",
    ),
    "header-dropped": Kind(
        "A header that was signed did not arrive.", "Send every signed header; do not sign those that a client or proxy takes away."
    ),
    "header-rewritten": Kind(
        "A signed header was changed on the way (accept-encoding, user-agent, range and the like often are).",
        "Sign only host, content-type, content-md5 and x-amz-*; leave headers that others rewrite unsigned.",
    ),
    "content-type-changed": Kind(
        "The Content-Type that was signed is not the one that was sent; clients add a charset or a type of their own.",
        "Set Content-Type yourself, sign exactly that and see that the client keeps it.",
    ),
    "header-encoding": Kind(
        "A header's value that is not ASCII was signed in one encoding and sent in another.", "Pass bytes, or encode the value yourself (RFC 2047, or %-escapes)."
    ),
    "header-name-case": Kind("Names of headers were signed as written, not in lower case.", "Write names in lower case in the canonical headers."),
    "signed-headers-differ": Kind(
        "The list of signed headers that was signed is not the one that is sent.",
        "Make the list once: lower-case, sorted, joined by `;`, and use it in both places.",
    ),
    # The body.
    "body-changed": Kind("The body that arrived is not the one that was signed.", "Sign the bytes that are sent, and see that nothing changes them after that."),
    "empty-hash-for-body": Kind(
        "The request has a body, but was signed for an empty one.",
        "Hash the body that is sent; a generator or a file that was read already is empty.",
    ),
    "body-encoding": Kind(
        "The body was signed as text in another encoding than it was sent in.", "Encode text once, in UTF-8, hash those bytes and send them."
    ),
    "body-compressed": Kind("The body was compressed after it was signed.", "Compress first, then sign the compressed bytes."),
    "body-trailing-newline": Kind(
        "The body that was signed and the one that was sent differ by line breaks.",
        "Sign and send the same bytes; curl -d strips line breaks from a file, --data-binary keeps them.",
    ),
    "unsigned-payload-not-taken": Kind(
        "UNSIGNED-PAYLOAD stands where this service takes the body's hash alone, or the other way about.",
        "Sign the body's SHA-256; UNSIGNED-PAYLOAD is for S3 and a few more, and for URLs presigned for S3.",
    ),
    "missing-content-sha256": Kind(
        "The request has no x-amz-content-sha256, which this service requires.",
        "Send and sign x-amz-content-sha256 with the body's SHA-256, or UNSIGNED-PAYLOAD over https.",
    ),
    "payload-hash-differs": Kind(
        "The payload hash at the end of the canonical request is not the x-amz-content-sha256 that was sent.",
        "Use one value for both.",
    ),
    # The session token.
    "session-token-missing": Kind(
        "The access key is a temporary one, and its session token was not sent.", "Send and sign x-amz-security-token with the session token."
    ),
    "session-token-unsigned": Kind(
        "The session token was sent, but not signed.", "Add x-amz-security-token before signing, and sign it."
    ),
    "session-token-of-others": Kind(
        "The session token belongs to other credentials than the access key.", "Take access key, secret and token from one answer of STS."
    ),
    "session-token-url-encoded": Kind(
        "The session token is percent-encoded where it should be plain (or was encoded twice).",
        "Put the token as it was given into the header, and encoded once into a URL.",
    ),
    "expired-credentials": Kind("The temporary credentials have ended.", "Fetch new ones; a provider refreshes them before they end."),
    # Time.
    "clock-skew": Kind(
        "The time of signing is further from the server's than it allows (15 minutes, for some services 5).",
        "Set the clock of the signer, or sign just before sending.",
    ),
    "local-time-for-utc": Kind(
        "The time of signing is local time, written as if it were UTC.", "Use UTC: datetime.now(timezone.utc), not datetime.now()."
    ),
    "scope-date": Kind(
        "The day of the credential scope is not the UTC day of the time of signing.", "Take the day of the scope from X-Amz-Date: its first eight digits."
    ),
    "time-of-signing-differs": Kind(
        "The time in the string to sign is not the X-Amz-Date that was sent.", "Read the clock once, and use that time in both."
    ),
    "expired-url": Kind("The presigned URL, or the policy of the form, has expired.", "Make a new one; it ends with the credentials that signed it at the latest."),
    "expires-over-maximum": Kind("X-Amz-Expires is more than seven days.", "Ask for 604800 seconds at most."),
    "missing-date": Kind("The request has no time of signing, or one that is not readable.", "Send and sign X-Amz-Date, as 20150830T123600Z."),
    # Scope.
    "wrong-region": Kind("The credential scope is of another region than the request went to.", "Sign for the region of the endpoint, or of the bucket."),
    "wrong-service": Kind("The credential scope names another service than the request went to.", "Sign with the service's signing name."),
    "terminator-misspelt": Kind("The credential scope does not end with aws4_request.", "End the scope, and the derivation of the key, with aws4_request."),
    # The key.
    "secret-white-space": Kind(
        "The secret access key was used with white space or quotes around it.", "Strip the secret where it is read: a line break is copied with it easily."
    ),
    "secret-url-decoded": Kind(
        "The secret access key was percent-decoded or encoded before it was used.", "Use the secret as it was given; `+` and `/` belong to it."
    ),
    "wrong-secret": Kind(
        "The secret access key that signed is not the one of this access key.", "Check the secret for this access key; make a new key if it is lost."
    ),
    "access-key-of-others": Kind(
        "The access key in the request is not the one of these credentials.", "Take access key ID and secret from one place."
    ),
    "aws4-prefix-forgotten": Kind("The signing key was derived without `AWS4` before the secret.", 'Begin with HMAC("AWS4" + secret, date).'),
    "key-hex": Kind(
        "A key was used as hex text where its bytes are meant.", "Use digest(), not hexdigest(), in each step of the key's derivation."
    ),
    "key-derivation": Kind(
        "The signing key was derived in another order, or with key and message swapped.",
        "HMAC(HMAC(HMAC(HMAC('AWS4' + secret, date), region), service), 'aws4_request'), the key first.",
    ),
    # The string to sign and the signature.
    "string-to-sign-crlf": Kind("Lines were joined by CR LF.", "Join the lines of the canonical request and the string to sign by LF alone."),
    "newline-after-headers-missing": Kind(
        "The empty line after the canonical headers is missing.", "Each header's line ends with a line break, and another one follows the last."
    ),
    "trailing-newline": Kind("A line break stands at the end of the canonical request or the string to sign.", "End neither with a line break."),
    "canonical-request-not-hashed": Kind(
        "The string to sign holds the canonical request, not the hex of its SHA-256.", "End the string to sign with the SHA-256 of the canonical request, in lower-case hex."
    ),
    "base64-for-hex": Kind("The signature is in base64 where hex is expected.", "Write the HMAC in lower-case hex."),
    "hex-for-base64": Kind("The signature is in hex where base64 is expected.", "Write the HMAC of the older schemes in base64."),
    "signature-form": Kind("The signature is cut, or in upper-case hex.", "Write all 64 hex digits of the HMAC, in lower case."),
    # The older schemes.
    "sigv2-parameter-order": Kind("The parameters were signed in another order than that of their bytes.", "Sort the parameters by the bytes of their names (upper case first)."),
    "sigv2-newline": Kind("A line of the string to sign is missing or too many.", "Method, host, path and parameters, joined by one LF each, none at the end."),
    "sigv2-signature-encoding": Kind(
        "The base64 signature was not percent-encoded in the URL (its `+` arrived as a space), or was encoded twice.", "Percent-encode the Signature once: + is %2B, / is %2F, = is %3D."
    ),
    "signature-algorithm": Kind("The signature was made with another hash than the request says.", "Use HmacSHA256 where SignatureMethod says so; S3's older scheme has HMAC-SHA1."),
    "resource-differs": Kind(
        "The resource that S3's older scheme signed is another: its bucket, or a sub-resource, is missing.",
        "Sign /bucket/key even for a virtual host, and the sub-resources (?acl, ?uploads, response-...) in order.",
    ),
    "date-line-differs": Kind("The date line of the string to sign is not the one that S3 expects.", "With x-amz-date the Date line is empty; without it, it is the Date header."),
    # Presigned URLs and forms.
    "presigned-url-requoted": Kind(
        "The presigned URL was changed by a client: quoted once more, unquoted, or cut at an `&`.",
        "Use the URL as it is: quote it in a shell, pass it encoded (yarl: URL(..., encoded=True)), unescape &amp;.",
    ),
    "presigned-headers-not-sent": Kind(
        "The URL was presigned with headers that its user did not send.", "Send the headers that X-Amz-SignedHeaders names, with the values that were signed."
    ),
    "post-policy-condition": Kind("The form does not meet a condition of its policy.", "Send fields as the policy says, or change the policy."),
    "policy-differs": Kind("The form's policy was signed in another shape than it is sent.", "Sign the base64 of the policy, exactly as it stands in the form."),
    # What is wrong before anything is derived.
    "not-signed": Kind("The request carries no signature.", "Sign it; see whether something on the way takes the Authorization header away."),
    "signed-twice": Kind("The request is signed in its header and in its query.", "Send one: drop Authorization from a request to a presigned URL."),
    "malformed-authorization": Kind("The signature does not read as one.", "Write it as: AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=..."),
    "host-not-signed": Kind("Host is not among the signed headers.", "Sign host: every request must."),
    "malformed-request": Kind("The request has something that a verifier refuses, whatever its signature.", "See the message."),
    "stream-changed": Kind("A chunk, a trailer or a frame of a signed stream is not what was signed.", "See which one the message names; send the stream as it was signed."),
}  # fmt: skip

GROUPS = {
    "unseen": Group(
        "The signature is of none of the mistakes of this catalogue, made in this request with this secret: what was signed is "
        "not in the evidence.",
        (
            "wrong-secret", "access-key-of-others", "body-changed", "header-rewritten", "header-dropped", "content-type-changed",
            "other-host", "host-with-port", "host-without-port", "header-added", "parameter-added", "path-rewritten", "query-rewritten",
            "policy-differs", "presigned-url-requoted",
        ),
    ),
    "signer": Group(
        "The server derived the same texts from the request as it stands, and the secret is not known here: what differs is inside "
        "the signer.",
        (
            "wrong-secret", "access-key-of-others", "secret-white-space", "secret-url-decoded", "aws4-prefix-forgotten", "key-hex",
            "key-derivation", "string-to-sign-crlf", "newline-after-headers-missing", "trailing-newline",
            "canonical-request-not-hashed", "time-of-signing-differs", "path-encoded-twice", "path-encoded-once", "path-normalized",
            "path-not-normalized", "path-rewritten", "plus-for-space", "lower-case-hex", "unreserved-escaped", "reserved-not-escaped",
            "query-not-sorted", "query-sorted-decoded", "query-sorted-joined", "query-sorted-otherwise",
            "valueless-key-without-equals", "empty-parameter-dropped", "duplicate-parameter-dropped", "query-not-signed",
            "parameter-added", "query-encoded-twice", "query-not-encoded", "query-rewritten", "header-encoding", "header-not-trimmed", "header-not-folded", "header-name-case", "header-added", "header-dropped",
            "header-rewritten", "content-type-changed", "signed-headers-differ", "host-without-port", "host-with-port", "other-host",
            "ipv6-brackets", "wrong-method", "presigned-for-another-method", "empty-hash-for-body", "body-changed",
            "body-encoding", "body-compressed", "body-trailing-newline", "payload-hash-differs", "unsigned-payload-not-taken",
            "sigv2-parameter-order", "sigv2-newline", "signature-algorithm", "resource-differs", "date-line-differs",
            "presigned-url-requoted", "wrong-region", "wrong-service", "scope-date", "local-time-for-utc",
            "global-endpoint-redirected", "session-token-url-encoded", "session-token-of-others", "terminator-misspelt", "hex-for-base64",
            "sigv2-signature-encoding", "base64-for-hex", "signature-form", "policy-differs",
        ),
    ),
    "query-order": Group(
        "The parameters come out in one order by several of these rules.",
        ("query-not-sorted", "query-sorted-decoded", "query-sorted-joined", "query-sorted-otherwise", "sigv2-parameter-order"),
    ),
    "wrong-time": Group(
        "The time of signing is off by a whole number of quarters of an hour, as a zone is, or a clock may be.",
        ("clock-skew", "local-time-for-utc"),
    ),
    "on-the-way": Group(
        "The request as it stands here is signed right, and the server did not say what it saw.",
        (
            "wrong-secret", "header-rewritten", "header-added", "header-dropped", "content-type-changed", "other-host",
            "host-without-port", "host-with-port", "body-changed", "body-compressed", "path-rewritten", "parameter-added",
            "wrong-method", "presigned-url-requoted", "global-endpoint-redirected", "session-token-of-others",
        ),
    ),
}  # fmt: skip
