#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small cloud on loopback, for drivers to be tried on. README.md describes its API. Standard library only."""

import argparse
import collections
import http.server
import ipaddress
import json
import secrets
import socket
import threading
import time
import urllib.parse

SIZES = ("small", "large")
IMAGES = [{"id": "img-1", "name": "ubuntu", "created": 1}, {"id": "img-2", "name": "ubuntu", "created": 2}]
NETWORK = ipaddress.ip_network("10.77.0.0/16")
PAGE = 50
#          user      password           API key       may it change things
ACCOUNTS = [("demo", "demo-password", "demo-key", True),
            ("other", "other-password", "other-key", True),
            ("reader", "reader-password", "reader-key", False)]


class Refused(Exception):
    """An answer other than 2xx."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Cloud:
    """The machines and disks of all accounts. Not locked: the caller holds TinyCloud's lock."""

    def __init__(self, boot_ms, copy_ms, token_s, quota):
        self.boot_ms, self.copy_ms, self.token_s, self.quota = boot_ms, copy_ms, token_s, quota
        self.machines, self.disks, self.sessions, self.requests_by_key = {}, {}, {}, {}
        self.last_id = 0

    @staticmethod
    def now_ms():
        return int(time.monotonic() * 1000)

    def new_id(self, kind):
        self.last_id += 1
        return f"{kind}-{self.last_id:06d}"

    # Accounts

    def login(self, body):
        for user, password, _, writes in ACCOUNTS:
            if body.get("user") == user and body.get("password") == password:
                token = secrets.token_hex(16)
                self.sessions[token] = (user, writes, self.now_ms() + self.token_s * 1000)
                return {"token": token, "expires_in": self.token_s}
        raise Refused(401, "bad_login", "user or password is wrong")

    def account(self, authorization):
        """(account, may it change things)"""
        scheme, _, token = (authorization or "").partition(" ")
        for user, _, key, writes in ACCOUNTS:
            if scheme == "Bearer" and secrets.compare_digest(token, key):
                return user, writes
        user, writes, until = self.sessions.get(token, (None, False, 0))
        if user is None or until <= self.now_ms():
            raise Refused(401, "bad_token", "the key or token is unknown or has expired")
        return user, writes

    # Machines

    def shown(self, machine):
        view = {key: machine[key] for key in ("id", "name", "size", "address", "disk", "labels", "created")}
        view["state"] = machine["state"]
        if machine["state"] == "building" and self.now_ms() >= machine["ready_at"]:
            view["state"] = "running"
        return view

    def find(self, table, account, object_id):
        found = table.get(object_id)
        if found is None or found["account"] != account:
            raise Refused(404, "not_found", f"there is no {object_id}")
        return found

    def listed(self, table, account, query, shown):
        """One page, oldest first; `next` is missing on the last one."""
        rows = [row for row in table.values() if row["account"] == account and row["id"] > query.get("after", "")]
        if "name" in query:
            rows = [row for row in rows if row["name"] == query["name"]]
        if "label" in query:
            key, _, value = query["label"].partition(":")
            rows = [row for row in rows if row["labels"].get(key) == value]
        limit = min(int(query.get("limit", PAGE)), PAGE)
        page = {"items": [shown(row) for row in rows[:limit]]}
        if len(rows) > limit:
            page["next"] = rows[limit - 1]["id"]
        return page

    def address(self, wanted):
        taken = {machine["address"] for machine in self.machines.values()}
        if not wanted:
            return next(str(a) for n, a in enumerate(NETWORK.hosts()) if n >= 9 and str(a) not in taken)
        try:
            inside = ipaddress.ip_address(wanted) in NETWORK
        except ValueError:
            inside = False
        if not inside:
            raise Refused(400, "bad_address", f"address must lie in {NETWORK}")
        if wanted in taken:
            raise Refused(409, "address_in_use", f"address {wanted} is in use")
        return wanted

    def create_machine(self, account, body, key=None, *, disks=False):
        if key is not None:
            known = self.requests_by_key.get((account, key))
            if known and known[0] != body:
                raise Refused(409, "key_reused", "this Idempotency-Key came with another request before")
            if known:
                return known[1]
        if not body.get("name") or body.get("size") not in SIZES:
            raise Refused(400, "bad_request", f"name is required, and size must be one of {', '.join(SIZES)}")
        if sum(machine["account"] == account for machine in self.machines.values()) >= self.quota:
            raise Refused(403, "quota_exceeded", f"the account may have {self.quota} machines")
        disk = body.get("disk") if disks else None
        if disk:
            row = self.find(self.disks, account, disk)
            if row["machine"] or self.shown_disk(row)["state"] != "ready":
                raise Refused(409, "disk_busy", f"disk {disk} is being copied or belongs to another machine")
        machine = {"id": self.new_id("m"), "account": account, "name": body["name"], "size": body["size"],
                   "address": self.address(body.get("address")), "disk": disk, "labels": body.get("labels") or {},
                   "created": self.now_ms(), "state": "building", "ready_at": self.now_ms() + self.boot_ms}
        if disks and not body.get("power", True):
            machine["state"] = "stopped"
        if disk:
            self.disks[disk]["machine"] = machine["id"]
        self.machines[machine["id"]] = machine
        answer = self.shown(machine)
        if key is not None:
            self.requests_by_key[(account, key)] = (body, answer)
        return answer

    def delete_machine(self, account, machine_id):
        machine = self.find(self.machines, account, machine_id)
        if machine["disk"]:
            self.disks[machine["disk"]]["machine"] = None
        del self.machines[machine_id]

    def power(self, account, machine_id, on):
        machine = self.find(self.machines, account, machine_id)
        if on and machine["state"] == "stopped":
            machine.update(state="building", ready_at=self.now_ms() + self.boot_ms)
        elif not on:
            machine["state"] = "stopped"

    # Disks

    def shown_disk(self, disk):
        done = 100 if self.copy_ms == 0 else min(100, (self.now_ms() - disk["created"]) * 100 // self.copy_ms)
        view = {key: disk[key] for key in ("id", "name", "image", "machine", "labels", "created")}
        return {**view, "state": "ready" if done == 100 else "copying", "progress": done}

    def create_disk(self, account, body):
        if not body.get("name") or body.get("image") not in [image["id"] for image in IMAGES]:
            raise Refused(400, "bad_request", "name is required, and image must be the id of an image")
        disk = {"id": self.new_id("d"), "account": account, "name": body["name"], "image": body["image"],
                "machine": None, "labels": body.get("labels") or {}, "created": self.now_ms()}
        self.disks[disk["id"]] = disk
        return self.shown_disk(disk)

    def delete_disk(self, account, disk_id):
        if self.find(self.disks, account, disk_id)["machine"]:
            raise Refused(409, "disk_busy", f"disk {disk_id} belongs to a machine")
        del self.disks[disk_id]

    # Dispatch

    def serve(self, method, path, query, body, headers):
        """(status, JSON value or None)"""
        version, *rest = path.strip("/").split("/")
        if version not in ("v1", "v2"):
            raise Refused(404, "not_found", f"there is no {path}")
        if (method, rest) == ("POST", ["login"]):
            return 200, self.login(body)
        account, writes = self.account(headers.get("Authorization"))
        if method != "GET" and not writes:
            raise Refused(403, "read_only", "this account may only read")
        route = (method, rest[0] if rest else "", len(rest))
        if route == ("POST", "machines", 1):
            if version == "v1":
                return 201, self.create_machine(account, body, headers.get("Idempotency-Key"))
            return 201, self.create_machine(account, body, disks=True)
        if route == ("GET", "machines", 1):
            return 200, self.listed(self.machines, account, query, self.shown)
        if route == ("GET", "machines", 2):
            return 200, self.shown(self.find(self.machines, account, rest[1]))
        if route == ("DELETE", "machines", 2):
            return 202, self.delete_machine(account, rest[1])
        if route == ("POST", "machines", 3) and rest[2] == "power":
            return 202, self.power(account, rest[1], body.get("on") is True)
        if version == "v2":
            if route == ("GET", "images", 1):
                return 200, {"items": [image for image in IMAGES if image["name"] == query.get("name", image["name"])]}
            if route == ("POST", "disks", 1):
                return 201, self.create_disk(account, body)
            if route == ("GET", "disks", 1):
                return 200, self.listed(self.disks, account, query, self.shown_disk)
            if route == ("GET", "disks", 2):
                return 200, self.shown_disk(self.find(self.disks, account, rest[1]))
            if route == ("DELETE", "disks", 2):
                return 202, self.delete_disk(account, rest[1])
        raise Refused(404, "not_found", f"there is no {method} {path}")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer leaves in one piece

    def log_message(self, *arguments):
        pass

    def handle_one(self):
        owner = self.server.owner
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            return self.answer(400, {"error": {"code": "bad_json", "message": "the body is not JSON"}})
        if url.path.startswith("/control/"):
            return self.control(url.path, body)
        with owner.lock:
            fault = owner.take_fault(self.command, url.path)
            status, value = (0, None)
            if fault is None or fault["kind"] == "lost":
                try:
                    status, value = owner.cloud.serve(self.command, url.path, query, body, self.headers)
                except Refused as refused:
                    status = refused.status
                    value = {"error": {"code": refused.code, "message": refused.message}}
            owner.requests.append({"method": self.command, "path": self.path, "status": status,
                                   "fault": fault["kind"] if fault else None})
        if fault is None:
            return self.answer(status, value)
        if fault["kind"] in ("lost", "dropped"):
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        if fault["kind"] == "500":
            return self.answer(500, None, raw=b"<html><body>Internal Server Error</body></html>", kind="text/html")
        headers = {"Retry-After": str(fault.get("retry_after", 1))} if fault["kind"] in ("429", "503") else {}
        error = {"error": {"code": f"fault_{fault['kind']}", "message": "switched on by /control/fault"}}
        return self.answer(int(fault["kind"]), error, headers=headers)

    do_GET = do_POST = do_DELETE = handle_one

    def control(self, path, body):
        owner = self.server.owner
        if self.command == "POST" and path == "/control/fault":
            owner.fault(**body)
            return self.answer(200, {})
        if self.command == "GET" and path == "/control/state":
            return self.answer(200, owner.state())
        if self.command == "GET" and path == "/control/requests":
            with owner.lock:
                return self.answer(200, {"items": list(owner.requests)})
        return self.answer(404, {"error": {"code": "not_found", "message": "fault, state, requests"}})

    def answer(self, status, value, *, headers=None, raw=None, kind="application/json"):
        data = raw if raw is not None else b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Request-Id", secrets.token_hex(6))
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)


class TinyCloud:
    """The server. `url` is its address; stop() ends it."""

    def __init__(self, port=0, *, boot_ms=300, copy_ms=300, token_s=600, quota=100):
        self.lock = threading.Lock()
        self.cloud = Cloud(boot_ms, copy_ms, token_s, quota)
        self.faults = []
        self.requests = collections.deque(maxlen=10_000)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.owner = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def fault(self, method, path, kind, times=1, retry_after=1):
        """The next `times` requests of this method and path (a prefix) end in `kind` (README.md)."""
        with self.lock:
            self.faults.append({"method": method, "path": path, "kind": str(kind), "times": times,
                                "retry_after": retry_after})

    def take_fault(self, method, path):
        for fault in self.faults:
            if fault["times"] > 0 and fault["method"] == method and path.startswith(fault["path"]):
                fault["times"] -= 1
                return fault
        return None

    def pending_faults(self):
        with self.lock:
            return [fault for fault in self.faults if fault["times"] > 0]

    def state(self):
        """Everything that exists, of every account."""
        with self.lock:
            return {"machines": [self.cloud.shown(machine) for machine in self.cloud.machines.values()],
                    "disks": [self.cloud.shown_disk(disk) for disk in self.cloud.disks.values()]}

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8077)
    parser.add_argument("--boot-ms", type=int, default=3000)
    parser.add_argument("--copy-ms", type=int, default=3000)
    parser.add_argument("--token-s", type=int, default=600)
    options = parser.parse_args()
    cloud = TinyCloud(options.port, boot_ms=options.boot_ms, copy_ms=options.copy_ms, token_s=options.token_s)
    print(json.dumps({"url": cloud.url}), flush=True)
    try:
        cloud.thread.join()
    except KeyboardInterrupt:
        cloud.stop()


if __name__ == "__main__":
    main()
