# SPDX-License-Identifier: Apache-2.0
"""The settings files of the services, from nothing but a folder's ports and passwords."""

import json

from folder import HOST

REGION = "RegionOne"
DATABASES = ("keystone", "glance", "placement", "neutron", "nova_api", "nova_cell0", "nova", "cinder")
CORE_FILTERS = "ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter"
# The host on which every build ends in an error, for flavors that ask for it.
ABORT_TRAIT = "CUSTOM_BUILD_ABORT"


def write_all(folder):
    """Writes every settings file of the peer anew."""
    for name, sections in {**identity(folder), **images(folder), **network(folder), **compute(folder),
                           **volumes(folder)}.items():
        folder.conf(name).parent.mkdir(parents=True, exist_ok=True)
        folder.conf(name).write_text(text_of(sections), encoding="utf-8")
    folder.conf("nova-abort.d").mkdir(exist_ok=True)
    folder.conf("nova-abort.d/abort.yaml").write_text(json.dumps({
        "meta": {"schema_version": "1.0"},
        "providers": [{"identification": {"name": "abort"}, "traits": {"additional": [ABORT_TRAIT]}}]}), encoding="utf-8")
    folder.conf("cinder-filters.json").write_text(json.dumps({
        "volume": ["name", "status", "metadata", "bootable", "availability_zone", "size"]}), encoding="utf-8")
    folder.conf("rabbitmq.conf").write_text(
        f"listeners.tcp.1 = {HOST}:{folder.ports['rabbit']}\nloopback_users.guest = true\n", encoding="utf-8")
    folder.conf("rabbitmq-advanced.config").write_text(
        "[{kernel, [{inet_dist_use_interface, {127,0,0,1}}]}].\n", encoding="utf-8")
    folder.conf("rabbitmq-plugins").write_text("[].\n", encoding="utf-8")


def text_of(sections):
    return "".join(f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()) + "\n"
                   for section, keys in sections.items())


def database(folder, name):
    return f"mysql+pymysql://root@localhost/{name}?unix_socket={folder.run('mysql.sock')}&charset=utf8"


def messages(folder):
    return f"rabbit://guest:guest@{HOST}:{folder.ports['rabbit']}/"


def service_login(folder):
    return {"auth_type": "password", "auth_url": folder.url("keystone", "/v3"), "username": "service",
            "password": folder.passwords["service"], "project_name": "service", "user_domain_name": "Default",
            "project_domain_name": "Default", "region_name": REGION}


def token_check(folder):
    """A token that was taken back is refused some seconds later everywhere: asking Keystone is dear."""
    return {**service_login(folder), "www_authenticate_uri": folder.url("keystone", "/v3"), "token_cache_time": 5,
            "service_token_roles": "service", "service_token_roles_required": "true"}


def db_section(folder, name):
    return {"connection": database(folder, name), "max_pool_size": 10}


def lock_section(folder):
    return {"lock_path": folder.data("locks")}


def identity(folder):
    keys = folder.data("keystone-keys")
    common = {
        "database": db_section(folder, "keystone"),
        "fernet_tokens": {"key_repository": keys / "tokens"},
        "fernet_receipts": {"key_repository": keys / "tokens"},
        "credential": {"key_repository": keys / "credentials"},
        "identity": {"password_hash_rounds": 4},
        "cache": {"enabled": "true", "backend": "dogpile.cache.memory"},
    }
    # The same Keystone twice: what `brief` gives out expires while a test waits.
    return {"keystone/keystone.conf": {**common, "token": {"provider": "fernet", "expiration": 3600}},
            "brief/keystone.conf": {**common, "token": {"provider": "fernet", "expiration": 8}}}


def images(folder):
    glance = {
        "DEFAULT": {"bind_host": HOST, "bind_port": folder.ports["glance"], "workers": 0, "enabled_backends": "disk:file",
                    "enabled_import_methods": "[]"},
        "database": db_section(folder, "glance"),
        "glance_store": {"default_backend": "disk"},
        "disk": {"filesystem_store_datadir": folder.data("images")},
        "os_glance_staging_store": {"filesystem_store_datadir": folder.data("staging")},
        "os_glance_tasks_store": {"filesystem_store_datadir": folder.data("tasks")},
        "oslo_concurrency": lock_section(folder),
        "paste_deploy": {"flavor": "keystone", "config_file": folder.conf("glance-paste.ini")},
        "keystone_authtoken": token_check(folder),
    }
    paste = {
        "pipeline:glance-api-keystone": {"pipeline": "versions_asked login who root"},
        "composite:root": {"paste.composite_factory": "glance.api:root_app_factory", "/": "versions", "/v2": "v2"},
        "app:versions": {"paste.app_factory": "glance.api.versions:create_resource"},
        "app:v2": {"paste.app_factory": "glance.api.v2.router:API.factory"},
        "filter:versions_asked": {
            "paste.filter_factory": "glance.api.middleware.version_negotiation:VersionNegotiationFilter.factory"},
        "filter:login": {"paste.filter_factory": "keystonemiddleware.auth_token:filter_factory",
                         "delay_auth_decision": "true"},
        "filter:who": {"paste.filter_factory": "glance.api.middleware.context:ContextMiddleware.factory"},
    }
    placement = {
        "placement_database": db_section(folder, "placement"),
        "api": {"auth_strategy": "keystone"},
        "keystone_authtoken": token_check(folder),
    }
    return {"glance.conf": glance, "glance-paste.ini": paste, "placement/placement.conf": placement}


def network(folder):
    neutron = {
        "DEFAULT": {"bind_host": HOST, "bind_port": folder.ports["neutron"], "core_plugin": "ml2", "service_plugins": "",
                    "auth_strategy": "keystone", "api_workers": 0, "rpc_workers": 0, "rpc_state_report_workers": 0,
                    "transport_url": messages(folder), "dhcp_agent_notification": "false",
                    "notify_nova_on_port_status_changes": "false", "notify_nova_on_port_data_changes": "false",
                    "state_path": folder.data("neutron"), "api_paste_config": folder.conf("neutron-paste.ini")},
        "database": db_section(folder, "neutron"),
        "quotas": {"quota_port": -1, "quota_security_group_rule": -1},
        "oslo_concurrency": lock_section(folder),
        "keystone_authtoken": token_check(folder),
    }
    ml2 = {
        "ml2": {"type_drivers": "local", "tenant_network_types": "local", "mechanism_drivers": "peer_no_agent",
                "extension_drivers": "port_security"},
        "securitygroup": {"enable_security_group": "true", "firewall_driver": "noop"},
    }
    paste = {
        "composite:neutron": {"use": "egg:Paste#urlmap", "/": "versions", "/v2.0": "v2"},
        "app:versions": {"paste.app_factory": "neutron.pecan_wsgi.app:versions_factory"},
        "composite:v2": {"use": "call:neutron.auth:pipeline_factory", "noauth": "extensions app",
                         "keystone": "request_id faults login who extensions app"},
        "app:app": {"paste.app_factory": "neutron.api.v2.router:APIRouter.factory"},
        "filter:request_id": {"paste.filter_factory": "oslo_middleware:RequestId.factory"},
        "filter:faults": {"paste.filter_factory": "oslo_middleware:CatchErrors.factory"},
        "filter:login": {"paste.filter_factory": "keystonemiddleware.auth_token:filter_factory"},
        "filter:who": {"paste.filter_factory": "neutron.auth:NeutronKeystoneContext.factory"},
        "filter:extensions": {"paste.filter_factory": "neutron.api.extensions:plugin_aware_extension_middleware_factory"},
    }
    return {"neutron.conf": neutron, "neutron-ml2.ini": ml2, "neutron-paste.ini": paste}


def compute(folder):
    nova = {
        "DEFAULT": {"host": "fake", "my_ip": HOST, "osapi_compute_listen": HOST,
                    "osapi_compute_listen_port": folder.ports["nova"], "osapi_compute_workers": 1,
                    "enabled_apis": "osapi_compute", "transport_url": messages(folder), "compute_driver": "fake.FakeDriver",
                    "vif_plugging_is_fatal": "false", "vif_plugging_timeout": 0, "state_path": folder.data("nova"),
                    "instances_path": folder.data("nova/instances"), "report_interval": 5, "service_down_time": 30},
        "wsgi": {"api_paste_config": folder.conf("nova-paste.ini")},
        "api": {"auth_strategy": "keystone"},
        "api_database": db_section(folder, "nova_api"),
        "database": db_section(folder, "nova"),
        "conductor": {"workers": 1},
        "scheduler": {"workers": 1},
        "filter_scheduler": {"enabled_filters": CORE_FILTERS, "track_instance_changes": "false"},
        "quota": {"instances": -1, "cores": -1, "ram": -1},
        "vnc": {"enabled": "false"},
        "glance": {"api_servers": folder.url("glance")},
        "placement": service_login(folder),
        "neutron": service_login(folder),
        "cinder": {"os_region_name": REGION},
        "service_user": {"send_service_user_token": "true", **service_login(folder)},
        "oslo_concurrency": lock_section(folder),
        "keystone_authtoken": token_check(folder),
    }
    abort = {"DEFAULT": {"host": "abort", "compute_driver": "fake.FakeBuildAbortDriver"},
             "compute": {"provider_config_location": folder.conf("nova-abort.d")}}
    paste = {
        "composite:osapi_compute": {"use": "call:nova.api.openstack.urlmap:urlmap_factory", "/": "versions",
                                    "/v2.1": "v21_versions", "/v2.1/+": "v21"},
        "pipeline:versions": {"pipeline": "faults versions_app"},
        "pipeline:v21_versions": {"pipeline": "faults v21_versions_app"},
        "composite:v21": {"use": "call:nova.api.auth:pipeline_factory_v21",
                          "keystone": "request_id faults size login who v21_app", "noauth2": "faults v21_app"},
        "app:versions_app": {"paste.app_factory": "nova.api.openstack.compute.versions:Versions.factory"},
        "app:v21_versions_app": {"paste.app_factory": "nova.api.openstack.compute.versions:VersionsV2.factory"},
        "app:v21_app": {"paste.app_factory": "nova.api.openstack.compute:APIRouterV21.factory"},
        "filter:request_id": {"paste.filter_factory": "nova.api.compute_req_id:ComputeReqIdMiddleware.factory"},
        "filter:faults": {"paste.filter_factory": "nova.api.openstack:FaultWrapper.factory"},
        "filter:size": {"paste.filter_factory": "oslo_middleware:RequestBodySizeLimiter.factory"},
        "filter:login": {"paste.filter_factory": "keystonemiddleware.auth_token:filter_factory"},
        "filter:who": {"paste.filter_factory": "nova.api.auth:NovaKeystoneContext.factory"},
    }
    return {"nova.conf": nova, "nova-abort.conf": abort, "nova-paste.ini": paste}


def volumes(folder):
    cinder = {
        "DEFAULT": {"host": "fake", "my_ip": HOST, "osapi_volume_listen": HOST,
                    "osapi_volume_listen_port": folder.ports["cinder"], "osapi_volume_workers": 1,
                    "transport_url": messages(folder), "auth_strategy": "keystone", "enabled_backends": "paper",
                    "glance_api_servers": folder.url("glance"), "state_path": folder.data("cinder"),
                    "api_paste_config": folder.conf("cinder-paste.ini"),
                    "resource_query_filters_file": folder.conf("cinder-filters.json"),
                    "quota_volumes": -1, "quota_gigabytes": -1},
        "paper": {"volume_driver": "peer_cinder.Paper", "volume_backend_name": "paper"},
        "database": db_section(folder, "cinder"),
        "coordination": {"backend_url": f"file://{folder.data('cinder')}/coordination"},
        "nova": service_login(folder),
        "oslo_concurrency": lock_section(folder),
        "keystone_authtoken": token_check(folder),
    }
    paste = {
        "composite:osapi_volume": {"use": "call:cinder.api:root_app_factory", "/": "versions", "/v3": "v3"},
        "pipeline:versions": {"pipeline": "request_id faults versions_app"},
        "composite:v3": {"use": "call:cinder.api.middleware.auth:pipeline_factory",
                         "keystone": "request_id faults size login who v3_app", "noauth": "faults v3_app"},
        "app:versions_app": {"paste.app_factory": "cinder.api.versions:Versions.factory"},
        "app:v3_app": {"paste.app_factory": "cinder.api.v3.router:APIRouter.factory"},
        "filter:request_id": {"paste.filter_factory": "cinder.api.middleware.request_id:RequestId.factory"},
        "filter:faults": {"paste.filter_factory": "cinder.api.middleware.fault:FaultWrapper.factory"},
        "filter:size": {"paste.filter_factory": "oslo_middleware.sizelimit:RequestBodySizeLimiter.factory"},
        "filter:login": {"paste.filter_factory": "keystonemiddleware.auth_token:filter_factory"},
        "filter:who": {"paste.filter_factory": "cinder.api.middleware.auth:CinderKeystoneContext.factory"},
    }
    return {"cinder.conf": cinder, "cinder-paste.ini": paste}
