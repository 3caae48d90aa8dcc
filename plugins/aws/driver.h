// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "client.h"
#include "image.h"
#include "instances.h"
#include "spot_requests.h"
#include "vcp/plugin/cpp/disk.h"
#include "vcp/plugin/cpp/driver.h"
#include "volumes.h"

namespace ec2 {

/// Amazon EC2: instances, and EBS volumes as data disks. Both drivers, `aws` and `aws_spot`, derive from it.
///
/// How an instance is found whose id was never heard: a request for one instance writes the item's name on it; one for
/// several writes the op id on all of them, and the launch index tells which is whose, until each has got its name.
class Ec2Driver : public vcp::plugin::Driver, public vcp::plugin::Listing, public vcp::plugin::Disks {
 public:
  Ec2Driver(const vcp::plugin::Host& host, std::string_view config, Market market, const char* provider);

  void validate(std::string_view cloud_params, std::string_view catalog_entry) override;
  void probe(const vcp::plugin::Call& call) override;
  void create(const vcp::plugin::Call& call, std::string_view spec, const vcp::plugin::Items& items,
              vcp::plugin::Results& out) override;
  void observe(const vcp::plugin::Call& call, const vcp::plugin::Items& items, vcp::plugin::Observations& out) override;
  void destroy(const vcp::plugin::Call& call, const vcp::plugin::Items& items, vcp::plugin::Results& out) override;
  void list(const vcp::plugin::Call& call, vcp::plugin::Observations& out) override;

  void validateDisks(std::string_view cloud_params, std::string_view catalog_entry) override;
  void createDisks(const vcp::plugin::Call& call, std::string_view spec, const vcp::plugin::Items& disks,
                   vcp::plugin::Results& out) override;
  void destroyDisks(const vcp::plugin::Call& call, const vcp::plugin::Items& disks, vcp::plugin::Results& out) override;
  void attachDisks(const vcp::plugin::Call& call, const vcp::plugin::Attachments& attachments,
                   vcp::plugin::Results& out) override;
  void detachDisks(const vcp::plugin::Call& call, const vcp::plugin::Attachments& attachments,
                   vcp::plugin::Results& out) override;
  void observeDisks(const vcp::plugin::Call& call, const vcp::plugin::Items& disks,
                    vcp::plugin::DiskObservations& out) override;

 protected:
  /// What is known of the machines of a call: instances of each item, and their spot requests.
  struct Sight {
    std::vector<Instances> instances;    ///< by place in the call
    std::vector<SpotRequests> requests;  ///< likewise
  };
  enum class Depth {
    kShallow,  ///< by id where it is known; spot requests only behind what is over
    kDeep      ///< everything under the items' marks as well: twins, and requests of living instances
  };
  Sight look(const Client& client, const vcp::plugin::Items& items, Depth depth) const;

  /// `power` of a driver that has it.
  void switchPower(const vcp::plugin::Call& call, bool on, const vcp::plugin::Items& items,
                   vcp::plugin::Results& out) const;

  Entry entryOf(const vcp::plugin::Call& call) const { return parseEntry(call.catalogEntry(), evaluation_); }
  /// What the request that makes an object writes on it. `name`: that of the item, or empty for several.
  Tags marks(const vcp::plugin::Call& call, std::string_view name, std::string_view title, const Tags& users) const;

  const Services services_;

 private:
  Form runForm(const Entry& entry, const vcp::plugin::Json& spec, const MachineSpec& machine, const Image& image) const;
  void runOne(const vcp::plugin::Call& call, const Client& client, Form form, const MachineSpec& machine,
              const vcp::plugin::Item& item, vcp::plugin::Results& out) const;
  void runBatch(const vcp::plugin::Call& call, const Client& client, Form form, const MachineSpec& machine,
                const vcp::plugin::Items& items, vcp::plugin::Results& out) const;
  /// Does one request make this machine and others? Not for a fixed address, which EC2 takes for one instance only,
  /// nor for spot machines, where there may be capacity for some and not for all.
  bool sharesRequest(const vcp::plugin::Item& item) const;
  std::string checkSubnet(const vcp::plugin::XmlNode& subnet, const Entry& entry) const;
  void checkPermission(const Client& client, const Entry& entry) const;

  const bool evaluation_;
  const Market market_;
  const std::string provider_;
};

}  // namespace ec2
