// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

/// What happens ON a machine (architecture section 6). All calls block up to their deadline and may be made from many
/// threads at once for different machines; nothing is kept open between calls.
namespace vcc {

/// Where and as whom to log in.
struct HostTarget {
  std::string address;  ///< IPv4
  int ssh_port = 20022;
  std::string user;
  /// The key pinned for this machine ("ssh-ed25519 AAAA..."); empty at the first contact. Any other key is an error
  /// (kPermissionDenied) that says so.
  std::string host_key;
};

/// The base container as it must run: everything that `docker run` gets, already checked against the CCI grammar.
struct ContainerSpec {
  std::string image;  ///< full reference
  std::string name;   ///< minted by core, cannot clash
  /// Ownership labels, in order: vcp.vcc, vcp.vcid, vcp.unit, vcp.node_id, vcp.node_no, vcp.address, vcp.spec (hash of
  /// the spec). Claims are compared by vcp.address: hosts may share an engine in tests.
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<std::string> volumes;      ///< after `/dev:/dev`, in order
  std::vector<std::string> environment;  ///< NAME=value, in order; passed as single arguments
  std::vector<std::string> dns, dns_search, dns_opt, add_host;
  std::string hostname, gpus;
};

/// A container of ours, or of another controller, found on the host (label vcp.vcc present).
struct FoundContainer {
  std::string id;
  std::string name;
  bool running = false;
  std::string status;           ///< the engine's own word: running, exited, created ...
  std::int64_t started_at = 0;  ///< wall ms, 0 = never
  std::string vcc, vcid, unit, node_id, address, spec_hash;
};

/// What a look at the host found.
struct HostReport {
  std::string host_key;  ///< the key the server showed: pin it
  std::string engine;    ///< "docker" or "sudo -n docker"
  std::string engine_version;
  bool image_present = false;  ///< of the ContainerSpec's image
  std::vector<FoundContainer> containers;
};

enum class JobState { kRunning, kDone, kFailed, kUnknown };
/// A detached job (an image pull) as it stands. `kUnknown`: the host has no trace of it; start it again.
struct JobReport {
  JobState state = JobState::kUnknown;
  std::string detail;  ///< last lines of output, cleaned; the cause when it failed
};

/// One machine's inside. `deadline_ms` is a duration for the whole call. Errors: kUnavailable (cannot connect, refused,
/// no banner), kUnauthenticated (user or key refused), kPermissionDenied (host key changed), kFailedPrecondition (no
/// engine, no sudo: the text names both remedies), kDeadlineExceeded, kInvalidArgument (the engine refused the options,
/// with its words), kInternal. Each text names the host, the step, the cause and the remedy.
class Host {
 public:
  virtual ~Host() = default;

  /// Looks: engine, image, containers that carry our label. Changes nothing. An empty `image` asks for none.
  virtual Result<HostReport> inspect(const HostTarget& target, const std::string& image, std::int64_t deadline_ms) = 0;

  /// Starts the pull of `image` detached, under `op_id` (32 hex). Harmless to repeat with the same op id.
  virtual Status startPull(const HostTarget& target, const std::string& op_id, const std::string& image,
                           std::int64_t deadline_ms) = 0;
  /// How the pull under `op_id` stands. Cleans up its traces once it reports kDone or kFailed.
  virtual Result<JobReport> pollPull(const HostTarget& target, const std::string& op_id, std::int64_t deadline_ms) = 0;

  /// `docker run` of the base container: detached, privileged, host network, restart unless-stopped, /dev, then the
  /// spec. Returns its container id. kAlreadyExists when the name is taken (then inspect), kNotFound when the image is
  /// not on the host: it never pulls. A run that fails may leave a container that was created and did not start.
  virtual Result<std::string> runContainer(const HostTarget& target, const ContainerSpec& spec,
                                           std::int64_t deadline_ms) = 0;

  /// `docker start` / `docker stop` of a container by id. Success when it is so already; kNotFound when there is none.
  virtual Status startContainer(const HostTarget& target, const std::string& container_id,
                                std::int64_t deadline_ms) = 0;
  virtual Status stopContainer(const HostTarget& target, const std::string& container_id, std::int64_t deadline_ms) = 0;

  /// `docker rm -f -v` by id. Success when there is none.
  virtual Status removeContainer(const HostTarget& target, const std::string& container_id,
                                 std::int64_t deadline_ms) = 0;

  /// ok when an ssh banner ("SSH-") comes from address:port in time.
  virtual Status probeBanner(const std::string& address, int port, std::int64_t deadline_ms) = 0;
};

}  // namespace vcc
