// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugin_host/driver.h"

/// Drivers around drivers. A call is one value on its way down and one on its way up, so an interposer is one function.
namespace vcc {

enum class DriverCall : std::uint8_t { kValidate, kProbe, kCreate, kDestroy, kPower, kObserve, kList, kAttach };
constexpr std::size_t kDriverCalls = 8;

std::string_view driverCallName(DriverCall call);

/// What one call asks. Borrows everything from the caller, for the time of the call.
struct DriverRequest {
  DriverCall call = DriverCall::kValidate;
  const CallContext* context = nullptr;                            ///< all but validate
  const std::vector<MachineRef>* items = nullptr;                  ///< mutations and observe
  const std::string* spec = nullptr;                               ///< create: the spec; validate: cloud_params
  const std::string* catalog_entry = nullptr;                      ///< validate
  bool on = false;                                                 ///< power, attach
  const std::function<void(const Observation&)>* visit = nullptr;  ///< list
  bool of_disks = false;                                           ///< validate; elsewhere the context says it

  std::size_t size() const { return items == nullptr ? 0 : items->size(); }
  bool isMutation() const {
    return call == DriverCall::kCreate || call == DriverCall::kDestroy || call == DriverCall::kPower ||
           call == DriverCall::kAttach;
  }
};

/// What came of it.
struct DriverAnswer {
  Status status;                    ///< validate, probe, list
  std::vector<ItemResult> results;  ///< mutations, by position
  std::vector<Observation> seen;    ///< observe, by position
  bool complete = false;            ///< list

  /// The error of the call, or of its first item that failed.
  const Status& firstError() const;
};

/// What became of an item that the driver said nothing about.
Status noAnswer();
/// Makes the call.
DriverAnswer perform(Driver& driver, const DriverRequest& request);
/// The answer in which `error` is what became of the call and of each of its items.
DriverAnswer refusalOf(const DriverRequest& request, const Status& error);
/// Sends on the items whose place in `refused` is ok, and answers the others with the error that is there. `refused`
/// has one entry per item; when none is ok, nothing is sent.
DriverAnswer performUnlessRefused(const DriverRequest& request, const std::vector<Status>& refused,
                                  const std::function<DriverAnswer(const DriverRequest&)>& next);

/// A driver around another. As thread safe as what it does in `intercept`.
class Interposer : public Driver {
 public:
  const DriverInfo& info() const override { return lower_->info(); }
  Status validate(const std::string& cloud_params, const std::string& catalog_entry) final;
  Status validateDisks(const std::string& cloud_params, const std::string& catalog_entry) final;
  Status probe(const CallContext& call) final;
  std::vector<ItemResult> create(const CallContext& call, const std::string& spec,
                                 const std::vector<MachineRef>& items) final;
  std::vector<ItemResult> destroy(const CallContext& call, const std::vector<MachineRef>& items) final;
  std::vector<ItemResult> power(const CallContext& call, bool on, const std::vector<MachineRef>& items) final;
  std::vector<ItemResult> attach(const CallContext& call, bool on, const std::vector<MachineRef>& disks) final;
  std::vector<Observation> observe(const CallContext& call, const std::vector<MachineRef>& refs) final;
  Status list(const CallContext& call, const std::function<void(const Observation&)>& visit, bool* complete) final;

 protected:
  explicit Interposer(std::shared_ptr<Driver> lower) : lower_(std::move(lower)) {}

  /// Answers `request`, as a rule with the help of `passOn`.
  virtual DriverAnswer intercept(const DriverRequest& request) = 0;
  DriverAnswer passOn(const DriverRequest& request) { return perform(*lower_, request); }

 private:
  const std::shared_ptr<Driver> lower_;
};

}  // namespace vcc
