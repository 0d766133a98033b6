"""`make demo-real`: the five programs against services that awsign has no part in.

EC2 is moto's, DynamoDB and S3 are MiniStack's, which checks every signature. The API is one of MiniStack's API Gateway, behind
`awsign serve --forward`, which plays the instance's metadata service, verifies the role's credentials and passes the request on.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import click

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from demo import BIN, environment, heading, run, without_keys  # noqa: E402

from tests.servers import ministack, ministack_user, moto_proxy  # noqa: E402


def make_api(url: str) -> str:
    """An API of MiniStack's API Gateway that answers GET /orders; gives the URL of its stage."""
    api = boto3.client(
        "apigateway", endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    made = api.create_rest_api(name="orders")["id"]
    root = api.get_resources(restApiId=made)["items"][0]["id"]
    orders = api.create_resource(restApiId=made, parentId=root, pathPart="orders")["id"]
    where = {"restApiId": made, "resourceId": orders, "httpMethod": "GET"}
    api.put_method(**where, authorizationType="NONE")
    api.put_method_response(**where, statusCode="200")
    api.put_integration(**where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    answer = json.dumps({"orders": [{"id": 1, "status": "open"}]})
    api.put_integration_response(**where, statusCode="200", responseTemplates={"application/json": answer})
    api.create_deployment(restApiId=made, stageName="prod")
    return f"{url}/_aws/execute-api/{made}/prod"


@contextmanager
def gateway(behind: str) -> Iterator[str]:
    """`awsign serve` in front of an API; only the role's temporary credentials are good."""
    process = subprocess.Popen(
        [BIN / "awsign", "serve", "--port", "0", "--quiet", "--forward", behind],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(timeout=10)


def main() -> None:
    awsign = str(BIN / "awsign")
    with moto_proxy() as ec2, ministack() as store, ministack(auth=False) as apis, gateway(make_api(apis)) as api:
        key, secret = ministack_user(store)
        environ = environment(store, key, secret)

        heading("1. EC2 of moto, Signature Version 2")
        # The signature names no service, so moto has to tell it by the host: it is asked as a proxy.
        by_host = environ | {"http_proxy": ec2, "AWS_ENDPOINT_URL_EC2": "http://ec2.us-east-1.amazonaws.com"}
        run(
            [
                awsign,
                "curl",
                "-S",
                "http://ec2.us-east-1.amazonaws.com/?Action=DescribeInstances&Version=2016-11-15&SignatureVersion=2",
            ],
            by_host,
        )
        run([sys.executable, str(HERE / "ec2_describe_instances.py")], by_host)

        heading("2. An API of MiniStack, with the temporary credentials of an instance's role")
        role = without_keys(environ) | {"AWS_EC2_METADATA_SERVICE_ENDPOINT": api, "API_URL": f"{api}/orders?status=open"}
        run([awsign, "credentials"], role)
        run([awsign, "curl", "-S", "-f", "--service", "execute-api", f"{api}/orders?status=open"], role)
        run([sys.executable, str(HERE / "api_gateway_with_role.py")], role)

        heading("3. DynamoDB of MiniStack")
        run([sys.executable, str(HERE / "dynamodb_create_table.py")], environ)
        list_tables = [
            "-H",
            "X-Amz-Target: DynamoDB_20120810.ListTables",
            "-H",
            "Content-Type: application/x-amz-json-1.0",
            "-d",
            "{}",
        ]
        run([awsign, "curl", "-S", "-f", "--service", "dynamodb", *list_tables, f"{store}/"], environ)

        heading("4. S3 of MiniStack")
        run([awsign, "curl", "-S", "-f", "-X", "PUT", "--endpoint-url", store, "s3://holiday"], environ)
        run(
            [awsign, "curl", "-S", "-f", "-T", str(HERE / "demo.py"), "--endpoint-url", store, "s3://holiday/2026/a b+c.py"],
            environ,
        )
        run([sys.executable, str(HERE / "s3_by_boto3_and_by_hand.py"), "holiday"], environ)

        heading("5. S3 of MiniStack: a stream of signed chunks, and a form for a browser")
        run([sys.executable, str(HERE / "s3_stream_and_form.py"), str(HERE / "demo.py")], environ)

        heading("A wrong secret")
        wrong = environ | {"AWS_SECRET_ACCESS_KEY": secret[:-1] + ("a" if secret[-1] != "a" else "b")}
        run([awsign, "curl", "-S", "-f", "--endpoint-url", store, "s3://holiday"], wrong, expect=22)
    click.secho("Five programs answered by real services; the wrong secret was refused.", fg="green", bold=True)


if __name__ == "__main__":
    main()
