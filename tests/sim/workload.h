// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/commands.h"
#include "sim/controller.h"
#include "sim/dice.h"
#include "sim/scenario.h"
#include "sim/witness.h"

namespace vcc::sim {

/// Somebody with a token. A user of the simulation has credentials of every cloud.
struct SimUser {
  std::string name;
  Caller caller;
};

/// What users ask for, and what they may expect of it. A request whose process died before it answered may have been
/// taken or not; everything that was accepted counts.
class Workload {
 public:
  Workload(const Scenario& scenario, Dice& dice, Witness& witness, std::vector<SimUser> users)
      : scenario_(scenario), dice_(dice), witness_(witness), users_(std::move(users)) {}

  /// One request, to `controller`. `store` is that controller's.
  void request(Controller& controller, Store& store);
  /// Deletes every UnitGroup of `kind` that is left.
  void deleteAll(Controller& controller, Store& store, UnitKind kind);

  /// An administrator takes the records of a UnitGroup away, or of every one of `user`, and leaves what is in the
  /// clouds.
  void purgeOf(Controller& controller, Store& store, const std::string& user);
  /// Objects that such a purge may have left in a cloud, at most.
  std::int64_t leftIn(const std::string& cloud) const {
    const auto found = left_.find(cloud);
    return found == left_.end() ? 0 : found->second;
  }
  const std::vector<SimUser>& users() const { return users_; }

  /// Compares what was accepted with what there is, once everything has settled.
  void check(const Store& store);

 private:
  struct UnitModel {
    std::int64_t least = 0;  ///< nodes that were certainly added
    std::int64_t most = 0;   ///< nodes that may have been added
    std::set<std::string> deleted;
    std::set<std::string> maybe_deleted;
    bool certain = false;
    bool delete_asked = false;  // it will go
    bool delete_tried = false;  // it may be gone: asked for without force, and the answer was lost
    bool delete_accepted = false;
    std::set<Goal> goals;  // of verbs for the whole unit
  };
  struct VcModel {
    std::size_t user = 0;
    UnitKind kind = UnitKind::kCompute;
    std::map<std::string, UnitModel> units;
    bool delete_asked = false;  // it will go
    bool delete_tried = false;  // it may be gone: asked for without force, and the answer was lost
    bool delete_accepted = false;
  };
  /// What a node may be on its way to, or have reached.
  struct NodeModel {
    std::set<Goal> goals{Goal::kRunning};
    std::int64_t asking = 0;  ///< verbs on their way
  };
  using Request = std::function<Status(Commands&)>;
  using Answered = std::function<void(const Status&)>;

  void send(Controller& controller, const std::string& what, Request request, Answered answered);
  void createVc(Controller& controller, UnitKind kind = UnitKind::kCompute);
  void addUnit(Controller& controller, Store& store);
  void addDisks(Controller& controller);
  void sendUnit(Controller& controller, const std::string& vcid, const std::string& name, const CloudSpec& cloud,
                std::int64_t count, const std::string& cci);
  void changeNode(Controller& controller, Store& store);
  void changeUnit(Controller& controller, Store& store);
  void addNodes(Controller& controller, Store& store);
  void deleteNode(Controller& controller, Store& store);
  void deleteUnit(Controller& controller, Store& store);
  void deleteVc(Controller& controller, const std::string& vcid, bool force);
  void rename(Controller& controller);
  void purge(Controller& controller, Store& store, const std::string& vcid, PurgeMode mode);
  std::string cciOf(const std::string& unit, const CloudSpec& cloud, const SimUser& user, std::int64_t nodes,
                    const std::vector<std::string>& disks);
  static std::string diskCciOf(const std::string& unit, const CloudSpec& cloud, const SimUser& user,
                               std::int64_t disks);
  /// References to up to two disks of `user` in `cloud`, in use or not.
  std::vector<std::string> someDisks(const Store& store, const std::string& user, const std::string& cloud);
  /// A node of the unit; empty when it has none.
  std::string someNode(const Store& store, const std::string& vcid, const std::string& unit);
  Verb someVerb(const Store& store, const std::string& node_id);
  /// One of the UnitGroups that nobody has asked to delete; empty when there is none.
  std::string someVc();
  std::string someVc(UnitKind kind);
  void checkGoals(const ReadTx& tx);
  std::string someUnit(const std::string& vcid);

  const Scenario& scenario_;
  Dice& dice_;
  Witness& witness_;
  const std::vector<SimUser> users_;
  std::map<std::string, VcModel> vcs_;
  std::map<std::string, NodeModel> nodes_;  ///< that a verb was for, by id
  std::map<std::string, std::int64_t> left_;
  std::int64_t named_ = 0;
};

}  // namespace vcc::sim
