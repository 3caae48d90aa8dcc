// SPDX-License-Identifier: Apache-2.0
#include "api/vcp/failure_notices.h"

#include <charconv>
#include <optional>

#include "api/bucket.h"
#include "api/json_reader.h"
#include "api/peer_source.h"
#include "api/recent_map.h"
#include "base/encoding.h"
#include "base/mutex.h"
#include "engine/commands.h"

namespace vcc {
namespace {

constexpr char kPattern[] = "/vcs/fail";
constexpr BucketSize kNotices{.burst = 60, .refill_ms = 1000};
constexpr std::int64_t kLookPauseMs = 10000;
constexpr std::size_t kMaxNames = 1000;
constexpr std::size_t kMaxPeers = 1024;
constexpr std::size_t kMaxLooks = 32768;  // more than a controller has nodes

/// "<vcid>:<unit>:<node_no>" in its parts.
struct NodeName {
  std::string vcid;
  std::string unit;
  std::int64_t node_no = 0;
};

std::optional<NodeName> splitName(const std::string& name) {
  const std::size_t first = name.find(':');
  const std::size_t last = name.rfind(':');
  if (first == std::string::npos || first == last) return std::nullopt;
  NodeName parts{name.substr(0, first), name.substr(first + 1, last - first - 1)};
  const char* const end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + last + 1, end, parts.node_no);
  if (error != std::errc() || stop != end) return std::nullopt;
  return parts;
}

const Node* findNode(const ReadTx& tx, const std::string& name) {
  const auto parts = splitName(name);
  if (!parts) return tx.nodes().find(name);
  const Node* found = nullptr;
  tx.units().scan("vcid", parts->vcid, [&](const Unit& unit) {
    if (unit.name != parts->unit) return true;
    tx.nodes().scan("unit_id", unit.unit_id, [&](const Node& node) {
      if (node.node_no == parts->node_no) found = &node;
      return found == nullptr;
    });
    return false;
  });
  return found;
}

}  // namespace

struct FailureNotices::State {
  explicit State(NoticeSeams s) : seams(std::move(s)) {}

  const NoticeSeams seams;
  Mutex mutex;
  RecentMap<Bucket> peers VCC_GUARDED_BY(mutex){kMaxPeers};
  RecentMap<std::int64_t> looks VCC_GUARDED_BY(mutex){kMaxLooks};  // by node id: no other look before

  /// `caller` null: anybody.
  Result<HttpAnswer> take(const ApiRequest& request, const Caller* caller);
  Status admit(const std::string& peer);
  std::vector<std::string> watched(const std::vector<std::string>& names, const Caller* caller) const;
  void dropRecent(std::vector<std::string>& node_ids);
};

Status FailureNotices::State::admit(const std::string& peer) {
  const std::int64_t now = seams.clock.monoMs();
  const MutexLock lock(mutex);
  Bucket& bucket = peers.use(sourceOf(peer));
  const std::int64_t wait_ms = bucket.waitMs(kNotices, now);
  if (wait_ms > 0) {
    return resourceExhausted("failure notices: too many came from " + cleanUtf8(peer, 64) +
                             "; send less than one a second")
        .withRetryAfter(wait_ms);
  }
  bucket.use(kNotices, now);
  return okStatus();
}

std::vector<std::string> FailureNotices::State::watched(const std::vector<std::string>& names,
                                                        const Caller* caller) const {
  std::vector<std::string> node_ids;
  seams.store.read([&](const ReadTx& tx) {
    node_ids.clear();
    for (const std::string& name : names) {
      const Node* node = findNode(tx, name);
      const Vc* vc = node == nullptr ? nullptr : tx.vcs().find(node->vcid);
      if (vc == nullptr || !node->watch_mode) continue;
      if (caller == nullptr || checkOwner(*caller, *vc).ok()) node_ids.push_back(node->node_id);
    }
  });
  return node_ids;
}

void FailureNotices::State::dropRecent(std::vector<std::string>& node_ids) {
  const std::int64_t now = seams.clock.monoMs();
  const MutexLock lock(mutex);
  std::erase_if(node_ids, [&](const std::string& id) VCC_REQUIRES(mutex) {
    const std::int64_t* next = looks.find(id);
    if (next != nullptr && now < *next) return true;
    looks.use(id) = now + kLookPauseMs;
    return false;
  });
}

Result<HttpAnswer> FailureNotices::State::take(const ApiRequest& request, const Caller* caller) {
  VCC_RETURN_IF_ERROR(admit(request.peer));
  VCC_ASSIGN_OR_RETURN(const JsonBody body, request.json());
  VCC_ASSIGN_OR_RETURN(const std::string event, body.text("eventtype", ""));
  VCC_ASSIGN_OR_RETURN(const std::vector<std::string> names, body.words("tag", kMaxNames));
  // The published handler waits for a name that serf does not use.
  if (event == "member-failed" || event == "member-fail") {
    std::vector<std::string> node_ids = watched(names, caller);
    dropRecent(node_ids);
    if (!node_ids.empty()) {
      seams.log.info("FAILURE_NOTICE", "nodes are said to have failed; they are looked at",
                     {{"peer", request.peer}, {"names", names.size()}, {"looks", node_ids.size()}});
      seams.look(node_ids);
    }
  }
  return HttpAnswer{202, "{}", {}};
}

FailureNotices::FailureNotices(NoticeSeams seams) : state_(std::make_shared<State>(std::move(seams))) {}

Route FailureNotices::withToken() const {
  return {"POST", kPattern, true, true,
          [state = state_](const ApiRequest& request) { return state->take(request, &request.caller); }};
}

Route FailureNotices::withoutToken() const {
  return {"POST", kPattern, false, true,
          [state = state_](const ApiRequest& request) { return state->take(request, nullptr); }};
}

}  // namespace vcc
