// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client.h"
#include "ports.h"
#include "servers.h"
#include "site.h"
#include "spec.h"
#include "vcp/plugin/cpp/disk.h"
#include "vcp/plugin/cpp/driver.h"

namespace openstack {

/// Any OpenStack: Nova servers, each on a Neutron port of its own, and Cinder volumes as data disks. A driver for a
/// site derives from it, gives `schema`, and overrides what its site does otherwise.
///
/// OpenStack remembers no token of a request, and two objects may have one name. So each create looks by name before it
/// sends, goes on with the oldest of twins, and every one of them is reported and taken away.
class OpenStackDriver : public vcp::plugin::Driver,
                        public vcp::plugin::Listing,
                        public vcp::plugin::Power,
                        public vcp::plugin::Disks {
 public:
  OpenStackDriver(const vcp::plugin::Host& host, std::string_view config);

  void validate(std::string_view cloud_params, std::string_view catalog_entry) override;
  void probe(const vcp::plugin::Call& call) override;
  void create(const vcp::plugin::Call& call, std::string_view spec, const vcp::plugin::Items& items,
              vcp::plugin::Results& out) override;
  void observe(const vcp::plugin::Call& call, const vcp::plugin::Items& items, vcp::plugin::Observations& out) override;
  void destroy(const vcp::plugin::Call& call, const vcp::plugin::Items& items, vcp::plugin::Results& out) override;
  void list(const vcp::plugin::Call& call, vcp::plugin::Observations& out) override;
  void power(const vcp::plugin::Call& call, bool on, const vcp::plugin::Items& items,
             vcp::plugin::Results& out) override;

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
  /// Name of the server on the cloud: one line that holds item.name, and nothing that means something in a regular
  /// expression ([A-Za-z0-9-_ ] only). The same in every call for an item. Must not block. Default: item.name.
  virtual std::string serverName(const vcp::plugin::Item& item) const;

  /// Changes the request that makes a server ({"server": {...}, "os:scheduler_hints": {...}}) as the last before it is
  /// sent: zone, hints, description, more metadata. `spec` is that of the create. Name, networks and metadata that
  /// begins with vcp: must stay. Must not block; throws vcp::plugin::Error, not applied.
  virtual void adjustServer(const vcp::plugin::Item& item, const vcp::plugin::Json& spec, const Site& site,
                            vcp::plugin::Json& request) const;

  const Settings& settings() const { return settings_; }
  const Services services_;

 private:
  /// What is on the cloud of one machine, the oldest first.
  struct Sight {
    Servers servers;
    Ports ports;
  };
  enum class Depth {
    kShallow,  ///< the server by its id where that is known
    kDeep      ///< everything of its name as well: twins
  };
  Site siteOf(const vcp::plugin::Call& call) const { return parseSite(call.catalogEntry(), settings_); }
  Servers lookForServers(const Client& client, const vcp::plugin::Item& item, Depth depth) const;
  static Ports lookForPorts(const Client& client, const vcp::plugin::Item& item);
  Sight look(const Client& client, const vcp::plugin::Item& item, Depth depth) const;
  std::vector<Sight> lookAtAll(const vcp::plugin::Call& call, const Client& client,
                               const vcp::plugin::Items& items) const;
  vcp::plugin::Observation observationOf(const vcp::plugin::Item& item, const Sight& sight) const;
  static void report(const vcp::plugin::Item& item, const Sight& sight, vcp::plugin::Results& out);

  void createOne(const vcp::plugin::Call& call, const Client& client, const vcp::plugin::Json& spec,
                 const MachineSpec& machine, const vcp::plugin::Item& item, vcp::plugin::Results& out) const;
  void makePort(const vcp::plugin::Call& call, const Client& client, const vcp::plugin::Item& item,
                vcp::plugin::Results& out) const;
  Change serverRequest(const vcp::plugin::Call& call, const Client& client, const vcp::plugin::Json& spec,
                       const MachineSpec& machine, const vcp::plugin::Item& item, const Port& port) const;
  std::string userData(const Site& site, const vcp::plugin::Json& spec, const vcp::plugin::Item& item) const;
  void destroyOne(const Client& client, const vcp::plugin::Item& item, vcp::plugin::Results& out) const;
  void powerOne(const Client& client, bool on, const vcp::plugin::Item& item, vcp::plugin::Results& out) const;
  Tags marks(const vcp::plugin::Call& call, const vcp::plugin::Item& item, const Tags& users) const;

  const Settings settings_;
};

}  // namespace openstack
