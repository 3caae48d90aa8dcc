# SPDX-License-Identifier: Apache-2.0
"""Somebody else's EC2 for a Python test: moto with its check of signatures and rights on, and boto3 to look into it.

Both live in the Python on PATH (`pip install 'moto[server]'`), or in the one that VCC_MOTO_PYTHON names; tests themselves
are run by the system's.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest

import harness

SUPPORT = pathlib.Path(__file__).resolve().parent
REGION = "ap-northeast-1"
# Nothing of the machine's own AWS settings, and no proxy.
CLEAN = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
         "NO_PROXY": "*", "no_proxy": "*"}


def python_with(*modules):
    """The Python that has them. Raises SkipTest."""
    python = os.environ.get("VCC_MOTO_PYTHON") or shutil.which("python3")
    wanted = "; ".join(f"import {module}" for module in modules) + "; import sys; print(sys.executable)"
    found = subprocess.run([python, "-c", wanted], capture_output=True, text=True, check=False) if python else None
    if found is None or found.returncode != 0:
        raise unittest.SkipTest(f"no Python with {' and '.join(modules)} on PATH: pip install 'moto[server]'")
    return found.stdout.strip()  # itself, where PATH has a script that starts it


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class AwsError(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Boto3:
    """boto3 with one pair of keys at one endpoint."""

    def __init__(self, endpoint, access_key="any", secret_key="any"):
        self.process = subprocess.Popen([python_with("boto3"), str(SUPPORT / "boto3_bridge.py")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env={**os.environ, **CLEAN})
        self.endpoint, self.access_key, self.secret_key = endpoint, access_key, secret_key

    def __call__(self, service, call, paginate=False, **arguments):
        request = {"service": service, "endpoint": self.endpoint, "region": REGION, "access_key": self.access_key,
                   "secret_key": self.secret_key, "call": call, "arguments": arguments, "paginate": paginate}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise AwsError(answer["error"], answer["message"])
        return answer["ok"]

    def instances(self, *states):
        """Of these states; without any, all that are not terminated."""
        pages = self("ec2", "describe_instances", paginate=True)
        found = [one for page in pages for group in page["Reservations"] for one in group["Instances"]]
        return [one for one in found
                if (one["State"]["Name"] in states if states else one["State"]["Name"] != "terminated")]

    def volumes(self):
        return self("ec2", "describe_volumes")["Volumes"]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


def tags_of(thing):
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags", [])}


class Moto:
    """A server with one user who may do everything in EC2, and a network. `boto3` is that user."""

    def __init__(self):
        python = python_with("moto", "moto.server", "boto3")
        self.folder = tempfile.TemporaryDirectory(prefix="vcc-moto.")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # The first three calls are let through: they make the user whom the check knows.
        with open(pathlib.Path(self.folder.name, "log"), "wb") as log:
            self.process = subprocess.Popen([python, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **CLEAN, "INITIAL_NO_AUTH_ACTION_COUNT": "3"})
        self.boto3 = None
        try:
            harness.wait_until(self.answers, "moto answers", poll_s=0.1)
            self.make_user()
            self.build_network()
        except BaseException:
            self.stop()
            raise

    def make_user(self):
        root = Boto3(self.url)
        root("iam", "create_user", UserName="vcp")
        key = root("iam", "create_access_key", UserName="vcp")["AccessKey"]
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}
        root("iam", "put_user_policy", UserName="vcp", PolicyName="ec2", PolicyDocument=json.dumps(policy))
        root.stop()
        self.access_key, self.secret_key = key["AccessKeyId"], key["SecretAccessKey"]
        self.boto3 = Boto3(self.url, self.access_key, self.secret_key)

    def answers(self):
        if self.process.poll() is not None:
            raise RuntimeError("moto ended: " + pathlib.Path(self.folder.name, "log").read_text(errors="replace")[-2000:])
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def build_network(self):
        ec2 = lambda call, **arguments: self.boto3("ec2", call, **arguments)  # noqa: E731
        vpc = ec2("create_vpc", CidrBlock="172.30.0.0/16")["Vpc"]["VpcId"]
        self.subnet = ec2("create_subnet", VpcId=vpc, CidrBlock="172.30.2.0/24",
                          AvailabilityZone=REGION + "a")["Subnet"]["SubnetId"]
        self.group = ec2("create_security_group", GroupName="nodes", Description="nodes", VpcId=vpc)["GroupId"]
        self.image = ec2("register_image", Name="vcp-base-24.04", RootDeviceName="/dev/sda1")["ImageId"]

    def stop(self):
        if self.boto3 is not None:
            self.boto3.stop()
        self.process.kill()  # it keeps nothing, and takes its time over a polite request
        self.process.wait()
        self.folder.cleanup()
