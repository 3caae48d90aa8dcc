# SPDX-License-Identifier: Apache-2.0
"""The REST front: against a bare Poco handler that answers the same bytes, under pollers, and in memory.

Run by scripts/bench. Clients are wrk and rest_poller, on the same machine and its cores.
"""

import contextlib
import json
import os
import pathlib
import re
import resource
import socket
import ssl
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import vcp_cci  # noqa: E402
import vcp_client  # noqa: E402
from controller import Controller, build_dir  # noqa: E402

ROUNDS = 5
SECONDS = 2
CLIENTS = 16
IDLE = 1000
PATH = "/vcp/v1/occtr/vcs"


def wrk(port, token, path=PATH, *, close=False, seconds=SECONDS, clients=CLIENTS):
    """Answers per second."""
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "10s", "-H", f"x-vcc-access-token: {token}"]
    if close:
        command += ["-H", "Connection: close"]
    out = subprocess.run([*command, f"https://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise RuntimeError(out)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


@contextlib.contextmanager
def servers(vcs, nodes, changes=0):
    process = subprocess.Popen([str(build_dir() / "bench" / "rest_server"), str(vcs), str(nodes), str(changes)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(30)


def compare(name, facts, aim, **options):
    """One row of the table: medians of runs that take turns."""
    ours, bare = [], []
    for _ in range(ROUNDS):
        bare.append(wrk(facts["bare"], facts["token"], **options))
        ours.append(wrk(facts["ours"], facts["token"], **options))
    ratio = statistics.median(o / b for o, b in zip(ours, bare))
    print(f"  {name:52} {statistics.median(ours):9.0f} {statistics.median(bare):9.0f} {ratio:6.2f}   >= {aim}", flush=True)


def against_poco():
    print(f"  {'GET /vcs with wrk, ' + str(CLIENTS) + ' connections, answers a second':52} {'ours':>9} {'Poco':>9} {'ratio':>6}   aim")
    for vcs, nodes in ((10, 10), (100, 100)):
        with servers(vcs, nodes) as facts:
            size = f"{vcs} UnitGroups x {nodes} nodes ({facts['bytes'] / 1024:.0f} KiB)"
            compare(f"{size}, kept connections", facts, 0.8)
            if vcs == 10:
                compare(f"{size}, a TLS connection each", facts, 0.9, close=True)


def anonymous_kb(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(re.search(r"Anonymous:\s+(\d+)", text)[1])


def ask(connection, path, token):
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nx-vcc-access-token: {token}\r\n\r\n".encode())
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    left = int(re.search(rb"Content-Length: (\d+)", head)[1]) - len(body)
    while left > 0:
        left -= len(connection.recv(65536))


def idle_connections(controller, port):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    context = ssl._create_unverified_context()
    before = anonymous_kb(controller.pid)
    kept = []
    try:
        for _ in range(IDLE):
            kept.append(context.wrap_socket(socket.create_connection(("127.0.0.1", port))))
            ask(kept[-1], "/vcp/v1/occtr/version", controller.token)
        print(f"  memory of an idle TLS connection, of {IDLE}: {(anonymous_kb(controller.pid) - before) / IDLE:.1f} kB")
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
        begun = time.monotonic()
        fresh = context.wrap_socket(socket.create_connection(("127.0.0.1", port)))
        ask(fresh, PATH, controller.token)
        print(f"  a fresh GET /vcs beside them and 50 silent ones: {(time.monotonic() - begun) * 1000:.1f} ms")
        for connection in [*silent, fresh]:
            connection.close()
    finally:
        for connection in kept:
            connection.close()


def pollers(port, token, path, seconds, flood=False):
    """200 clients as in rest_poller, with or without wrk beside them: what they saw, and the answers a second of wrk."""
    process = subprocess.Popen([str(build_dir() / "bench" / "rest_poller"), str(port), token, path, "200", "5000", str(seconds)],
                               stdout=subprocess.PIPE, text=True)
    rate = wrk(port, token, seconds=seconds, clients=4) if flood else 0
    told = json.loads(process.communicate()[0])
    if told["failed"]:
        raise RuntimeError(f"{told['failed']} of {told['answers']} answers were none")
    return told, rate


def polling_against_poco():
    """The p99 of pollers depends on the machine and on who else works there; how it compares does less."""
    print(f"  200 clients, each GET /vcs/{{vcid}} of 1,000 nodes every 5 s on a new TLS connection, ms:"
          f"{'ours p50':>14} {'p99':>7} {'Poco p50':>9} {'p99':>7} {'ratio of p99':>13}")
    for flood in (False, True):
        for changes in (0, 400):
            ours, bare = [], []
            with servers(1, 1000, changes) as facts:
                path = f"{PATH}/{facts['vcid']}"
                for _ in range(3):
                    bare.append(pollers(facts["bare"], facts["token"], path, 10, flood))
                    ours.append(pollers(facts["ours"], facts["token"], path, 10, flood))
            row = [statistics.median(told[name] for told, _ in side) for side in (ours, bare) for name in ("p50", "p99")]
            rates = [statistics.median(rate for _, rate in side) for side in (ours, bare)]
            words = f"{'wrk beside them' if flood else 'nobody else'}, {changes} changes of a node a second"
            print(f"    {words:50} {row[0]:33.1f} {row[1]:7.1f} {row[2]:9.1f} {row[3]:7.1f} {row[1] / row[3]:13.2f}", flush=True)
            if flood:
                print(f"      wrk meanwhile had {rates[0]:.0f} and {rates[1]:.0f} answers a second", flush=True)


def under_load():
    catalog = "cci_version: '1.0'\nmock:\n  default:\n    private_network_ipmask: 10.250.0.0/16\n    mock_boot_ms: 10000\n"
    controller = Controller(catalog, providers=["mock"], environment={"VCC_LOG_LEVEL": "info"})
    try:
        port = int(re.search(r":(\d+)/", controller.url)[1])
        sdk = vcp_client.VcpSDK(controller.url, controller.token, controller.ca, settle_s=0)
        idle_connections(controller, port)
        before = anonymous_kb(controller.pid)
        group = sdk.create_ugroup("thousand")
        path = f"{PATH}/{group.vcid}"
        group.create_unit("u", vcp_cci.unit("u", "mock", vcp_cci.mock(), num_nodes=1000), wait_for=False)
        told, rate = pollers(port, controller.token, path, 15, flood=True)
        state = group.read()["unit"][0]["state"]
        print("  200 clients, each GET /vcs/{vcid} every 5 s on a new TLS connection, while its 1,000 nodes boot and wrk asks for")
        print(f"  GET /vcs {rate:.0f} times a second: {told['answers']} answers, {told['failed']} failed; unit then {state}")
        print(f"    with the connection p50 {told['p50']:.1f} ms, p99 {told['p99']:.1f} ms; the answer alone "
              f"p50 {told['answer_p50']:.1f} ms, p99 {told['answer_p99']:.1f} ms (aim: <= 20 ms)")
        harness.wait_until(lambda: group.read()["unit"][0]["state"] == "RUNNING", "all nodes run", 120)
        told, _ = pollers(port, controller.token, path, 10)
        print(f"    the same without wrk, all running: p50 {told['p50']:.1f} ms, p99 {told['p99']:.1f} ms")
        print(f"  memory of a node, of 1,000 and with their rendering: {(anonymous_kb(controller.pid) - before) / 1000:.1f} kB")
    finally:
        controller.stop()


def main():
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"
    against_poco()
    polling_against_poco()
    under_load()


if __name__ == "__main__":
    main()
