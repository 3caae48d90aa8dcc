// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "engine/credential_probe.h"
#include "engine/limits.h"
#include "plugin_host/driver.h"
#include "secrets/grants.h"
#include "secrets/sealer.h"
#include "secrets/tokens.h"
#include "store/store.h"

/// What the REST API may ask for (architecture 3.1, 3.2): each command checks, writes goals and transient states in one
/// transaction, wakes the engine and returns; so the first read after the 202 shows the transient state.
///
/// Codes: kInvalidArgument 400, kPermissionDenied 403, kNotFound 404, kAlreadyExists 409 (duplicate),
/// kFailedPrecondition 409 (state), kResourceExhausted 429, kUnavailable 503.
namespace vcc {

/// Who asks, and whether the privileged flag counts (set only for super users).
struct Caller {
  Principal principal;
  bool privileged = false;
};

struct AddNodesRequest {
  std::int64_t count = 1;  ///< how many to add; ignored when `addresses` is not empty
  std::vector<std::string> addresses;
};

/// Something in a cloud (a machine or a disk), or on an existing server, that the records of a UnitGroup know.
struct KnownObject {
  std::string unit;
  std::int64_t node_no = 0;  ///< 0: its node's record could not be found
  std::string provider;
  Machine machine;        ///< name, id, address, parts, last look
  std::string container;  ///< base container on it: id, or by which label to look for one; empty = none
  bool certain = true;    ///< false: it was asked for, and what became of that is not known: it may appear yet
};

/// What a purge took away, or would.
struct PurgeReport {
  std::string name;
  std::string owner;
  std::int64_t units = 0;
  std::int64_t nodes = 0;
  std::vector<KnownObject> objects;
};

enum class PurgeMode : std::uint8_t {
  kLook,       ///< changes nothing
  kDelete,     ///< like a forced DELETE: the engine gives everything back
  kKeepCloud,  ///< the records go at once; what is in the cloud stays there and costs money
};

/// What the commands work with. Everything outlives them.
struct CommandSeams {
  Store& store;
  const DriverRegistry& drivers;
  std::function<std::shared_ptr<const Catalog>()> catalog;  ///< the present catalog, never null
  Random& random;
  Logger& log;
  const Sealer& sealer;
  Limits limits;
  bool evaluation = false;                 ///< loopback servers are allowed
  std::vector<std::string> own_addresses;  ///< this controller's own: never an existing server
  /// Called after each commit with the ids of the nodes that changed.
  std::function<void(const std::vector<std::string>&)> wake;
  CredentialProbe* probe = nullptr;  ///< tries the credentials of a unit before it is accepted; null = nobody does
};

/// Thread safe; one per process.
class Commands {
 public:
  explicit Commands(CommandSeams seams) : seams_(std::move(seams)) {}

  /// POST /vcs. Returns the vcid.
  Result<std::string> createVc(const Caller& caller, const std::string& cci_base64);
  /// PUT /vcs/{vcid}: name and description; an empty CCI changes nothing.
  Status renameVc(const Caller& caller, const std::string& vcid, const std::string& cci_base64);
  /// PATCH /vcs/{vcid}: gives the VC to another user, who must exist (kInvalidArgument) and have room for it.
  Status changeOwner(const Caller& caller, const std::string& vcid, const std::string& owner);
  /// DELETE /vcs/{vcid}.
  Status deleteVc(const Caller& caller, const std::string& vcid, bool force);
  /// POST /vcs/{vcid}. Blocks up to 4 s for the cloud's word on the credentials (CommandSeams::probe).
  Status addUnit(const Caller& caller, const std::string& vcid, const std::string& unit_name,
                 const std::string& info_base64);
  /// PUT /vcs/{vcid}/{unit}.
  Status addNodes(const Caller& caller, const std::string& vcid, const std::string& unit_name,
                  const AddNodesRequest& request);
  /// DELETE /vcs/{vcid}/{unit}.
  Status deleteUnit(const Caller& caller, const std::string& vcid, const std::string& unit_name, bool force);
  /// DELETE /vcs/{vcid}/{unit}/{node_id}.
  Status deleteNode(const Caller& caller, const std::string& vcid, const std::string& unit_name,
                    const std::string& node_id);

  /// PATCH /vcs/{vcid}/{unit}/{verb}: where the verb applies; kFailedPrecondition when that is nowhere, or when the
  /// provider cannot do it.
  Status changeUnit(const Caller& caller, const std::string& vcid, const std::string& unit_name, Verb verb);
  /// PATCH /vcs/{vcid}/{unit}/{node_id}/{verb}.
  Status changeNode(const Caller& caller, const std::string& vcid, const std::string& unit_name,
                    const std::string& node_id, Verb verb);
  /// PATCH .../watch and .../unwatch, of a unit and of one node.
  Status watchUnit(const Caller& caller, const std::string& vcid, const std::string& unit_name, bool on);
  Status watchNode(const Caller& caller, const std::string& vcid, const std::string& unit_name,
                   const std::string& node_id, bool on);
  /// GET /vcs/{vcid}/{unit}/{node_id}/backup: always kFailedPrecondition for a node that is there (choices.md).
  Status backupNode(const Caller& caller, const std::string& vcid, const std::string& unit_name,
                    const std::string& node_id) const;
  /// PATCH /vcs/{vcid}/{unit}/clear_processing: what is under way is no longer waited for; each node counts as what was
  /// seen of it last. Deletions go on.
  Status clearProcessing(const Caller& caller, const std::string& vcid, const std::string& unit_name);
  /// The same for an administrator (`by`: for events and log).
  Status clearProcessing(const std::string& vcid, const std::string& unit_name, const std::string& by);

  /// An administrator's word for the state of a node, which its goal follows; nothing but the record changes.
  /// kInvalidArgument for a state that no node rests in.
  Status setNodeState(const std::string& vcid, const std::string& unit_name, std::int64_t node_no, State state,
                      const std::string& by);

  /// The administrator's way out of a UnitGroup (`by`: who, for events and log) whose records nobody else can settle.
  /// kNotFound; kFailedPrecondition when a record below it cannot be read. The report is of the same transaction.
  Result<PurgeReport> purgeVc(const std::string& vcid, PurgeMode mode, const std::string& by);

 private:
  /// The credentials for more machines of `unit`; empty when it has none.
  Result<Credentials> renewGrant(const Caller& caller, const Unit& unit) const;
  /// Gives `unit` a grant of them when its own is of another account.
  Status useCredentials(Tx& tx, const Caller& caller, const Credentials& credentials, Unit& unit) const;

  CommandSeams seams_;
};

/// ok when `caller` may see the VC: its owner, or a privileged super user. kPermissionDenied otherwise (choices.md).
Status checkOwner(const Caller& caller, const Vc& vc);

}  // namespace vcc
