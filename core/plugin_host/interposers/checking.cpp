// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/interposers/checking.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "base/mutex.h"

namespace vcc {
namespace {

constexpr std::size_t kShownName = 128;

/// "vcp-<first 8 of the controller's id>-": what every name of this controller begins with.
std::string namePrefix(const CallContext& call) {
  return call.vcc_id.empty() ? "" : "vcp-" + call.vcc_id.substr(0, 8) + "-";
}

/// Clouds have more states than there are words for them here; none of them says that the machine may be acted on.
Status stateless(const Observation& seen) {
  const std::string word = seen.detail.empty() ? "it does not say which" : "'" + seen.detail + "'";
  return unavailable("the cloud gives it a state that the driver has no word for: " + word);
}

/// How a result contradicts itself, or null.
const char* contradictionOf(const ItemResult& result) {
  switch (result.state) {
    case ItemState::kDone:
      return result.error.ok() ? nullptr : "done and an error at once";
    case ItemState::kPending:
      if (!result.error.ok()) return "pending and an error at once";
      return result.retry_after_ms < 0 ? "pending for a negative time" : nullptr;
    case ItemState::kFailed:
      return result.error.ok() ? "an error without a code" : nullptr;
    case ItemState::kOpen:
      return "no state of the item";
  }
  return "a state that does not exist";
}

}  // namespace

/// The machines of one call, while it is under way.
class CheckingDriver::Presence {
 public:
  Presence(CheckingDriver& owner, const DriverRequest& request) : owner_(owner) {
    const MutexLock lock(owner_.mutex_);
    std::set<std::string> machines;  // of attach: one may stand in several items
    for (std::size_t i = 0; i < request.size(); ++i) {
      overlaps_.emplace_back();
      for (const std::string* entry : namesOf((*request.items)[i])) {
        const std::string& name = *entry;
        const bool again = entry != &(*request.items)[i].name && !machines.insert(name).second;
        if (again) continue;
        if (owner_.present_.insert(name).second) {
          entered_.push_back(name);
          continue;
        }
        overlaps_.back() = Status(Code::kAborted,
                                  "machine " + name +
                                      " is in another call of the driver already; a mistake of the "
                                      "controller, please report it",
                                  Outcome::kNotApplied);
      }
    }
  }
  ~Presence() {
    const MutexLock lock(owner_.mutex_);
    for (const std::string& name : entered_) owner_.present_.erase(name);
  }
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

  /// By item: ok, or the refusal.
  const std::vector<Status>& overlaps() const { return overlaps_; }

 private:
  CheckingDriver& owner_;
  std::vector<std::string> entered_;
  std::vector<Status> overlaps_;
};

DriverAnswer CheckingDriver::intercept(const DriverRequest& request) {
  if (request.call == DriverCall::kList) return checkedList(request);
  if (request.items == nullptr) return passOn(request);
  const Presence presence(*this, request);
  for (const Status& overlap : presence.overlaps()) {
    if (overlap.ok()) continue;
    log_.error("DRIVER_CALL_OVERLAP", overlap.message(),
               {{"driver", instance_}, {"call", driverCallName(request.call)}, {"op", request.context->op_id}});
  }
  return performUnlessRefused(request, presence.overlaps(),
                              [this](const DriverRequest& rest) { return checked(rest); });
}

DriverAnswer CheckingDriver::checked(const DriverRequest& request) {
  DriverAnswer answer = passOn(request);
  const std::size_t given = request.isMutation() ? answer.results.size() : answer.seen.size();
  if (given != request.size()) {
    const Status wrong =
        misbehaved(std::to_string(given) + " answers for " + std::to_string(request.size()) + " machines", "");
    return refusalOf(request, wrong);  // positions mean nothing now: whose answer is missing cannot be told
  }
  for (std::size_t i = 0; i < answer.results.size(); ++i) check(request, (*request.items)[i], answer.results[i]);
  for (std::size_t i = 0; i < answer.seen.size(); ++i) check((*request.items)[i], answer.seen[i]);
  return answer;
}

/// What the driver learnt about the machine is kept beside the error: it may exist.
void CheckingDriver::check(const DriverRequest& request, const MachineRef& ref, ItemResult& result) {
  std::string broken;
  if (const char* contradiction = contradictionOf(result)) {
    broken = contradiction;
  } else if (request.call == DriverCall::kCreate && result.state == ItemState::kDone && result.cloud_id.empty() &&
             ref.cloud_id.empty() && info().existence != Existence::kAsserted) {
    broken = "a create as done without the machine's cloud id";
  }
  if (broken.empty()) return;
  result.state = ItemState::kFailed;
  result.error = misbehaved(broken, ref.name);
}

void CheckingDriver::check(const MachineRef& ref, Observation& seen) {
  if (!seen.error.ok() || !seen.found) return;
  std::string broken;
  if (!seen.name.empty() && seen.name != ref.name) {
    broken = "a machine that was not asked for, " + cleanUtf8(seen.name, kShownName);
  } else if (!seen.cloud_id.empty() && !ref.cloud_id.empty() && seen.cloud_id != ref.cloud_id) {
    broken = "cloud id " + cleanUtf8(seen.cloud_id, kShownName) + " for the machine whose id is " + ref.cloud_id;
  }
  if (broken.empty() && seen.state != MachineState::kUnspecified) return;
  Observation nothing;
  nothing.error = broken.empty() ? stateless(seen) : misbehaved(broken, ref.name);
  seen = std::move(nothing);
}

DriverAnswer CheckingDriver::checkedList(const DriverRequest& request) {
  /// Outlives the call when the driver keeps its visitor.
  struct Visits {
    explicit Visits(const std::function<void(const Observation&)>* v) : visit(v) {}
    Mutex mutex;
    const std::function<void(const Observation&)>* visit VCC_GUARDED_BY(mutex);  // null: the call has ended
    std::string foreign VCC_GUARDED_BY(mutex);
    bool stateless VCC_GUARDED_BY(mutex) = false;
  };
  auto visits = std::make_shared<Visits>(request.visit);
  const std::string prefix = namePrefix(*request.context);
  const std::function<void(const Observation&)> gate = [this, visits, prefix](const Observation& seen) {
    const MutexLock lock(visits->mutex);
    if (visits->visit == nullptr) {
      static_cast<void>(misbehaved("a machine after its list had ended", seen.name));
    } else if (seen.create_op.empty() && !seen.name.empty() && seen.name.compare(0, prefix.size(), prefix) != 0) {
      visits->foreign = seen.name;  // one of a batch has the cloud's own name until ours is written
    } else if (seen.found && seen.state == MachineState::kUnspecified) {
      visits->stateless = true;
    } else {
      (*visits->visit)(seen);
    }
  };
  DriverRequest gated = request;
  gated.visit = &gate;
  DriverAnswer answer = passOn(gated);
  const MutexLock lock(visits->mutex);
  visits->visit = nullptr;
  if (!visits->foreign.empty()) {
    static_cast<void>(misbehaved("a machine of somebody else in its list", visits->foreign));
    answer.complete = false;
  }
  if (visits->stateless) answer.complete = false;  // one that is kept back here is not absent
  if (answer.complete && !answer.status.ok()) {
    static_cast<void>(misbehaved("a list as complete and as failed", ""));
    answer.complete = false;
  }
  return answer;
}

Status CheckingDriver::misbehaved(const std::string& what, const std::string& machine) {
  log_.error("PLUGIN_MISBEHAVED", "it reported " + what,
             {{"driver", instance_}, {"machine", cleanUtf8(machine, kShownName)}});
  return Status(Code::kInternal, "the driver broke its contract: it reported " + what + "; report this to its vendor",
                Outcome::kUnknown);
}

}  // namespace vcc
