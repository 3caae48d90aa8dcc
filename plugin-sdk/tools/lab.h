// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bench.h"
#include "live.h"
#include "machine.h"
#include "services.h"
#include "wire.h"

namespace vcp::check {

/// How a create or a removal is driven, and what disturbs it.
struct Course {
  bool reopen = false;    ///< the controller dies before every step
  int forget_answer = 0;  ///< ... and after this step (from 1), before it has written the answer down
  int stop_after = -1;    ///< so many steps only; -1 = to the end
  bool in_doubt = false;  ///< a create was sent before, and its answer is not known
  std::function<void(const Result&, const Machines&)> watch;
  int steps = 0;  ///< out
};

/// A controller in small: one driver instance, one cloud (or none), and the rules by which the host calls. Fresh for
/// each scenario. Calls are thread safe, courses are not.
class Lab {
 public:
  explicit Lab(const Bench& bench);
  ~Lab();
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  const Bench& bench() const { return bench_; }
  CheckHost& host() { return host_; }
  Wire& wire();
  const plugin::testing::OpenDriver& driver() const { return *driver_; }

  /// The controller dies and starts again: another instance, nothing kept but what was committed.
  void reopen();

  /// New items of one create.
  Machines mint(std::size_t count, bool with_address = false);
  Machines mintDisks(std::size_t count);
  std::string newOp();
  std::string spec(bool of_disks = false) const;

  // One call, for machines or for disks. Answers are committed into `machines`.
  Result call(Verb verb, const std::string& op, std::int64_t attempt, Machines& machines, const Asking& asking = {});
  Result attach(bool on, const std::string& op, std::int64_t attempt, Machine& disk, const Machine& machine);
  std::vector<Sight> observe(const Machines& machines, const Asking& asking = {});
  plugin::testing::Seen list(const Asking& asking = {});
  vcp_error_t probe(const Grant& grant);
  /// The schema as describe writes it.
  std::string describe();
  /// Makes the context of a call; for calls of the table itself.
  std::unique_ptr<Frame> frame(const Asking& asking, const std::string& op = "", std::int64_t attempt = 1);

  // Courses: what the host does, with its rules about doubt, pauses and repeats. They throw Failed when they do not
  // come to their end.
  /// True when every item is done; false when the course was to stop before.
  bool make(Machines& machines, Course& course, const Asking& asking = {});
  void make(Machines& machines, const Asking& asking = {});
  void awaitRunning(Machines& machines, const Asking& asking = {});
  /// Until looks prove that nothing is left; false when the course was to stop before.
  bool remove(Machines& machines, Course& course, const Asking& asking = {});
  void remove(Machines& machines, const Asking& asking = {});
  void power(bool on, Machines& machines, const Asking& asking = {});
  /// Brings a machine that is made into the state that attach needs.
  void prepareAttach(Machines& machines);
  /// Attaches the disk or takes it off, until looks show it.
  void setAttached(bool on, Machine& disk, const Machine& machine);
  /// Until a look shows the disk so, held by the machine with this id (empty: by none).
  void awaitDisk(const Machine& disk, plugin::DiskState state, const std::string& machine_id);

  /// What exists now and did not at the beginning: by the simulated cloud, else by looks and lists.
  std::vector<Object> made();
  /// made(), counted: "disk 1, machine 1"; "nothing".
  std::string madeText();
  std::map<std::string, int> madeKinds();
  void expectNothingLeft(const std::string& when);

 private:
  void open();
  Machine newItem();
  std::vector<Object> objects();
  plugin::testing::Answers send(Verb verb, const vcp_call_t* call, const std::string& request, bool of_disks,
                                const plugin::Items& items) const;
  /// What was answered, checked and committed.
  Result resultOf(Verb verb, const plugin::testing::Answers& said, const Frame& frame, Machines& machines);
  void commit(const plugin::testing::ItemAnswer& said, Machine& machine, Result& result);
  Answer answerOf(const plugin::testing::Answers& said, std::int64_t index);
  void note(Result& result, const Frame& frame);
  void learn(const Sight& sight, Machine& machine);
  void settle(Machines& machines, std::size_t known, const Asking& asking);
  std::vector<Sight> look(const Machines& machines, const Asking& asking);
  std::string hex(std::size_t digits);

  const Bench& bench_;
  CheckHost host_;
  const Services services_{host_};
  std::string data_dir_;
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<LiveHost> live_;
  std::unique_ptr<plugin::testing::OpenDriver> driver_;
  std::mutex mutex_;  // guards random_
  std::uint64_t random_;
  const std::string vcc_;
  Machines minted_;
  std::size_t next_address_ = 0;
  std::vector<Object> before_;
};

}  // namespace vcp::check
