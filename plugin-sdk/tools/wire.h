// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "check_host.h"
#include "vcp/plugin/testing/fake_cloud.h"

namespace vcp::check {

/// What goes wrong between driver and cloud. Nothing of it knows the cloud.
struct Fault {
  enum class Kind : std::uint8_t {
    kNone,
    kAnswerLost,   ///< carried out; the driver hears UNAVAILABLE, outcome unknown
    kRequestLost,  ///< not carried out; the driver hears the same
    kTorn,         ///< carried out; half of the body arrives
    kRefused,      ///< connection refused: not carried out, and known not to be
    kSlow,         ///< carried out; the deadline passes before the answer
    kStatus,       ///< not carried out; `status` instead
  };
  Kind kind = Kind::kNone;
  int status = 0;
  bool html = false;                ///< the body is a page of some proxy
  std::int64_t retry_after_ms = 0;  ///< with kStatus
  bool changes_only = false;        ///< reads pass
  int at = 0;                       ///< the how manieth of those requests, from 1; 0 = each

  std::string text() const;
};

struct Object {
  std::string kind;
  std::string name;
  std::string id;
  std::string owner;
  bool operator<(const Object& o) const { return kind != o.kind ? kind < o.kind : id < o.id; }
};

/// "vcp.host.http/1" on a simulated cloud. Thread safe: one request at a time.
class Wire {
 public:
  Wire(const vcp_fake_cloud_entry_t& cloud, const std::string& options, CheckHost& host);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void arm(const Fault& fault);
  void disarm() { arm({}); }
  /// How many requests met the fault since it was armed.
  int hits() const;
  /// Requests that ask for a change since the beginning; "POST https://..." of each.
  std::vector<std::string> changes() const;
  int requests() const;

  std::vector<Object> objects() const;
  void addForeign();

 private:
  static std::int32_t request(const vcp_http_t* http, const vcp_call_t* call, const vcp_http_request_t* request,
                              const vcp_http_sink_t* out, vcp_error_t* error);
  std::int32_t serve(Frame& frame, const vcp_http_request_t& request, const vcp_http_sink_t& out, vcp_error_t* error);
  bool meetsFault(bool is_change);

  const vcp_fake_cloud_entry_t& cloud_;
  CheckHost& host_;
  vcp_http_t table_{};
  vcp_fake_cloud_t* instance_;
  mutable std::recursive_mutex mutex_;  // guards all below and the cloud; a sleep of a driver ages the cloud
  Fault fault_;
  int seen_ = 0;
  int hits_ = 0;
  int requests_ = 0;
  std::vector<std::string> changes_;
};

}  // namespace vcp::check
