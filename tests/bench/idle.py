# SPDX-License-Identifier: Apache-2.0
"""What 10,000 idle nodes cost: CPU share over a minute, memory. Run by scripts/bench. Usage: idle.py [NODES [SECONDS]]"""

import os
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller  # noqa: E402

UNIT = 1000
QUIET_S = 30  # ten times as often as a controller asks by default: the minute sees two rounds
CATALOG = """\
cci_version: '1.0'
mock:
  default:
    private_network_ipmask: 10.64.0.0/16
    mock_boot_ms: 1
"""


def memory(pid):
    found = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            name, _, rest = line.partition(":")
            if rest.strip().endswith("kB"):
                found[name] = int(rest.split()[0]) / 1024
    return found["Rss"], found["Anonymous"]


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    nodes = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"
    data = tempfile.mkdtemp(prefix="vcc-idle.")
    controller = Controller(CATALOG, data=data, environment={
        "VCC_QUIET_POLL_S": str(QUIET_S), "VCC_LIMITS_NODES_PER_USER": str(nodes), "VCC_LOG_LEVEL": "warning"})
    try:
        time.sleep(3)
        rss, anonymous = memory(controller.pid)
        print(f"empty: RSS {rss:.1f} MB, of it private {anonymous:.1f} MB")
        sdk = vcp_client.VcpSDK(controller.url, controller.token, controller.ca, poll_s=0.5, settle_s=0)
        group = sdk.create_ugroup("idle")
        begun = time.monotonic()
        for first in range(0, nodes, UNIT):
            count = min(UNIT, nodes - first)
            group.create_unit(f"u{first}", vcp_cci.unit(f"u{first}", "mock", vcp_cci.mock(), num_nodes=count))
        print(f"{nodes} nodes RUNNING after {time.monotonic() - begun:.1f} s")
        time.sleep(35)  # pools end threads that have had no work for 30 s
        used, begun = cpu_seconds(controller.pid), time.monotonic()
        time.sleep(seconds)
        share = (cpu_seconds(controller.pid) - used) / (time.monotonic() - begun)
        rss_full, anonymous_full = memory(controller.pid)
        print(f"idle, every account asked for each {QUIET_S} s: {share * 100:.2f} % of one core over {seconds} s (aim < 2 %)")
        print(f"RSS {rss_full:.1f} MB (aim < 150 MB), of it private {anonymous_full:.1f} MB: "
              f"{(anonymous_full - anonymous) * 1024 / nodes:.2f} kB a node")
    finally:
        controller.stop()
        shutil.rmtree(data, ignore_errors=True)
        pathlib.Path(data + ".master.key").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
