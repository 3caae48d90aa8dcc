// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/secret_string.h"
#include "plugin_host/driver.h"

namespace vcc {

/// Asks clouds whether credentials and a catalog entry work, for somebody who waits for the answer. Nobody waits longer
/// than agreed: a driver that takes longer is left alone with its call, and with four of its calls under way it is not
/// asked again until one of them has ended. Thread safe. The destructor cancels what is under way and waits for it,
/// as long as the drivers' watchdogs do.
class CredentialProbe {
 public:
  struct Seams {
    const Clock& clock;
    Logger& log;
    std::string vcc_id;
    std::unique_ptr<Executor> executor;  ///< of at least kAtOnce threads
  };
  static constexpr std::size_t kAtOnce = 8;  ///< calls under way, of all drivers

  explicit CredentialProbe(Seams seams);
  ~CredentialProbe();

  /// What the driver says, its words without the values of `credentials` (a JSON object: key -> value). Besides:
  /// kDeadlineExceeded when it did not answer within `wait_ms`, kResourceExhausted when it was not asked. Blocks up to
  /// `wait_ms`; hold no lock of the store.
  Status ask(const DriverSlot& slot, const std::string& catalog_entry, const SecretString& credentials,
             std::int64_t wait_ms);

  /// The same before a unit is accepted, waiting 4 s at most: an error only where the cloud refuses the credentials
  /// (kPermissionDenied) or the request (kInvalidArgument). A cloud that is slow, down or that cannot tell refuses
  /// nothing.
  Status refusal(const DriverSlot& slot, const std::string& catalog_entry, const SecretString& credentials);

 private:
  struct Call;
  struct Shared;

  const Clock& clock_;
  Logger& log_;
  const std::string vcc_id_;
  const std::shared_ptr<Shared> shared_;
  std::unique_ptr<Executor> executor_;  // ends first
};

}  // namespace vcc
