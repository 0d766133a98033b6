"""Signature Version 2, the EC2 Query API: list instances, print the XML.

python examples/ec2_describe_instances.py
"""

import os
import urllib.error
import urllib.request

import awsign

endpoint = os.environ.get("AWS_ENDPOINT_URL_EC2", "https://ec2.us-east-1.amazonaws.com")
request = awsign.Request("GET", f"{endpoint}/?Action=DescribeInstances&Version=2016-11-15")

# Expires in the place of Timestamp: good for five minutes, where a Timestamp is taken for fifteen.
signed = awsign.SigV2(awsign.find_credentials()).sign(request, expires=300)

try:
    with urllib.request.urlopen(urllib.request.Request(signed.url, None, dict(signed.headers), method=signed.method)) as response:
        print(response.read().decode())
except urllib.error.HTTPError as error:
    raise SystemExit(f"{error.code}: {error.read().decode()}") from None
