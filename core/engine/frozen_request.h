// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/status.h"
#include "secrets/sealer.h"
#include "store/store.h"

/// What machines were asked for with, kept as it was then: a repeated request must be the same to the last byte, and a
/// machine is looked for where it was made, whatever the catalog says by now (`Request` of model/records.h).
namespace vcc {

struct FrozenRequest {
  std::string spec;           ///< JSON object, given to the driver's create
  std::string catalog_entry;  ///< JSON object; empty for machines of step 1, which are served with the present entry
};

/// The sealed text of a `Request` row with that id. Both parts must be JSON.
std::string freeze(const FrozenRequest& request, const std::string& request_id, const Sealer& sealer);
/// The opposite of `freeze`; kDataLoss when the text is damaged.
Result<FrozenRequest> thaw(const Request& request, const Sealer& sealer);

/// Thawed requests, each shared by all machines that were asked for with it. Belongs to one thread.
class ThawedRequests {
 public:
  /// The request with that id; kDataLoss when it is missing or damaged.
  Result<std::shared_ptr<const FrozenRequest>> get(const Store& store, const Sealer& sealer,
                                                   const std::string& request_id);

 private:
  std::unordered_map<std::string, std::shared_ptr<const FrozenRequest>> by_id_;
};

/// One account's view at one place, "<driver instance>/<network>/<fingerprint of the credentials>/<of the catalog
/// entry>": what may share a look-up, a batch and a rate limit.
std::string scopeOf(std::string_view instance, std::string_view network, std::string_view fingerprint,
                    std::string_view catalog_entry);
/// False for the scope of a machine whose frozen entry differs from `catalog_entry`.
bool isOnEntry(std::string_view scope, std::string_view catalog_entry);

}  // namespace vcc
