// SPDX-License-Identifier: Apache-2.0
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>

#include "../errors.h"
#include "../spec.h"

using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::HttpResponse;
using vcp::plugin::Json;
using vcp::plugin::Outcome;

namespace {

Error refused(int status, const std::string& body) {
  HttpResponse response;
  response.status = status;
  response.body = body;
  response.retry_after_ms = 7000;
  return sakura::refusal(response, "POST /disk");
}

Error coded(int status, const std::string& code) { return refused(status, Json{{"error_code", code}}.dump()); }

Json goodParams() {
  return {{"core", 2}, {"memory", "4"}, {"sakuracloud_disk_size", 20}, {"token", "t"}, {"secret", "s"}};
}

std::string complaint(const Json& params) {
  try {
    sakura::parseMachine(params);
    sakura::checkSecrets(params);
    sakura::checkAddresses(params);
  } catch (const Error& error) {
    CHECK(error.code() == Code::kInvalidArgument);
    return error.message();
  }
  return "";
}

std::string entryComplaint(const Json& changes, bool evaluation = false) {
  Json entry{{"sakura_zone", "tk1a"},
             {"sakura_local_switch_id", "113000000001"},
             {"private_network_ipmask", "192.168.7.0/24"}};
  entry.merge_patch(changes);
  try {
    sakura::parseEntry(entry.dump(), evaluation);
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

}  // namespace

TEST_CASE("errors: each class of Sakura's codes") {
  struct Row {
    int status;
    const char* name;
    Code code;
    Outcome outcome;
  };
  const Row rows[] = {
      {503, "busy", Code::kUnavailable, Outcome::kNotApplied},
      {503, "too_many_request", Code::kUnavailable, Outcome::kNotApplied},
      {504, "apiproxy_timeout_non_get", Code::kUnavailable, Outcome::kUnknown},
      {503, "operation_timeout", Code::kUnavailable, Outcome::kUnknown},
      {409, "still_creating", Code::kFailedPrecondition, Outcome::kNotApplied},
      {409, "disk_is_copying", Code::kFailedPrecondition, Outcome::kNotApplied},
      {503, "disk_stock_run_out", Code::kResourceExhausted, Outcome::kNotApplied},
      {409, "limit_count_in_account", Code::kResourceExhausted, Outcome::kNotApplied},
      {409, "limit_memory_in_account", Code::kResourceExhausted, Outcome::kNotApplied},
      {401, "unauthorized", Code::kUnauthenticated, Outcome::kNotApplied},
      {403, "access_apikey_disabled", Code::kPermissionDenied, Outcome::kNotApplied},
      {402, "payment_creditcard", Code::kPermissionDenied, Outcome::kNotApplied},
      {404, "not_found", Code::kNotFound, Outcome::kNotApplied},
      {400, "invalid_range", Code::kInvalidArgument, Outcome::kNotApplied},
      {423, "locked", Code::kAborted, Outcome::kNotApplied},
      {500, "internal_server_error", Code::kUnavailable, Outcome::kUnknown},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Error error = coded(row.status, row.name);
    CHECK(error.code() == row.code);
    CHECK(error.outcome() == row.outcome);
    CHECK(error.providerCode() == row.name);
    CHECK(error.retryAfterMs() == 7000);
  }
}

TEST_CASE("errors: what is no answer of Sakura's is judged by its status") {
  CHECK(refused(502, "<html>Bad Gateway</html>").outcome() == Outcome::kUnknown);
  CHECK(refused(404, "<html>").code() == Code::kUnavailable);  // of a proxy: nothing is known to be absent
  CHECK(refused(429, "").code() == Code::kUnavailable);
  CHECK(refused(423, "").code() == Code::kAborted);
  CHECK(refused(400, "[1]").code() == Code::kUnavailable);
  const Error long_text = refused(400, Json{{"error_code", "x"}, {"error_msg", std::string(5000, 'm') + "\n"}}.dump());
  CHECK(long_text.message().size() < 600);
  CHECK(coded(409, "one\ntwo").message().find('\n') == std::string::npos);
}

TEST_CASE("errors: no code of the vendor's list is taken for success or for a lost answer by mistake") {
  std::ifstream file(VCC_SAKURA_CODES);
  if (!file) {
    std::cerr << "SKIP: sakura: " VCC_SAKURA_CODES " (the vendor's list of codes) is not here\n";
    return;
  }
  const Json codes = Json::parse(std::string(std::istreambuf_iterator<char>(file), {})).at("errors");
  CHECK(codes.size() > 50);
  for (const Json& one : codes) {
    if (!one.at("status").is_number()) continue;
    const int status = one.at("status").get<int>();
    const std::string name = one.at("code").get<std::string>();
    CAPTURE(name);
    const Error error = coded(status, name);
    if (status < 500) CHECK(error.outcome() == Outcome::kNotApplied);
    if (status == 401) CHECK(error.code() == Code::kUnauthenticated);
    if (status == 402 || status == 403) CHECK(error.code() == Code::kPermissionDenied);
    if (name.rfind("limit_", 0) == 0) CHECK(error.code() == Code::kResourceExhausted);
  }
}

TEST_CASE("spec: a wrong value is named by its pointer") {
  CHECK(complaint(goodParams()).empty());
  const std::map<std::string, Json> wrong{
      {"core", 0},
      {"memory", "much"},
      {"sakuracloud_disk_size", 30},
      {"sakuracloud_disk_plan", "tape"},
      {"cloud_image", std::string(200, 'i')},
      {"token", ""},
      {"secret", nullptr},
      {"ip_address_list", "192.168.7.1"},
  };
  for (const auto& [key, value] : wrong) {
    Json params = goodParams();
    params[key] = value;
    CHECK(complaint(params).rfind("/cloud_params/" + key, 0) == 0);
  }
  Json twice = goodParams();
  twice["ip_address_list"] = {"192.168.7.1", "192.168.7.1"};
  CHECK(complaint(twice) == "/cloud_params/ip_address_list/1: is named twice");
}

TEST_CASE("spec: the catalog entry") {
  CHECK(entryComplaint(Json::object()).empty());
  CHECK(entryComplaint({{"sakura_zone", "is9z"}}).rfind("/catalog_entry/sakura_zone", 0) == 0);
  CHECK(entryComplaint({{"sakura_local_switch_id", "12"}}).rfind("/catalog_entry/sakura_local_switch_id", 0) == 0);
  CHECK(entryComplaint({{"sakura_private_subnet_gateway_ip", "gw"}})
            .rfind("/catalog_entry/sakura_private_subnet_gateway_ip", 0) == 0);
  for (const char* mask : {"192.168.7.0", "192.168.7.0/0", "192.168.7.0/31", "x/24", "192.168.7.0/24x"}) {
    CHECK(entryComplaint({{"private_network_ipmask", mask}}).rfind("/catalog_entry/private_network_ipmask", 0) == 0);
  }
  CHECK_FALSE(entryComplaint({{"sakura_endpoint_url", "http://127.0.0.1:1/x"}}).empty());
  CHECK(entryComplaint({{"sakura_endpoint_url", "http://127.0.0.1:1/x"}}, true).empty());
  CHECK_FALSE(entryComplaint({{"sakura_endpoint_url", "https://sakura.test/"}}).empty());
}

TEST_CASE("credentials: empty ones and a colon are refused") {
  CHECK(sakura::parseCredentials(R"({"token":"t","secret":"s:s"})").secret == "s:s");
  CHECK_THROWS_AS(sakura::parseCredentials(R"({"token":"","secret":"s"})"), Error);
  CHECK_THROWS_AS(sakura::parseCredentials(R"({"token":"t:t","secret":"s"})"), Error);
}
