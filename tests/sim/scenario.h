// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace vcc::sim {

/// How a driver and its simulated cloud are put together: a file of tests/sim/clouds.
struct CloudSpec {
  std::string name;
  std::string driver;                           ///< file of the driver
  std::string cloud;                            ///< file of the cloud (vcp/plugin/testing/fake_cloud.h)
  std::string origin;                           ///< where the driver sends its requests
  std::string secret;                           ///< key of cloud_params that holds the credentials
  std::string disks;                            ///< key of cloud_params that names disks to attach; empty = none can be
  std::string options;                          ///< JSON for the cloud
  std::map<std::string, std::string> accounts;  ///< user of the simulation -> credential
  std::map<std::string, std::string> params;    ///< other cloud_params
  bool unique_names = false;  ///< no two objects of a kind may have the same name: what the engine promises there
  /// What the cloud says when it will not: applied to none of the cloud's objects.
  struct Refusal {
    int status = 0;
    std::string body;
  };
  std::vector<Refusal> refusals;
  /// How a credential is sent: header "Name: prefix", the credential follows.
  std::string auth;
  /// What the owner sends, behind the controller's back, to make machine $id vanish.
  struct Command {
    std::string method;
    std::string path;
    std::string body;
  };
  std::vector<Command> vanish;
};

/// Chances per request of the network, while faults last.
struct NetworkFaults {
  double refused = 0;       ///< not connected: nothing was sent
  double lost_request = 0;  ///< it never arrives, nobody answers
  double lost_answer = 0;   ///< it takes effect, the connection breaks
  double late = 0;          ///< it takes effect after its sender has given up
  double throttle = 0;      ///< 429 or 503 with Retry-After
  double broken = 0;        ///< 500 or 502, with or without effect
  double html = 0;          ///< 200 with a page of a proxy that quotes the request, with or without effect
  double refusal = 0;       ///< the cloud's own: capacity, quota
  double revoked = 0;       ///< 401 although the credentials are right
};

/// A file of tests/sim/scenarios: what users do and what goes wrong meanwhile.
struct Scenario {
  std::string name;
  std::vector<CloudSpec> clouds;
  std::int64_t minutes = 10;
  std::int64_t requests = 20;
  std::int64_t most_nodes = 4;  ///< of one request
  std::map<std::string, std::int64_t> weights;
  NetworkFaults network;
  double crash_at_flush = 0;
  double crashes_per_minute = 0;
  double stops_per_minute = 0;
  double takeovers_per_minute = 0;
  double jumps_per_minute = 0;
  std::int64_t longest_down_s = 60;
  std::int64_t longest_jump_s = 3600;
  double vanishes_per_minute = 0;
  double purged_grants_per_minute = 0;
  bool hosts = false;           ///< machines are prepared; else they are ready as soon as their cloud says so
  double host_unreachable = 0;  ///< per visit
  double host_lost = 0;         ///< per visit
  double store_failure = 0;     ///< per flush
  bool sqlite = false;          ///< the store is SQLite on a simulated disk
  double disk_full = 0;         ///< per write that makes a file longer
  double sync_fails = 0;        ///< per sync
  std::vector<std::string> allowed_errors;
};

/// Runs of one scenario: a scenario file with any seeds, or a file of tests/sim/seeds, a run that failed once.
struct RunFile {
  Scenario scenario;
  std::vector<std::uint64_t> seeds;  ///< empty: any
};

/// Reads `path` and what it names. Throws std::runtime_error that names file and key.
RunFile readRuns(const std::string& path);

}  // namespace vcc::sim
