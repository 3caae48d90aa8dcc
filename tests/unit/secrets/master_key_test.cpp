// SPDX-License-Identifier: Apache-2.0
#include "secrets/master_key.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "base/encoding.h"
#include "store/open_store.h"
#include "support/fake_clock.h"
#include "support/temp_dir.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// A data folder that is opened again and again.
struct Folder {
  TempDir dir;
  FakeClock clock;
  InlineExecutor executor;
  NullLogger log;
  SystemRandom random;
  PosixFileSystem files;
  std::unique_ptr<Store> store = makeMemoryStore(clock, executor, log);

  std::string keyFile() const { return dir.file("master.key"); }
  MasterKeySource byFile() const { return {.file = keyFile()}; }
  Result<std::unique_ptr<Sealer>> open(const MasterKeySource& source) {
    return openSealer(*store, files, random, source, dir.file("data"));
  }
  std::string refusal(const MasterKeySource& source) {
    const auto opened = open(source);
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.status().code() == Code::kFailedPrecondition);
    return opened.status().message();
  }
  std::string record() const {
    std::string text;
    store->read([&](const ReadTx& tx) {
      if (const Meta* meta = tx.metas().find("data_key")) text = meta->text;
    });
    return text;
  }
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
MasterKeySource byText(char fill) { return {.text = SecretString(base64Encode(std::string(32, fill)))}; }
MasterKeySource byPhrase(const std::string& phrase) { return {.passphrase = SecretString(phrase)}; }

}  // namespace

TEST_CASE("a new folder gets a key file of its own, and opens with it again") {
  Folder folder;
  const auto first = folder.open(folder.byFile());
  REQUIRE_MESSAGE(first.ok(), first.status().toString());
  struct stat info {};
  REQUIRE(::stat(folder.keyFile().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
  const std::string key = folder.files.read(folder.keyFile(), 100).value();
  CHECK(base64Decode(key.substr(0, key.size() - 1))->size() == 32);
  CHECK_FALSE(has(folder.record(), key.substr(0, 20)));

  const std::string sealed = (*first)->seal("text", "place");
  const auto second = folder.open(folder.byFile());
  REQUIRE(second.ok());
  CHECK((*second)->open(sealed, "place").value().reveal() == "text");
  CHECK((*second)->fingerprint("x") == (*first)->fingerprint("x"));
  CHECK((*second)->open(sealed, "elsewhere").status().code() == Code::kDataLoss);
  CHECK((*second)->open("text", "place").status().code() == Code::kDataLoss);
}

TEST_CASE("a wrong or missing master key changes nothing and says what to do") {
  Folder folder;
  REQUIRE(folder.open(folder.byFile()).ok());
  const std::string record = folder.record();
  const std::string key = folder.files.read(folder.keyFile(), 100).value();

  REQUIRE(folder.files.remove(folder.keyFile()).ok());
  CHECK(has(folder.refusal(folder.byFile()), "put it back"));
  CHECK_FALSE(folder.files.exists(folder.keyFile()));
  REQUIRE(folder.files.writeAtomic(folder.keyFile(), base64Encode(std::string(32, 'x')), 0600).ok());
  CHECK(has(folder.refusal(folder.byFile()), "is not the one"));
  REQUIRE(folder.files.writeAtomic(folder.keyFile(), "no key", 0600).ok());
  CHECK(has(folder.refusal(folder.byFile()), "32 bytes"));
  REQUIRE(folder.files.writeAtomic(folder.keyFile(), key, 0640).ok());
  CHECK(has(folder.refusal(folder.byFile()), "chmod 600"));
  CHECK(has(folder.refusal(byText('x')), "VCC_MASTER_KEY"));
  CHECK(has(folder.refusal(byPhrase("sesame")), "without --passphrase"));
  CHECK(has(folder.refusal({}), "master_key_file"));
  CHECK(folder.record() == record);
  REQUIRE(folder.files.writeAtomic(folder.keyFile(), key, 0600).ok());
  CHECK(folder.open(folder.byFile()).ok());
}

TEST_CASE("the key may come from the environment or from a pass phrase") {
  Folder by_text;
  REQUIRE(by_text.open(byText('a')).ok());
  CHECK(by_text.open(byText('a')).ok());
  CHECK(has(by_text.refusal(byText('b')), "is not the one"));
  CHECK(has(by_text.refusal({.text = SecretString(std::string("short"))}), "32 bytes"));

  Folder by_phrase;
  REQUIRE(by_phrase.open(byPhrase("sesame")).ok());
  CHECK(by_phrase.open(byPhrase("sesame")).ok());
  CHECK(has(by_phrase.refusal(byPhrase("Sesame")), "the pass phrase is not the one"));
  CHECK(has(by_phrase.refusal(byText('a')), "--passphrase"));
  CHECK_FALSE(has(by_phrase.record(), "sesame"));
}

TEST_CASE("a key inside the data folder is refused") {
  Folder folder;
  CHECK(has(folder.refusal({.file = folder.dir.file("data") + "/master.key"}), "outside"));
}

TEST_CASE("a damaged record of the data key is data loss, not a new key") {
  Folder folder;
  REQUIRE(folder.open(byText('a')).ok());
  for (const char* text : {"", "key1:", "key1:####", "key2:AAAA", "phrase1:00"}) {
    REQUIRE(folder.store->transact([&](Tx& tx) -> Status { return tx.metas().put(Meta{"data_key", text, 0}); }).ok());
    CHECK_FALSE(folder.open(byText('a')).ok());
    CHECK(folder.record() == text);
  }
}
