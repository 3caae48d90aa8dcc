// SPDX-License-Identifier: Apache-2.0
#include "../state_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "temp_folder.h"
#include "vcp/plugin/cpp/error.h"

namespace {

/// The lines as a reader sees them, and how often it had to start over.
struct Reader {
  explicit Reader(const std::string& path) : file(path) {}
  void refresh() {
    REQUIRE(file.tryLock());
    file.refresh([this] { lines.clear(), ++resets; }, [this](std::string_view line) { lines.emplace_back(line); });
    file.unlock();
  }
  mock::StateFile file;
  std::vector<std::string> lines;
  int resets = 0;
};

void write(const std::string& path, const std::string& text, std::ios::openmode mode = std::ios::app) {
  std::ofstream(path, mode) << text;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("state file: own and foreign appends are read without starting over") {
  const TempFolder folder;
  Reader reader(folder.file("s"));
  reader.refresh();
  CHECK(reader.resets == 1);
  write(folder.file("s"), "one\ntwo\n");
  reader.refresh();
  reader.file.append("three\n");
  reader.refresh();
  CHECK(reader.lines == Lines{"one", "two"});  // own lines do not come back
  write(folder.file("s"), "four\n");
  reader.refresh();
  CHECK(reader.lines == Lines{"one", "two", "four"});
  CHECK(reader.resets == 1);
}

TEST_CASE("state file: a torn last line is ignored and harms nothing that follows") {
  const TempFolder folder;
  write(folder.file("s"), "one\n{\"torn");
  Reader reader(folder.file("s"));
  reader.refresh();
  CHECK(reader.lines == Lines{"one"});
  reader.file.append("two\n");
  Reader other(folder.file("s"));
  other.refresh();
  CHECK(other.lines == Lines{"one", "{\"torn", "two"});
  reader.refresh();
  CHECK(reader.lines == Lines{"one", "{\"torn", "two"});
}

TEST_CASE("state file: edits of any kind are noticed") {
  const TempFolder folder;
  const std::string path = folder.file("s");
  write(path, "aaaa\nbbbb\n");
  Reader reader(path);
  reader.refresh();

  SUBCASE("rewritten in place, longer") {
    write(path, "aaaa\ncc\ndddd\neeee\n", std::ios::trunc);
    reader.refresh();
    CHECK(reader.lines == Lines{"aaaa", "cc", "dddd", "eeee"});
  }
  SUBCASE("rewritten in place, shorter") {
    write(path, "bbbb\n", std::ios::trunc);
    reader.refresh();
    CHECK(reader.lines == Lines{"bbbb"});
  }
  SUBCASE("replaced by another file of the same size") {
    write(folder.file("t"), "aaaa\nxxxx\n");
    std::filesystem::rename(folder.file("t"), path);
    reader.refresh();
    CHECK(reader.lines == Lines{"aaaa", "xxxx"});
  }
  SUBCASE("same size, other time") {
    write(path, "aaaa\nyyyy\n", std::ios::trunc);
    std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::seconds(5));
    reader.refresh();
    CHECK(reader.lines == Lines{"aaaa", "yyyy"});
  }
  SUBCASE("deleted") {
    std::filesystem::remove(path);
    reader.refresh();
    CHECK(reader.lines.empty());
  }
  SUBCASE("replaced by another reader") {
    Reader other(path);
    other.refresh();
    REQUIRE(other.file.tryLock());
    other.file.replace("zzzz\n");
    other.file.unlock();
    reader.refresh();
    CHECK(reader.lines == Lines{"zzzz"});
  }
  CHECK(reader.resets == 2);
}

TEST_CASE("state file: the lock keeps others out, and errors name the path") {
  const TempFolder folder;
  mock::StateFile one(folder.file("s"));
  mock::StateFile two(folder.file("s"));
  REQUIRE(one.tryLock());
  CHECK_FALSE(two.tryLock());
  one.unlock();
  CHECK(two.tryLock());

  mock::StateFile nowhere(folder.file("no/such/folder"));
  CHECK_THROWS_WITH_AS(nowhere.tryLock(), doctest::Contains("no/such/folder"), vcp::plugin::Error);
  std::filesystem::create_directory(folder.file("dir"));
  mock::StateFile directory(folder.file("dir"));
  REQUIRE(directory.tryLock());
  CHECK_THROWS_AS(directory.refresh([] {}, [](std::string_view) {}), vcp::plugin::Error);
}
