# SPDX-License-Identifier: Apache-2.0
"""The part of scripts/quickstart that talks to the controller.

usage: quickstart.py CONTROLLER_JSON VCC_PROGRAM [USER@HOST IMAGE]

Creates a UnitGroup with one unit over the REST API and shows its nodes until they run. Standard library only.
"""

import json
import pathlib
import shlex
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import vcp_cci  # noqa: E402

MOVING = {"BOOTING", "STOPPING", "SUSPENDING", "RESUMING", "DELETING", "SHUTTING_DOWN", "INDEFINITE"}
WAIT_S = 1000
POLL_S = 0.5


class Api:
    def __init__(self, controller):
        self.url = controller["url"]
        self.token = controller["token"]
        context = ssl.create_default_context(cafile=controller["ca"])
        # The controller is on loopback: a proxy of the environment must not come between.
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode("ascii")
        headers = {"x-vcc-access-token": self.token, "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with self.opener.open(request, timeout=60) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            text = error.read().decode("utf-8", "replace")
            try:
                text = json.loads(text)["message"]
            except (ValueError, KeyError, TypeError):
                pass
            sys.exit(f"quickstart: {method} {path} was refused with {error.code}: {text}")
        except urllib.error.URLError as error:
            sys.exit(f"quickstart: cannot reach the controller at {self.url}: {error.reason}")


def rows(unit):
    yield ("node", "state", "address", "instance", "booted")
    for node in unit["node"]:
        yield (str(node["node_no"]), node["state"], node.get("cloud_instance_address") or "-",
               node.get("cloud_instance_id") or "-", node.get("boot_date") or "-")


class Table:
    """Redraws itself in place on a terminal; elsewhere prints a node's row when the row changes."""

    def __init__(self):
        self.in_place = sys.stdout.isatty()
        self.shown = []

    def show(self, unit):
        table = [f"  {row[0]:>4}  {row[1]:<15}  {row[2]:<15}  {row[3]:<24}  {row[4]}" for row in rows(unit)]
        if self.in_place:
            up = f"\033[{len(self.shown)}A" if self.shown else ""
            print(up + "".join(f"\033[K{line}\n" for line in table) + "\033[J", end="", flush=True)
        else:
            for line in table:
                if line not in self.shown:
                    print(line, flush=True)
        self.shown = table


def free_name(api):
    taken = {vc["name"] for vc in api.call("GET", "/vcs")["vcs"]}
    return next(name for name in (f"quickstart-{n}" for n in range(1, 10000)) if name not in taken)


def existing_server(api, target, image):
    user, host = target.split("@", 1)
    try:
        address = socket.gethostbyname(host)
    except OSError as error:
        sys.exit(f"quickstart: {host} has no address: {error}")
    key = api.call("GET", "/publickey")["publickey"].strip()
    print(f"\nThe controller logs in to {target} with this key. Install it there first, for example with\n"
          f"  ssh {target} {shlex.quote('mkdir -p ~/.ssh && echo ' + shlex.quote(key) + ' >> ~/.ssh/authorized_keys')}\n")
    if sys.stdin.isatty():
        input("Press Enter when that is done. ")
    else:
        print("(no terminal: continuing as if it were done)")
    return vcp_cci.unit("server", "onpremises", vcp_cci.onpremises([address], user), image=image)


def main():
    controller_file, vcc = sys.argv[1], sys.argv[2]
    target, image = (sys.argv[3:5] + ["", ""])[:2]
    with open(controller_file, encoding="utf-8") as file:
        controller = json.load(file)
    api = Api(controller)
    if target:
        unit_name, cci = "server", existing_server(api, target, image)
    else:
        unit_name, cci = "web", vcp_cci.unit("web", "mock", vcp_cci.mock(), num_nodes=3)

    name = free_name(api)
    vcid = api.call("POST", "/vcs", {"cci": vcp_cci.encode(vcp_cci.vc(name))})["vcid"]
    path = f"/vcs/{vcid}/{unit_name}"
    api.call("POST", f"/vcs/{vcid}", {"info": vcp_cci.encode(cci), "unit_name": unit_name})
    print(f"UnitGroup {name} ({vcid}), unit {unit_name}:")
    table = Table()
    deadline = time.monotonic() + WAIT_S
    while True:
        unit = api.call("GET", path)
        table.show(unit)
        if unit["state"] not in MOVING:
            break
        if time.monotonic() > deadline:
            sys.exit(f"quickstart: the unit is still {unit['state']} after {WAIT_S} s; see the log in {controller['data_dir']}/dev/occtr.log")
        time.sleep(POLL_S)

    if unit["state"] != "RUNNING":
        # Taken away again, so that the server's address is free for the next try.
        api.call("DELETE", f"/vcs/{vcid}", {"force": "true"})
        sys.exit(f"\nThe unit is {unit['state']}:\n{unit['error_message']}\n"
                 "The UnitGroup is being deleted. Mend the cause and run this again.")
    token_file = pathlib.Path(controller_file).with_name("token")
    curl = f"curl -s --cacert {shlex.quote(controller['ca'])} -H \"x-vcc-access-token: $TOKEN\" -H 'Content-Type: application/json'"
    grow = json.dumps({"ip_address_list": [], "mac_address_list": [], "num_nodes": 1})
    more = "" if target else f"  {curl} -X PUT {api.url}{path} -d {shlex.quote(grow)}   # one more node\n"
    print(f"""
The controller runs on (pid {controller['pid']}). What to try next:

  TOKEN=$(cat {shlex.quote(str(token_file))})
  {curl} {api.url}/vcs | python3 -m json.tool          # everything, as JSON
{more}  {curl} -X DELETE {api.url}/vcs/{vcid} -d '{{"force": "true"}}'   # take this UnitGroup away
  {shlex.quote(vcc)} --socket {shlex.quote(controller['admin_socket'])} status
  tail -f {shlex.quote(controller['data_dir'] + '/dev/occtr.log')}
  scripts/quickstart --down""")
    return 0


if __name__ == "__main__":
    sys.exit(main())
