# SPDX-License-Identifier: Apache-2.0
"""Servers up and down again on a real OpenStack (scripts/peers/openstack): our controller, the `openstack` CLI server by server,
and the CLI with one request for all. Each waits until all are ACTIVE, deletes them and waits until all are gone. Then how many
calls one look at many servers takes. Run it as it is, with VCC_BUILD set; VCC_FANOUT is the number of servers (20), VCC_LOOK that
of the look (200). All go through counting proxies, so times compare with each other only.
"""

import os
import pathlib
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller  # noqa: E402
from openstack_peer import REGION, OpenStack  # noqa: E402

COUNT = int(os.environ.get("VCC_FANOUT", "20"))
LOOK = int(os.environ.get("VCC_LOOK", "200"))
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
    openstack_default_image: base
"""
ONE_BY_ONE = """
set -e
for i in $(seq "$1"); do openstack server create --flavor vc.small --image base --network net1 "cli-$i" >/dev/null; done
for i in $(seq "$1"); do until openstack server show -f value -c status "cli-$i" | grep -q ACTIVE; do :; done; done
openstack server delete --wait $(seq -f 'cli-%.0f' "$1")
"""
AT_ONCE = """
set -e
openstack server create --flavor vc.small --image base --network net1 --min "$1" --max "$1" --wait cli >/dev/null
openstack server delete --wait $(seq -f 'cli-%.0f' "$1")
"""


class Race:
    def __init__(self):
        self.cloud = OpenStack()

    def report(self, name, seconds, cpu):
        counts = self.cloud.counts()
        words = ", ".join(f"{count} {action}" for action, count in counts.most_common())
        print(f"  {name:26} {seconds:6.1f} s   CPU {cpu:6.2f} s   {sum(counts.values()):4} calls ({words})", flush=True)
        if self.cloud.servers():
            raise RuntimeError(f"{name} left servers behind")
        for port in self.cloud.ports():
            self.cloud.user("neutron", "DELETE", f"/v2.0/ports/{port}")
        self.cloud.clear()

    def rival(self, name, text):
        """A shell and its children, from start to end: what a user of it waits and pays for."""
        facts = self.cloud.facts
        environment = {**{key: value for key, value in os.environ.items() if not key.startswith("OS_")},
                       "PATH": "/usr/bin:/bin", "PYTHONWARNINGS": "ignore", "OS_AUTH_URL": self.cloud.auth_url,
                       "OS_USERNAME": facts["user"], "OS_PASSWORD": facts["password"], "OS_PROJECT_NAME": facts["project"],
                       "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default", "OS_REGION_NAME": REGION}
        begun = time.monotonic()
        process = subprocess.Popen(["bash", "-c", text, "bash", str(COUNT)], env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            raise RuntimeError(f"{name} ended with {status}")
        self.report(name, time.monotonic() - begun, usage.ru_utime + usage.ru_stime)

    @staticmethod
    def cpu_of(pid):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ours(self):
        catalog = CATALOG.format(**{**self.cloud.facts, "auth_url": self.cloud.auth_url}, watched=REGION)
        controller = Controller(catalog, providers=["openstack"], options=["--simulated-hosts"])
        try:
            sdk = vcp_client.VcpSDK(controller.url, controller.token, controller.ca, poll_s=0.5, settle_s=0)
            group = sdk.create_ugroup("fanout")
            cpu, begun = self.cpu_of(controller.pid), time.monotonic()
            self.create(group, COUNT)
            up, up_calls = time.monotonic() - begun, sum(self.cloud.counts().values())
            self.remove(group)
            self.report("VC Controller", time.monotonic() - begun, self.cpu_of(controller.pid) - cpu)
            print(f"  {'':26} of this {up:.1f} s and {up_calls} calls until all were RUNNING")
            if LOOK:
                self.look(controller, sdk)
        finally:
            controller.remove()

    def create(self, group, count):
        params = vcp_cci.openstack((self.cloud.facts["user"], self.cloud.facts["password"]))
        group.create_unit("unit", vcp_cci.unit("unit", "openstack", params, num_nodes=count))

    @staticmethod
    def remove(group):
        group.cleanup()
        harness.wait_until(lambda: group.read() is None, "all is gone", deadline_s=900)

    def look(self, controller, sdk):
        group = sdk.create_ugroup("look")
        self.create(group, LOOK)
        self.cloud.clear()
        begun = time.monotonic()
        controller.vcc("check", group.vcid)
        seconds, counts = time.monotonic() - begun, self.cloud.counts()
        words = ", ".join(f"{count} {action}" for action, count in counts.most_common())
        print(f"  one look at {LOOK} servers    {seconds:6.1f} s   {sum(counts.values())} calls ({words})", flush=True)
        self.remove(group)
        self.cloud.clear()

    def stop(self):
        self.cloud.stop()


def main():
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"
    try:
        race = Race()
    except unittest.SkipTest as reason:
        print(f"SKIP: {reason}")
        return
    print(f"  {COUNT} servers to ACTIVE and away again, on a real OpenStack")
    try:
        race.ours()
        race.rival("openstack CLI, one by one", ONE_BY_ONE)
        race.rival("openstack CLI, one request", AT_ONCE)
    finally:
        race.stop()


if __name__ == "__main__":
    main()
