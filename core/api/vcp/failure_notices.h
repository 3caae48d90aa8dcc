// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/router.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/store.h"

namespace vcc {

/// What a failure notice works with. All references outlive the routes.
struct NoticeSeams {
  const Store& store;
  const Clock& clock;
  Logger& log;
  std::function<void(const std::vector<std::string>&)> look;  ///< Engine::look
};

/// POST /vcs/fail (spec/rest-protocol 11): what serf says of nodes. A hint: the nodes are looked at, and nothing else
/// changes by it, for what nodes say is hostile input (architecture 22). Body {"eventtype": "member-failed" (or
/// "member-fail"), "tag": [name of a node, ...]}; a name is what the base container got as SERF_NODE_ID
/// (<vcid>:<unit>:<node_no>), or a node_id. Other events, unknown names, nodes without watch_mode and an empty body are
/// ignored. Bounded: 60 notices at once and one a second from one source (api/peer_source.h; 429), a node is looked at
/// once in 10 s.
class FailureNotices {
 public:
  explicit FailureNotices(NoticeSeams seams);

  /// For a door that asks for a token: nodes that the caller may not see are ignored like unknown ones.
  Route withToken() const;
  /// For a door that only this machine reaches.
  Route withoutToken() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace vcc
