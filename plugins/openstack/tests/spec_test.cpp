// SPDX-License-Identifier: Apache-2.0
#include "spec.h"

#include "rig.h"
#include "server_body.h"
#include "site.h"

using namespace openstack_test;

namespace {

constexpr char kParams[] = R"({"flavor_name":"m1.small","cloud_image":"default","user_name":"u","password":"p"})";

/// What validate says of a change to good parameters, and of one to a good entry.
std::string params(const std::string& more, const char* config = R"({"instance":"openstack","options":{}})") {
  const Rig rig(config);
  return rig.driver.validate(with(kParams, more).dump(), kEntry);
}
std::string entry(const std::string& more) {
  const Rig rig;
  return rig.driver.validate(kParams, entryWith(more));
}

std::string pointerOf(const std::string& message) { return message.substr(0, message.find(": ")); }

}  // namespace

TEST_CASE("spec: the descriptor") {
  CHECK((vcp_plugin_v0.info->capabilities & (VCP_CAP_POWER | VCP_CAP_LIST)) == (VCP_CAP_POWER | VCP_CAP_LIST));
  CHECK(vcp_plugin_v0.info->idempotency == VCP_IDEMPOTENCY_LOOKUP);
  CHECK(vcp_plugin_v0.info->attach_needs == VCP_ATTACH_ANY);
}

TEST_CASE("spec: cloud_params that are taken") {
  for (const char* more :
       {"{}", R"({"volume_size":"40","volume_type":"tripleo"})",
        R"({"ip_address_list":["10.60.0.5"],"tags":{"a":"b"}})",
        R"({"volume_id":["vcp:a:b:1","11111111-2222-3333-4444-555555555555"]})", R"({"reservation":null})",
        R"({"user_name":null,"user":"u"})", R"({"cloud_image":"11111111-2222-3333-4444-555555555555"})",
        R"({"user_name":null,"password":null,"application_credential_id":"c","application_credential_secret":"s"})",
        R"({"something_else":{"a":1}})"}) {
    CAPTURE(more);
    CHECK(params(more).empty());
  }
}

TEST_CASE("spec: cloud_params that are refused, each by its key") {
  const struct {
    const char* more;
    const char* pointer;
  } rows[] = {{R"({"flavor_name":""})", "/cloud_params/flavor_name"},
              {R"({"flavor_name":["a"]})", "/cloud_params/flavor_name"},
              {R"({"flavor_name":"a\nb"})", "/cloud_params/flavor_name"},
              {R"({"volume_size":"0"})", "/cloud_params/volume_size"},
              {R"({"volume_size":"many"})", "/cloud_params/volume_size"},
              {R"({"volume_type":"fast"})", "/cloud_params/volume_size"},
              {R"({"ip_address_list":"10.0.0.1"})", "/cloud_params/ip_address_list"},
              {R"({"ip_address_list":["10.0.0"]})", "/cloud_params/ip_address_list/0"},
              {R"({"ip_address_list":["10.0.0.1","10.0.0.1"]})", "/cloud_params/ip_address_list/1"},
              {R"({"volume_id":["vol-1"]})", "/cloud_params/volume_id/0"},
              {R"({"reservation":"soon"})", "/cloud_params/reservation"},
              {R"({"tags":["a"]})", "/cloud_params/tags"},
              {R"({"tags":{"vcp:vcc":"x"}})", "/cloud_params/tags/vcp:vcc"},
              {R"({"tags":{"a/b":"x"}})", "/cloud_params/tags/a/b"},
              {R"({"user_name":""})", "/cloud_params/user_name"},
              {R"({"password":null})", "/cloud_params/password"},
              {R"({"application_credential_id":"c"})", "/cloud_params/application_credential_secret"}};
  for (const auto& row : rows) {
    CAPTURE(row.more);
    CHECK(pointerOf(params(row.more)) == row.pointer);
  }
  CHECK(pointerOf(params(R"({"tags":{"a":")" + std::string(256, 'x') + "\"}}")) == "/cloud_params/tags/a");
}

TEST_CASE("spec: catalog entries that are refused, each by its key") {
  const struct {
    const char* more;
    const char* pointer;
  } rows[] = {{R"({"auth_url":null})", "/catalog_entry/auth_url"},
              {R"({"auth_url":"http://cloud.test/v3"})", "/catalog_entry/auth_url"},
              {R"({"auth_url":"https://127.0.0.1:5000/v3"})", "/catalog_entry/auth_url"},
              {R"({"auth_url":"https://localhost/v3"})", "/catalog_entry/auth_url"},
              {R"({"auth_url":"https://[::1]:5000/v3"})", "/catalog_entry/auth_url"},
              {R"({"auth_url":"https:///v3"})", "/catalog_entry/auth_url"},
              {R"({"auth_url":"https://u@cloud.test"})", "/catalog_entry/auth_url"},
              {R"({"auth_url":"https://cloud.test:5000/v2.0"})", "/catalog_entry/auth_url"},
              {R"({"openstack_identity_api_version":"2"})", "/catalog_entry/openstack_identity_api_version"},
              {R"({"openstack_auth_type":"token"})", "/catalog_entry/openstack_auth_type"},
              {R"({"interface":"outside"})", "/catalog_entry/interface"},
              {R"({"tenant_name":null})", "/catalog_entry/tenant_name"},
              {R"({"network_name":null})", "/catalog_entry/network_uuid"},
              {R"({"network_uuid":"net-1"})", "/catalog_entry/network_uuid"},
              {R"({"openstack_subnet_uuid":"s"})", "/catalog_entry/openstack_subnet_uuid"},
              {R"({"security_group":["a","b\n"]})", "/catalog_entry/security_group/1"},
              {R"({"openstack_default_image":null})", "/cloud_params/cloud_image"},
              {R"({"openstack_boot_from":"tape"})", "/catalog_entry/openstack_boot_from"},
              {R"({"openstack_boot_from":"volume"})", "/cloud_params/volume_size"},
              {R"({"openstack_volume_size":"-1"})", "/catalog_entry/openstack_volume_size"},
              {R"({"openstack_config_drive":"maybe"})", "/catalog_entry/openstack_config_drive"},
              {R"({"openstack_scheduler_hints":"x"})", "/catalog_entry/openstack_scheduler_hints"},
              {R"({"openstack_server_body":{"name":"x"}})", "/catalog_entry/openstack_server_body/name"},
              {R"({"openstack_server_body":{"user_data":"x"}})", "/catalog_entry/openstack_server_body/user_data"},
              {R"({"openstack_server_body":{"metadata":{"vcp:vcc":"x"}}})",
               "/catalog_entry/openstack_server_body/metadata/vcp:vcc"},
              {R"({"openstack_user_data_template":"#!/bin/sh\n"})", "/catalog_entry/openstack_user_data_template"},
              {R"({"endpoint_overrides":{"objects":"https://x.test"}})", "/catalog_entry/endpoint_overrides/objects"},
              {R"({"endpoint_overrides":{"compute":"ftp://x.test"}})", "/catalog_entry/endpoint_overrides/compute"},
              {R"({"openstack_ca_file":"site.pem"})", "/catalog_entry/openstack_ca_file"},
              {R"({"openstack_ca_pem":"secret"})", "/catalog_entry/openstack_ca_pem"},
              {R"({"openstack_netwrok_name":"x"})", "/catalog_entry/openstack_netwrok_name"}};
  for (const auto& row : rows) {
    CAPTURE(row.more);
    CHECK(pointerOf(entry(row.more)) == row.pointer);
  }
  CHECK(entry("{}").empty());
  CHECK(entry(R"({"private_network_ipmask":"10.0.0.0/24","ntp_servers":["a"]})").empty());
}

TEST_CASE("spec: plain http and this machine only in evaluation") {
  const Rig rig(R"({"instance":"openstack","evaluation":true,"options":{}})");
  CHECK(rig.driver.validate(kParams, entryWith(R"({"auth_url":"http://127.0.0.1:15000/v3"})")).empty());
}

TEST_CASE("spec: bounds of what a site adds to servers") {
  CHECK(entry(R"({"openstack_server_body":{"a":{"b":{"c":{"d":{"e":{"f":{"g":1}}}}}}}})").find("6 levels") !=
        std::string::npos);
  Json many = Json::object();
  for (int i = 0; i < 70; ++i) many["k" + std::to_string(i)] = "v";
  CHECK(entry(Json{{"openstack_server_body", many}}.dump()).find("64 members") != std::string::npos);
  CHECK(entry(Json{{"openstack_scheduler_hints", {{"a", std::string(9000, 'x')}}}}.dump()).find("8192 bytes") !=
        std::string::npos);
}

TEST_CASE("spec: options of the instance, over which a catalog entry wins") {
  const auto site = [](const char* options, const std::string& more) {
    return openstack::parseSite(
        entryWith(more), openstack::parseSettings(R"({"instance":"mdx2","options":)" + std::string(options) + "}"));
  };
  CHECK(site(R"({"default_image":"a"})", R"({"openstack_default_image":null})").default_image == "a");
  CHECK(site(R"({"default_image":"a"})", "{}").default_image == "ubuntu");
  CHECK(site("{}", R"({"mdx2_default_image":"b"})").default_image == "b");
  CHECK(site("{}", R"({"mdx2_region":"C"})").region == "C");
  CHECK(site(R"({"interface":"internal"})", "{}").interface == "internal");
  CHECK(site(R"({"scheduler_hints":{"group":"g"}})", "{}").hints == Json{{"group", "g"}});
  CHECK_THROWS_AS(openstack::parseSettings(R"({"options":{"defualt_image":"a"}})"), Error);
  CHECK_THROWS_AS(site("{}", R"({"mdx2_netwrok":"x"})"), Error);
}

TEST_CASE("spec: the names of the published clouds") {
  const std::string user = R"("user_name":"vault://cubbyhole/x/user_name","password":"vault://cubbyhole/x/password")";
  const auto takes = [](const char* config, const std::string& cloud_params, const char* catalog) {
    return Rig(config).driver.validate(cloud_params, catalog);
  };
  const char* generic =
      R"({"auth_url":"https://k.test/v3","region":"R","tenant_name":"t","domain_id":"d",)"
      R"("network_uuid":"b31214bd-0c76-4940-9146-47fb6affba9c","private_network_ipmask":"10.0.0.0/8",)"
      R"("openstack_default_image":"base"})";
  CHECK(takes(R"({"instance":"aic","options":{"auth_type":"v3password"}})",
              R"({"cci_version":"1.2","flavor_name":"cn0205","ip_address_list":["192.168.20.5"],)"
              R"("cloud_image":"default",)" +
                  user + "}",
              generic)
            .empty());
  CHECK(
      takes(R"({"instance":"hokudai","options":{"auth_type":"v3password"}})",
            R"({"flavor_name":"c4.m16","volume_size":"100","ip_address_list":[],"cloud_image":"default",)" + user + "}",
            generic)
          .empty());
  CHECK(takes(R"({"instance":"mdx2","options":{"auth_type":"v3password","auth_url":"https://k.test:5000"}})",
              R"({"flavor_name":"small","volume_size":"40","volume_type":"project-volume","volume_id":[],"tags":{},)"
              R"("cloud_image":"11111111-2222-3333-4444-555555555555",)" +
                  user + "}",
              R"({"tenant_name":"t","network_name":"n","security_group":"g","domain_id":"d"})")
            .empty());
  CHECK(takes(R"({"instance":"own-openstack","options":{}})",
              R"({"flavor_name":"f","cloud_image":"default",)" + user + "}", generic)
            .empty());

  const char* chameleon = R"({"instance":"chameleon","options":{"auth_type":"v3applicationcredential",)"
                          R"("catalog_prefix":"chameleon_","machine_size":"lease"}})";
  const char* catalog = R"({"chameleon_auth_url":"https://chi.test:5000/v3","chameleon_region":"CHI@TACC",)"
                        R"("chameleon_interface":"public","chameleon_identity_api_version":"3",)"
                        R"("network_name":"sharednet1"})";
  const std::string credential =
      R"("cloud_image":"CC-Ubuntu20.04","application_credential_id":"vault://a","application_credential_secret":"vault://b")";
  CHECK(takes(chameleon, R"({"reservation":"99999999-8888-7777-6666-555555555555",)" + credential + "}", catalog)
            .empty());
  CHECK(takes(chameleon, R"({"reservation":null,"flavor_name":"default",)" + credential + "}", catalog).empty());
  CHECK(pointerOf(takes(chameleon, R"({"cloud_image":"x","user_name":"u","password":"p"})", catalog)) ==
        "/cloud_params/application_credential_id");
  const openstack::Site site = openstack::parseSite(catalog, openstack::parseSettings(chameleon));
  CHECK(site.region == "CHI@TACC");
  CHECK(openstack::parseMachine(Json{{"cloud_image", "x"}, {"flavor_name", "default"}}, site).flavor == "baremetal");
}

TEST_CASE("spec: credentials of the wrong kind") {
  const openstack::Site site = openstack::parseSite(kEntry, openstack::parseSettings("{}"));
  for (const char* keys : {"{}", R"({"user_name":"u"})", R"({"application_credential_id":"c"})"}) {
    CAPTURE(keys);
    try {
      openstack::parseCredentials(keys, site);
      FAIL("taken");
    } catch (const Error& error) {
      CHECK(error.code() == Code::kUnauthenticated);
    }
  }
}

TEST_CASE("spec: user data in a site's frame") {
  openstack::UserData values{"#cloud-config {{name}}", "YQ==", "ubuntu", "ssh-ed25519 A", "vcp-1", "g-u-1"};
  CHECK(openstack::fillTemplate("", values) == values.text);
  CHECK(openstack::fillTemplate(
            "[{{user_data}}] {{user_data_base64}} {{user}} {{public_key}} {{name}} {{display_name}} {{x}}", values) ==
        "[#cloud-config {{name}}] YQ== ubuntu ssh-ed25519 A vcp-1 g-u-1 {{x}}");
}

TEST_CASE("spec: disks") {
  const Rig rig;
  const OpenDisks disks(rig.driver);
  const auto check = [&](const std::string& params) {
    vcp_error_t error = vcp::plugin::detail::emptyError();
    disks.ops().validate(rig.driver.instance(), borrow(params), borrow(kEntry), &error);
    return pointerOf(error.message);
  };
  CHECK(
      check(R"({"size":"8","type":"fast","cloud_image":"default","tags":{},"user_name":"u","password":"p"})").empty());
  CHECK(check(R"({"user_name":"u","password":"p"})") == "/cloud_params/size");
  CHECK(check(R"({"size":"8","password":"p"})") == "/cloud_params/user_name");
}
