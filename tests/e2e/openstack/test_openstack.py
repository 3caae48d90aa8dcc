#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The driver openstack through REST, against a real OpenStack (scripts/peers/openstack).

Before each of its services stands a proxy that counts requests and disturbs some. At the end the `openstack` command counts
what is left. Where OpenStack's packages are not installed the suite is skipped. Machines have no ssh here (simulated hosts).
"""

import pathlib
import sys
import unittest

import requests

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller  # noqa: E402
from openstack_peer import REGION, OpenStack  # noqa: E402

# What a real cloud does takes longer than moto's pretending.
PATIENCE_S = 300
HTML_500 = (500, "text/html", "<html><body><h1>500 Internal Server Error</h1></body></html>")
TOO_MANY = (429, "application/json", '{"overLimit": {"code": 429, "message": "This request was rate-limited."}}')
CATALOG = """\
cci_version: '1.0'
openstack:
  default:
    private_network_ipmask: 10.99.0.0/16
    auth_url: {auth_url}
    region: {watched}
    tenant_name: {project}
    domain_id: default
    network_name: net1
    security_group: nodes
    openstack_default_image: base
  by-id:
    private_network_ipmask: 10.99.0.0/16
    auth_url: {auth_url}
    region: {watched}
    tenant_name: {project}
    domain_name: Default
    network_uuid: {network_id}
    security_group: [{group_id}]
    openstack_default_image: {image_id}
    openstack_boot_from: image
  application:
    private_network_ipmask: 10.99.0.0/16
    auth_url: {auth_url}
    region: {watched}
    network_name: net1
    openstack_auth_type: v3applicationcredential
    openstack_default_image: base
  brief:
    private_network_ipmask: 10.99.0.0/16
    auth_url: {brief_auth_url}
    region: {watched}
    tenant_name: {project}
    domain_id: default
    network_name: net1
    openstack_default_image: base
  wrong-network:
    private_network_ipmask: 10.99.0.0/16
    auth_url: {auth_url}
    region: {watched}
    tenant_name: {project}
    domain_id: default
    network_name: net-of-nobody
    openstack_default_image: base
"""


class Shared:
    """One cloud, one controller and one client of it for all cases: the cloud takes a minute to come up."""

    cloud = controller = sdk = None


def setUpModule():
    Shared.cloud = OpenStack()
    unittest.addModuleCleanup(Shared.cloud.stop)
    facts = Shared.cloud.facts
    catalog = CATALOG.format(**{**facts, "auth_url": Shared.cloud.auth_url}, watched=REGION)
    controller = Shared.controller = Controller(catalog, providers=["openstack"], options=["--simulated-hosts"])
    unittest.addModuleCleanup(controller.stop)
    Shared.sdk = vcp_client.VcpSDK(controller.url, controller.token, controller.ca, poll_s=0.3, settle_s=0)
    for name, value in (("user_name", facts["user"]), ("password", facts["password"]), ("wrong", "x" * 24),
                        ("id", facts["credential_id"]), ("secret", facts["credential_secret"])):
        stored = requests.post(f"{controller.vault_url}/v1/cubbyhole/openstack/{name}", json={"value": value},
                               headers={"X-Vault-Token": controller.token}, verify=controller.ca)
        assert stored.status_code == 204, stored.text


def tearDownModule():
    """Counted by somebody else."""
    left = {kind: Shared.cloud.cli(kind, "list") for kind in ("server", "port", "volume")}
    assert not any(left.values()), f"left in OpenStack: {left}"


class Suite(unittest.TestCase):
    LOGIN = ("vault://cubbyhole/openstack/user_name", "vault://cubbyhole/openstack/password")
    WRONG = (LOGIN[0], "vault://cubbyhole/openstack/wrong")
    APPLICATION = ("application", "vault://cubbyhole/openstack/id", "vault://cubbyhole/openstack/secret")

    def setUp(self):
        self.cloud, self.sdk = Shared.cloud, Shared.sdk
        self.cloud.clear()
        self.group = self.sdk.create_ugroup(self.id().rsplit(".", 1)[1])
        self.addCleanup(self.leave_nothing)

    def leave_nothing(self):
        self.cloud.clear()
        if self.group.read() is not None:
            self.group.cleanup()
        harness.wait_until(lambda: self.group.read() is None, "the VC is gone (404)", PATIENCE_S)
        self.assertEqual(self.cloud.servers(), {}, "servers are left")
        self.assertEqual(self.cloud.ports(), {}, "ports are left")
        self.assertEqual(self.cloud.volumes(), {}, "volumes are left")

    def create(self, name="unit", *, nodes=1, network="default", login=LOGIN, wait_for=True, **params):
        cci = vcp_cci.unit(name, "openstack", vcp_cci.openstack(login, **params), num_nodes=nodes, network=network)
        return self.group.create_unit(name, cci, wait_for=wait_for)

    def delete(self, name="unit"):
        self.group.delete_units(name, force=True)
        harness.wait_until(lambda: self.group.find(name) is None, "the unit is gone", PATIENCE_S)

    def assert_running(self, unit, count):
        """The nodes in order, and the servers by their ids."""
        nodes, servers = unit.nodes(), self.cloud.servers()
        self.assertEqual(len(nodes), count)
        for node in nodes:
            self.assertEqual(node["state"], "RUNNING", node["error_message"])
        self.assertEqual({node["cloud_instance_id"] for node in nodes}, set(servers))
        for node in nodes:
            server = servers[node["cloud_instance_id"]]
            self.assertEqual((server["status"], self.address_of(server)), ("ACTIVE", node["cloud_instance_address"]))
        self.assertEqual(len(self.cloud.ports()), count)
        return nodes, servers

    @staticmethod
    def address_of(server):
        [[address]] = server["addresses"].values()
        return address["addr"]

    def message_shown(self, unit, text):
        """What a node says, as soon as it says this."""
        def said():
            return next((node["error_message"] for node in unit.nodes() if text in (node["error_message"] or "")), None)
        return harness.wait_until(said, f"'{text}' is shown", PATIENCE_S)

    def refused(self, status, **options):
        """What the user is told at once; no unit is made."""
        with self.assertRaises(vcp_client.VcpError) as error:
            self.create(**options)
        self.assertEqual(error.exception.status, status, error.exception.message)
        self.assertIsNone(self.group.find("unit"))
        return error.exception.message

    def count_of(self, service, action):
        return self.cloud.proxies[service].counts[action]


class Life(Suite):
    def test_free_addresses(self):
        unit = self.create(nodes=3, tags={"project": "demo"})
        nodes, servers = self.assert_running(unit, 3)
        names = set()
        for node in nodes:
            server = servers[node["cloud_instance_id"]]
            names.add(server["name"])
            self.assertEqual(server["metadata"]["project"], "demo")
            self.assertTrue(any(key.startswith("vcp") for key in server["metadata"]), server["metadata"])
            self.assertEqual(server["image"]["id"], self.cloud.facts["image_id"])
        self.assertEqual(len(names), 3)
        for port in self.cloud.ports().values():
            self.assertEqual((port["network_id"], port["security_groups"]),
                             (self.cloud.facts["network_id"], [self.cloud.facts["group_id"]]))
        self.assertEqual((self.count_of("nova", "POST /servers"), self.count_of("neutron", "POST /ports")), (3, 3))
        self.assertLessEqual(self.count_of("keystone", "POST /auth/tokens"), 2, "tokens are used again")

    def test_fixed_addresses(self):
        wanted = ["10.99.7.101", "10.99.7.102"]
        unit = self.create(nodes=2, addresses=wanted, network="by-id", image="base")
        nodes, _ = self.assert_running(unit, 2)
        self.assertEqual([node["cloud_instance_address"] for node in nodes], wanted)

    def test_add_and_delete(self):
        unit = self.create(nodes=2)
        unit.add_nodes(1)
        unit.add_nodes(addresses=["10.99.7.150"])
        nodes, _ = self.assert_running(unit, 4)
        self.assertEqual(nodes[-1]["cloud_instance_address"], "10.99.7.150")
        unit.delete_nodes(1)
        unit.delete_nodes(addresses=["10.99.7.150"])
        left, _ = self.assert_running(unit, 2)
        self.assertEqual([node["node_no"] for node in left], [2, 3])

    def test_delete_overtakes_a_boot(self):
        self.create(nodes=4, wait_for=False)
        self.group.cleanup()

    def test_power_and_stop(self):
        unit = self.create(nodes=2)
        _, before = self.assert_running(unit, 2)
        self.assertEqual({node["state"] for node in unit.operate("power_off")}, {"POWER_OFF"})
        self.assertEqual({one["status"] for one in self.cloud.servers().values()}, {"SHUTOFF"})
        self.assertEqual({node["state"] for node in unit.operate("power_on")}, {"RUNNING"})
        self.assertEqual(set(self.cloud.servers()), set(before))
        self.assertEqual({node["state"] for node in unit.operate("stop")}, {"STOPPED"})
        self.assertEqual((self.cloud.servers(), self.cloud.ports()), ({}, {}))
        self.assertEqual({node["state"] for node in unit.operate("start")}, {"RUNNING"})
        _, after = self.assert_running(unit, 2)
        self.assertFalse(set(after) & set(before), "a start makes other machines")

    def test_what_somebody_else_deletes(self):
        unit = self.create(nodes=2)
        _, servers = self.assert_running(unit, 2)
        for name in servers:
            self.cloud.user("nova", "DELETE", f"/v2.1/servers/{name}")
        harness.wait_until(lambda: not self.cloud.servers(), "the servers are gone")
        self.delete()

    def test_a_server_that_is_not_ours(self):
        """It stays, whatever happens beside it."""
        flavor = next(one["id"] for one in self.cloud.user("nova", "GET", "/v2.1/flavors")["flavors"]
                      if one["name"] == "vc.small")
        theirs = self.cloud.user("nova", "POST", "/v2.1/servers", {"server": {
            "name": "theirs", "flavorRef": flavor, "imageRef": self.cloud.facts["image_id"],
            "networks": [{"uuid": self.cloud.facts["network_id"]}]}})["server"]["id"]
        try:
            self.create(nodes=1)
            self.delete()
            self.assertEqual(list(self.cloud.servers()), [theirs])
        finally:
            self.cloud.user("nova", "DELETE", f"/v2.1/servers/{theirs}")
            harness.wait_until(lambda: not self.cloud.servers() and not self.cloud.ports(), "theirs is gone")


class Accounts(Suite):
    def test_wrong_password(self):
        text = self.refused(403, login=self.WRONG)
        self.assertIn("401", text)
        self.assertNotIn("x" * 12, text)

    def test_application_credential(self):
        unit = self.create(nodes=1, network="application", login=self.APPLICATION)
        self.assert_running(unit, 1)

    def test_tokens_are_revoked_in_the_middle(self):
        unit = self.create(nodes=2)
        self.assert_running(unit, 2)
        before = self.count_of("keystone", "POST /auth/tokens")
        self.cloud.revoke_tokens()
        unit.add_nodes(1)
        self.assert_running(unit, 3)
        # A second one when a look came within the second in which Keystone refuses new tokens as well.
        self.assertIn(self.count_of("keystone", "POST /auth/tokens") - before, (1, 2), "a new login, not one a request")

    def test_tokens_expire_in_the_middle(self):
        unit = self.create(nodes=1, network="brief")
        old = self.cloud.session(self.cloud.facts["brief_auth_url"])
        harness.wait_until(lambda: self.cloud.is_refused(old), "a token as old as the driver's has expired")
        unit.add_nodes(1)
        self.assert_running(unit, 2)
        self.assertEqual({node["state"] for node in unit.operate("power_off")}, {"POWER_OFF"})


class Refusals(Suite):
    def test_address_in_use(self):
        theirs = self.cloud.user("neutron", "POST", "/v2.0/ports", {"port": {
            "network_id": self.cloud.facts["network_id"], "name": "theirs",
            "fixed_ips": [{"ip_address": "10.99.7.200"}]}})["port"]["id"]
        try:
            unit = self.create(nodes=2, addresses=["10.99.7.200", "10.99.7.201"], wait_for=False)
            self.assertIn("10.99.7.200", self.message_shown(unit, "IpAddressAlreadyAllocated"))
            self.delete()
            self.assertEqual(list(self.cloud.ports()), [theirs])
        finally:
            self.cloud.user("neutron", "DELETE", f"/v2.0/ports/{theirs}")

    def test_quota(self):
        """It is shown, and once it is raised the unit is completed."""
        self.cloud.set_quota(instances=1)
        self.addCleanup(self.cloud.set_quota, instances=-1)
        unit = self.create(nodes=2, wait_for=False)
        self.assertIn("Quota exceeded for instances", self.message_shown(unit, "Quota exceeded"))
        # One more may be there that Nova took back itself, in ERROR.
        self.assertLessEqual([one["status"] for one in self.cloud.servers().values()].count("ACTIVE"), 1)
        self.cloud.set_quota(instances=-1)
        harness.wait_until(lambda: {node["state"] for node in unit.nodes()} == {"RUNNING"}, "both run", PATIENCE_S)
        self.assert_running(unit, 2)

    def test_no_capacity(self):
        unit = self.create(flavor="vc.huge", wait_for=False)
        self.message_shown(unit, "No valid host was found")

    def test_a_build_that_fails(self):
        unit = self.create(flavor="vc.abort", wait_for=False)
        self.message_shown(unit, "FakeBuildAbortDriver")

    def test_unknown_names(self):
        for options, word in (({"image": "no-such-image"}, "no-such-image"), ({"flavor": "no.such"}, "no.such"),
                              ({"network": "wrong-network"}, "net-of-nobody")):
            with self.subTest(word):
                with self.assertRaises(vcp_client.VcpError) as failed:
                    self.create(**options)
                self.assertIn(word, failed.exception.message)
                if self.group.find("unit"):
                    self.delete()
        self.assertEqual(self.count_of("nova", "POST /servers"), 0)

    def test_bad_values_are_refused_before_anything(self):
        for params, pointer in (({"size": 0, "kind": "tripleo"}, "/cloud_params/volume_size"),
                                ({"addresses": ["10.99.7"]}, "ip_address_list")):
            with self.subTest(pointer):
                self.assertIn(pointer, self.refused(400, **params))
        self.assertEqual(sum(self.cloud.counts().values()), 0)


class Disks(Suite):
    def create_disks(self, count, size=2):
        """A UnitGroup of volumes, which goes after the machines do."""
        disks = self.sdk.create_ugroup(self.group.read()["name"] + "-disks", "storage")

        def take_away():
            self.cloud.clear()
            if self.group.read() is not None:
                self.group.cleanup()
            if disks.read() is not None:
                disks.cleanup()
            harness.wait_until(lambda: disks.read() is None, "the disks are gone", PATIENCE_S)

        self.addCleanup(take_away)
        params = vcp_cci.openstack_disk(self.LOGIN, size, tags={"project": "demo"})
        disks.create_unit("disk", vcp_cci.disk_unit("disk", "openstack", params, num_disks=count))
        return disks

    def disks_of(self, disks):
        unit = disks.find("disk")
        self.assertEqual(unit["state"], "RUNNING", unit["error_message"])
        return unit["disk"]

    def states(self):
        """Of every volume: its status, and the server that has it or None."""
        return {name: (one["status"], one["attachments"][0]["server_id"] if one["attachments"] else None)
                for name, one in self.cloud.volumes().items()}

    def attached_unit(self, disks, **options):
        reference = f"vcp:{disks.vcid}:disk:{self.disks_of(disks)[0]['disk_id']}"
        unit = self.create(volumes=[reference], **options)
        [node], _ = self.assert_running(unit, 1)
        return node

    def test_disks_are_made_attached_and_kept(self):
        disks = self.create_disks(2)
        made = [disk["cloud_disk_id"] for disk in self.disks_of(disks)]
        self.assertEqual(self.states(), {name: ("available", None) for name in made})
        for volume in self.cloud.volumes().values():
            self.assertEqual((volume["size"], volume["volume_type"], volume["metadata"]["project"]),
                             (2, "project-volume", "demo"))
        node = self.attached_unit(disks)
        [volume] = node["volumes"]
        self.assertEqual(self.states()[volume["volume_id"]], ("in-use", node["cloud_instance_id"]))
        self.assertEqual([disk["in_use"] for disk in self.disks_of(disks)], [True, False])
        self.delete()
        self.assertEqual(self.states(), {name: ("available", None) for name in made}, "the disks stay")

    def test_lost_answers_of_disks(self):
        cinder, nova = self.cloud.proxies["cinder"], self.cloud.proxies["nova"]
        cinder.inject("POST /volumes", "lost")
        disks = self.create_disks(1)
        self.assertEqual(len(self.states()), 1)
        nova.inject("POST /servers/{id}/os-volume_attachments", "lost")
        self.attached_unit(disks)
        self.delete()
        self.assertEqual([state for state, _ in self.states().values()], ["available"])
        cinder.inject("DELETE /volumes/{id}", "lost")
        disks.cleanup()
        harness.wait_until(lambda: disks.read() is None, "the disks are gone", PATIENCE_S)
        self.assertEqual(self.states(), {})

    def test_a_volume_that_is_not_ours(self):
        """Named by its id it is attached, and left alone when the machine goes."""
        path = f"/v3/{self.cloud.facts['project_id']}/volumes"
        theirs = self.cloud.user("cinder", "POST", path, {"volume": {"size": 1, "name": "theirs"}})["volume"]["id"]
        try:
            harness.wait_until(lambda: self.states()[theirs][0] == "available", "the volume is there")
            unit = self.create(volumes=[theirs])
            [node], _ = self.assert_running(unit, 1)
            self.assertEqual(self.states(), {theirs: ("in-use", node["cloud_instance_id"])})
            self.delete()
            self.assertEqual(self.states(), {theirs: ("available", None)})
        finally:
            harness.wait_until(lambda: self.states()[theirs][0] == "available", "the volume is free", PATIENCE_S)
            self.cloud.user("cinder", "DELETE", f"{path}/{theirs}")
            harness.wait_until(lambda: not self.states(), "theirs is gone")

    def test_a_system_volume_goes_with_its_machine(self):
        unit = self.create(size=3, kind="tripleo")
        [node], servers = self.assert_running(unit, 1)
        [volume] = self.cloud.volumes().values()
        self.assertEqual((volume["size"], volume["volume_type"], volume["attachments"][0]["server_id"]),
                         (3, "tripleo", node["cloud_instance_id"]))
        self.assertEqual(servers[node["cloud_instance_id"]]["image"], "")
        self.delete()
        self.assertEqual(self.states(), {})


class BadDays(Suite):
    def test_throttling_is_waited_out(self):
        for service, action in (("nova", "POST /servers"), ("neutron", "POST /ports"), ("nova", "DELETE /servers/{id}")):
            self.cloud.proxies[service].inject(action, TOO_MANY, times=2)
        unit = self.create(nodes=2)
        self.assert_running(unit, 2)
        self.delete()
        self.assertEqual(self.cloud.proxies["nova"].pending("POST /servers"), 0)

    def test_what_fails_or_never_arrives_leaves_nothing_behind(self):
        """Each node meets one fault. Each could have taken effect, so it takes minutes until it is asked for again."""
        for service, action in (("neutron", "POST /ports"), ("nova", "POST /servers"), ("nova", "DELETE /servers/{id}")):
            for fault in (HTML_500, "dropped"):
                self.cloud.proxies[service].inject(action, fault)
        unit = self.create(nodes=4)
        self.assert_running(unit, 4)
        self.delete()

    def test_lost_answers_make_nothing_twice(self):
        """Nova has no client tokens, so a repeat would be seen."""
        for service, action in (("neutron", "POST /ports"), ("nova", "POST /servers"), ("nova", "DELETE /servers/{id}"),
                                ("neutron", "DELETE /ports/{id}")):
            self.cloud.proxies[service].inject(action, "lost")
        unit = self.create(nodes=2)
        self.assert_running(unit, 2)
        self.assertEqual((self.count_of("nova", "POST /servers"), self.count_of("neutron", "POST /ports")), (2, 2))
        self.delete()

    def test_lost_answers_with_a_fixed_address(self):
        self.cloud.proxies["neutron"].inject("POST /ports", "lost")
        self.cloud.proxies["nova"].inject("POST /servers", "lost")
        unit = self.create(addresses=["10.99.7.111"])
        [node], _ = self.assert_running(unit, 1)
        self.assertEqual(node["cloud_instance_address"], "10.99.7.111")

    def test_a_lost_answer_and_a_delete(self):
        self.cloud.proxies["nova"].inject("POST /servers", "lost")
        self.create(nodes=2, wait_for=False)
        harness.wait_until(lambda: self.count_of("nova", "POST /servers"), "a server is asked for")
        self.group.cleanup()


if __name__ == "__main__":
    harness.main()
