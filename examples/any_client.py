"""Any HTTP client that takes a URL and headers as they are: sign, then send exactly what was signed.

python examples/any_client.py [http.client|pycurl|niquests] [URL]

Each function is all that a client needs that has no adapter here. What to look for in another: does it send the target as it is (no
re-quoting, no dot segments resolved), this Host, and these headers? awsign.explain says what it changed where a server refuses.
"""

import os
import sys
from urllib.parse import urlsplit

import awsign

signer = awsign.SigV4(awsign.find_credentials(), region=os.environ.get("AWS_REGION"), service=os.environ.get("EXAMPLE_SERVICE"))


def by_http_client(signed):
    """skip_host and skip_accept_encoding: nothing is added that was not signed so."""
    import http.client

    parts = urlsplit(signed.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=30)
    connection.putrequest(signed.method, signed.url.split(parts.netloc, 1)[1] or "/", skip_host=True, skip_accept_encoding=True)
    for name, value in signed.headers:
        connection.putheader(name, value)
    if signed.body is not None:
        connection.putheader("Content-Length", str(len(signed.body)))
    connection.endheaders(signed.body)
    answer = connection.getresponse()
    return answer.status, answer.read()


def by_pycurl(signed):
    """PATH_AS_IS: without it curl resolves dot segments. Redirects are not followed: a signature is for one host and path."""
    import io

    import pycurl

    answer = io.BytesIO()
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, signed.url)
    curl.setopt(pycurl.PATH_AS_IS, 1)
    curl.setopt(pycurl.CUSTOMREQUEST, signed.method)
    curl.setopt(pycurl.HTTPHEADER, [b"%b: %b" % (name.encode(), _bytes(value)) for name, value in signed.headers])
    if signed.body is not None:
        curl.setopt(pycurl.POSTFIELDSIZE, len(signed.body))
        curl.setopt(pycurl.POSTFIELDS, signed.body)
    curl.setopt(pycurl.WRITEDATA, answer)
    curl.perform()
    status = curl.getinfo(pycurl.RESPONSE_CODE)
    curl.close()
    return status, answer.getvalue()


def by_niquests(signed):
    """An auth is a function of the prepared request here too; it signs what niquests has made of the URL."""
    import niquests

    def auth(request):
        again = signer.sign(awsign.Request(request.method, request.url, dict(signed.headers), signed.body))
        request.url = again.url
        request.headers.update(again.headers)
        return request

    answer = niquests.request(signed.method, signed.url, data=signed.body, auth=auth, allow_redirects=False)
    return answer.status_code, answer.content


def _bytes(value):
    return value if isinstance(value, bytes) else value.encode()


if __name__ == "__main__":
    client = sys.argv[1] if len(sys.argv) > 1 else "http.client"
    url = sys.argv[2] if len(sys.argv) > 2 else "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
    clients = {"http.client": by_http_client, "pycurl": by_pycurl, "niquests": by_niquests}
    if client not in clients:
        raise SystemExit(f"{client} is not one of {', '.join(clients)}")
    send = clients[client]
    for request in (awsign.Request("GET", url), awsign.Request("POST", url, {"Content-Type": "text/plain"}, b"a body")):
        status, answer = send(signer.sign(request))
        print(f"{request.method} {status}: {answer[:200]!r}")
        if status != 200:
            raise SystemExit(1)
