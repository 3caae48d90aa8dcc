# SPDX-License-Identifier: Apache-2.0
"""What is made inside the running cloud: services and endpoints first, then a project with a user, a network and so on."""

import json
import urllib.error
import urllib.request

from processes import wait_until
from settings import ABORT_TRAIT, REGION

PROJECT = USER = "vcp"
CIDR = "10.99.0.0/16"
# Name -> RAM in MiB, VCPUs, disk in GiB, what its host must have.
FLAVORS = {
    "vc.small": (512, 1, 1, "forbidden"),
    "vc.medium": (2048, 2, 10, "forbidden"),
    "vc.huge": (4000000, 4000, 10, "forbidden"),
    "vc.abort": (512, 1, 1, "required"),
}
VOLUME_TYPES = ("project-volume", "tripleo")


class Cloud:
    """The APIs as one user of one project. An answer that says no raises RuntimeError with its text."""

    def __init__(self, folder, user="admin", password=None, project="admin"):
        self.folder = folder
        name = {"domain": {"id": "default"}, "name": user, "password": password or folder.passwords["admin"]}
        login = {"auth": {"identity": {"methods": ["password"], "password": {"user": name}},
                          "scope": {"project": {"domain": {"id": "default"}, "name": project}}}}
        self.token = None
        with self.send("keystone", "POST", "/v3/auth/tokens", login) as response:
            self.token = response.headers["X-Subject-Token"]
            facts = json.load(response)["token"]
        self.project_id, self.user_id = facts["project"]["id"], facts["user"]["id"]

    def send(self, service, method, path, body=None, content_type="application/json"):
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Accept": "application/json", "Content-Type": content_type}
        if self.token:
            headers["X-Auth-Token"] = self.token
        request = urllib.request.Request(self.folder.url(service, path), data, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            return opener.open(request, timeout=120)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read()[:500].decode(errors='replace')}") from None

    def __call__(self, service, method, path, body=None):
        with self.send(service, method, path, body) as response:
            text = response.read()
        return json.loads(text) if text else None

    def found(self, path, kind, name):
        """Identity objects have names."""
        return next((one for one in self("keystone", "GET", path)[kind] if one["name"] == name), None)


def make_identity(folder):
    """The services' own user, and the catalog."""
    admin = Cloud(folder)
    project = admin("keystone", "POST", "/v3/projects", {"project": {"name": "service", "domain_id": "default"}})["project"]
    user = admin("keystone", "POST", "/v3/users", {"user": {
        "name": "service", "domain_id": "default", "password": folder.passwords["service"]}})["user"]
    roles = {role["name"]: role["id"] for role in admin("keystone", "GET", "/v3/roles")["roles"]}
    roles["service"] = roles.get("service") or admin("keystone", "POST", "/v3/roles", {"role": {"name": "service"}})["role"]["id"]
    for role in ("admin", "service"):
        admin("keystone", "PUT", f"/v3/projects/{project['id']}/users/{user['id']}/roles/{roles[role]}")
    for name, kind, path in (("glance", "image", ""), ("placement", "placement", ""), ("neutron", "network", ""),
                             ("nova", "compute", "/v2.1"), ("cinder", "volumev3", "/v3/$(project_id)s")):
        service = admin("keystone", "POST", "/v3/services", {"service": {"name": kind if kind == "volumev3" else name,
                                                                         "type": kind}})["service"]
        for interface in ("public", "internal"):
            admin("keystone", "POST", "/v3/endpoints", {"endpoint": {
                "service_id": service["id"], "interface": interface, "region_id": REGION, "url": folder.url(name, path)}})


def make_tenant(folder):
    """A project, and its user with an application credential, which is written to facts of the peer."""
    admin = Cloud(folder)
    project = admin("keystone", "POST", "/v3/projects", {"project": {"name": PROJECT, "domain_id": "default"}})["project"]
    user = admin("keystone", "POST", "/v3/users", {"user": {
        "name": USER, "domain_id": "default", "password": folder.passwords["user"]}})["user"]
    member = admin.found("/v3/roles", "roles", "member")
    admin("keystone", "PUT", f"/v3/projects/{project['id']}/users/{user['id']}/roles/{member['id']}")
    mine = Cloud(folder, USER, folder.passwords["user"], PROJECT)
    credential = mine("keystone", "POST", f"/v3/users/{user['id']}/application_credentials", {
        "application_credential": {"name": "vcc", "roles": [{"name": "member"}]}})["application_credential"]
    return {"project_id": project["id"], "user_id": user["id"], "credential_id": credential["id"],
            "credential_secret": credential["secret"]}


def make_network(folder):
    mine = Cloud(folder, USER, folder.passwords["user"], PROJECT)
    net = mine("neutron", "POST", "/v2.0/networks", {"network": {"name": "net1"}})["network"]
    subnet = mine("neutron", "POST", "/v2.0/subnets", {"subnet": {
        "network_id": net["id"], "ip_version": 4, "cidr": CIDR, "name": "sub1", "enable_dhcp": False}})["subnet"]
    group = mine("neutron", "POST", "/v2.0/security-groups", {"security_group": {"name": "nodes"}})["security_group"]
    return {"network_id": net["id"], "subnet_id": subnet["id"], "group_id": group["id"]}


def make_image(folder):
    admin = Cloud(folder)
    image = admin("glance", "POST", "/v2/images", {"name": "base", "disk_format": "raw", "container_format": "bare",
                                                   "visibility": "public"})
    admin.send("glance", "PUT", f"/v2/images/{image['id']}/file", bytes(65536), "application/octet-stream").close()
    wait_until(lambda: admin("glance", "GET", f"/v2/images/{image['id']}")["status"] == "active", "the image is there")
    return {"image_id": image["id"]}


def make_flavors(folder):
    admin = Cloud(folder)
    for name, (ram, cpus, disk, abort) in FLAVORS.items():
        flavor = {"name": name, "ram": ram, "vcpus": cpus, "disk": disk}
        made = admin("nova", "POST", "/v2.1/flavors", {"flavor": flavor})["flavor"]
        admin("nova", "POST", f"/v2.1/flavors/{made['id']}/os-extra_specs", {"extra_specs": {f"trait:{ABORT_TRAIT}": abort}})


def make_volume_types(folder):
    admin = Cloud(folder)
    for name in VOLUME_TYPES:
        admin("cinder", "POST", f"/v3/{admin.project_id}/types", {"volume_type": {"name": name}})


def hosts_known(folder):
    """Whether Placement has what both hosts offer: without it nothing can be scheduled."""
    admin = Cloud(folder)
    providers = admin("placement", "GET", "/resource_providers")["resource_providers"]
    return len(providers) == 2 and all(
        admin("placement", "GET", f"/resource_providers/{one['uuid']}/inventories")["inventories"] for one in providers)


def services_up(folder, since):
    """Whether every agent of Nova and Cinder has reported since then (UTC, ISO)."""
    admin = Cloud(folder)
    nova = admin("nova", "GET", "/v2.1/os-services")["services"]
    cinder = admin("cinder", "GET", f"/v3/{admin.project_id}/os-services")["services"]
    fresh = [one for one in nova + cinder if one["state"] == "up" and (one["updated_at"] or "") > since]
    return len(fresh) == len(nova + cinder) == 6
