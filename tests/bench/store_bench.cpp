// SPDX-License-Identifier: Apache-2.0
// What durability costs: transactions per second by number of waiting threads, syncs per transaction, and how long a
// start with 1,000 nodes takes. Usage: store_bench [FOLDER]; the folder must lie on the disk to be measured.
#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/file_system.h"
#include "base/log.h"
#include "store/fault_journal.h"
#include "store/mirror_store.h"
#include "store/open_store.h"
#include "store/sqlite_journal.h"
#include "support/temp_dir.h"

namespace {

using namespace vcc;

constexpr int kNodes = 1000;
constexpr std::int64_t kRunMs = 2000;

void fail(const Status& status) {
  if (status.ok()) return;
  fmt::print(stderr, "{}\n", status.toString());
  std::exit(1);
}

Status fill(Tx& tx) {
  VCC_RETURN_IF_ERROR(tx.vcs().put({.vcid = "v", .name = "bench"}));
  Unit unit;
  unit.unit_id = "u";
  unit.vcid = "v";
  unit.spec = std::string(4000, 'c');
  VCC_RETURN_IF_ERROR(tx.units().put(std::move(unit)));
  for (int i = 0; i < kNodes; ++i) {
    const std::string id = fmt::format("{:032x}", i);
    Node node;
    node.node_id = node.machine_id = id;
    node.vcid = "v";
    node.unit_id = "u";
    node.node_no = i;
    node.container_id = id + id;
    VCC_RETURN_IF_ERROR(tx.nodes().put(std::move(node)));
    VCC_RETURN_IF_ERROR(tx.machines().put({.machine_id = id,
                                           .node_id = id,
                                           .unit_id = "u",
                                           .vcid = "v",
                                           .name = "vcp-" + id,
                                           .resources = {{"nic", "vcp-" + id + "-nic", "eni-" + id}},
                                           .driver_state = std::string(200, 'd')}));
  }
  return okStatus();
}

/// Each thread changes nodes of its own, one per transaction, and waits for the disk each time.
void measure(const std::string& path, int threads) {
  const SystemClock clock;
  NullLogger log;
  ThreadPool writer("store", 1);
  const auto plan = std::make_shared<FaultPlan>();
  auto sqlite = SqliteJournal::open(path, log);
  fail(sqlite.status());
  auto store = MirrorStore::open(std::make_unique<FaultJournal>(std::move(*sqlite), plan), clock, writer, log);
  fail(store.status());
  std::atomic<std::int64_t> count{0};
  const std::int64_t begin = clock.monoMs();
  {
    std::vector<Thread> running;
    for (int t = 0; t < threads; ++t) {
      running.emplace_back("bench", [&, t] {
        for (int i = t; clock.monoMs() - begin < kRunMs; i = (i + threads) % kNodes) {
          fail((*store)->transact([&](Tx& tx) {
            Node node = *tx.nodes().find(fmt::format("{:032x}", i));
            node.attempts += 1;
            return tx.nodes().put(std::move(node));
          }));
          ++count;
        }
      });
    }
  }
  const auto ms = static_cast<double>(clock.monoMs() - begin);
  fmt::print("{:3} threads: {:8.0f} transactions/s, {:7.0f} syncs/s, {:5.1f} transactions a sync\n", threads,
             static_cast<double>(count) * 1000 / ms, static_cast<double>(plan->flushes()) * 1000 / ms,
             static_cast<double>(count) / static_cast<double>(plan->flushes()));
}

}  // namespace

int main(int argc, char** argv) {
  const test::TempDir own;
  const std::string folder = argc > 1 ? argv[1] : own.path();
  const std::string path = folder + "/" + kDatabaseName;
  if (std::filesystem::exists(path)) {
    fmt::print(stderr, "{} exists; name an empty folder\n", path);
    return 1;
  }
  PosixFileSystem files;
  const SystemClock clock;
  NullLogger log;
  InlineExecutor writer;
  {
    auto store = openStore(folder, files, clock, writer, log);
    fail(store.status());
    const std::int64_t begin = clock.monoMs();
    fail((*store)->transact(fill));
    fmt::print("{} nodes and machines written in one transaction: {} ms\n", kNodes, clock.monoMs() - begin);
  }
  const std::int64_t begin = clock.monoMs();
  fail(openStore(folder, files, clock, writer, log).status());
  fmt::print("start with {} nodes and machines: {} ms\n", kNodes, clock.monoMs() - begin);
  for (const int threads : {1, 8, 64}) measure(path, threads);
  return 0;
}
