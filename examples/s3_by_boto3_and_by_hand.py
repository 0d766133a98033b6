"""S3: buckets and objects through boto3, then a request that boto3 has no part in.

python examples/s3_by_boto3_and_by_hand.py BUCKET
"""

import os
import sys
import urllib.error
import urllib.request

import boto3

import awsign

bucket = sys.argv[1] if len(sys.argv) > 1 else "holiday"
region = os.environ.get("AWS_REGION", "us-east-1")

session = boto3.Session(region_name=region)
s3 = session.client("s3")
print("buckets:", [each["Name"] for each in s3.list_buckets().get("Buckets", [])])
print("objects:", [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])])

# By hand: any object with boto3's credentials serves as a provider, and a key may hold whatever it likes.
endpoint = os.environ.get("AWS_ENDPOINT_URL_S3", f"https://s3.{region}.amazonaws.com")
signer = awsign.SigV4(session.get_credentials(), "s3", region)
signed = signer.sign(awsign.Request("GET", f"{endpoint}/{bucket}?list-type=2&prefix=2026/&delimiter=/"))

try:
    with urllib.request.urlopen(urllib.request.Request(signed.url, None, dict(signed.headers), method=signed.method)) as response:
        print(response.read().decode())
except urllib.error.HTTPError as error:
    raise SystemExit(f"{error.code}: {error.read().decode()}") from None
