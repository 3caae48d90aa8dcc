// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
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

/// What a machine needs before its base container can be started, in the order in which it is done (architecture 26;
/// host/host_steps.h).
enum class HostStep : std::uint8_t {
  kDns,         ///< the name servers of its catalog entry
  kTime,        ///< chrony with the time servers of its catalog entry
  kDocker,      ///< a docker that works
  kRegistries,  ///< docker takes images from the controller's registries, which speak plain HTTP
  kSshPort,     ///< sshd listens on its own port and leaves 22 to the base container
  kImage,       ///< the image of the base container
};

/// What is wanted of a machine. Empty lists and a port of 0: nothing. Words of letters, digits, '.', ':' and '-'.
struct HostNeeds {
  std::vector<std::string> dns_servers;
  std::vector<std::string> ntp_servers;
  std::vector<std::string> registries;  ///< host:port
  int ssh_port = 0;
};

/// How thorough a look is.
enum class HostLook : std::uint8_t {
  kContainers,  ///< engine, image, containers; without a working engine it fails
  kNeeds,       ///< also what the machine lacks of its needs, of which a working engine is one
  kAll,         ///< also HostFacts
};

/// What an administrator wants to know of an existing server.
struct HostFacts {
  std::string system;   ///< "Ubuntu 24.04.1 LTS"
  std::string machine;  ///< "x86_64"
  bool may_sudo = false;
  bool clock_synchronised = false;
  std::int64_t free_mib = 0;                  ///< on the file system of /var/lib
  std::vector<int> taken_ports;               ///< of those that base containers use
  std::vector<std::string> missing_commands;  ///< of those that the controller uses there
};

/// What a look at the host found.
struct HostReport {
  std::string host_key;  ///< the key the server showed: pin it
  std::string engine;    ///< "docker" or "sudo -n docker"; empty = none that works
  std::string engine_version;
  std::string engine_trouble;  ///< why none works, in the host's words
  bool image_present = false;  ///< of the ContainerSpec's image
  std::vector<FoundContainer> containers;
  std::vector<HostStep> lacking;  ///< of its needs, without kImage
  HostFacts facts;                ///< of a look at all
};

/// What a detached job does, step by step; a step that has nothing to do is skipped.
struct HostJob {
  std::vector<HostStep> steps;
  HostNeeds needs;
  std::string image;  ///< of kImage
};

enum class JobState : std::uint8_t { kRunning, kDone, kFailed, kUnknown };
/// A detached job as it stands. `kUnknown`: the host has no trace of it, or it was killed; start it again.
struct JobReport {
  JobState state = JobState::kUnknown;
  std::optional<HostStep> step;  ///< under way, or the one that failed
  std::string progress;          ///< how far the step is, where that is known: "3 of 7 layers"
  std::string detail;            ///< last lines of output, cleaned; the cause when it failed
  /// What a look found when it was done: containers that carry our label, and what the machine still lacks of the
  /// job's steps.
  std::vector<FoundContainer> containers;
  std::vector<HostStep> lacking;
};

/// One machine's inside. `deadline_ms` is a duration for the whole call. Errors: kUnavailable (cannot connect, refused,
/// no banner), kUnauthenticated (user or key refused), kPermissionDenied (host key changed), kFailedPrecondition (no
/// engine, no sudo: the text names both remedies), kDeadlineExceeded, kInvalidArgument (the engine refused the options,
/// with its words), kInternal. Each text names the host, the step, the cause and the remedy.
class Host {
 public:
  virtual ~Host() = default;

  /// Looks: engine, image, containers that carry our label, and what `look` says. Changes nothing. An empty `image`
  /// asks for none.
  virtual Result<HostReport> inspect(const HostTarget& target, const std::string& image, const HostNeeds& needs,
                                     HostLook look, std::int64_t deadline_ms) = 0;
  Result<HostReport> inspect(const HostTarget& target, const std::string& image, std::int64_t deadline_ms) {
    return inspect(target, image, {}, HostLook::kContainers, deadline_ms);
  }

  /// Starts `job` detached, under `op_id` (32 hex), waits a moment for it, and answers as `pollJob` does. Harmless to
  /// repeat with the same op id: a job that runs goes on, one that was killed begins again and skips what is done.
  virtual Result<JobReport> startJob(const HostTarget& target, const std::string& op_id, const HostJob& job,
                                     std::int64_t deadline_ms) = 0;
  /// How the job under `op_id` stands. Cleans up its traces once it reports kDone or kFailed.
  virtual Result<JobReport> pollJob(const HostTarget& target, const std::string& op_id, std::int64_t deadline_ms) = 0;

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
