// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/router.h"
#include "api/vcp/failure_notices.h"
#include "base/log.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "engine/engine.h"
#include "engine/existing_servers.h"
#include "plugin_host/driver.h"
#include "store/store.h"

/// The administrator's API, only on the unix socket, without tokens (architecture 20). `vcc` speaks it.
namespace vcc {

class JsonWriter;

inline constexpr char kAdminPrefix[] = "/admin/v1";

/// What does not change while the process lives.
struct ProcessFacts {
  std::int64_t pid = 0;
  std::int64_t started_ms = 0;  ///< wall clock
  std::string vcc_id;
  std::string data_dir;
  bool evaluation = false;
  bool simulated_hosts = false;
  std::string serf = "off";            ///< or "connected", "absent"
  std::vector<std::string> listeners;  ///< "https://127.0.0.1:8443", "unix:/..."
};

/// What the engine does when an administrator asks (engine/engine.h).
struct EngineLooks {
  std::function<void()> sweep_now;
  std::function<void(const std::string& stray_id)> visit_stray;
  std::function<Result<std::string>(const std::string& vcid)> start_check;
  std::function<Result<CheckResult>(const std::string& id)> check_report;
};

/// All references outlive the routes.
struct AdminSeams {
  Store& store;
  Random& random;
  Logger& log;
  const DriverRegistry& drivers;
  std::function<std::shared_ptr<const Catalog>()> catalog;
  std::function<EngineStatus()> engine;
  std::function<std::vector<Condition>()> conditions;  ///< Engine::conditions
  std::function<ProcessFacts()> facts;
  /// PluginRegistry::load, after which nodes that waited for the driver go on.
  std::function<Result<std::vector<DriverSlot>>(const std::string& name)> load_plugin;
  Commands& commands;
  FailureNotices notices;
  CredentialProbe& probe;
  ExistingServers& servers;
  const Clock& clock;
  EngineLooks looks;
};

/// GET /status; GET and POST /users; GET and POST /tokens; POST /tokens/revoke; GET /plugins; POST /plugins/load; POST
/// /providers/check; POST /onprem/check; POST /onprem/prepare; GET /events; GET /vcs; GET /vcs/{vcid}/progress; POST
/// /vcs/{vcid}/purge; POST /vcs/{vcid}/{unit}/clear_processing; POST /vcs/{vcid}/{unit}/{node_no}/state; POST
/// /vcs/fail; GET and POST /sweep; POST /sweep/{id}/delete; POST /checks; GET /checks/{id}.
std::vector<Route> adminRoutes(const AdminSeams& seams);

/// The answer of GET /status.
std::string statusJson(const AdminSeams& seams);

/// GET /plugins: every driver instance with what it declares, or why it was refused and what to do.
Result<HttpAnswer> listPlugins(const AdminSeams& seams, const ApiRequest& request);

/// POST /plugins/load {"name": file of providers.d without .yml}: what became of its instances, as in GET /plugins. A
/// refused instance is an answer too.
Result<HttpAnswer> loadPlugin(const AdminSeams& seams, const ApiRequest& request);

/// POST /providers/check {"provider": name in CCIs, "network": name of a catalog entry (default), "credentials": JSON
/// of {key: value} as text}: {provider, network, instance, state, code, provider_code, message, ms}. `state` is "ok",
/// "refused" (a unit with these would be, or would fail), or "unknown": the cloud did not answer within 20 s, or cannot
/// tell.
Result<HttpAnswer> checkProvider(const AdminSeams& seams, const ApiRequest& request);

/// POST /onprem/check {"host": IPv4 address, "user" (ubuntu), "network" (default): entry of the VPN catalog}:
/// {host, host_key, ready, "findings": [{name, level, text, commands}]}; `level` is "ok", "note" or "missing".
Result<HttpAnswer> checkServer(const AdminSeams& seams, const ApiRequest& request);

/// POST /onprem/prepare, the same with "job" and "host_key" of the answer before, empty at first: {job, host_key,
/// state, step, remedy, detail}; `state` is "running" (ask again), "done", "failed" or "unknown" (killed there).
Result<HttpAnswer> prepareServer(const AdminSeams& seams, const ApiRequest& request);

/// GET /events?after=CURSOR&limit=N&vcid=ID, all optional: {"events": [{cursor, at_ms, vcid, object, object_id, from,
/// to, reason, op}], "cursor", "lost"}, oldest first, N (1 to 1000, else 100) at most: those behind the cursor, or
/// without one the latest. "cursor" is where to go on, also when nothing came; its text means nothing to anybody else.
/// "lost": events behind the cursor were dropped before they were asked for (`events_keep`), or the cursor is none of
/// this store's. Whoever follows asks again after a pause: a request that waits for news would hold a thread of the
/// socket.
Result<HttpAnswer> listEvents(const AdminSeams& seams, const ApiRequest& request);

/// Adds "conditions": [{about, text, since_ms}], those that were met with the UnitGroup; all for an empty `vcid`.
void writeConditions(JsonWriter& json, const AdminSeams& seams, const std::string& vcid);

/// GET /vcs: {"vcs": [{vcid, name, owner, state, units, nodes, cdate}], "conditions"}.
Result<HttpAnswer> listVcs(const AdminSeams& seams, const ApiRequest& request);

/// GET /vcs/{vcid}/progress: {vcid, name, owner, state, now_ms, units: [{name, provider, network, state, verb, nodes,
/// reached, failed, percent, fault, node: [...]}], conditions}; kNotFound. `verb` is what is under way ("create",
/// "create, delete"), empty when all is settled. A node has {node_id, node_no, state, goal, outcome, percent, step,
/// step_ms, since_ms, attempts, next_ms, progress, fault, fault_ms, machine, cloud_id, address, observed, op}; outcome
/// is "pending", "reached" or "failed", times are wall-clock ms, 0 or empty = none. What is gone is not counted.
Result<HttpAnswer> showProgress(const AdminSeams& seams, const ApiRequest& request);

/// POST /vcs/{vcid}/purge {"keep_cloud": bool, "dry_run": bool}: Commands::purgeVc; {vcid, name, owner, units, nodes,
/// "objects": [{unit, node_no, provider, instance, network, name, cloud_id, address, container, observed, certain,
/// resources: [{kind, name, id}]}]}; kNotFound.
Result<HttpAnswer> purgeVc(const AdminSeams& seams, const ApiRequest& request);

/// POST /vcs/{vcid}/{unit}/clear_processing: Commands::clearProcessing; {}.
Result<HttpAnswer> clearProcessing(const AdminSeams& seams, const ApiRequest& request);

/// POST /vcs/{vcid}/{unit}/{node_no}/state {"state": word of the wire, "check": id}: Commands::setNodeState; {}. With
/// the id of a check that is over, only if the cloud said there what fits the state: else kFailedPrecondition, or
/// kUnavailable when it said nothing.
Result<HttpAnswer> setNodeState(const AdminSeams& seams, const ApiRequest& request);

/// GET /sweep: {now_ms, "places": [{instance, network, grant, driver, used_ms, tried_ms, swept_ms, fault}], "objects":
/// [{id, instance, name, cloud_id, address, observed, first_seen_ms, last_seen_ms, sweeps, left, deleted_by, fault,
/// resources}]}: where the clouds are listed, and what of ours was found there that no record knows. `left`: by which
/// purge it was left there; `driver`: it is loaded.
Result<HttpAnswer> showSweep(const AdminSeams& seams, const ApiRequest& request);

/// POST /sweep: lists every place as soon as can be; {asked_ms}, which `tried_ms` of a place reaches when it was.
Result<HttpAnswer> sweepNow(const AdminSeams& seams, const ApiRequest& request);

/// POST /sweep/{id}/delete {"name": of that object}: askStrayDeletion.
Result<HttpAnswer> deleteStray(const AdminSeams& seams, const ApiRequest& request);

/// POST /checks {"vcid": only this one}: Engine::startCheck; {"check": id}.
Result<HttpAnswer> startCheck(const AdminSeams& seams, const ApiRequest& request);

/// GET /checks/{id}: {done, looks, expected, "lines": [{vcid, vc, unit, node_no, node_id, instance, name, cloud_id,
/// address, record, cloud, container, monitor, difference}]}, lines when it is done; kNotFound.
Result<HttpAnswer> showCheck(const AdminSeams& seams, const ApiRequest& request);

}  // namespace vcc
