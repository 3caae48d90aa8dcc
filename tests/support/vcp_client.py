# SPDX-License-Identifier: Apache-2.0
"""A client that puts on the wire what the published SDK puts there, and complains where the SDK would.

Requests, order of requests, accepted status codes, required keys and wait loops follow spec/rest-protocol sections 2 to
9 (9.7 for the order); every answer is held against the document that the server serves (contract.py). The only freedom is the interval of the wait loops: the SDK's 5 s would make tests slow.
"""

import json
import time

import requests

import contract
import vcp_cci

PENDING = {"BOOTING", "STOPPING", "SUSPENDING", "RESUMING", "DELETING", "SHUTTING_DOWN"}


class VcpError(Exception):
    """What the SDK raises: its fixed text of the call. `status` and `message` are what the server said."""

    def __init__(self, text, status=None, message=""):
        super().__init__("VCP", text)
        self.status = status
        self.message = message

    def __str__(self):
        return f"{self.args[1]}: http_status({self.status}) {self.message}"


class Occtr:
    """The lower half: one method per REST call, as in the call table of rest-protocol section 5."""

    def __init__(self, url, token, verify=True):
        self.url = url
        self.token = token
        self.verify = verify
        self.privileged = False
        self.last_response = None

    def send(self, method, path, body=None):
        """One top-level call: a new connection each time, JSON content type even without a body."""
        headers = {"x-vcc-access-token": self.token.strip(), "Content-Type": "application/json"}
        if self.privileged:
            headers["x-vcc-privileged"] = "True"
        data = None if method == "GET" else json.dumps(body if body is not None else {})
        self.last_response = requests.request(method, self.url + path, headers=headers, data=data, verify=self.verify)
        announced = int(self.last_response.headers.get("Content-Length", 0))
        if len(self.last_response.content) < announced:  # requests does not mind: the server died under its answer
            raise requests.exceptions.ConnectionError(f"{len(self.last_response.content)} of {announced} bytes of the answer came")
        contract.served(self.url, self.verify).check(method, path, self.last_response, None if data is None else body or {})
        return self.last_response

    def call(self, error, ok, method, path, body=None):
        response = self.send(method, path, body)
        if response.status_code not in (ok if isinstance(ok, tuple) else (ok,)):
            raise VcpError(error, response.status_code, self.error_text(response))
        return response

    @staticmethod
    def error_text(response):
        """The SDK's own reading of an error body; it dies of a `message` that is no string, and so does this."""
        try:
            body = response.json()
        except ValueError:
            return response.text
        if "message" not in body:
            return response.text
        text = body["message"]
        for mark in ("'", '"', "\\"):
            text = text.replace("\\" + mark, mark)
        return text.replace("\\n", "\n")

    def config(self):
        self.call("config vc failed", 200, "GET", "")
        vcs = self.call("config vc failed", 200, "GET", "/vcs").json()["vcs"]
        return [check_vc(vc) for vc in vcs]

    def healthcheck(self):
        return self.send("GET", "/").status_code == 200

    def authority(self):
        return self.call("authority error", 200, "GET", "/accounts/authority").json()

    def publickey(self):
        return self.call("publickey failed", 200, "GET", "/publickey").json()["publickey"]

    def version(self):
        answer = self.call("oc controller version failed", 200, "GET", "/version").json()
        for name in answer["plugin"]:
            str(answer["plugin"][name])
        return {key: answer[key] for key in ("version", "git_tag", "plugin")}

    def vpn_catalog(self):
        return self.call("config node failed", 200, "GET", "/vpn_catalog").json()["vpn_catalog"]

    def create_vc(self, cci):
        body = {"cci": vcp_cci.encode(cci)} if cci else {}
        return self.call("create vc failed", 202, "POST", "/vcs", body).json()["vcid"]

    def vc(self, vcid):
        """The VC, or None: 404 is the SDK's sign of a VC that is gone."""
        response = self.call("config vc failed", (200, 404), "GET", f"/vcs/{vcid}")
        return None if response.status_code == 404 else check_vc(response.json())

    def update_vc(self, vcid, cci):
        self.call("update vc failed", 202, "PUT", f"/vcs/{vcid}", {"cci": vcp_cci.encode(cci)})

    def delete_vc(self, vcid, force=True):
        self.call("delete vc failed", 202, "DELETE", f"/vcs/{vcid}", {"force": "true" if force else "false"})

    def add_unit(self, vcid, name, cci):
        body = {"info": vcp_cci.encode(cci), "unit_name": name}
        self.call("add unit failed", 202, "POST", f"/vcs/{vcid}", body)

    def unit(self, vcid, name):
        unit = self.call("config unit failed", 200, "GET", f"/vcs/{vcid}/{name}").json()
        return check_unit(unit, "compute" if "node" in unit else "storage")

    def add_node(self, vcid, name, count, addresses=(), macs=()):
        body = {"ip_address_list": list(addresses), "mac_address_list": list(macs),
                "num_nodes": len(addresses) or len(macs) or count}
        self.call("add node failed", 202, "PUT", f"/vcs/{vcid}/{name}", body)

    def delete_unit(self, vcid, name, force=False):
        self.call("delete unit failed", 202, "DELETE", f"/vcs/{vcid}/{name}", {"force": "true" if force else "false"})

    def node(self, vcid, name, node_id):
        return check_node(self.call("config node failed", 200, "GET", f"/vcs/{vcid}/{name}/{node_id}").json())

    def delete_node(self, vcid, name, node_id):
        self.call("delete node failed", 202, "DELETE", f"/vcs/{vcid}/{name}/{node_id}", {})

    def unit_operation(self, vcid, name, operation):
        self.call(f"{operation} unit failed", 202, "PATCH", f"/vcs/{vcid}/{name}/{operation}", {})

    def node_operation(self, vcid, name, node_id, operation):
        text = f"{operation} node failed" if operation in ("suspend", "resume", "stop", "start") else f"{operation} failed"
        self.call(text, 202, "PATCH", f"/vcs/{vcid}/{name}/{node_id}/{operation}", {})

    def backup(self, vcid, name, node_id):
        self.call("backup failed", 202, "GET", f"/vcs/{vcid}/{name}/{node_id}/backup")


def check_node(node):
    """Raises KeyError or TypeError where the SDK's parser or its tables would."""
    for key in ("node_id", "state", "error_message"):
        len(node[key] if key == "node_id" else node.get(key, ""))
    node["node_no"] < 0  # noqa: B015  the SDK sorts by it: must be a number
    if "disk_no" in node:
        raise KeyError("disk_no in a compute node turns its unit into storage")
    for volume in node.get("volumes", []):
        volume["volume_id"]
    return node


def check_unit(unit, kind):
    len(unit.get("error_message", ""))
    unit.get("name", "") + ""
    for member in unit["node" if kind == "compute" else "disk"]:
        check_node(member) if kind == "compute" else check_disk(member)
    return unit


def check_disk(disk):
    disk["disk_id"][:8], len(disk.get("error_message", ""))
    disk["disk_no"] < 0  # noqa: B015  the SDK sorts by it: must be a number
    return disk


def check_vc(vc):
    vc["vcid"][:8], vc.get("vcc_id", "")[:8]
    for unit in vc.get("unit", []):
        check_unit(unit, vc.get("type") or "compute")
    return vc


class VcpSDK:
    """The upper half: start-up and searches."""

    def __init__(self, url, token, verify=True, *, lower=Occtr, poll_s=5.0, wait_timeout_s=1000.0, settle_s=6.0):
        self.occtr = lower(url, token, verify)
        self.poll_s = poll_s
        self.wait_timeout_s = wait_timeout_s
        self.settle_s = settle_s  # what the SDK sleeps after a unit was applied
        self.occtr.config()
        self.occtr.authority()

    def ugroups(self):
        return self.occtr.config()

    def create_ugroup(self, name, kind="compute"):
        if any(vc["name"] == name for vc in self.occtr.config()):
            raise VcpError(f"ugroup {name} exists already")
        vcid = self.occtr.create_vc(vcp_cci.vc(name, kind))
        if not any(vc["vcid"] == vcid for vc in self.occtr.config()):
            raise VcpError("create vc failed: cannot find new vc")
        return UnitGroup(self, vcid)

    def get_ugroup(self, name):
        for vc in self.occtr.config():
            if vc["name"] == name:
                return UnitGroup(self, vc["vcid"])
        return None

    def df_ugroups(self):
        return [(vc["vcno"], vc.get("type"), vc["owner"], vc["name"], vc["state"], vc["vcid"], vc["cdate"])
                for vc in self.occtr.config()]

    def df_nodes(self):
        return [row for vc in self.occtr.config() for row in node_rows(vc)]

    def polls(self):
        """Yields once per poll, waits between; as many as the time-out allows."""
        for _ in range(int(self.wait_timeout_s / self.poll_s)):
            yield
            time.sleep(self.poll_s)


def node_rows(vc):
    instance = f"VCP-{vc['vcc_id'][:8]}-{vc['vcid'][:8]}"
    return [(vc["vcno"], vc["name"], unit["name"], unit["state"], node["node_no"], node["node_id"], node["state"],
             node.get("cloud_instance_address", ""), node.get("cloud_instance_id", ""), instance,
             "exists" if len(node.get("volumes", [])) else "none")
            for unit in vc["unit"] for node in sorted(unit["node"], key=lambda node: node["node_no"])]


class UnitGroup:
    def __init__(self, sdk, vcid):
        self.sdk = sdk
        self.vcid = vcid
        self.first_seen = None  # the VC as it was right after the 202 of the last create_unit

    def read(self):
        return self.sdk.occtr.vc(self.vcid)

    def find(self, name):
        vc = self.read()
        return next((unit for unit in (vc["unit"] if vc else []) if unit["name"] == name), None)

    def df_nodes(self):
        return node_rows(self.read())

    def create_unit(self, name, cci, wait_for=True):
        if self.find(name) is not None:
            raise VcpError(f"unit {name} exists already")
        self.sdk.occtr.add_unit(self.vcid, name, cci)
        self.first_seen = self.read()
        self.read()
        if wait_for:
            self.wait_unit_applied(name)
        [unit for unit in self.read()["unit"] if unit["name"] == name][0]  # the SDK indexes this list
        return Unit(self, name)

    def delete_units(self, name, force=False, wait_for=True):
        if self.find(name) is None:
            raise VcpError(f"unit {name} does not exist")
        self.read()
        self.sdk.occtr.delete_unit(self.vcid, name, force)
        if wait_for:
            self.wait_unit_applied(name)

    def wait_unit_applied(self, name):
        """Loop A."""
        for _ in self.sdk.polls():
            unit = self.find(name)
            state = unit["state"] if unit else ""
            if state in PENDING or state == "INDEFINITE":
                continue
            if state == "ERROR":
                raise VcpError(f"failed ({name})", message=unit["error_message"])
            time.sleep(self.sdk.settle_s)
            return
        raise VcpError(f"Full of waiting time ({name})")

    def cleanup(self, wait_for=True):
        self.sdk.occtr.delete_vc(self.vcid)
        if not wait_for:
            return
        for _ in self.sdk.polls():
            vc = self.read()
            if vc is None or not vc["unit"]:
                return
            storage = vc.get("type") == "storage"
            if all(unit["state"] == "ERROR" or (storage and unit["state"] == "RUNNING") for unit in vc["unit"]):
                break
        raise VcpError("not completed!!!")

    def rename(self, name):
        self.sdk.occtr.update_vc(self.vcid, vcp_cci.vc(name))
        self.read()


class Unit:
    def __init__(self, group, name):
        self.group = group
        self.name = name
        self.occtr = group.sdk.occtr

    def read(self):
        return self.occtr.unit(self.group.vcid, self.name)

    def nodes(self):
        return sorted(self.read()["node"], key=lambda node: node["node_no"])

    def add_nodes(self, count=1, addresses=(), wait_for=True):
        self.read()
        self.occtr.add_node(self.group.vcid, self.name, count, addresses)
        self.read()
        if wait_for:
            self.wait_nodes_applied()
        return self.nodes()

    def delete_nodes(self, count=1, addresses=()):
        """The first `count` nodes in the server's order, or those with these addresses; one after the other."""
        nodes = self.read()["node"]
        chosen = [node for node in nodes if node["cloud_instance_address"] in addresses] if addresses else nodes[:count]
        for node in chosen:
            self.occtr.delete_node(self.group.vcid, self.name, node["node_id"])
            self.wait_nodes_applied()
        return self.nodes()

    def operate(self, operation, wait_for=True):
        """suspend, resume, stop, start, power_off, power_on, watch or unwatch of the unit."""
        self.occtr.unit_operation(self.group.vcid, self.name, operation)
        if wait_for:
            self.wait_nodes_applied()
        return self.nodes()

    def operate_nodes(self, operation, numbers=None):
        """power_off_nodes, power_on_nodes and watch_nodes of the SDK: one after the other; unwatch does not wait."""
        for node in [n for n in self.read()["node"] if numbers is None or n["node_no"] in numbers]:
            self.occtr.node_operation(self.group.vcid, self.name, node["node_id"], operation)
            if operation != "unwatch":
                self.wait_nodes_applied()
        return self.nodes()

    def wait_nodes_applied(self):
        """Loop B. An ERROR ends it without an exception, as in the SDK."""
        for _ in self.group.sdk.polls():
            state = self.read()["state"]
            if state in PENDING:
                continue
            if state == "INDEFINITE" and any(node["state"] in PENDING for node in self.read()["node"]):
                continue
            return
        raise VcpError("Full of waiting time")
