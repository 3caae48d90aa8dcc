// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plugin_host/http_transport.h"
#include "sim/cloud.h"
#include "sim/dice.h"
#include "sim/scenario.h"
#include "sim/scheduler.h"
#include "sim/witness.h"

namespace vcc::sim {

/// The network of a run and the clouds behind it. A request that is on its way arrives whatever becomes of its sender.
class Network final : public HttpTransport {
 public:
  Network(Scheduler& scheduler, Dice& dice, Witness& witness, std::vector<std::unique_ptr<Cloud>>& clouds)
      : scheduler_(scheduler), dice_(dice), witness_(witness), clouds_(clouds) {}

  Result<HttpResponse> send(const HttpRequest& request) override;

  NetworkFaults faults;  ///< all zero: a network as one would like it
  std::uint64_t requests = 0;

 private:
  enum class Fate { kGood, kRefused, kLostRequest, kLostAnswer, kLate, kThrottle, kBroken, kHtml, kRefusal, kRevoked };
  struct Exchange;

  Fate draw();
  Result<HttpResponse> exchange(const HttpRequest& request, Cloud& cloud, const std::shared_ptr<Exchange>& exchange);
  void arrive(const std::shared_ptr<Exchange>& exchange, Cloud& cloud);
  void respond(const std::shared_ptr<Exchange>& exchange, std::int64_t after_ms, Result<HttpResponse> answer);
  HttpResponse refusalOf(Fate fate, const HttpRequest& request, const Cloud& cloud);
  void checkTwins(const Cloud& cloud);
  /// What the request would make where names are unique; empty when that is nothing.
  static std::string made(const HttpRequest& request, const Cloud& cloud);

  Scheduler& scheduler_;
  Dice& dice_;
  Witness& witness_;
  std::vector<std::unique_ptr<Cloud>>& clouds_;
  std::map<std::string, int> making_;  ///< requests on their way, by what they would make
};

}  // namespace vcc::sim
