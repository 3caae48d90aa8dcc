# SPDX-License-Identifier: Apache-2.0
"""A real OpenStack for a Python test: wraps scripts/peers/openstack. VCC_OPENSTACK names the folder of one that is up already,
which is then used and left as it is. Between the services and who asks for the region `Watched` stands a proxy each.
"""

import collections
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import requests

import harness
from rest_proxy import RestProxy

PEER = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "peers" / "openstack"
REGION = "Watched"
# Service -> name and type in the catalog, what the catalog's URL ends with, prefix of all its paths.
SERVICES = {
    "nova": ("compute", "/v2.1", "/v2.1"),
    "neutron": ("network", "", "/v2.0"),
    "glance": ("image", "", "/v2"),
    "cinder": ("volumev3", "/v3/$(project_id)s", "/v3/{project}"),
}


class Refused(Exception):
    def __init__(self, response):
        super().__init__(f"{response.request.method} {response.url}: {response.status_code} {response.text[:500]}")
        self.status = response.status_code


class Session:
    """One user's own token; asks the services directly, past the proxies."""

    def __init__(self, facts, user, password, project, auth_url=None):
        self.facts = facts
        name = {"domain": {"id": "default"}, "name": user, "password": password}
        login = {"auth": {"identity": {"methods": ["password"], "password": {"user": name}},
                          "scope": {"project": {"domain": {"id": "default"}, "name": project}}}}
        self.headers = {}
        self.endpoints = {**facts["endpoints"], "keystone": (auth_url or facts["auth_url"]).removesuffix("/v3")}
        response = self.ask("keystone", "POST", "/v3/auth/tokens", login)
        self.headers = {"X-Auth-Token": response.headers["X-Subject-Token"]}
        self.project_id = response.json()["token"]["project"]["id"]

    def ask(self, service, method, path, body=None):
        response = requests.request(method, self.endpoints[service] + path, json=body, headers=self.headers, timeout=120)
        if not response.ok:
            raise Refused(response)
        return response

    def __call__(self, service, method, path, body=None):
        response = self.ask(service, method, path, body)
        return response.json() if response.content else None


class OpenStack:
    """Comes up within minutes; end it with stop(). Raises SkipTest where it cannot be."""

    def __init__(self):
        self.own = None
        folder = os.environ.get("VCC_OPENSTACK")
        if folder is None:
            self.own = tempfile.mkdtemp(prefix="vcc-openstack.")
            folder = str(pathlib.Path(self.own, "peer"))
            started = subprocess.run([PEER, "up", folder, "--installed", "--owner", str(os.getpid())], capture_output=True,
                                     text=True, check=False, timeout=600)
            if started.returncode != 0:
                self.stop()
            if started.returncode == 77:
                raise unittest.SkipTest(started.stdout.strip().removeprefix("SKIP: "))
            if started.returncode != 0:
                raise RuntimeError(f"openstack up failed: {started.stderr}")
            self.facts = json.loads(started.stdout)
        else:
            self.facts = json.loads(subprocess.run([PEER, "facts", folder], capture_output=True, text=True, check=True).stdout)
        self.proxies = {}
        try:
            self.admin = Session(self.facts, "admin", self.facts["admin_password"], "admin")
            self.user = self.session()
            self.keystone = self.proxies["keystone"] = RestProxy(self.facts["auth_url"], "/v3")
            self.auth_url = self.keystone.url + "/v3"
            self.open_region()
        except BaseException:
            self.stop()
            raise

    def session(self, auth_url=None):
        return Session(self.facts, self.facts["user"], self.facts["password"], self.facts["project"], auth_url)

    def open_region(self):
        if REGION not in [one["id"] for one in self.admin("keystone", "GET", "/v3/regions")["regions"]]:
            self.admin("keystone", "POST", "/v3/regions", {"region": {"id": REGION}})
        services = {one["type"]: one["id"] for one in self.admin("keystone", "GET", "/v3/services")["services"]}
        for old in self.admin("keystone", "GET", f"/v3/endpoints?region_id={REGION}")["endpoints"]:
            self.admin("keystone", "DELETE", f"/v3/endpoints/{old['id']}")
        for name, (kind, path, prefix) in SERVICES.items():
            proxy = RestProxy(self.facts["endpoints"][name], prefix.format(project=self.facts["project_id"]))
            self.proxies[name] = proxy
            self.admin("keystone", "POST", "/v3/endpoints", {"endpoint": {
                "service_id": services[kind], "interface": "public", "region_id": REGION, "url": proxy.url + path}})

    def clear(self):
        for proxy in self.proxies.values():
            proxy.clear()
            proxy.counts.clear()
            proxy.seen.clear()

    def counts(self):
        """Of all services together: "nova POST /servers"."""
        return collections.Counter({f"{name} {action}": count for name, proxy in self.proxies.items()
                                    for action, count in proxy.counts.items()})

    # What is there, as its owner sees it

    def servers(self):
        found = self.user("nova", "GET", "/v2.1/servers/detail")["servers"]
        return {one["id"]: one for one in found}

    def ports(self):
        found = self.user("neutron", "GET", f"/v2.0/ports?project_id={self.facts['project_id']}")["ports"]
        return {one["id"]: one for one in found}

    def volumes(self):
        found = self.user("cinder", "GET", f"/v3/{self.facts['project_id']}/volumes/detail")["volumes"]
        return {one["id"]: one for one in found}

    def cli(self, *words):
        """The `openstack` command as the user, past the proxies; its JSON."""
        rc = pathlib.Path(self.facts["openrc"]).read_text(encoding="utf-8")
        settings = dict(line.removeprefix("export ").split("=", 1) for line in rc.splitlines())
        clean = {key: value for key, value in os.environ.items() if not key.startswith("OS_")}
        done = subprocess.run(["/usr/bin/openstack", *words, "-f", "json"], capture_output=True, text=True, check=True,
                              timeout=120, env={**clean, **settings, "PYTHONWARNINGS": "ignore"})
        return json.loads(done.stdout)

    def set_quota(self, **limits):
        """Of instances, cores or ram of the user's project; -1 is none."""
        self.admin("nova", "PUT", f"/v2.1/os-quota-sets/{self.facts['project_id']}", {"quota_set": limits})

    def revoke_tokens(self):
        """Every token that the user has is refused everywhere when this returns."""
        old, path = self.session(), f"/v3/users/{self.facts['user_id']}"
        for enabled in (False, True):
            self.admin("keystone", "PATCH", path, {"user": {"enabled": enabled}})
        # Keystone counts in whole seconds: it refuses tokens of the second in which it took the old ones back, too.
        harness.wait_until(self.login_is_taken, "a new token of the user is accepted")
        harness.wait_until(lambda: self.is_refused(old), "the services refuse the old tokens")

    def login_is_taken(self):
        self.user = self.session()
        try:
            return bool(self.user("keystone", "GET", "/v3/auth/catalog"))
        except Refused as refused:
            if refused.status != 401:
                raise
            return False

    @staticmethod
    def is_refused(session):
        """By every service, and not for want of Keystone (503)."""
        for service, path in (("nova", "/v2.1/servers"), ("neutron", "/v2.0/ports"),
                              ("cinder", f"/v3/{session.project_id}/volumes")):
            try:
                session(service, "GET", path)
                return False
            except Refused as refused:
                if refused.status != 401:
                    return False
        return True

    def stop(self):
        for proxy in getattr(self, "proxies", {}).values():
            proxy.stop()
        if self.own is not None:
            subprocess.run([PEER, "down", str(pathlib.Path(self.own, "peer")), "--remove"], check=True, timeout=120)
            shutil.rmtree(self.own)
