// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "vcp/plugin/cpp/disk.h"
#include "vcp/plugin/testing/fake_host.h"

namespace vcp::plugin::testing {

/// What observe of disks answered.
struct SeenDisks {
  std::int32_t code = VCP_OK;
  vcp_error_t error = detail::emptyError();
  std::map<std::int64_t, DiskObservation> disks;
  std::map<std::int64_t, vcp_error_t> errors;
  std::map<std::int64_t, int> answers;  ///< how often each index was answered for
};

/// The disks of an open driver, with answers as values. Borrows the driver.
class OpenDisks {
 public:
  explicit OpenDisks(const OpenDriver& driver)
      : instance_(driver.instance()), ops_(driver.extension<vcp_disk_ops_t>(VCP_DISK_ID)) {
    if (ops_ == nullptr) throw std::runtime_error("the driver does not offer " VCP_DISK_ID);
  }

  const vcp_disk_ops_t& ops() const { return *ops_; }

  Answers create(const vcp_call_t* call, std::string_view spec, const Items& disks) const {
    return mutate(disks, [&](auto raw, auto sink, auto error) {
      return ops_->create(instance_, call, borrow(spec), raw, disks.size(), sink, error);
    });
  }
  Answers destroy(const vcp_call_t* call, const Items& disks) const {
    return mutate(disks, [&](auto raw, auto sink, auto error) {
      return ops_->destroy(instance_, call, raw, disks.size(), sink, error);
    });
  }
  /// Attaches each disk to the machine at its place, or detaches it.
  Answers attach(const vcp_call_t* call, bool on, const Items& disks, const Items& machines) const {
    const RawItems raw_machines(machines);
    return mutate(disks, [&](auto raw, auto sink, auto error) {
      std::vector<vcp_attachment_t> all;
      for (std::size_t i = 0; i < disks.size(); ++i) {
        all.push_back({sizeof(vcp_attachment_t), 0, raw[i], raw_machines.pointers[i]});
      }
      std::vector<const vcp_attachment_t*> pointers;
      for (const vcp_attachment_t& one : all) pointers.push_back(&one);
      return (on ? ops_->attach : ops_->detach)(instance_, call, pointers.data(), pointers.size(), sink, error);
    });
  }
  SeenDisks observe(const vcp_call_t* call, const Items& disks) const {
    SeenDisks seen;
    const RawItems raw(disks);
    vcp_disk_observation_sink_t sink{};
    sink.struct_size = sizeof sink;
    sink.host_data = &seen;
    sink.observed = [](const vcp_disk_observation_sink_t* s, const vcp_disk_observation_t* o) {
      SeenDisks& into = *static_cast<SeenDisks*>(s->host_data);
      DiskObservation copy;
      copy.found = o->found != 0;
      copy.state = static_cast<DiskState>(o->state);
      if (o->failure != VCP_OK) copy.failure = static_cast<Code>(o->failure);
      copy.size_gib = o->size_gib;
      copy.cloud_id = view(o->cloud_id);
      copy.machine_id = view(o->machine_id);
      copy.detail = view(o->detail);
      copy.provider_code = view(o->provider_code);
      copy.resources = detail::resourcesOf(o->resources, o->resource_count);
      ++into.answers[o->index];
      into.disks[o->index] = copy;
    };
    sink.error = [](const vcp_disk_observation_sink_t* s, std::int64_t i, const vcp_error_t* error) {
      SeenDisks& into = *static_cast<SeenDisks*>(s->host_data);
      ++into.answers[i];
      into.errors[i] = *error;
    };
    seen.code = ops_->observe(instance_, call, raw.pointers.data(), disks.size(), &sink, &seen.error);
    return seen;
  }

 private:
  vcp_driver_instance_t* instance_;
  const vcp_disk_ops_t* ops_;
};

}  // namespace vcp::plugin::testing
