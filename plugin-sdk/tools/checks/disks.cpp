// SPDX-License-Identifier: Apache-2.0
#include "checks.h"

namespace vcp::check {
namespace {

using plugin::DiskState;

/// A machine that runs, in the state that attach needs, and a disk beside it.
struct Pair {
  Machines machine;
  Machines disk;

  explicit Pair(Lab& lab) : machine(lab.mint(1)), disk(lab.mintDisks(1)) {
    lab.make(machine);
    lab.prepareAttach(machine);
    lab.make(disk);
    lab.awaitDisk(disk[0], DiskState::kAvailable, "");
  }
  void remove(Lab& lab) {
    lab.remove(machine);
    lab.remove(disk);
  }
};

void expectDiskMade(Lab& lab, const std::string& made) {
  expect(lab.madeText() == made, "the cloud has: " + made, "it has: " + lab.madeText());
}

/// What a create makes, undisturbed, and the changes that it takes.
std::string makeOne(const Bench& bench, std::vector<std::string>* changes) {
  Lab lab(bench);
  Machines disk = lab.mintDisks(1);
  lab.make(disk);
  if (bench.cloud() != nullptr) *changes = lab.wire().changes();
  std::string made = lab.madeText();
  lab.remove(disk);
  return made;
}

void available(const Bench& bench) {
  Lab lab(bench);
  vcp_error_t error = plugin::detail::emptyError();
  const std::int32_t valid = plugin::testing::OpenDisks(lab.driver())
                                 .ops()
                                 .validate(lab.driver().instance(), plugin::borrow(bench.of().disk_params),
                                           plugin::borrow(bench.of().catalog_entry), &error);
  expect(valid == VCP_OK, "disk_params of the case pass validate", toText(error));
  Machines disk = lab.mintDisks(1);
  Course course;
  course.watch = [](const Result& result, const Machines&) {
    expect(result.changes <= 1, "at most one change per item and step", std::to_string(result.changes) + " changes");
  };
  lab.make(disk, course);
  expect(!disk[0].cloud_id.empty(), "the disk's id is reported", "it is empty");
  lab.awaitDisk(disk[0], DiskState::kAvailable, "");
  lab.awaitDisk(bare(disk[0]), DiskState::kAvailable, "");
  const Machines known = disk;
  lab.remove(disk, course);
  lab.expectNothingLeft("after destroy");
  for (const Machines& items : {known, bare(known)}) {
    Machines again = items;
    const Result result = lab.call(Verb::kDestroy, lab.newOp(), 1, again);
    expect(result.answers[0].say != Say::kError, "DONE for what is absent", result.answers[0].text());
  }
}

void makeDiskTwice(const Bench& bench) {
  Lab lab(bench);
  Machines disk = lab.mintDisks(1);
  lab.make(disk);
  const std::string made = lab.madeText();
  Machines again = disk;
  again[0].done = false;
  Course course;
  lab.make(again, course);
  expectDiskMade(lab, made);

  Machines forgotten = bare(disk);
  Course from_nothing;
  from_nothing.in_doubt = true;
  lab.reopen();
  within("sent again by a host that knows the name only", [&] {
    lab.make(forgotten, from_nothing);
    expect(forgotten[0].cloud_id == disk[0].cloud_id, "the same disk, " + disk[0].cloud_id, forgotten[0].cloud_id);
    expectDiskMade(lab, made);
  });
  lab.remove(disk);
}

void diskAnswerLost(const Bench& bench) {
  std::vector<std::string> changes;
  const std::string made = makeOne(bench, &changes);
  for (const Fault::Kind kind : {Fault::Kind::kAnswerLost, Fault::Kind::kRequestLost, Fault::Kind::kTorn}) {
    for (std::size_t n = 1; n <= changes.size(); ++n) {
      Fault fault;
      fault.kind = kind;
      fault.changes_only = true;
      fault.at = static_cast<int>(n);
      within("when at change " + std::to_string(n) + " (" + changes[n - 1] + ") " + fault.text(), [&] {
        Lab lab(bench);
        Machines disk = lab.mintDisks(1);
        lab.wire().arm(fault);
        lab.make(disk);
        expectDiskMade(lab, made);
        lab.wire().arm(fault);
        lab.remove(disk);
        lab.expectNothingLeft("after destroy");
      });
    }
  }
}

void attachTwice(const Bench& bench) {
  Lab lab(bench);
  Pair pair(lab);
  const auto again = [&](bool on) {
    within(on ? "attach" : "detach", [&] {
      lab.setAttached(on, pair.disk[0], pair.machine[0]);
      for (const bool reopened : {false, true}) {
        if (reopened) lab.reopen();
        const Result result = lab.attach(on, lab.newOp(), 1, pair.disk[0], pair.machine[0]);
        expect(result.answers[0].say == Say::kDone, "DONE for what is so already", result.answers[0].text());
        expect(result.changes == 0, "no change is asked for", std::to_string(result.changes) + " changes");
      }
    });
  };
  again(true);
  const Sight machine = lab.observe(pair.machine).front();
  expect(!machine.shows(pair.disk[0].cloud_id), "an attached disk is no part of the machine",
         "observe reports it among the resources");
  again(false);
  pair.remove(lab);
}

void attachLostAnswer(const Bench& bench) {
  for (const Fault::Kind kind : {Fault::Kind::kAnswerLost, Fault::Kind::kRequestLost, Fault::Kind::kTorn}) {
    Fault fault;
    fault.kind = kind;
    fault.changes_only = true;
    fault.at = 1;
    within("when " + fault.text(), [&] {
      Lab lab(bench);
      Pair pair(lab);
      for (const bool on : {true, false}) {
        lab.wire().arm(fault);
        lab.setAttached(on, pair.disk[0], pair.machine[0]);
      }
      pair.remove(lab);
    });
  }
}

void expectRefused(const Result& result, int code) {
  const Answer& answer = result.answers.front();
  expect(answer.say == Say::kError && answer.error.code == code && answer.error.outcome == VCP_OUTCOME_NOT_APPLIED,
         codeName(code) + ", NOT_APPLIED", answer.text());
}

void inUse(const Bench& bench) {
  Lab lab(bench);
  Pair pair(lab);
  const Machines absent = lab.mint(1);
  expectRefused(lab.attach(true, lab.newOp(), 1, pair.disk[0], absent[0]), VCP_NOT_FOUND);
  lab.setAttached(true, pair.disk[0], pair.machine[0]);
  const std::string made = lab.madeText();
  Machines disk = pair.disk;
  expectRefused(lab.call(Verb::kDestroy, lab.newOp(), 1, disk), VCP_FAILED_PRECONDITION);
  lab.awaitDisk(disk[0], DiskState::kAttached, pair.machine[0].cloud_id);
  expectDiskMade(lab, made);
  lab.setAttached(false, pair.disk[0], pair.machine[0]);
  pair.remove(lab);
}

void survives(const Bench& bench) {
  for (const bool by_name : {false, true}) {
    within(by_name ? "destroyed by name" : "destroyed", [&] {
      Lab lab(bench);
      Pair pair(lab);
      lab.setAttached(true, pair.disk[0], pair.machine[0]);
      if (by_name) {
        lab.reopen();
        pair.machine = bare(pair.machine);
      }
      lab.remove(pair.machine);
      lab.awaitDisk(pair.disk[0], DiskState::kAvailable, "");
      lab.remove(pair.disk);
    });
  }
}

}  // namespace

std::vector<Check> diskChecks() {
  return {
      {{"disk.available", "a disk is valid, made, found by name, and taken away", "One step towards existing disks.",
        "ext/disk.h, create and destroy", "report the id with machine(); take the cloud's \"not found\" for done"},
       kObserved | kDisks,
       available},
      {{"disk.twice", "two creates with one op give one disk", "Idempotent on (op_id, create_index)",
        "ext/disk.h, create", "send op_id as the cloud's token, or look up by name before the change"},
       kObserved | kDisks | kVirtual,
       makeDiskTwice},
      {{"disk.lost_answer", "a disk whose answer is lost is not made twice, and goes in the end",
        "Idempotent on (op_id, create_index); repeats, batches and errors as in vcp_driver_ops_t.create",
        "ext/disk.h, create and destroy", "report outcome UNKNOWN; look by name; send the same token again"},
       kObserved | kDisks | kCloud,
       diskAnswerLost},
      {{"disk.attach_twice", "attaching and detaching twice is done",
        "Idempotent: attached to this machine already is done", "ext/disk.h, attach and detach",
        "read the disk before the change, and leave it out of the parts of the machine"},
       kObserved | kDisks,
       attachTwice},
      {{"disk.attach_lost_answer", "a disk whose attach or detach lost its answer is where it should be",
        "Idempotent: attached to this machine already is done", "ext/disk.h, attach and detach",
        "report outcome UNKNOWN; read the disk before the change"},
       kObserved | kDisks | kCloud,
       attachLostAnswer},
      {{"disk.in_use", "a disk that a machine holds is not destroyed, and an absent machine gets none",
        "A disk that a machine holds is FAILED_PRECONDITION, NOT_APPLIED: the driver does not detach it.",
        "ext/disk.h, destroy and attach", "refuse; the host detaches first"},
       kObserved | kDisks,
       inUse},
      {{"destroy.data_disk", "an attached data disk survives", "their parts included (but never an attached data disk)",
        "driver.h, destroy", "remove disks that the driver made with the machine, and no others"},
       kObserved | kDisks,
       survives},
  };
}

}  // namespace vcp::check
