// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "catalog/catalog.h"
#include "host/host.h"
#include "model/cci.h"
#include "model/records.h"

/// From a unit's CCI to the base container of one node (spec/operations 8.2, choices.md "variables of the base
/// container"). Pure.
namespace vcc {

struct ContainerContext {
  std::string vcc_id;
  std::string controller_address;  ///< VCCCTR_IPADDR
  std::string base_registry;       ///< put before image names without a registry; empty = leave them as they are
};

/// The whole specification, its hash among the labels.
ContainerSpec containerSpec(const ContainerContext& context, const UnitCci& cci, const Unit& unit, const Node& node,
                            const std::string& address);

/// The value of the label `vcp.spec`: changes whenever anything else of the specification changes.
const std::string& specHash(const ContainerSpec& spec);

/// The image with its registry: a name whose first part has neither dot nor colon and is not `localhost` is short.
std::string fullImageName(const std::string& image, const std::string& base_registry);

}  // namespace vcc
