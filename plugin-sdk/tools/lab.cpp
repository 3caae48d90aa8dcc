// SPDX-License-Identifier: Apache-2.0
#include "lab.h"

#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "abi_checks.h"
#include "plugin.h"
#include "report.h"
#include "vcp/plugin/cpp/json.h"

namespace vcp::check {
namespace {

using plugin::Items;
using plugin::Json;
using plugin::view;
using plugin::testing::Answers;
using plugin::testing::ItemAnswer;
using plugin::testing::OpenDisks;
using plugin::testing::OpenDriver;
using plugin::testing::Seen;
using plugin::testing::SeenDisks;

constexpr std::size_t kMaxParts = 64;

/// Texts live in `machines`.
Items itemsOf(const Machines& machines) {
  Items items;
  for (std::size_t i = 0; i < machines.size(); ++i) {
    const Machine& m = machines[i];
    // The handle means nothing beyond the call, so it is not the place in the create.
    items.push_back({static_cast<std::int64_t>(i) + 100, m.name, m.display_name, m.cloud_id, m.requested_address,
                     m.driver_state, m.resources, m.create_op, m.create_index, m.create_size});
  }
  return items;
}

std::int64_t indexOf(std::size_t position) { return static_cast<std::int64_t>(position) + 100; }

std::string textOf(const char* text, std::size_t size) { return std::string(text, ::strnlen(text, size)); }

/// What a look at disks has in common with one at machines.
Seen seenOf(const SeenDisks& from) {
  Seen seen;
  seen.code = from.code;
  seen.error = from.error;
  seen.errors = from.errors;
  seen.answers = from.answers;
  for (const auto& [index, disk] : from.disks) {
    plugin::Observation& to = seen.machines[index];
    to.found = disk.found;
    to.cloud_id = disk.cloud_id;
    to.detail = disk.detail;
    to.resources = disk.resources;
    to.state = disk.state == plugin::DiskState::kDeleting ? plugin::State::kTerminating : plugin::State::kUnspecified;
  }
  return seen;
}

void inspectError(CheckHost& host, const vcp_error_t& error) {
  host.inspect("error message", textOf(error.message, sizeof error.message), sizeof error.message - 1);
  host.inspect("provider_code", textOf(error.provider_code, sizeof error.provider_code),
               sizeof error.provider_code - 1);
  host.inspect("request_id", textOf(error.request_id, sizeof error.request_id), sizeof error.request_id - 1);
}

}  // namespace

Lab::Lab(const Bench& bench)
    : bench_(bench),
      host_(bench.setup().seed, bench.setup().live, grantsOf(bench.of())),
      // Live, names must not meet those of an earlier run.
      random_(bench.setup().live ? static_cast<std::uint64_t>(host_.table()->wall_ms(host_.table()))
                                 : bench.setup().seed),
      vcc_(hex(32)) {
  std::string folder = (std::filesystem::temp_directory_path() / "vcp-check-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("cannot make a folder " + folder);
  data_dir_ = folder;
  if (bench.cloud() != nullptr) wire_ = std::make_unique<Wire>(*bench.cloud(), bench.of().cloud_options, host_);
  if (bench.setup().live) {
    live_ = makeLiveHost(bench.of().origins);
    host_.provide(VCP_HTTP_ID, live_->http());
  }
  open();
  before_ = objects();
}

Lab::~Lab() {
  try {
    if (host_.isLive() && bench_.info().existence == VCP_EXISTENCE_OBSERVED && !made().empty()) {
      Machines all = bare(minted_);
      // A disk that a machine holds cannot be taken away.
      std::stable_partition(all.begin(), all.end(), [](const Machine& item) { return !item.is_disk; });
      for (Machine& machine : all) {
        Machines one{machine};
        remove(one);
      }
    }
  } catch (...) {  // the check has failed already, or says so itself; what is left is named in its report
  }
  driver_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(data_dir_, ignored);
}

Wire& Lab::wire() {
  if (!wire_) throw Skipped{"it needs a simulated cloud (--cloud): without it nothing can be lost or counted"};
  return *wire_;
}

void Lab::open() {
  try {
    driver_ = std::make_unique<OpenDriver>(bench_.entry(), host_, driverConfig(data_dir_, bench_.of().options));
  } catch (const std::runtime_error& e) {
    const bool has_http = wire_ || live_;
    fail("open_driver succeeds",
         e.what() + std::string(has_http ? "" : " (there is HTTP with --cloud or --live only)"));
  }
}

void Lab::reopen() {
  driver_.reset();
  open();
}

std::string Lab::hex(std::size_t digits) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string text;
  while (text.size() < digits) {
    random_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = random_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    text += "0123456789abcdef"[(z >> 60U)];
  }
  return text;
}

std::string Lab::newOp() { return hex(32); }

Machine Lab::newItem() {
  Machine item;
  item.name = "vcp-" + vcc_.substr(0, 8) + "-" + hex(20);
  item.display_name = "group-unit-" + std::to_string(minted_.size() + 1);
  return item;
}

Machines Lab::mint(std::size_t count, bool with_address) {
  const std::string op = newOp();
  Machines machines;
  for (std::size_t i = 0; i < count; ++i) {
    Machine machine = newItem();
    if (with_address || bench_.needsAddress()) {
      if (next_address_ >= bench_.of().addresses.size()) {
        throw Skipped{"it needs more 'addresses' in the case file: " + std::to_string(next_address_ + 1) + " or more"};
      }
      machine.requested_address = bench_.of().addresses[next_address_++];
    }
    machine.create_op = op;
    machine.create_index = static_cast<std::int64_t>(i);
    machine.create_size = static_cast<std::int64_t>(count);
    minted_.push_back(machine);
    machines.push_back(std::move(machine));
  }
  return machines;
}

std::string Lab::spec(bool of_disks) const {
  Json spec{{"provider", bench_.of().provider},
            {"cloud_params", Json::parse(of_disks ? bench_.of().disk_params : bench_.of().cloud_params)},
            {"labels",
             {{"vcc_id", vcc_}, {"vcid", "vc-1"}, {"vc_name", "check"}, {"unit_name", "unit"}, {"owner", "check"}}}};
  if (of_disks) return spec.dump();
  spec["access"] = {
      {"user", "vcp"},
      {"public_keys", {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGNoZWNrY2hlY2tjaGVja2NoZWNrY2hlY2tjaGVj check"}},
      {"user_data", ""}};
  return spec.dump();
}

std::unique_ptr<Frame> Lab::frame(const Asking& asking, const std::string& op, std::int64_t attempt) {
  const Grant& grant = asking.grant == nullptr ? bench_.of().first : *asking.grant;
  return std::make_unique<Frame>(host_, asking, op, attempt, bench_.of().catalog_entry, grant,
                                 asking.vcc.empty() ? vcc_ : asking.vcc);
}

void Lab::commit(const ItemAnswer& said, Machine& machine, Result& result) {
  host_.inspect("cloud id", said.cloud_id, 256);
  host_.inspect("address", said.address, 63);
  host_.inspect("driver_state", said.driver_state, 4096);
  host_.inspect("reason of a pending", said.pending_reason, 256);
  if (said.resources.size() > kMaxParts) host_.notes.add(Rule::kTexts, "more than 64 parts of one item");
  if (!said.cloud_id.empty()) {
    machine.cloud_id = said.cloud_id;
    result.reported.push_back(said.cloud_id);
  }
  if (!said.address.empty()) machine.address = said.address;
  if (!said.driver_state.empty()) machine.driver_state = said.driver_state;
  for (const plugin::Resource& part : said.resources) {
    host_.inspect("kind of a part", part.kind, 128);
    host_.inspect("name of a part", part.name, 128);
    host_.inspect("id of a part", part.id, 256);
    if (part.kind.empty()) host_.notes.add(Rule::kTexts, "a part without a kind");
    const auto same = [&](const plugin::Resource& known) { return known.kind == part.kind && known.name == part.name; };
    machine.resources.erase(std::remove_if(machine.resources.begin(), machine.resources.end(), same),
                            machine.resources.end());
    if (part.id.empty()) continue;
    machine.resources.push_back(part);
    result.reported.push_back(part.id);
  }
}

Answer Lab::answerOf(const Answers& said, std::int64_t index) {
  const auto found = said.items.find(index);
  const ItemAnswer none;
  const ItemAnswer& item = found == said.items.end() ? none : found->second;
  Answer answer;
  answer.error = plugin::detail::emptyError();
  const int count = item.done + item.pending + item.errors;
  if (count == 1 && item.done == 1) {
    answer.say = Say::kDone;
  } else if (count == 1 && item.pending == 1) {
    answer.say = Say::kPending;
    answer.retry_after_ms = item.pending_ms;
  } else if (count == 1) {
    answer.error = item.error;
    if (answer.error.code == VCP_OK) host_.notes.add(Rule::kAnswers, "an error without a code");
  } else if (count == 0 && said.code != VCP_OK) {
    answer.error = said.error;
    answer.error.code = said.code;
    if (said.error.code != said.code)
      host_.notes.add(Rule::kAnswers, "a function returned a code that its error does not have");
  } else {
    host_.notes.add(Rule::kAnswers, count == 0 ? "an item of a call that succeeded has no answer"
                                               : "an item has " + std::to_string(count) + " answers");
    plugin::detail::fillError(&answer.error, plugin::Outcome::kUnknown, VCP_INTERNAL, "no answer, or more than one");
  }
  if (answer.say == Say::kError) inspectError(host_, answer.error);
  return answer;
}

/// Is what the driver says about its changes true?
void Lab::note(Result& result, const Frame& frame) {
  result.requests = frame.requests;
  result.changes = frame.changes;
  result.applied = frame.applied;
  result.after_cancel = frame.after_cancel;
  result.faults = frame.faults;
  result.slept_ms = frame.slept_ms;
  if (!wire_) return;
  bool all_deny = true;
  for (const Answer& answer : result.answers) {
    all_deny = all_deny && answer.say == Say::kError && answer.error.outcome == VCP_OUTCOME_NOT_APPLIED;
    if (frame.changes == 0 && answer.say == Say::kError && answer.error.outcome == VCP_OUTCOME_APPLIED &&
        answer.error.code != VCP_ALREADY_EXISTS) {
      host_.notes.add(Rule::kHonest, "no change was asked for, but the error says APPLIED: " + toText(answer.error));
    }
  }
  if (all_deny && frame.applied > 0) {
    host_.notes.add(Rule::kHonest,
                    "a change took effect, but the error says NOT_APPLIED: " + toText(result.answers.front().error));
  }
}

Answers Lab::send(Verb verb, const vcp_call_t* call, const std::string& request, bool of_disks,
                  const Items& items) const {
  if (of_disks) {
    const OpenDisks disks(*driver_);
    return verb == Verb::kCreate ? disks.create(call, request, items) : disks.destroy(call, items);
  }
  if (verb == Verb::kCreate) return driver_->create(call, request, items);
  if (verb == Verb::kDestroy) return driver_->destroy(call, items);
  return driver_->power(call, verb == Verb::kPowerOn, items);
}

Result Lab::resultOf(Verb verb, const Answers& said, const Frame& frame, Machines& machines) {
  Result result;
  result.verb = verb;
  for (std::size_t i = 0; i < machines.size(); ++i) {
    if (const auto found = said.items.find(indexOf(i)); found != said.items.end()) {
      commit(found->second, machines[i], result);
    }
    result.answers.push_back(answerOf(said, indexOf(i)));
    machines[i].done = result.answers.back().say == Say::kDone;
  }
  for (const auto& [index, answer] : said.items) {
    if (index < indexOf(0) || index >= indexOf(machines.size())) {
      host_.notes.add(Rule::kAnswers, "an answer for index " + std::to_string(index) + ", which was not in the call");
    }
  }
  note(result, frame);
  return result;
}

Result Lab::call(Verb verb, const std::string& op, std::int64_t attempt, Machines& machines, const Asking& asking) {
  const std::unique_ptr<Frame> context = frame(asking, op, attempt);
  const Machines sent = machines;
  const bool of_disks = sent.front().is_disk;
  const std::string request = asking.spec.empty() ? spec(of_disks) : asking.spec;
  const std::int64_t began = host_.now();
  const Answers said = send(verb, &context->raw, request, of_disks, itemsOf(sent));
  const std::int64_t took_ms = host_.now() - began;
  Result result = resultOf(verb, said, *context, machines);
  result.took_ms = took_ms;
  return result;
}

Result Lab::attach(bool on, const std::string& op, std::int64_t attempt, Machine& disk, const Machine& machine) {
  const std::unique_ptr<Frame> context = frame({}, op, attempt);
  const Machines sent{disk};
  const Machines holders{machine};
  const Answers said = OpenDisks(*driver_).attach(&context->raw, on, itemsOf(sent), itemsOf(holders));
  Machines after{disk};
  Result result = resultOf(on ? Verb::kAttach : Verb::kDetach, said, *context, after);
  disk = after.front();
  return result;
}

std::vector<Sight> Lab::observe(const Machines& machines, const Asking& asking) {
  const std::unique_ptr<Frame> context = frame(asking);
  const bool of_disks = machines.front().is_disk;
  SeenDisks disks;
  if (of_disks) disks = OpenDisks(*driver_).observe(&context->raw, itemsOf(machines));
  const Seen seen = of_disks ? seenOf(disks) : driver_->observe(&context->raw, itemsOf(machines));
  std::vector<Sight> sights(machines.size());
  for (std::size_t i = 0; i < machines.size(); ++i) {
    Sight& sight = sights[i];
    sight.error = plugin::detail::emptyError();
    const auto times = seen.answers.find(indexOf(i));
    const int count = times == seen.answers.end() ? 0 : times->second;
    if (const auto error = seen.errors.find(indexOf(i)); error != seen.errors.end()) {
      sight.error = error->second;
    } else if (const auto found = seen.machines.find(indexOf(i)); found != seen.machines.end()) {
      sight.failed = false;
      sight.seen = found->second;
      if (of_disks) sight.disk = disks.disks.at(indexOf(i));
      host_.inspect("observed machine of a disk", sight.disk.machine_id, 256);
      host_.inspect("observed name", sight.seen.name, 256);
      host_.inspect("observed id", sight.seen.cloud_id, 256);
      host_.inspect("observed address", sight.seen.address, 63);
      host_.inspect("observed detail", sight.seen.detail, 512);
      for (const plugin::Resource& part : sight.seen.resources) {
        host_.inspect("kind of a part", part.kind, 128);
        host_.inspect("name of a part", part.name, 128);
        host_.inspect("id of a part", part.id, 256);
      }
    } else {
      sight.error = seen.error;
      sight.error.code = seen.code;
    }
    if (count > 1 || (count == 0 && seen.code == VCP_OK)) {
      host_.notes.add(Rule::kAnswers, "an item of observe has " + std::to_string(count) + " answers");
    }
    if (sight.failed) inspectError(host_, sight.error);
  }
  for (const auto& [index, count] : seen.answers) {
    if (index < indexOf(0) || index >= indexOf(machines.size())) {
      host_.notes.add(Rule::kAnswers,
                      "observe answered for index " + std::to_string(index) + ", which was not in the call");
    }
  }
  return sights;
}

Seen Lab::list(const Asking& asking) {
  const std::unique_ptr<Frame> context = frame(asking);
  Seen seen = driver_->list(&context->raw);
  if (seen.code != VCP_OK) inspectError(host_, seen.error);
  return seen;
}

vcp_error_t Lab::probe(const Grant& grant) {
  Asking asking;
  asking.grant = &grant;
  const std::unique_ptr<Frame> context = frame(asking);
  vcp_error_t error = plugin::detail::emptyError();
  error.code = driver_->ops().probe(driver_->instance(), &context->raw, &error);
  if (error.code != VCP_OK) inspectError(host_, error);
  return error;
}

std::string Lab::describe() {
  std::string text;
  vcp_text_sink_t sink{};
  sink.struct_size = sizeof sink;
  sink.maker_data = &text;
  sink.write = [](const vcp_text_sink_t* s, vcp_string_t piece) -> std::int32_t {
    static_cast<std::string*>(s->maker_data)->append(view(piece));
    return VCP_OK;
  };
  vcp_error_t error = plugin::detail::emptyError();
  if (driver_->ops().describe(driver_->instance(), &sink, &error) != VCP_OK) fail("describe succeeds", toText(error));
  return text;
}

}  // namespace vcp::check
