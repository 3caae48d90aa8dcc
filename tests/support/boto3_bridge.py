# SPDX-License-Identifier: Apache-2.0
"""boto3 for a test that another Python runs: a JSON request a line on standard input, a JSON answer a line.

Request: {"service", "endpoint", "region", "access_key", "secret_key", "call", "arguments", "paginate"}. Answer: {"ok": what
boto3 returned}, or with "paginate" a list of pages, or {"error": code, "message"}. It retries nothing.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

clients = {}
for line in sys.stdin:
    request = json.loads(line)
    key = (request["service"], request["endpoint"], request["region"], request["access_key"], request["secret_key"])
    if key not in clients:
        clients[key] = boto3.client(
            key[0], endpoint_url=key[1], region_name=key[2], aws_access_key_id=key[3], aws_secret_access_key=key[4],
            config=Config(retries={"total_max_attempts": 1}, proxies={}, read_timeout=300))
    client = clients[key]
    try:
        if request.get("paginate"):
            answer = list(client.get_paginator(request["call"]).paginate(**request["arguments"]))
        else:
            answer = getattr(client, request["call"])(**request["arguments"])
        reply = {"ok": answer}
    except ClientError as error:
        reply = {"error": error.response["Error"]["Code"], "message": error.response["Error"]["Message"]}
    except BotoCoreError as error:
        reply = {"error": type(error).__name__, "message": str(error)}
    print(json.dumps(reply, default=str), flush=True)
