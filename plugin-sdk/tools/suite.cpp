// SPDX-License-Identifier: Apache-2.0
#include "suite.h"

#include "checks/checks.h"
#include "isolate.h"

namespace vcp::check {
namespace {

std::vector<Check> allChecks() {
  std::vector<Check> all;
  for (auto* group : {requestChecks, createChecks, readChecks, powerChecks, destroyChecks, diskChecks, grantChecks,
                      callChecks, errorChecks, stateChecks, ruleChecks}) {
    for (Check& check : group()) all.push_back(check);
  }
  return all;
}

/// Why a check means nothing here; empty when it does.
std::string reasonToSkip(const Bench& bench, unsigned needs) {
  const vcp_plugin_info_t& info = bench.info();
  const bool asserted = info.existence == VCP_EXISTENCE_ASSERTED;
  if ((needs & kObserved) != 0 && asserted) return "existing servers are neither made nor taken away";
  if ((needs & kAsserted) != 0 && !asserted) return "it is about existing servers";
  if ((needs & kVirtual) != 0 && bench.setup().live) return "not against a real cloud";
  if ((needs & kCloud) != 0 && bench.cloud() == nullptr) {
    return bench.setup().live ? "not against a real cloud"
                              : "it needs a simulated cloud (--cloud): without HTTP nothing can be lost or counted";
  }
  if ((needs & kPowers) != 0 && (info.capabilities & VCP_CAP_POWER) == 0) return "the driver has no power switch";
  if ((needs & kLists) != 0 && (info.capabilities & VCP_CAP_LIST) == 0) return "the driver has no list";
  if ((needs & kSecond) != 0 && bench.of().second.credentials.empty()) return "the case file has no second_credentials";
  if ((needs & kBatches) != 0 && bench.maxBatch() < 2) return "max_batch is 1";
  if ((needs & kDisks) != 0 && !bench.hasDisks()) return "the driver does not offer " VCP_DISK_ID;
  if ((needs & kDisks) != 0 && bench.of().disk_params.empty()) return "the case file has no disk_params";
  return "";
}

bool isWanted(const std::string& name, const std::string& only) {
  return only.empty() || name == only || name.rfind(only + ".", 0) == 0;
}

}  // namespace

bool runConformance(const Setup& setup, const std::string& only, Report* report) {
  // A check that is killed leaves its machines behind, so a real cloud gets time.
  const std::int64_t default_ms = setup.live ? 3'600'000 : 30'000;
  const std::int64_t limit_ms = setup.of.check_ms > 0 ? setup.of.check_ms : default_ms;
  bool any = false;
  for (const Check& check : allChecks()) {
    if (!isWanted(check.topic.name, only)) continue;
    any = true;
    const std::int64_t began = steadyMs();
    Outcome outcome = runIsolated(
        [&]() -> Outcome {
          const Bench bench(setup);
          const std::string reason = reasonToSkip(bench, check.needs);
          if (!reason.empty()) return {Verdict::kSkip, "", reason};
          check.body(bench);
          return {};
        },
        limit_ms);
    report->add(check.topic, std::move(outcome), steadyMs() - began);
  }
  return any;
}

}  // namespace vcp::check
