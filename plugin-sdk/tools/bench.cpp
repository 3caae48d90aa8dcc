// SPDX-License-Identifier: Apache-2.0
#include "bench.h"

#include <dlfcn.h>

#include "plugin.h"
#include "report.h"
#include "vcp/plugin/ext/disk.h"

namespace vcp::check {
namespace {

const vcp_fake_cloud_entry_t* openCloud(const std::string& path) {
  std::string why;
  void* library = openLibrary(path, &why);
  if (library == nullptr) fail("the simulated cloud can be opened", why);
  const auto* entry = static_cast<const vcp_fake_cloud_entry_t*>(::dlsym(library, VCP_FAKE_CLOUD_SYMBOL));
  if (entry == nullptr) fail("the simulated cloud exports " VCP_FAKE_CLOUD_SYMBOL, "it does not");
  if (entry->struct_size != sizeof *entry || entry->revision != VCP_FAKE_CLOUD_REVISION) {
    fail("a simulated cloud of this SDK", "another revision or size; rebuild it");
  }
  return entry;
}

}  // namespace

Bench::Bench(const Setup& setup)
    : setup_(setup), entry_(openPlugin(setup.plugin_path)), host_(setup.seed, setup.live, grantsOf(setup.of)) {
  if (!setup.cloud_path.empty()) cloud_ = openCloud(setup.cloud_path);
  vcp_error_t error = plugin::detail::emptyError();
  if (entry_.init != nullptr && entry_.init(host_.table(), &error) != VCP_OK) fail("init succeeds", toText(error));
}

Bench::~Bench() {
  if (entry_.deinit != nullptr) entry_.deinit();
}

bool Bench::needsAddress() const {
  return (info().capabilities & VCP_CAP_NEEDS_ADDRESS) != 0 || info().existence == VCP_EXISTENCE_ASSERTED;
}

bool Bench::hasDisks() const {
  return entry_.get_extension != nullptr && entry_.get_extension(plugin::borrow(VCP_DISK_ID)) != nullptr;
}

}  // namespace vcp::check
