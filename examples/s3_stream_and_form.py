"""S3: a file sent in signed chunks with a checksum behind them, and a form with which a browser uploads.

python examples/s3_stream_and_form.py [FILE [BUCKET]]
"""

import http.client
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import awsign

file = Path(sys.argv[1] if len(sys.argv) > 1 else __file__)
bucket = sys.argv[2] if len(sys.argv) > 2 else "holiday"
region = os.environ.get("AWS_REGION", "us-east-1")
endpoint = os.environ.get("AWS_ENDPOINT_URL_S3", f"https://s3.{region}.amazonaws.com")
credentials = awsign.find_credentials()

# The stream: constant memory whatever the size, each chunk signed as it is read, a CRC32 computed on the way.
signer = awsign.SigV4(credentials, "s3", region)
with file.open("rb") as body:
    signed = signer.sign(awsign.Request("PUT", f"{endpoint}/{bucket}/stream", body=body), payload=awsign.Chunked(trailer="CRC32"))
    parts = urlsplit(signed.url)
    connection = (http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection)(parts.netloc)
    connection.putrequest(signed.method, parts.path, skip_host=True, skip_accept_encoding=True)
    for name, value in signed.headers:
        connection.putheader(name, value)
    connection.endheaders(signed.body)
    answer = connection.getresponse()
    print(f"{answer.status}: {file.stat().st_size} bytes as {signed.body.content_length} of signed chunks")
    print(answer.read().decode())
if answer.status != 200:
    raise SystemExit(1)

# The form: whoever has the page may upload one image of at most 10 MB under uploads/, for an hour.
presigner = awsign.S3Presigner(credentials, region, bucket, endpoint=os.environ.get("AWS_ENDPOINT_URL_S3"), path_style=True)
form = presigner.post("uploads/${filename}", [["content-length-range", 1, 10_000_000]], {"Content-Type": "image/png"})
print(form.html())
