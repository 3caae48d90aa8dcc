#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What moto cannot show: client tokens, addresses in use, spot requests, reads that lag. Against our own small EC2, which
botocore judges first: it must understand every answer that the driver relies on.
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from aws_peer import REGION, AwsError, Boto3  # noqa: E402
from controller import Controller, build_dir  # noqa: E402
from fake_cloud_server import FakeCloudServer  # noqa: E402
from faulty_proxy import FaultyProxy  # noqa: E402

KEY = "AKIAALICEALICEALICE0"
IMAGE, SUBNET, GROUP = "ami-0a1b2c3d4e5f60718", "subnet-0a1b2c3d", "sg-0a1b2c3d"
FAST = {"accounts": {KEY: "alice"}, "lag_ms": 300, "boot_ms": 500, "stop_ms": 300, "end_ms": 300, "volume_ms": 300}
CATALOG = f"""\
cci_version: '1.0'
aws:
  default:
    private_network_ipmask: 10.60.0.0/24
    aws_region: {REGION}
    aws_vpc_subnet_id: {SUBNET}
    aws_vpc_security_group_id: {GROUP}
    aws_endpoint_url: {{url}}
"""


def fake(testcase, **options):
    server = FakeCloudServer(build_dir() / "plugins" / "aws" / "aws_fake_cloud.so", {**FAST, **options})
    testcase.addClassCleanup(server.stop)
    return server


class Judged(unittest.TestCase):
    """boto3 drives the fake."""

    @classmethod
    def setUpClass(cls):
        cls.cloud = fake(cls, lag_ms=0)
        cls.client = Boto3(cls.cloud.url, KEY, "secret")
        cls.addClassCleanup(cls.client.stop)

    def ec2(self, call, **arguments):
        return self.client("ec2", call, **arguments)

    def refused(self, code, call, **arguments):
        with self.assertRaises(AwsError) as error:
            self.ec2(call, **arguments)
        self.assertEqual(error.exception.code, code)

    def run_instances(self, token, count=1, **more):
        return self.ec2("run_instances", ImageId=IMAGE, InstanceType="m5.large", MinCount=count, MaxCount=count,
                        SubnetId=SUBNET, SecurityGroupIds=[GROUP], ClientToken=token, **more)["Instances"]

    def test_tokens(self):
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "vcp:op", "Value": "tokens"}]}]
        first = self.run_instances("token-1", 2, TagSpecifications=tags)
        self.assertEqual([one["AmiLaunchIndex"] for one in first], [0, 1])
        self.assertEqual([one["State"]["Name"] for one in first], ["pending"] * 2)
        self.assertEqual(self.run_instances("token-1", 2, TagSpecifications=tags), first)
        self.refused("IdempotentParameterMismatch", "run_instances", ImageId=IMAGE, MinCount=1, MaxCount=1,
                     SubnetId=SUBNET, ClientToken="token-1")
        found = self.ec2("describe_instances", Filters=[{"Name": "tag:vcp:op", "Values": ["tokens"]}], MaxResults=5)
        self.assertEqual(sum(len(group["Instances"]) for group in found["Reservations"]), 2)
        ids = [one["InstanceId"] for one in first]
        harness.wait_until(lambda: all(one["State"]["Name"] == "running" for one in self.client.instances()
                                       if one["InstanceId"] in ids), "they run")
        self.ec2("create_tags", Resources=ids[:1], Tags=[{"Key": "Name", "Value": "a & b"}])
        named = self.ec2("describe_instances", InstanceIds=ids[:1])["Reservations"][0]["Instances"][0]
        self.assertIn({"Key": "Name", "Value": "a & b"}, named["Tags"])
        self.ec2("stop_instances", InstanceIds=ids)
        self.refused("IncorrectInstanceState", "start_instances", InstanceIds=ids)
        harness.wait_until(lambda: len(self.client.instances("stopped")) == 2, "they are stopped")
        ended = self.ec2("terminate_instances", InstanceIds=ids)["TerminatingInstances"]
        self.assertEqual([one["CurrentState"]["Name"] for one in ended], ["shutting-down"] * 2)

    def test_addresses(self):
        [one] = self.run_instances("token-a", PrivateIpAddress="10.60.0.231")
        self.assertEqual(one["PrivateIpAddress"], "10.60.0.231")
        for address, code in (("10.60.0.231", "InvalidIPAddress.InUse"), ("192.0.2.1", "InvalidParameterValue")):
            self.refused(code, "run_instances", ImageId=IMAGE, MinCount=1, MaxCount=1, SubnetId=SUBNET,
                         PrivateIpAddress=address)
        self.refused("DryRunOperation", "run_instances", ImageId=IMAGE, MinCount=1, MaxCount=1, SubnetId=SUBNET,
                     DryRun=True)
        self.ec2("terminate_instances", InstanceIds=[one["InstanceId"]])

    def test_absent(self):
        self.refused("InvalidInstanceID.NotFound", "describe_instances", InstanceIds=["i-0123", "i-4567"])
        self.refused("InvalidAMIID.NotFound", "describe_images", ImageIds=["ami-0123"])
        self.refused("InvalidSubnetID.NotFound", "describe_subnets", SubnetIds=["subnet-0123"])
        self.assertEqual(self.ec2("describe_images", ImageIds=[IMAGE])["Images"][0]["RootDeviceName"], "/dev/sda1")
        self.assertEqual(self.ec2("describe_subnets", SubnetIds=[SUBNET])["Subnets"][0]["AvailabilityZone"],
                         REGION + "a")
        self.assertEqual(self.ec2("describe_security_groups", GroupIds=[GROUP])["SecurityGroups"][0]["GroupId"], GROUP)

    def test_spot_requests(self):
        market = {"MarketType": "spot", "SpotOptions": {"SpotInstanceType": "persistent",
                                                        "InstanceInterruptionBehavior": "stop"}}
        [one] = self.run_instances("token-s", InstanceMarketOptions=market)
        name = one["SpotInstanceRequestId"]
        shown = lambda: self.ec2("describe_spot_instance_requests", Filters=[  # noqa: E731
            {"Name": "spot-instance-request-id", "Values": [name]}])["SpotInstanceRequests"][0]
        self.assertEqual((shown()["State"], shown()["InstanceId"]), ("active", one["InstanceId"]))
        self.ec2("terminate_instances", InstanceIds=[one["InstanceId"]])
        another = shown()["InstanceId"]
        self.assertNotEqual(another, one["InstanceId"], "a persistent request brings another instance")
        cancelled = self.ec2("cancel_spot_instance_requests", SpotInstanceRequestIds=[name])
        self.assertEqual(cancelled["CancelledSpotInstanceRequests"][0]["State"], "cancelled")
        self.ec2("terminate_instances", InstanceIds=[another])
        self.assertEqual(shown()["InstanceId"], another)
        once = {"MarketType": "spot", "SpotOptions": {"SpotInstanceType": "one-time"}}
        [last] = self.run_instances("token-o", InstanceMarketOptions=once)
        self.refused("UnsupportedOperation", "stop_instances", InstanceIds=[last["InstanceId"]])
        self.ec2("terminate_instances", InstanceIds=[last["InstanceId"]])

    def test_volumes(self):
        [one] = self.run_instances("token-v")
        harness.wait_until(lambda: self.client.instances("running"), "it runs")
        make = {"AvailabilityZone": REGION + "a", "Size": 8, "VolumeType": "gp3", "ClientToken": "volume-1"}
        volume = self.ec2("create_volume", **make)
        self.assertEqual((volume["State"], volume["Size"]), ("creating", 8))
        self.assertEqual(self.ec2("create_volume", **make)["VolumeId"], volume["VolumeId"])
        shown = lambda: self.ec2("describe_volumes", Filters=[  # noqa: E731
            {"Name": "volume-id", "Values": [volume["VolumeId"]]}])["Volumes"]
        harness.wait_until(lambda: shown()[0]["State"] == "available", "it is available")
        where = {"VolumeId": volume["VolumeId"], "InstanceId": one["InstanceId"]}
        self.assertEqual(self.ec2("attach_volume", Device="/dev/sdf", **where)["State"], "attaching")
        self.refused("VolumeInUse", "delete_volume", VolumeId=volume["VolumeId"])
        harness.wait_until(lambda: shown()[0]["Attachments"][0]["State"] == "attached", "it is attached")
        devices = self.client.instances("running")[0]["BlockDeviceMappings"]
        self.assertEqual([device["DeviceName"] for device in devices], ["/dev/sda1", "/dev/sdf"])
        self.assertEqual(self.ec2("detach_volume", **where)["State"], "detaching")
        harness.wait_until(lambda: shown()[0]["State"] == "available", "it is available again")
        self.ec2("delete_volume", VolumeId=volume["VolumeId"])
        harness.wait_until(lambda: not shown(), "it is gone")
        self.ec2("terminate_instances", InstanceIds=[one["InstanceId"]])


class Driven(unittest.TestCase):
    """The controller drives the same fake."""

    @classmethod
    def setUpClass(cls):
        cls.cloud = fake(cls)
        cls.proxy = FaultyProxy(cls.cloud.url)
        cls.addClassCleanup(cls.proxy.stop)
        cls.controller = Controller(CATALOG.format(url=cls.proxy.url), providers=["aws", "aws-spot"],
                                    options=["--simulated-hosts"])
        cls.addClassCleanup(cls.controller.stop)
        cls.sdk = vcp_client.VcpSDK(cls.controller.url, cls.controller.token, cls.controller.ca, poll_s=0.2, settle_s=0)

    def setUp(self):
        self.group = self.sdk.create_ugroup(self.id().rsplit(".", 1)[1])
        self.addCleanup(self.leave_nothing)
        self.proxy.clear()
        self.proxy.seen.clear()

    def leave_nothing(self):
        if self.group.read() is not None:
            self.group.cleanup()
        harness.wait_until(lambda: self.group.read() is None, "the VC is gone (404)")
        self.assertEqual(self.cloud.objects(), [])

    def create(self, provider="aws", nodes=1, **params):
        cci = vcp_cci.unit("unit", provider, vcp_cci.aws(KEY, "secret", **params), num_nodes=nodes)
        return self.group.create_unit("unit", cci)

    def kinds(self):
        return sorted(kind for kind, *_ in self.cloud.objects())

    def test_a_repeat_with_its_token_makes_nothing_twice(self):
        self.proxy.inject("RunInstances", "lost")
        unit = self.create(nodes=3)
        self.assertEqual([node["state"] for node in unit.nodes()], ["RUNNING"] * 3)
        self.assertEqual(self.kinds(), ["machine"] * 3)

    def test_an_address_in_use(self):
        self.create(addresses=["10.60.0.240"])
        other = self.sdk.create_ugroup("thief")  # the address is taken by somebody whom the controller does not know
        self.addCleanup(lambda: other.read() is None or other.cleanup())
        client = Boto3(self.cloud.url, KEY, "secret")
        self.addCleanup(client.stop)
        [foreign] = client("ec2", "run_instances", ImageId=IMAGE, MinCount=1, MaxCount=1, SubnetId=SUBNET,
                           PrivateIpAddress="10.60.0.241")["Instances"]
        with self.assertRaises(vcp_client.VcpError) as refused:
            other.create_unit("unit", vcp_cci.unit("unit", "aws", vcp_cci.aws(KEY, "secret", addresses=["10.60.0.241"])))
        self.assertIn("InvalidIPAddress.InUse", refused.exception.message)
        client("ec2", "terminate_instances", InstanceIds=[foreign["InstanceId"]])
        other.cleanup()

    def test_spot_requests_go_before_their_instances(self):
        for kind in ("persistent", "one-time"):
            with self.subTest(kind):
                unit = self.create("aws_spot", nodes=2, spot=(kind, ""))
                self.assertEqual([node["state"] for node in unit.nodes()], ["RUNNING"] * 2)
                self.assertEqual(self.kinds(), ["machine"] * 2 + ["spot-request"] * 2)
                self.group.delete_units("unit", force=True)
                harness.wait_until(lambda: self.group.find("unit") is None, "the unit is gone")
                self.assertEqual(self.kinds(), [])
        actions = [form["Action"] for form in self.proxy.seen]
        self.assertLess(actions.index("CancelSpotInstanceRequests"), actions.index("TerminateInstances"))


if __name__ == "__main__":
    harness.main()
