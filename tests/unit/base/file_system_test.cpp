// SPDX-License-Identifier: Apache-2.0
#include "base/file_system.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "support/temp_dir.h"

using namespace vcc;

namespace {
unsigned modeOf(const std::string& path) {
  struct stat info {};
  REQUIRE(stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777U;
}
}  // namespace

TEST_CASE("what was written is read, with its mode, and nothing is left beside it") {
  const test::TempDir dir;
  PosixFileSystem fs;
  const std::string path = dir.file("f");
  REQUIRE(fs.writeAtomic(path, "one", 0644).ok());
  REQUIRE(fs.writeAtomic(path, std::string("two\0!", 5), 0600).ok());
  CHECK(*fs.read(path, 5) == std::string("two\0!", 5));
  CHECK(modeOf(path) == 0600);
  CHECK(*fs.list(dir.path()) == std::vector<std::string>{"f"});
  CHECK(fs.exists(path));
}

TEST_CASE("a file above the limit is refused") {
  const test::TempDir dir;
  PosixFileSystem fs;
  REQUIRE(fs.writeAtomic(dir.file("f"), "12345", 0600).ok());
  const auto result = fs.read(dir.file("f"), 4);
  CHECK(result.status().code() == Code::kOutOfRange);
  CHECK(result.status().message().find(dir.file("f")) != std::string::npos);
}

TEST_CASE("errors name the path and the cause") {
  const test::TempDir dir;
  PosixFileSystem fs;
  const auto missing = fs.read(dir.file("none"), 10).status();
  CHECK(missing.code() == Code::kNotFound);
  CHECK(missing.message() == "cannot open " + dir.file("none") + ": No such file or directory");
  CHECK_FALSE(fs.writeAtomic(dir.file("no/folder"), "x", 0600).ok());
  CHECK_FALSE(fs.list(dir.file("none")).ok());
  CHECK_FALSE(fs.exists(dir.file("none")));
}

TEST_CASE("a failed replacement leaves the old content and no temporary file") {
  const test::TempDir dir;
  PosixFileSystem fs;
  REQUIRE(fs.makeDirs(dir.file("target/inner"), 0700).ok());  // a folder cannot be replaced by a file
  CHECK_FALSE(fs.writeAtomic(dir.file("target"), "x", 0600).ok());
  CHECK(*fs.list(dir.path()) == std::vector<std::string>{"target"});
}

TEST_CASE("folders are made with their parents, once or twice") {
  const test::TempDir dir;
  PosixFileSystem fs;
  CHECK(fs.makeDirs(dir.file("a/b/c"), 0700).ok());
  CHECK(fs.makeDirs(dir.file("a/b/c"), 0700).ok());
  CHECK(modeOf(dir.file("a/b")) == 0700);
  REQUIRE(fs.writeAtomic(dir.file("file"), "", 0600).ok());
  CHECK_FALSE(fs.makeDirs(dir.file("file"), 0700).ok());
  CHECK_FALSE(fs.makeDirs(dir.file("file/x"), 0700).ok());
  CHECK_FALSE(fs.makeDirs("", 0700).ok());
}

TEST_CASE("removing twice is fine, entries are sorted") {
  const test::TempDir dir;
  PosixFileSystem fs;
  for (const char* name : {"b", "c", "a"}) REQUIRE(fs.writeAtomic(dir.file(name), "", 0600).ok());
  CHECK(*fs.list(dir.path()) == std::vector<std::string>{"a", "b", "c"});
  CHECK(fs.remove(dir.file("b")).ok());
  CHECK(fs.remove(dir.file("b")).ok());
  CHECK(*fs.list(dir.path()) == std::vector<std::string>{"a", "c"});
}

TEST_CASE("a lock keeps others out until it is dropped") {
  const test::TempDir dir;
  PosixFileSystem fs;
  auto first = fs.lock(dir.file("lock"));
  REQUIRE(first.ok());
  CHECK(fs.lock(dir.file("lock")).status().code() == Code::kFailedPrecondition);
  first->reset();
  CHECK(fs.lock(dir.file("lock")).ok());
  CHECK_FALSE(fs.lock(dir.file("no/such/folder")).ok());
}
