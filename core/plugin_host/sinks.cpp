// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/sinks.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/encoding.h"

namespace vcc {
namespace {

constexpr std::size_t kMaxId = 256;
constexpr std::size_t kMaxResourceName = 128;
constexpr std::size_t kMaxAddress = 64;
constexpr std::size_t kMaxDetail = 512;
constexpr std::size_t kMaxReason = 256;
constexpr std::size_t kMaxProviderCode = 64;
constexpr std::size_t kMaxDriverState = 4096;
constexpr std::size_t kMaxResources = 64;
constexpr std::int64_t kMaxPendingMs = 3'600'000;

/// Identifiers go into records, requests and log lines: bounded, UTF-8, no control characters.
bool isIdentifier(std::string_view text, std::size_t limit) {
  const bool printable =
      std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  return text.size() <= limit && printable && isUtf8(text);
}

bool isAddress(std::string_view text) {
  unsigned char raw[sizeof(in6_addr)];
  const std::string copy(text.substr(0, kMaxAddress));
  return text.size() < kMaxAddress && copy.find('\0') == copy.npos &&
         (inet_pton(AF_INET, copy.c_str(), raw) == 1 || inet_pton(AF_INET6, copy.c_str(), raw) == 1);
}

/// The name of what is wrong with a resource, or null.
const char* badPart(const vcp_resource_t* part) {
  if (part == nullptr || !VCP_HAS(vcp_resource_t, part, id)) return "an unreadable resource";
  if (part->kind.size == 0 || !isIdentifier(fromAbi(part->kind), kMaxResourceName)) return "a bad resource kind";
  if (!isIdentifier(fromAbi(part->name), kMaxResourceName)) return "a bad resource name";
  if (!isIdentifier(fromAbi(part->id), kMaxId)) return "a bad resource id";
  return nullptr;
}

Resource copyOf(const vcp_resource_t& part) {
  return {std::string(fromAbi(part.kind)), std::string(fromAbi(part.name)), std::string(fromAbi(part.id))};
}

Status statusOf(const vcp_error_t* error, bool mutation) {
  if (error == nullptr || !VCP_HAS(vcp_error_t, error, message)) {
    return Status(Code::kUnknown, "the driver reported an unreadable error", Outcome::kUnknown);
  }
  return fromAbi(error->code, *error, mutation);
}

Status broken(const std::string& how) {
  return Status(Code::kInternal, "the driver broke its contract: it reported " + how + "; report this to its vendor",
                Outcome::kUnknown);
}

}  // namespace

ItemIndex::ItemIndex(const std::vector<MachineRef>& items) {
  for (std::size_t i = 0; i < items.size(); ++i) positions_[items[i].index] = static_cast<std::ptrdiff_t>(i);
}

std::ptrdiff_t ItemIndex::position(std::int64_t index) const {
  const auto it = positions_.find(index);
  return it == positions_.end() ? -1 : it->second;
}

/// Runs `change` on the slot of an item under the lock. `change` may set Slot::broken.
template <class Change>
void ItemCollector::change(const vcp_item_sink_t* sink, std::int64_t index, Change&& change) noexcept {
  auto& self = *static_cast<ItemCollector*>(sink->host_data);
  try {
    const MutexLock lock(self.mutex_);
    const std::ptrdiff_t position = self.index_.position(index);
    if (position < 0)
      return self.host_.misbehaved("it answered for item " + std::to_string(index) + ", which was not in the call");
    change(self.slots_[static_cast<std::size_t>(position)]);
  } catch (...) {  // out of memory: the item stays without an answer, which is an unknown outcome
  }
}

ItemCollector::ItemCollector(const HostServices& host, const std::vector<MachineRef>& items)
    : host_(host), index_(items), slots_(items.size()) {
  sink_.struct_size = sizeof sink_;
  sink_.host_data = this;
  sink_.machine = [](const vcp_item_sink_t* s, std::int64_t index, vcp_string_t id, vcp_string_t address) noexcept {
    change(s, index, [&](Slot& slot) {
      if (!isIdentifier(fromAbi(id), kMaxId)) {
        slot.broken = "a bad cloud id";
      } else if (id.size > 0) {
        slot.result.cloud_id = fromAbi(id);
      }
      if (address.size > 0 && !isAddress(fromAbi(address))) {
        slot.broken = "a bad address";
      } else if (address.size > 0) {
        slot.result.address = fromAbi(address);
      }
    });
  };
  sink_.resource = [](const vcp_item_sink_t* s, std::int64_t index, const vcp_resource_t* part) noexcept {
    change(s, index, [&](Slot& slot) { addResource(slot, part); });
  };
  sink_.driver_state = [](const vcp_item_sink_t* s, std::int64_t index, vcp_string_t state) noexcept {
    change(s, index, [&](Slot& slot) {
      if (state.size > kMaxDriverState || !isUtf8(fromAbi(state))) {
        slot.broken = "a bad driver state";
        return;
      }
      slot.result.has_driver_state = true;
      slot.result.driver_state = fromAbi(state);
    });
  };
  sink_.done = [](const vcp_item_sink_t* s, std::int64_t index) noexcept {
    change(s, index, [](Slot& slot) {
      ++slot.answers;
      slot.result.state = ItemState::kDone;
    });
  };
  sink_.pending = [](const vcp_item_sink_t* s, std::int64_t index, std::int64_t ms, vcp_string_t reason) noexcept {
    change(s, index, [&](Slot& slot) {
      ++slot.answers;
      slot.result.state = ItemState::kPending;
      slot.result.reason = cleanUtf8(fromAbi(reason), kMaxReason);
      slot.result.retry_after_ms = std::clamp<std::int64_t>(ms, 0, kMaxPendingMs);
    });
  };
  sink_.error = [](const vcp_item_sink_t* s, std::int64_t index, const vcp_error_t* error) noexcept {
    change(s, index, [&](Slot& slot) {
      ++slot.answers;
      slot.result.state = ItemState::kFailed;
      slot.result.error = statusOf(error, true);
    });
  };
}

void ItemCollector::addResource(Slot& slot, const vcp_resource_t* part) {
  std::vector<Resource>& parts = slot.result.resources;
  if (const char* bad = badPart(part)) {
    slot.broken = bad;
    return;
  }
  Resource resource = copyOf(*part);
  const auto same = std::find_if(parts.begin(), parts.end(), [&](const Resource& known) {
    return known.kind == resource.kind && known.name == resource.name;
  });
  if (same != parts.end()) {
    *same = std::move(resource);
  } else if (parts.size() < kMaxResources) {
    parts.push_back(std::move(resource));
  } else {
    slot.broken = "more than 64 resources";
  }
}

std::vector<ItemResult> ItemCollector::finish(const Status& call) {
  const MutexLock lock(mutex_);
  std::vector<ItemResult> results;
  results.reserve(slots_.size());
  for (Slot& slot : slots_) {
    if (slot.answers == 0 && slot.broken.empty() && !call.ok()) {
      slot.result.state = ItemState::kFailed;
      slot.result.error = call;
    } else {
      if (slot.answers == 0 && slot.broken.empty()) slot.broken = "no answer for an item";
      if (slot.answers > 1) slot.broken = "more than one answer for an item";
    }
    if (!slot.broken.empty()) {  // what was learnt about the machine is kept: it may exist
      host_.misbehaved("it reported " + slot.broken);
      slot.result.state = ItemState::kFailed;
      slot.result.error = broken(slot.broken);
    }
    results.push_back(std::move(slot.result));
  }
  return results;
}

ObservationCollector::ObservationCollector(const HostServices& host, const std::vector<MachineRef>& refs)
    : host_(host), index_(refs), seen_(refs.size()), answers_(refs.size()) {
  setUp();
}

ObservationCollector::ObservationCollector(const HostServices& host, std::function<void(const Observation&)> visit)
    : host_(host), index_({}), visit_(std::move(visit)) {
  setUp();
}

/// The parts of an observation. Returns what is wrong with them, or null.
template <class Raw>
static const char* copyParts(const Raw& from, Observation& to) {
  if (from.resource_count > kMaxResources || (from.resource_count > 0 && from.resources == nullptr)) {
    return "bad resources";
  }
  for (std::uint64_t i = 0; i < from.resource_count; ++i) {
    if (const char* what = badPart(from.resources[i])) return what;
    to.resources.push_back(copyOf(*from.resources[i]));
  }
  return nullptr;
}

template <class Raw>
static void takeFailure(const Raw& from, Observation& to) {
  if (from.failure > VCP_OK && from.failure <= VCP_UNAUTHENTICATED) to.failure = static_cast<Code>(from.failure);
  to.provider_code = cleanUtf8(fromAbi(from.provider_code), kMaxProviderCode);
}

/// Copies an observation; one that breaks the contract has an error.
static Observation observationOf(const vcp_observation_t* from) {
  Observation to;
  const auto bad = [&](const std::string& what) {
    to.error = broken(what);
    return to;
  };
  if (from == nullptr || !VCP_HAS(vcp_observation_t, from, create_index)) return bad("an unreadable observation");
  to.found = from->found != 0;
  if (!to.found) return to;
  if (!isIdentifier(fromAbi(from->name), kMaxId)) return bad("a bad machine name");
  if (!isIdentifier(fromAbi(from->cloud_id), kMaxId)) return bad("a bad cloud id");
  if (from->address.size > 0 && !isAddress(fromAbi(from->address))) return bad("a bad address");
  to.name = fromAbi(from->name);
  to.cloud_id = fromAbi(from->cloud_id);
  to.address = fromAbi(from->address);
  to.detail = cleanUtf8(fromAbi(from->detail), kMaxDetail);
  if (from->state > VCP_STATE_UNSPECIFIED && from->state <= VCP_STATE_FAILED)
    to.state = static_cast<MachineState>(from->state);
  if (from->reason > VCP_REASON_UNKNOWN && from->reason <= VCP_REASON_UNPAID)
    to.reason = static_cast<Reason>(from->reason);
  if (to.state == MachineState::kFailed) takeFailure(*from, to);
  if (!isIdentifier(fromAbi(from->create_op), kMaxResourceName)) return bad("a bad create_op");
  to.create_op = fromAbi(from->create_op);
  to.create_index = from->create_index;
  if (const char* what = copyParts(*from, to)) return bad(what);
  return to;
}

static MachineState stateOfDisk(std::int32_t state) {
  switch (state) {
    case VCP_DISK_STATE_CREATING:
      return MachineState::kProvisioning;
    case VCP_DISK_STATE_AVAILABLE:
    case VCP_DISK_STATE_ATTACHING:
    case VCP_DISK_STATE_ATTACHED:
    case VCP_DISK_STATE_DETACHING:
      return MachineState::kRunning;
    case VCP_DISK_STATE_DELETING:
      return MachineState::kTerminating;
    case VCP_DISK_STATE_FAILED:
      return MachineState::kFailed;
    default:
      return MachineState::kUnspecified;
  }
}

/// The same for a disk.
static Observation observationOf(const vcp_disk_observation_t* from) {
  Observation to;
  const auto bad = [&](const std::string& what) {
    to.error = broken(what);
    return to;
  };
  if (from == nullptr || !VCP_HAS(vcp_disk_observation_t, from, resource_count))
    return bad("an unreadable observation");
  to.found = from->found != 0;
  if (!to.found) return to;
  if (!isIdentifier(fromAbi(from->cloud_id), kMaxId)) return bad("a bad cloud id");
  if (!isIdentifier(fromAbi(from->machine_id), kMaxId)) return bad("a bad machine id");
  if (from->size_gib < 0) return bad("a negative size");
  to.cloud_id = fromAbi(from->cloud_id);
  to.holder = fromAbi(from->machine_id);
  to.size_gib = from->size_gib;
  to.state = stateOfDisk(from->state);
  to.attached = from->state == VCP_DISK_STATE_ATTACHED;
  if (to.attached && to.holder.empty()) return bad("a disk that is attached to nothing");
  to.detail = cleanUtf8(fromAbi(from->detail), kMaxDetail);
  if (to.state == MachineState::kFailed) takeFailure(*from, to);
  if (const char* what = copyParts(*from, to)) return bad(what);
  return to;
}

void ObservationCollector::setUp() {
  sink_.struct_size = sizeof sink_;
  sink_.host_data = this;
  sink_.observed = [](const vcp_observation_sink_t* s, const vcp_observation_t* what) noexcept -> std::int32_t {
    auto& self = *static_cast<ObservationCollector*>(s->host_data);
    try {
      self.answer(what == nullptr ? -1 : what->index, observationOf(what));
      return VCP_OK;
    } catch (...) {  // out of memory, or the visitor's own failure: the list is then not complete
      const MutexLock lock(self.mutex_);
      self.broken_ = true;
      return VCP_CANCELLED;
    }
  };
  sink_.error = [](const vcp_observation_sink_t* s, std::int64_t index, const vcp_error_t* error) noexcept {
    static_cast<ObservationCollector*>(s->host_data)->failed(index, error);
  };
  disk_sink_.struct_size = sizeof disk_sink_;
  disk_sink_.host_data = this;
  disk_sink_.observed = [](const vcp_disk_observation_sink_t* s, const vcp_disk_observation_t* what) noexcept {
    try {
      static_cast<ObservationCollector*>(s->host_data)->answer(what == nullptr ? -1 : what->index, observationOf(what));
    } catch (...) {  // out of memory: the item stays without an answer
    }
  };
  disk_sink_.error = [](const vcp_disk_observation_sink_t* s, std::int64_t index, const vcp_error_t* error) noexcept {
    static_cast<ObservationCollector*>(s->host_data)->failed(index, error);
  };
  sink_.complete = [](const vcp_observation_sink_t* s) noexcept {
    auto& self = *static_cast<ObservationCollector*>(s->host_data);
    const MutexLock lock(self.mutex_);
    self.complete_ = true;
  };
}

void ObservationCollector::failed(std::int64_t index, const vcp_error_t* error) noexcept {
  try {
    Observation nothing;
    nothing.error = statusOf(error, false);
    if (nothing.error.ok()) nothing.error = broken("an error without a code");
    answer(index, std::move(nothing));
  } catch (...) {  // out of memory: the item stays without an answer
  }
}

void ObservationCollector::answer(std::int64_t index, Observation observation) {
  const MutexLock lock(mutex_);
  if (visit_) {
    if (!observation.error.ok()) {
      broken_ = true;
      host_.misbehaved("in a list: " + observation.error.message());
    } else if (observation.found) {
      visit_(observation);
    }
    return;
  }
  const std::ptrdiff_t position = index_.position(index);
  if (position < 0)
    return host_.misbehaved("it answered for item " + std::to_string(index) + ", which was not in the call");
  ++answers_[static_cast<std::size_t>(position)];
  seen_[static_cast<std::size_t>(position)] = std::move(observation);
}

std::vector<Observation> ObservationCollector::finish(const Status& call) {
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    if (answers_[i] == 1) {
      if (seen_[i].error.code() == Code::kInternal) host_.misbehaved(seen_[i].error.message());
      continue;
    }
    Observation nothing;
    nothing.error = answers_[i] == 0 && !call.ok()
                        ? call
                        : broken(answers_[i] == 0 ? "no answer for an item" : "more than one answer for an item");
    if (answers_[i] > 1 || call.ok()) host_.misbehaved(nothing.error.message());
    seen_[i] = std::move(nothing);
  }
  return std::move(seen_);
}

bool ObservationCollector::isComplete() const {
  const MutexLock lock(mutex_);
  return complete_ && !broken_;
}

TextCollector::TextCollector(std::size_t limit) : limit_(limit) {
  sink_.struct_size = sizeof sink_;
  sink_.maker_data = this;
  sink_.write = [](const vcp_text_sink_t* s, vcp_string_t piece) noexcept -> std::int32_t {
    auto& self = *static_cast<TextCollector*>(s->maker_data);
    try {
      if (piece.size > self.limit_ - self.text_.size()) return VCP_OUT_OF_RANGE;
      self.text_ += fromAbi(piece);
      return VCP_OK;
    } catch (...) {
      return VCP_RESOURCE_EXHAUSTED;
    }
  };
}

}  // namespace vcc
