#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The drivers aws and aws_spot through REST, against moto with its check of signatures and rights on.

Between them stands a proxy that counts requests and disturbs some; boto3 counts what is left. Where moto is not
installed the suite is skipped. Machines have no ssh here (simulated hosts).
"""

import base64
import pathlib
import sys
import unittest

import requests

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from aws_peer import REGION, Moto, tags_of  # noqa: E402
from controller import Controller  # noqa: E402
from faulty_proxy import HTML_500, FaultyProxy, ec2_error  # noqa: E402

CATALOG = """\
cci_version: '1.0'
aws:
  default:
    private_network_ipmask: 172.30.2.0/24
    aws_region: {region}
    aws_vcp_subnet_id: {subnet}
    aws_vcp_security_group_id: {group}
    aws_default_image: vcp-base-24.04
    aws_endpoint_url: {url}
  wrong-subnet:
    private_network_ipmask: 172.30.2.0/24
    aws_region: {region}
    aws_vpc_subnet_id: subnet-0123456789abcdef0
    aws_vpc_security_group_id: {group}
    aws_default_image: vcp-base-24.04
    aws_endpoint_url: {url}
"""


class Aws(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.moto = Moto()
        cls.addClassCleanup(cls.moto.stop)
        cls.proxy = FaultyProxy(cls.moto.url)
        cls.addClassCleanup(cls.proxy.stop)
        catalog = CATALOG.format(region=REGION, subnet=cls.moto.subnet, group=cls.moto.group, url=cls.proxy.url)
        cls.controller = Controller(catalog, providers=["aws", "aws-spot"],
                                    options=["--simulated-hosts"])
        cls.addClassCleanup(cls.controller.stop)
        cls.sdk = vcp_client.VcpSDK(cls.controller.url, cls.controller.token, cls.controller.ca, poll_s=0.2, settle_s=0)
        cls.ec2 = cls.moto.boto3
        for name, value in (("access_key", cls.moto.access_key), ("secret_key", cls.moto.secret_key),
                            ("wrong_key", "x" * len(cls.moto.secret_key))):
            stored = requests.post(f"{cls.controller.vault_url}/v1/cubbyhole/aws/{name}", json={"value": value},
                                   headers={"X-Vault-Token": cls.controller.token}, verify=cls.controller.ca)
            assert stored.status_code == 204, stored.text

    def setUp(self):
        self.group = self.sdk.create_ugroup(self.id().rsplit(".", 1)[1])
        self.addCleanup(self.leave_nothing)
        self.proxy.clear()
        self.proxy.counts.clear()
        self.proxy.seen.clear()

    def leave_nothing(self):
        self.proxy.clear()
        if self.group.read() is not None:
            self.group.cleanup()
        harness.wait_until(lambda: self.group.read() is None, "the VC is gone (404)")
        self.assertEqual(self.ec2.instances(), [], "instances are left in moto")
        self.assertEqual(self.ec2.volumes(), [], "volumes are left in moto")

    KEYS = ("vault://cubbyhole/aws/access_key", "vault://cubbyhole/aws/secret_key")

    def create_disks(self, count):
        """A UnitGroup of EBS volumes, which goes after the machines do."""
        disks = self.sdk.create_ugroup(self.group.read()["name"] + "-disks", "storage")

        def take_away():
            if self.group.read() is not None:
                self.group.cleanup()
            if disks.read() is not None:
                disks.cleanup()
            harness.wait_until(lambda: disks.read() is None, "the disks are gone")

        self.addCleanup(take_away)
        params = vcp_cci.aws_disk(*self.KEYS, 8, tags={"project": "demo"})
        disks.create_unit("ebs", vcp_cci.disk_unit("ebs", "aws", params, num_disks=count))
        return disks

    def disks_of(self, disks):
        unit = disks.find("ebs")
        self.assertEqual(unit["state"], "RUNNING", unit["error_message"])
        return unit["disk"]

    def reference(self, disks, place):
        return f"vcp:{disks.vcid}:ebs:{self.disks_of(disks)[place]['disk_id']}"

    def data_volumes(self):
        """Those that are not a machine's own, by id: (state, instance that holds it or None)."""
        return {one["VolumeId"]: (one["State"], (one["Attachments"] or [{"InstanceId": None}])[0]["InstanceId"])
                for one in self.ec2.volumes() if one["Size"] == 8}

    def create(self, name="unit", *, nodes=1, provider="aws", network="default", secret="secret_key", wait_for=True,
               **params):
        params = vcp_cci.aws(self.KEYS[0], f"vault://cubbyhole/aws/{secret}", **params)
        cci = vcp_cci.unit(name, provider, params, num_nodes=nodes, network=network)
        return self.group.create_unit(name, cci, wait_for=wait_for)

    def by_id(self, *states):
        return {one["InstanceId"]: one for one in self.ec2.instances(*states)}

    def assert_running(self, unit, count):
        nodes = unit.nodes()
        self.assertEqual(len(nodes), count)
        running = self.by_id("running")
        self.assertEqual({node["cloud_instance_id"] for node in nodes}, set(running))
        for node in nodes:
            self.assertEqual(node["state"], "RUNNING", node["error_message"])
            self.assertEqual(running[node["cloud_instance_id"]]["PrivateIpAddress"], node["cloud_instance_address"])
        return nodes, running

    def runs(self):
        """The RunInstances that were meant (the question whether one may ask so is none)."""
        return [form for form in self.proxy.seen if form["Action"] == "RunInstances" and "DryRun" not in form]

    def failed_text(self, *arguments, **options):
        """The error of a unit that cannot be made."""
        with self.assertRaises(vcp_client.VcpError) as failed:
            self.create(*arguments, **options)
        return failed.exception.message

    # The life of a unit

    def test_free_addresses_are_one_request(self):
        unit = self.create(nodes=5, tags={"project": "demo"})
        nodes, running = self.assert_running(unit, 5)
        [run] = self.runs()
        self.assertEqual(self.proxy.counts["CreateTags"], 5)
        self.assertEqual(run["MetadataOptions.HttpTokens"], "required")
        self.assertEqual((run["MinCount"], run["MaxCount"]), ("5", "5"))
        names = set()
        for node in nodes:
            one = running[node["cloud_instance_id"]]
            tags = tags_of(one)
            self.assertEqual(tags["project"], "demo")
            self.assertEqual(tags["Name"], f"{self.group.read()['name']}-unit-{node['node_no']}")
            self.assertEqual(tags["vcp:provider"], "aws")
            names.add(tags["vcp:name"])
            kept = self.ec2("ec2", "describe_instance_attribute", InstanceId=one["InstanceId"], Attribute="userData")
            user_data = base64.b64decode(kept["UserData"]["Value"]).decode()
            self.assertTrue(user_data.startswith("#cloud-config\n"), user_data)
            self.assertIn("ssh-ed25519 ", user_data)
            self.assertEqual((one["InstanceType"], one["SubnetId"], one["ImageId"]),
                             ("m5.large", self.moto.subnet, self.moto.image))
            self.assertEqual([group["GroupId"] for group in one["SecurityGroups"]], [self.moto.group])
        self.assertEqual(len(names), 5)
        volumes = self.ec2.volumes()
        self.assertEqual([(volume["Size"], volume["VolumeType"]) for volume in volumes], [(16, "gp2")] * 5)
        self.assertEqual({tags_of(volume)["project"] for volume in volumes}, {"demo"})

    def test_fixed_addresses(self):
        wanted = ["172.30.2.101", "172.30.2.102"]
        unit = self.create(nodes=2, addresses=wanted)
        nodes, _ = self.assert_running(unit, 2)
        self.assertEqual([node["cloud_instance_address"] for node in nodes], wanted)
        self.assertEqual(len(self.runs()), 2)
        self.assertEqual(self.proxy.counts["CreateTags"], 0)

    def test_add_and_delete(self):
        unit = self.create(nodes=2)
        unit.add_nodes(2)
        unit.add_nodes(addresses=["172.30.2.150"])
        nodes, _ = self.assert_running(unit, 5)
        self.assertEqual(nodes[-1]["cloud_instance_address"], "172.30.2.150")
        unit.delete_nodes(2)
        unit.delete_nodes(addresses=["172.30.2.150"])
        left, _ = self.assert_running(unit, 2)
        self.assertEqual([node["node_no"] for node in left], [3, 4])

    def test_delete_overtakes_a_boot(self):
        self.create(nodes=8, wait_for=False)
        self.group.cleanup()

    def test_power_and_stop(self):
        unit = self.create(nodes=2)
        before = self.by_id("running")
        self.assertEqual({node["state"] for node in unit.operate("power_off")}, {"POWER_OFF"})
        self.assertEqual(set(self.by_id("stopped")), set(before))
        self.assertEqual({node["state"] for node in unit.operate("power_on")}, {"RUNNING"})
        self.assertEqual(set(self.by_id("running")), set(before))
        self.assertEqual({node["state"] for node in unit.operate("stop")}, {"STOPPED"})
        self.assertEqual(self.ec2.instances(), [])
        self.assertEqual({node["state"] for node in unit.operate("start")}, {"RUNNING"})
        self.assertFalse(set(self.by_id("running")) & set(before), "a start makes other machines")

    def test_spot_has_no_power_switch(self):
        unit = self.create(provider="aws_spot", spot=("one-time", ""))
        with self.assertRaises(vcp_client.VcpError) as refused:
            unit.operate("power_off")
        self.assertEqual(refused.exception.status, 409)
        self.assert_running(unit, 1)

    def test_spot(self):
        unit = self.create(provider="aws_spot", nodes=2, spot=("one-time", "0.15"))
        _, running = self.assert_running(unit, 2)
        self.assertEqual({one["InstanceLifecycle"] for one in running.values()}, {"spot"})
        run = self.runs()[0]
        self.assertEqual(run["InstanceMarketOptions.SpotOptions.MaxPrice"], "0.15")
        self.group.delete_units("unit", force=True)

    # Data disks

    def test_disks_are_made_attached_and_kept(self):
        disks = self.create_disks(2)
        made = {disk["cloud_disk_id"]: disk for disk in self.disks_of(disks)}
        self.assertEqual(self.data_volumes(), {name: ("available", None) for name in made})
        for volume in self.ec2.volumes():
            self.assertEqual((volume["AvailabilityZone"], volume["VolumeType"]), (REGION + "a", "gp3"))
            self.assertEqual(tags_of(volume)["project"], "demo")
        for provider, spot in (("aws", None), ("aws_spot", ("one-time", ""))):
            unit = self.create(provider=provider, spot=spot, volumes=[self.reference(disks, 0)])
            [node], _ = self.assert_running(unit, 1)
            [volume] = node["volumes"]
            self.assertEqual(self.data_volumes()[volume["volume_id"]], ("in-use", node["cloud_instance_id"]))
            self.assertEqual([disk["in_use"] for disk in self.disks_of(disks)], [True, False])
            self.group.delete_units("unit", force=True)
            harness.wait_until(lambda: self.group.find("unit") is None, "the unit is gone")
            self.assertEqual(self.data_volumes(), {name: ("available", None) for name in made}, "the disks stay")

    def test_lost_answers_of_disks(self):
        for action in ("CreateVolume", "AttachVolume", "DetachVolume", "DeleteVolume", "DescribeVolumes"):
            self.proxy.inject(action, "lost")
        disks = self.create_disks(1)
        self.assertEqual(len(self.data_volumes()), 1)
        unit = self.create(volumes=[self.reference(disks, 0)])
        self.assert_running(unit, 1)
        self.group.delete_units("unit", force=True)
        harness.wait_until(lambda: self.group.find("unit") is None, "the unit is gone")
        self.assertEqual([state for state, _ in self.data_volumes().values()], ["available"])
        disks.cleanup()
        harness.wait_until(lambda: disks.read() is None, "the disks are gone")
        self.assertEqual(self.data_volumes(), {})

    def test_a_volume_that_is_not_ours(self):
        """Named by its id it is attached, and left alone when the machine goes."""
        theirs = self.ec2("ec2", "create_volume", AvailabilityZone=REGION + "a", Size=8)["VolumeId"]
        unit = self.create(volumes=[theirs])
        [node], _ = self.assert_running(unit, 1)
        self.assertEqual(self.data_volumes(), {theirs: ("in-use", node["cloud_instance_id"])})
        self.group.delete_units("unit", force=True)
        harness.wait_until(lambda: self.group.find("unit") is None, "the unit is gone")
        self.assertEqual(self.data_volumes(), {theirs: ("available", None)})
        self.ec2("ec2", "delete_volume", VolumeId=theirs)

    # What is wrong

    def refused(self, status, **options):
        """What the user is told at once; no unit is made."""
        with self.assertRaises(vcp_client.VcpError) as error:
            self.create(**options)
        self.assertEqual(error.exception.status, status)
        self.assertIsNone(self.group.find("unit"))
        return error.exception.message

    def test_wrong_secret(self):
        text = self.refused(403, secret="wrong_key")
        self.assertIn("AuthFailure", text)
        self.assertNotIn("x" * 20, text)

    def test_wrong_subnet(self):
        text = self.refused(400, network="wrong-subnet")
        self.assertIn("/catalog_entry/aws_vpc_subnet_id", text)
        self.assertIn("InvalidSubnetID.NotFound", text)

    def test_unknown_image(self):
        self.assertIn("cloud_image", self.failed_text(image="no-such-image"))

    def test_bad_values_are_refused_before_anything(self):
        for params, pointer in (({"instance_type": "large"}, "/cloud_params/instance_type"),
                                ({"size": 0}, "/cloud_params/volume_size"),
                                ({"tags": {"vcp:op": "x"}}, "/cloud_params/tags/vcp:op")):
            self.assertIn(pointer, self.refused(400, **params))
        self.assertEqual(sum(self.proxy.counts.values()), 0)

    def test_quota(self):
        self.check_refusal(ec2_error(400, "VcpuLimitExceeded"))

    def test_capacity_comes_as_500(self):
        self.check_refusal(ec2_error(500, "InsufficientInstanceCapacity"))

    def check_refusal(self, fault):
        """It is shown to the user while the controller goes on trying; nothing is left when the unit goes."""
        self.proxy.inject("RunInstances", fault, times=100)
        unit = self.create(nodes=2, wait_for=False)
        code = fault[2].split("<Code>")[1].split("<")[0]
        harness.wait_until(lambda: any(code in (node["error_message"] or "") for node in unit.nodes()), f"{code} is shown")
        self.assertEqual(self.ec2.instances(), [])

    # Bad days

    def test_throttling_is_waited_out(self):
        # In two parts, because machines whose common request was refused may go on alone, without CreateTags.
        for actions in (("CreateTags", "DescribeInstances", "TerminateInstances"), ("DescribeImages", "RunInstances")):
            for action in actions:
                self.proxy.inject(action, ec2_error(503, "RequestLimitExceeded"), times=2)
            unit = self.create(nodes=3)
            self.assert_running(unit, 3)
            self.group.delete_units("unit", force=True)
            harness.wait_until(lambda: self.group.find("unit") is None, "the unit is gone")
            self.assertEqual([action for action in actions if self.proxy.pending(action)], [])

    def test_html_500_leaves_nothing_behind(self):
        for action in ("DescribeImages", "RunInstances", "CreateTags", "DescribeInstances", "TerminateInstances"):
            self.proxy.inject(action, HTML_500)
        unit = self.create(nodes=3)
        self.assert_running(unit, 3)
        self.group.delete_units("unit", force=True)

    def test_lost_answers_make_nothing_twice(self):
        """moto has no memory for client tokens, so a repeat would be seen."""
        for action in ("RunInstances", "CreateTags", "DescribeInstances", "TerminateInstances"):
            self.proxy.inject(action, "lost")
        unit = self.create(nodes=3)
        self.assert_running(unit, 3)
        self.assertEqual(len(self.runs()), 1)
        self.group.delete_units("unit", force=True)

    def test_lost_answers_with_fixed_addresses(self):
        self.proxy.inject("RunInstances", "lost", times=2)
        unit = self.create(nodes=2, addresses=["172.30.2.111", "172.30.2.112"])
        self.assert_running(unit, 2)
        self.assertEqual(len(self.runs()), 2)

    def test_requests_that_never_arrive(self):
        for action in ("RunInstances", "TerminateInstances"):
            self.proxy.inject(action, "dropped")
        unit = self.create(nodes=3)
        self.assert_running(unit, 3)
        runs = self.runs()
        self.assertEqual(len(runs), 2)
        self.assertEqual(runs[0], runs[1], "a repeat is the same request")

    def test_a_lost_answer_and_a_delete(self):
        self.proxy.inject("RunInstances", "lost")
        self.create(nodes=3, wait_for=False)
        harness.wait_until(self.runs, "RunInstances is sent")
        self.group.cleanup()

    def test_what_somebody_else_terminates(self):
        unit = self.create(nodes=2)
        _, running = self.assert_running(unit, 2)
        self.ec2("ec2", "terminate_instances", InstanceIds=list(running))
        self.group.delete_units("unit", force=True)


if __name__ == "__main__":
    harness.main()
