// SPDX-License-Identifier: Apache-2.0
// describe, validate, probe: what is asked before anything is made.
#include "checks.h"
#include "vcp/plugin/cpp/json.h"

namespace vcp::check {
namespace {

vcp_error_t validate(const Lab& lab, const std::string& params, const std::string& entry) {
  vcp_error_t error = plugin::detail::emptyError();
  const plugin::testing::OpenDriver& driver = lab.driver();
  error.code = driver.ops().validate(driver.instance(), plugin::borrow(params), plugin::borrow(entry), &error);
  return error;
}

void describeIsConstant(const Bench& bench) {
  Lab lab(bench);
  const std::string first = lab.describe();
  expect(lab.describe() == first, "the same text at the second call", "another text");
  lab.reopen();
  expect(lab.describe() == first, "the same text from another instance", "another text");
  Machines machines = lab.mint(1);
  lab.call(Verb::kDestroy, lab.newOp(), 1, machines);
  expect(lab.describe() == first, "the same text after a call", "another text");
}

void goodSpec(const Bench& bench) {
  const Lab lab(bench);
  const vcp_error_t error = validate(lab, bench.of().cloud_params, bench.of().catalog_entry);
  expect(error.code == VCP_OK, "VCP_OK for cloud_params of the case file", toText(error));
}

void badSpecs(const Bench& bench) {
  if (bench.of().bad_specs.empty()) throw Skipped{"the case file has no bad_specs"};
  const Lab lab(bench);
  for (const Case::BadSpec& spec : bench.of().bad_specs) {
    const vcp_error_t error = validate(lab, spec.cloud_params, spec.catalog_entry);
    const std::string what = "for " + spec.cloud_params + ": ";
    expect(error.code == VCP_INVALID_ARGUMENT, "INVALID_ARGUMENT", what + toText(error));
    const std::string message = error.message;
    expect(message.rfind(spec.pointer + ":", 0) == 0, "a message that begins with \"" + spec.pointer + ": \"",
           what + message);
  }
}

void staysOffline(const Bench& bench) {
  Lab lab(bench);
  lab.describe();
  validate(lab, bench.of().cloud_params, bench.of().catalog_entry);
  for (const Case::BadSpec& spec : bench.of().bad_specs) validate(lab, spec.cloud_params, spec.catalog_entry);
  expect(lab.wire().requests() == 0, "no request in open_driver, describe and validate",
         std::to_string(lab.wire().requests()) + " requests");
}

void goodCredentials(const Bench& bench) {
  Lab lab(bench);
  const vcp_error_t error = lab.probe(bench.of().first);
  expect(error.code == VCP_OK, "VCP_OK for credentials of the case file", toText(error));
  if (bench.cloud() != nullptr) {
    expect(lab.wire().changes().empty(), "probe changes nothing",
           std::to_string(lab.wire().changes().size()) + " changes");
  }
}

void badCredentials(const Bench& bench) {
  if (bench.of().bad_credentials.empty()) throw Skipped{"the case file has no bad_credentials"};
  Lab lab(bench);
  Grant grant;
  grant.credentials = bench.of().bad_credentials;
  const vcp_error_t error = lab.probe(grant);
  expect(error.code == VCP_UNAUTHENTICATED || error.code == VCP_PERMISSION_DENIED || error.code == VCP_INVALID_ARGUMENT,
         "UNAUTHENTICATED or PERMISSION_DENIED", toText(error));
}

}  // namespace

std::vector<Check> requestChecks() {
  return {
      {{"describe.constant", "describe writes the same schema at all times", "Always the same text.",
        "driver.h, describe", "return a constant"},
       0,
       describeIsConstant},
      {{"validate.good", "a good request passes",
        "Checks a request without the network, before the user gets an answer.", "driver.h, validate",
        "accept null and absent optional values; scalars are strings"},
       0,
       goodSpec},
      {{"validate.bad_specs", "bad values are named by their JSON pointer",
        "the message begins with the JSON pointer of the bad value", "driver.h, validate",
        "throw vcp::plugin::invalid(pointer, text)"},
       0,
       badSpecs},
      {{"validate.offline", "no request leaves before the first call", "Checks a request without the network",
        "driver.h, validate and open_driver", "move what needs the network to probe or create"},
       kCloud,
       staysOffline},
      {{"probe.good", "good credentials pass, and nothing changes",
        "Do these credentials work with this catalog entry?", "driver.h, probe", "make one cheap read"},
       0,
       goodCredentials},
      {{"probe.bad_credentials", "wrong credentials are told from an outage",
        "UNAUTHENTICATED, PERMISSION_DENIED, UNAVAILABLE, INVALID_ARGUMENT as the cloud answered.", "driver.h, probe",
        "map the cloud's answer (401, 403) to the code"},
       kObserved,
       badCredentials},
  };
}

}  // namespace vcp::check
