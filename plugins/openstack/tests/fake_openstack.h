// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/testing/fake_cloud.h"

/// OpenStack in small: Keystone, Nova, Neutron, Glance and Cinder as one region of Zed shows them, for the conformance
/// suite and the unit tests. Its answers are held against a recording of the real services (trace_test.cpp).
namespace fake_openstack {

using vcp::plugin::HttpRequest;
using vcp::plugin::HttpResponse;
using vcp::plugin::Json;
using vcp::plugin::testing::CloudObject;

constexpr char kNetworkId[] = "b31214bd-0c76-4940-9146-47fb6affba9c";
constexpr char kSubnetId[] = "412cd3f4-72fe-409e-be43-925f2bbbc034";
constexpr char kGroupId[] = "95255d94-223a-4d6c-a787-3243dc176837";
constexpr char kImageId[] = "6b761e32-4c2e-4e1a-a5e2-27f8ca5ccf51";
constexpr char kHost[] = "https://cloud.test";

/// How long things take, and what there is; `cloud_options` may say otherwise.
struct Pace {
  std::int64_t lag_ms = 1000;  // until reads show what a create made
  std::int64_t boot_ms = 8000;
  std::int64_t stop_ms = 3000;
  std::int64_t end_ms = 3000;
  std::int64_t volume_ms = 4000;
  std::int64_t token_ms = 3'600'000;
  std::int64_t instances = 1000;  // quota of each project
  std::int64_t volumes = 1000;
};

struct Account {
  std::string user;  // or the id of an application credential
  std::string secret;
  std::string project;
  bool is_application = false;
};

struct Server {
  std::string project, name, status, task, address, port, zone, description, fault;
  Json metadata, hints, request;
  std::int64_t made_ms = 0;
  std::int64_t next_ms = 0;  // when what `task` says has happened
};

struct Port {
  std::string project, name, description, address, network, server;
  std::vector<std::string> groups;
  std::int64_t made_ms = 0;
};

struct Volume {
  std::string project, name, status, server, type;
  Json metadata;
  std::int64_t size = 0;
  std::int64_t made_ms = 0;
  std::int64_t next_ms = 0;
};

/// A request, taken apart.
struct Asked {
  std::string method;
  std::string service;            // "identity", "compute", "network", "image", "volume"
  std::vector<std::string> path;  // behind the version, without the project
  std::multimap<std::string, std::string> query;
  Json body;
  std::string version;  // OpenStack-API-Version
  std::string project;

  std::string first(const std::string& key) const;
  bool is(const char* method_wanted, std::size_t length, const char* collection) const;
};

/// A refusal, with the body of its service.
struct Refused {
  int status;
  Json body;
};

[[noreturn]] void refuseNova(int status, const std::string& name, const std::string& message);
[[noreturn]] void refuseNeutron(int status, const std::string& type, const std::string& message);

class FakeOpenStack final : public vcp::plugin::testing::FakeCloud {
 public:
  explicit FakeOpenStack(std::string_view options);

  HttpResponse handle(const HttpRequest& request) override;
  bool isChange(const HttpRequest& request) const override;
  std::vector<CloudObject> objects() const override;
  void advance(std::int64_t ms) override;
  void addForeign() override;

  // For unit tests.
  void dropTokens() { tokens_.clear(); }
  std::map<std::string, Server>& servers() { return servers_; }
  std::map<std::string, Port>& ports() { return ports_; }
  std::map<std::string, Volume>& volumes() { return volumes_; }
  Pace& pace() { return pace_; }
  int logins = 0;

 private:
  struct Token {
    std::string project;
    std::int64_t ends_ms;
  };

  Asked askedBy(const HttpRequest& request) const;
  HttpResponse serve(const HttpRequest& request, const Asked& asked);
  HttpResponse identity(const Asked& asked);
  Json tokenBody(const Account& account) const;
  HttpResponse compute(const Asked& asked);
  HttpResponse makeServer(const Asked& asked);
  HttpResponse act(const Asked& asked);
  HttpResponse attach(const Asked& asked);
  HttpResponse network(const Asked& asked);
  HttpResponse makePort(const Asked& asked);
  HttpResponse image(const Asked& asked) const;
  HttpResponse volume(const Asked& asked);

  Json show(const std::string& id, const Server& server) const;
  Json show(const std::string& id, const Port& port) const;
  Json show(const std::string& id, const Volume& volume) const;
  Server& serverAt(const Asked& asked, std::size_t place);
  void settleServers();
  void settleVolumes();
  bool isTaken(const std::string& address) const;
  std::string newId();
  std::string time(std::int64_t ms) const;
  template <class Thing>
  bool isShown(const Thing& thing, const std::string& project) const {
    return thing.project == project && now_ms_ >= thing.made_ms + pace_.lag_ms;
  }

  Pace pace_;
  std::vector<Account> accounts_;
  std::map<std::string, Token> tokens_;
  std::map<std::string, Server> servers_;
  std::map<std::string, Port> ports_;
  std::map<std::string, Volume> volumes_;
  std::int64_t now_ms_ = 0;
  std::int64_t last_ = 0;
  int last_address_ = 10;
};

HttpResponse reply(int status, const Json& body);

}  // namespace fake_openstack
