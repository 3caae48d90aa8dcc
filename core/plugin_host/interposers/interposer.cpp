// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/interposers/interposer.h"

#include <algorithm>
#include <utility>

namespace vcc {

std::string_view driverCallName(DriverCall call) {
  switch (call) {
    case DriverCall::kValidate:
      return "validate";
    case DriverCall::kProbe:
      return "probe";
    case DriverCall::kCreate:
      return "create";
    case DriverCall::kDestroy:
      return "destroy";
    case DriverCall::kPower:
      return "power";
    case DriverCall::kObserve:
      return "observe";
    case DriverCall::kList:
      return "list";
    case DriverCall::kAttach:
      return "attach";
  }
  return "?";
}

const Status& DriverAnswer::firstError() const {
  for (const ItemResult& result : results) {
    if (result.state == ItemState::kFailed) return result.error;
  }
  for (const Observation& observation : seen) {
    if (!observation.error.ok()) return observation.error;
  }
  return status;
}

Status noAnswer() { return Status(Code::kUnknown, "the driver gave no answer", Outcome::kUnknown); }

DriverAnswer perform(Driver& driver, const DriverRequest& request) {
  DriverAnswer answer;
  switch (request.call) {
    case DriverCall::kValidate:
      answer.status = request.of_disks ? driver.validateDisks(*request.spec, *request.catalog_entry)
                                       : driver.validate(*request.spec, *request.catalog_entry);
      break;
    case DriverCall::kProbe:
      answer.status = driver.probe(*request.context);
      break;
    case DriverCall::kCreate:
      answer.results = driver.create(*request.context, *request.spec, *request.items);
      break;
    case DriverCall::kDestroy:
      answer.results = driver.destroy(*request.context, *request.items);
      break;
    case DriverCall::kPower:
      answer.results = driver.power(*request.context, request.on, *request.items);
      break;
    case DriverCall::kObserve:
      answer.seen = driver.observe(*request.context, *request.items);
      break;
    case DriverCall::kList:
      answer.status = driver.list(*request.context, *request.visit, &answer.complete);
      break;
    case DriverCall::kAttach:
      answer.results = driver.attach(*request.context, request.on, *request.items);
      break;
  }
  return answer;
}

DriverAnswer refusalOf(const DriverRequest& request, const Status& error) {
  DriverAnswer answer;
  if (request.call == DriverCall::kObserve) {
    Observation nothing;
    nothing.error = error;
    answer.seen.assign(request.size(), nothing);
  } else if (request.isMutation()) {
    ItemResult failed;
    failed.error = error;
    answer.results.assign(request.size(), failed);
  } else {
    answer.status = error;
  }
  return answer;
}

DriverAnswer performUnlessRefused(const DriverRequest& request, const std::vector<Status>& refused,
                                  const std::function<DriverAnswer(const DriverRequest&)>& next) {
  const auto isSent = [](const Status& status) { return status.ok(); };
  if (std::all_of(refused.begin(), refused.end(), isSent)) return next(request);
  std::vector<MachineRef> sent;
  for (std::size_t i = 0; i < refused.size(); ++i) {
    if (isSent(refused[i])) sent.push_back((*request.items)[i]);
  }
  DriverRequest rest = request;
  rest.items = &sent;
  DriverAnswer part = sent.empty() ? DriverAnswer{} : next(rest);
  DriverAnswer answer = refusalOf(request, noAnswer());
  std::size_t at = 0;
  for (std::size_t i = 0; i < refused.size(); ++i) {
    if (request.isMutation()) {
      if (!isSent(refused[i])) {
        answer.results[i].error = refused[i];
      } else if (at < part.results.size()) {
        answer.results[i] = std::move(part.results[at++]);
      }
    } else if (!isSent(refused[i])) {
      answer.seen[i].error = refused[i];
    } else if (at < part.seen.size()) {
      answer.seen[i] = std::move(part.seen[at++]);
    }
  }
  return answer;
}

Status Interposer::validate(const std::string& cloud_params, const std::string& catalog_entry) {
  return intercept({.call = DriverCall::kValidate, .spec = &cloud_params, .catalog_entry = &catalog_entry}).status;
}

Status Interposer::validateDisks(const std::string& cloud_params, const std::string& catalog_entry) {
  return intercept(
             {.call = DriverCall::kValidate, .spec = &cloud_params, .catalog_entry = &catalog_entry, .of_disks = true})
      .status;
}

Status Interposer::probe(const CallContext& call) {
  return intercept({.call = DriverCall::kProbe, .context = &call}).status;
}

std::vector<ItemResult> Interposer::create(const CallContext& call, const std::string& spec,
                                           const std::vector<MachineRef>& items) {
  return intercept({.call = DriverCall::kCreate, .context = &call, .items = &items, .spec = &spec}).results;
}

std::vector<ItemResult> Interposer::destroy(const CallContext& call, const std::vector<MachineRef>& items) {
  return intercept({.call = DriverCall::kDestroy, .context = &call, .items = &items}).results;
}

std::vector<ItemResult> Interposer::power(const CallContext& call, bool on, const std::vector<MachineRef>& items) {
  return intercept({.call = DriverCall::kPower, .context = &call, .items = &items, .on = on}).results;
}

std::vector<ItemResult> Interposer::attach(const CallContext& call, bool on, const std::vector<MachineRef>& disks) {
  return intercept({.call = DriverCall::kAttach, .context = &call, .items = &disks, .on = on}).results;
}

std::vector<Observation> Interposer::observe(const CallContext& call, const std::vector<MachineRef>& refs) {
  return intercept({.call = DriverCall::kObserve, .context = &call, .items = &refs}).seen;
}

Status Interposer::list(const CallContext& call, const std::function<void(const Observation&)>& visit, bool* complete) {
  DriverAnswer answer = intercept({.call = DriverCall::kList, .context = &call, .visit = &visit});
  *complete = answer.complete;
  return std::move(answer.status);
}

}  // namespace vcc
