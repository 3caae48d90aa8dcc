# SPDX-License-Identifier: Apache-2.0
"""Instances up and down again on moto: our controller, a boto3 loop, boto3 with 10 threads, the aws CLI, Terraform. Each makes
instances that carry their own Name, waits until all run, ends them and waits until all are terminated. Run it as it is, with
VCC_BUILD set; VCC_FANOUT is the number of instances (100), TF_MIRROR a folder with Terraform's AWS provider. All go through
one counting proxy, so times compare with each other only.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from aws_peer import CLEAN, REGION, Moto, python_with  # noqa: E402
from controller import Controller  # noqa: E402
from faulty_proxy import FaultyProxy  # noqa: E402

COUNT = int(os.environ.get("VCC_FANOUT", "100"))
CATALOG = """\
cci_version: '1.0'
aws:
  default:
    private_network_ipmask: 172.30.16.0/20
    aws_region: {region}
    aws_vpc_subnet_id: {subnet}
    aws_vpc_security_group_id: {group}
    aws_default_image: {image}
    aws_endpoint_url: {url}
"""
BOTO3 = """
import sys, time, boto3
from concurrent.futures import ThreadPoolExecutor
url, image, subnet, group, count, threads = sys.argv[1:7]
ec2 = boto3.client("ec2", endpoint_url=url)
def run(i):
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": f"node-{i}"}]}]
    return ec2.run_instances(ImageId=image, InstanceType="m5.large", MinCount=1, MaxCount=1, SubnetId=subnet,
                             SecurityGroupIds=[group], TagSpecifications=tags)["Instances"][0]["InstanceId"]
def wait(state):
    while True:
        pages = ec2.describe_instances(InstanceIds=ids)["Reservations"]
        if all(one["State"]["Name"] == state for page in pages for one in page["Instances"]):
            return
        time.sleep(0.5)
with ThreadPoolExecutor(int(threads)) as pool:
    ids = list(pool.map(run, range(int(count))))
wait("running")
ec2.terminate_instances(InstanceIds=ids)
wait("terminated")
"""
CLI = """
set -e
ids=
for i in $(seq "$5"); do
  id=$("$7" ec2 run-instances --endpoint-url "$1" --image-id "$2" --instance-type m5.large --subnet-id "$3" \
    --security-group-ids "$4" --tag-specifications "ResourceType=instance,Tags=[{Key=Name,Value=node-$i}]" \
    --query 'Instances[0].InstanceId' --output text)
  ids="$ids $id"
done
"$7" ec2 wait instance-running --endpoint-url "$1" --instance-ids $ids
"$7" ec2 terminate-instances --endpoint-url "$1" --instance-ids $ids >/dev/null
"$7" ec2 wait instance-terminated --endpoint-url "$1" --instance-ids $ids
"""
TERRAFORM = """
terraform {{
  required_providers {{
    aws = {{ source = "hashicorp/aws" }}
  }}
}}
provider "aws" {{
  region                      = "{region}"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  endpoints {{
    ec2 = "{url}"
  }}
}}
resource "aws_instance" "node" {{
  count                  = {count}
  ami                    = "{image}"
  instance_type          = "m5.large"
  subnet_id              = "{subnet}"
  vpc_security_group_ids = ["{group}"]
  tags                   = {{ Name = "node-${{count.index}}" }}
}}
"""
TERRAFORM_RC = """
provider_installation {{
  filesystem_mirror {{ path = "{mirror}" }}
}}
"""


class Race:
    def __init__(self):
        self.moto = Moto()
        self.proxy = FaultyProxy(self.moto.url)
        # moto never gives the address of an ended instance again: one network with room for all.
        subnets = self.moto.boto3("ec2", "describe_subnets", SubnetIds=[self.moto.subnet])["Subnets"]
        self.subnet = self.moto.boto3("ec2", "create_subnet", VpcId=subnets[0]["VpcId"], CidrBlock="172.30.16.0/20",
                                      AvailabilityZone=REGION + "a")["Subnet"]["SubnetId"]
        self.place = [self.proxy.url, self.moto.image, self.subnet, self.moto.group, str(COUNT)]
        self.environment = {**os.environ, **CLEAN, "AWS_ACCESS_KEY_ID": self.moto.access_key,
                            "AWS_SECRET_ACCESS_KEY": self.moto.secret_key, "AWS_DEFAULT_REGION": REGION}

    def report(self, name, seconds, cpu):
        calls = sum(self.proxy.counts.values())
        words = ", ".join(f"{count} {action}" for action, count in self.proxy.counts.most_common())
        print(f"  {name:22} {seconds:6.1f} s   CPU {cpu:6.2f} s   {calls:4} calls ({words})", flush=True)
        if self.moto.boto3.instances():
            raise RuntimeError(f"{name} left instances behind")
        self.proxy.counts.clear()

    def rival(self, name, command):
        """A process and its children, from start to end: what a user of it waits and pays for."""
        begun = time.monotonic()
        process = subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:  # moto answers 500 to some creates that come at once; these do not try again
            print(f"  {name:22} ended with an error after {time.monotonic() - begun:.1f} s", flush=True)
            left = [one["InstanceId"] for one in self.moto.boto3.instances()]
            if left:
                self.moto.boto3("ec2", "terminate_instances", InstanceIds=left)
            self.proxy.counts.clear()
            return
        self.report(name, time.monotonic() - begun, usage.ru_utime + usage.ru_stime)

    def terraform(self):
        program, mirror = shutil.which("terraform"), os.environ.get("TF_MIRROR")
        if program is None or not mirror:
            print("SKIP: no terraform on PATH, or no AWS provider for it (TF_MIRROR)")
            return
        with tempfile.TemporaryDirectory(prefix="vcc-terraform.") as name:
            folder = pathlib.Path(name)
            folder.joinpath("rc").write_text(TERRAFORM_RC.format(mirror=mirror), encoding="utf-8")
            folder.joinpath("main.tf").write_text(TERRAFORM.format(
                region=REGION, url=self.proxy.url, count=COUNT, image=self.moto.image, subnet=self.subnet,
                group=self.moto.group), encoding="utf-8")
            self.environment["TF_CLI_CONFIG_FILE"] = str(folder / "rc")
            chdir = [program, f"-chdir={name}"]
            subprocess.run([*chdir, "init", "-no-color"], env=self.environment, check=True, stdout=subprocess.DEVNULL)
            script = '"$@" apply -auto-approve -no-color >&2 && "$@" destroy -auto-approve -no-color >&2'
            self.rival("Terraform", ["bash", "-c", script, "bash", *chdir])

    @staticmethod
    def cpu_of(pid):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ours(self):
        catalog = CATALOG.format(region=REGION, subnet=self.subnet, group=self.moto.group, image=self.moto.image,
                                 url=self.proxy.url)
        controller = Controller(catalog, providers=["aws"], options=["--simulated-hosts"])
        try:
            sdk = vcp_client.VcpSDK(controller.url, controller.token, controller.ca, poll_s=0.5, settle_s=0)
            group = sdk.create_ugroup("fanout")
            params = vcp_cci.aws(self.moto.access_key, self.moto.secret_key)
            cpu, begun = self.cpu_of(controller.pid), time.monotonic()
            group.create_unit("unit", vcp_cci.unit("unit", "aws", params, num_nodes=COUNT))
            up = time.monotonic() - begun
            group.cleanup()
            harness.wait_until(lambda: group.read() is None, "all is gone", deadline_s=600)
            self.report("VC Controller", time.monotonic() - begun, self.cpu_of(controller.pid) - cpu)
            print(f"  {'':22} of this {up:.1f} s until all were RUNNING")
        finally:
            controller.remove()

    def stop(self):
        self.proxy.stop()
        self.moto.stop()


def main():
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"
    try:
        race = Race()
    except unittest.SkipTest as reason:
        print(f"SKIP: {reason}")
        return
    print(f"  {COUNT} instances to running and back to terminated, on moto")
    try:
        race.ours()
        python = python_with("boto3")
        for name, threads in (("boto3 loop", "1"), ("boto3, 10 threads", "10")):
            race.rival(name, [python, "-c", BOTO3, *race.place, threads])
        cli = shutil.which("aws")
        if cli is None:
            print("SKIP: no aws CLI on PATH")
        else:
            race.rival("aws CLI", ["bash", "-c", CLI, "bash", *race.place, "", cli])
        race.terraform()
    finally:
        race.stop()


if __name__ == "__main__":
    main()
