// SPDX-License-Identifier: Apache-2.0
#include "identity.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>
#include <vector>

#include "fields.h"

namespace openstack {
namespace {

using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::invalid;
using vcp::plugin::Json;
using vcp::plugin::Outcome;

constexpr std::int64_t kMarginMs = 300'000;       // what a call may take
constexpr std::int64_t kUnknownLifeMs = 600'000;  // of a token that does not say how long it lives

struct Kind {
  const char* service;
  std::vector<std::string> types;  ///< in the service catalog, the best first
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kAll{{"compute", {"compute"}},
                                      {"network", {"network"}},
                                      {"image", {"image"}},
                                      {"volume", {"volumev3", "block-storage", "block-store", "volume"}}};
  return kAll;
}

Json domainJson(const Domain& domain) {
  return domain.id.empty() ? Json{{"name", domain.name}} : Json{{"id", domain.id}};
}

/// "2026-11-23T00:16:00.000000Z"
std::optional<std::int64_t> millisOf(const std::string& text) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second) != 6 ||
      year < 1970 || month < 1 || month > 12) {
    return std::nullopt;
  }
  // Days since 1970 of the Gregorian calendar, with years that begin in March.
  const std::int64_t y = year - (month <= 2 ? 1 : 0);
  const std::int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t days = y * 365 + y / 4 - y / 100 + y / 400 + in_year - 719'468;
  return ((days * 24 + hour) * 60 + minute) * 60'000 + second * 1000LL;
}

/// By Keystone's own clock where it says both instants: ours may go wrong.
std::int64_t ttlOf(const Json& token, std::int64_t now_ms) {
  const std::optional<std::int64_t> end = millisOf(textIn(token, "expires_at"));
  const std::int64_t begin = millisOf(textIn(token, "issued_at")).value_or(now_ms);
  const std::int64_t life = end ? *end - begin : kUnknownLifeMs;
  return std::max<std::int64_t>(life > 2 * kMarginMs ? life - kMarginMs : life / 2, 1);
}

bool endsWith(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// Catalogs name some services without their version.
std::string versioned(const std::string& service, std::string url, const std::string& project) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  const std::string last = url.substr(url.rfind('/') + 1);
  if (service == "network" && last != "v2.0") url += "/v2.0";
  if (service == "image" && last.compare(0, 2, "v2") != 0) url += "/v2";
  if (service == "volume" && (endsWith(url, "/v3") || endsWith(url, "/v2"))) url += "/" + project;
  return url;
}

/// The endpoint of one service in the catalog; empty when the catalog has no such service.
std::string endpointIn(const Json& catalog, const Kind& kind, const Site& site) {
  for (const std::string& type : kind.types) {
    std::set<std::string> urls;
    bool known = false;
    for (const Json& service : catalog) {
      if (textIn(service, "type") != type) continue;
      for (const Json& endpoint : partOf(service, "endpoints")) {
        known = true;
        const std::string region =
            textIn(endpoint, "region_id").empty() ? textIn(endpoint, "region") : textIn(endpoint, "region_id");
        if (textIn(endpoint, "interface") != site.interface) continue;
        if (!site.region.empty() && region != site.region && textIn(endpoint, "region") != site.region) continue;
        urls.insert(textIn(endpoint, "url"));
      }
    }
    if (urls.size() > 1) {
      throw invalid("/catalog_entry/region", "is missing: the cloud has several regions with " + type);
    }
    if (urls.size() == 1) return *urls.begin();
    if (known) {
      throw invalid("/catalog_entry/region", "the cloud has " + type + ", but none in region '" + site.region +
                                                 "' with interface '" + site.interface + "'");
    }
  }
  return {};
}

Error nonsense(const std::string& what) {
  return Error(Code::kUnavailable, Outcome::kNotApplied,
               "POST identity /auth/tokens: Keystone's answer has no " + what);
}

}  // namespace

std::string Login::toText() const {
  return Json{{"token", token}, {"project", project}, {"endpoints", endpoints}}.dump();
}

Login Login::of(const std::string& text) {
  const Json json = Json::parse(text);
  return {json.at("token").get<std::string>(), json.at("project").get<std::string>(),
          json.at("endpoints").get<std::map<std::string, std::string>>()};
}

std::string authBody(const Credentials& credentials, const Site& site) {
  Json auth;
  if (credentials.is_application) {
    auth["identity"] = {{"methods", {"application_credential"}},
                        {"application_credential", {{"id", credentials.user}, {"secret", credentials.secret}}}};
    return Json{{"auth", auth}}.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  const Json user{
      {"name", credentials.user}, {"domain", domainJson(site.user_domain)}, {"password", credentials.secret}};
  auth["identity"] = {{"methods", {"password"}}, {"password", {{"user", user}}}};
  auth["scope"]["project"] = site.project_id.empty()
                                 ? Json{{"name", site.project_name}, {"domain", domainJson(site.project_domain)}}
                                 : Json{{"id", site.project_id}};
  return Json{{"auth", auth}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Opened readLogin(const vcp::plugin::HttpResponse& response, const Site& site, std::int64_t now_ms) {
  const Json body = Json::parse(response.body, nullptr, false);
  const Json& token = partOf(body, "token");
  Opened opened;
  opened.login.token = std::string(response.header("X-Subject-Token"));
  if (opened.login.token.empty()) throw nonsense("X-Subject-Token");
  if (token.empty()) throw nonsense("token");
  opened.login.project = textIn(partOf(token, "project"), "id");
  if (opened.login.project.empty()) {
    throw Error(Code::kPermissionDenied, Outcome::kNotApplied,
                "POST identity /auth/tokens: the user has no role in a project; name one that has (tenant_name)");
  }
  for (const Kind& kind : kinds()) {
    const auto given = site.endpoints.find(kind.service);
    const std::string url =
        given != site.endpoints.end() ? given->second : endpointIn(partOf(token, "catalog"), kind, site);
    if (!url.empty()) opened.login.endpoints[kind.service] = versioned(kind.service, url, opened.login.project);
  }
  opened.ttl_ms = ttlOf(token, now_ms);
  return opened;
}

}  // namespace openstack
