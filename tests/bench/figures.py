# SPDX-License-Identifier: Apache-2.0
"""The figures of the product: memory, start, size, speed of the simulated cloud. Run by scripts/bench."""

import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller, build_dir  # noqa: E402

BOOT_MS = 2000
CATALOG = f"""\
cci_version: '1.0'
mock:
  default:
    private_network_ipmask: 10.250.0.0/16
    mock_boot_ms: {BOOT_MS}
  quick:
    private_network_ipmask: 10.251.0.0/16
    mock_boot_ms: 1
onpremises:
  default: {{}}
"""


def memory(pid):
    """(private anonymous, RSS, PSS) in MB."""
    found = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            name, _, rest = line.partition(":")
            if rest.strip().endswith("kB"):
                found[name] = int(rest.split()[0]) / 1024
    return found["Anonymous"], found["Rss"], found["Pss"]


def report_memory(name, pid):
    anonymous, rss, pss = memory(pid)
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        threads = next(line.split()[1] for line in file if line.startswith("Threads"))
    print(f"  {name:34} private anonymous {anonymous:5.1f} MB   RSS {rss:5.1f} MB   PSS {pss:5.1f} MB   {threads} threads")


def skeleton_memory(controller):
    dev = pathlib.Path(controller.data_dir, "dev")
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([str(build_dir() / "bench" / "skeleton"), str(dev / "server.pem"), str(dev / "server_key.pem"),
                                    f"{folder}/skeleton.db"], stdout=subprocess.PIPE)
        try:
            process.stdout.readline()
            report_memory("empty skeleton, same libraries", process.pid)
        finally:
            process.terminate()
            process.wait(10)


def connect(controller, **options):
    # Everything is on loopback; a proxy of the environment must not come between.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"
    return vcp_client.VcpSDK(controller.url, controller.token, controller.ca, settle_s=0, **options)


def unit_of_50(sdk):
    group = sdk.create_ugroup("fifty")
    cci = vcp_cci.unit("u", "mock", vcp_cci.mock(), num_nodes=50)
    begun = time.monotonic()
    group.create_unit("u", cci)
    took = time.monotonic() - begun
    state = group.read()["unit"][0]["state"]
    print(f"50-node simulated unit: {state} after {took:.2f} s; its machines boot in {BOOT_MS / 1000:.2f} s each")
    begun = time.monotonic()
    group.cleanup()
    print(f"  and gone again after {time.monotonic() - begun:.2f} s")


def thousand_nodes(sdk):
    group = sdk.create_ugroup("thousand")
    begun = time.monotonic()
    group.create_unit("u", vcp_cci.unit("u", "mock", vcp_cci.mock(), num_nodes=1000, network="quick"))
    print(f"1,000-node simulated unit: {group.read()['unit'][0]['state']} after {time.monotonic() - begun:.2f} s")


def start_to_ready(data, runs=5):
    """Starts the server itself on a folder that nobody runs on, and watches for its ready file."""
    ready = pathlib.Path(data, "run", "occtr.json")
    times = []
    for _ in range(runs):
        ready.unlink(missing_ok=True)
        with open(os.devnull, "wb") as null:
            begun = time.monotonic()
            process = subprocess.Popen([str(build_dir() / "bin" / "occtr"), "--config", f"{data}/dev/occtr.yml"], stdout=null, stderr=null)
            while not ready.exists():
                if process.poll() is not None or time.monotonic() - begun > 60:
                    process.kill()
                    raise RuntimeError("occtr did not get ready")
                time.sleep(0.001)
            times.append((time.monotonic() - begun) * 1000)
        if len(times) == runs:
            time.sleep(2)
            report_memory("occtr, 1,000 nodes, restarted", process.pid)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    return times


def sizes():
    build = build_dir()
    total = 0
    with tempfile.TemporaryDirectory() as folder:
        for file in [build / "bin" / "occtr", build / "bin" / "vcc", *sorted((build / "plugins").glob("*.so"))]:
            stripped = pathlib.Path(folder, file.name)
            subprocess.run(["strip", "-o", str(stripped), str(file)], check=True)
            size = stripped.stat().st_size
            total += size
            print(f"  {file.name:34} {size / 1e6:6.2f} MB")
    print(f"  {'all':34} {total / 1e6:6.2f} MB")


def main():
    data = tempfile.mkdtemp(prefix="vcc-figures.")
    controller = Controller(CATALOG, data=data)
    try:
        time.sleep(3)
        print("idle memory")
        report_memory("occtr, both drivers, empty store", controller.pid)
        skeleton_memory(controller)
        sdk = connect(controller, poll_s=0.02)
        unit_of_50(sdk)
        sdk.poll_s = 0.2
        thousand_nodes(sdk)
        time.sleep(3)
        report_memory("occtr, 1,000 nodes", controller.pid)
        controller.stop()
        times = start_to_ready(data)
        print(f"start to ready with 1,000 nodes: median {statistics.median(times):.0f} ms ({min(times):.0f} to {max(times):.0f})")
        print("stripped size on disk")
        sizes()
    finally:
        controller.stop()
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    main()
