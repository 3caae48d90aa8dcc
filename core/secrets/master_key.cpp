// SPDX-License-Identifier: Apache-2.0
#include "secrets/master_key.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "base/aead.h"
#include "base/encoding.h"

namespace vcc {
namespace {

constexpr char kDataKey[] = "data_key";
constexpr std::string_view kPlace = "meta.data_key:data_key";
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kFileBytes = 4096;

/// The record "data_key" of the table meta: "key1:<base64 of the sealed data key>" or, under a pass phrase,
/// "phrase1:<hex salt>:<base64>".
constexpr std::string_view kByKey = "key1:";
constexpr std::string_view kByPhrase = "phrase1:";

std::string randomBytes(Random& random, std::size_t count) {
  std::string bytes(count, '\0');
  random.fill({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  return bytes;
}

Result<SecretString> decodeKey(std::string_view text, const std::string& from) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  Result<std::string> bytes = base64Decode(text);
  if (!bytes.ok() || bytes->size() != kAeadKeyBytes) {
    return failedPrecondition(fmt::format(
        "master key: {} does not hold one; base64 of {} bytes is expected, as `head -c 32 /dev/urandom | base64` makes",
        from, kAeadKeyBytes));
  }
  return SecretString(std::move(bytes).value());
}

Status checkKeyFile(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && (!S_ISREG(info.st_mode) || (info.st_mode & 077U) != 0)) {
    return failedPrecondition(fmt::format(
        "master key: file {} can be read by others; close it with `chmod 600 {}`, and think of who may have read it",
        path, path));
  }
  return okStatus();
}

class Opener {
 public:
  Opener(Store& store, FileSystem& files, Random& random, const MasterKeySource& source, const std::string& data_dir)
      : store_(store), files_(files), random_(random), source_(source), data_dir_(data_dir) {}

  Result<std::unique_ptr<Sealer>> open() {
    if (source_.file.starts_with(data_dir_ + "/")) {
      return failedPrecondition(fmt::format(
          "master_key_file: {} lies in the data folder, so a copy of the folder would open itself; name a path outside",
          source_.file));
    }
    std::optional<std::string> record;
    store_.read([&](const ReadTx& tx) {
      if (const Meta* meta = tx.metas().find(kDataKey)) record = meta->text;
    });
    VCC_ASSIGN_OR_RETURN(const SecretString data_key, record ? openDataKey(*record) : makeDataKey());
    return std::make_unique<Sealer>(data_key, random_);
  }

 private:
  bool byPhrase() const { return !source_.passphrase.empty(); }
  std::string from() const {
    return !source_.text.empty() ? "environment variable VCC_MASTER_KEY" : "file " + source_.file;
  }

  Result<SecretString> masterKey(bool fresh_folder) {
    if (!source_.text.empty()) return decodeKey(source_.text.reveal(), from());
    if (source_.file.empty()) {
      return failedPrecondition("master key: there is none; set master_key_file, or start with --passphrase");
    }
    if (!files_.exists(source_.file)) {
      if (!fresh_folder) {
        return failedPrecondition(fmt::format(
            "master key: {} is not there, and what data folder {} holds of secrets opens only with it; put it back "
            "from where it is kept, or set master_key_file to where it lies now",
            from(), data_dir_));
      }
      const SecretString text(base64Encode(SecretString(randomBytes(random_, kAeadKeyBytes)).reveal()) + "\n");
      VCC_RETURN_IF_ERROR(files_.writeAtomic(source_.file, text.reveal(), 0600).prepend("master key"));
    }
    VCC_RETURN_IF_ERROR(checkKeyFile(source_.file));
    VCC_ASSIGN_OR_RETURN(std::string text, files_.read(source_.file, kFileBytes));
    const SecretString held(std::move(text));
    return decodeKey(held.reveal(), from());
  }

  Result<SecretString> makeDataKey() {
    SecretString data_key(randomBytes(random_, kAeadKeyBytes));
    std::string record;
    if (byPhrase()) {
      const std::string salt = randomBytes(random_, kSaltBytes);
      record = std::string(kByPhrase) + hexEncode(salt) + ":" +
               seal(keyFromPassphrase(source_.passphrase, hexEncode(salt)), data_key);
    } else {
      VCC_ASSIGN_OR_RETURN(const SecretString master, masterKey(true));
      record = std::string(kByKey) + seal(master, data_key);
    }
    VCC_RETURN_IF_ERROR(store_.transact([&](Tx& tx) -> Status { return tx.metas().put(Meta{kDataKey, record, 0}); }));
    return data_key;
  }

  std::string seal(const SecretString& master, const SecretString& data_key) {
    return base64Encode(aeadSeal(master, random_, data_key.reveal(), kPlace));
  }

  Result<SecretString> openDataKey(std::string_view record) {
    if (record.starts_with(kByPhrase)) {
      if (!byPhrase()) {
        return failedPrecondition(
            fmt::format("master key: data folder {} was sealed under a pass phrase; start with "
                        "--passphrase, which reads it from standard input",
                        data_dir_));
      }
      record.remove_prefix(kByPhrase.size());
      const std::size_t colon = record.find(':');
      if (colon == std::string_view::npos) return damaged();
      return unseal(keyFromPassphrase(source_.passphrase, record.substr(0, colon)), record.substr(colon + 1),
                    "the pass phrase");
    }
    if (!record.starts_with(kByKey)) return damaged();
    if (byPhrase()) {
      return failedPrecondition(fmt::format(
          "master key: data folder {} was sealed under a key, not under a pass phrase; start without --passphrase",
          data_dir_));
    }
    VCC_ASSIGN_OR_RETURN(const SecretString master, masterKey(false));
    return unseal(master, record.substr(kByKey.size()), "the key of " + from());
  }

  Result<SecretString> unseal(const SecretString& master, std::string_view sealed, const std::string& what) {
    const Result<std::string> bytes = base64Decode(sealed);
    if (!bytes.ok()) return damaged();
    Result<SecretString> data_key = aeadOpen(master, *bytes, kPlace);
    if (data_key.ok()) return data_key;
    return failedPrecondition(
        fmt::format("master key: {} is not the one that data folder {} was sealed with; nothing was changed, give the "
                    "right one",
                    what, data_dir_));
  }

  Status damaged() const {
    return dataLoss(
        fmt::format("data folder {}: its sealed data key is damaged; restore the folder from a backup", data_dir_));
  }

  Store& store_;
  FileSystem& files_;
  Random& random_;
  const MasterKeySource& source_;
  const std::string& data_dir_;
};

}  // namespace

Result<std::unique_ptr<Sealer>> openSealer(Store& store, FileSystem& files, Random& random,
                                           const MasterKeySource& source, const std::string& data_dir) {
  return Opener(store, files, random, source, data_dir).open();
}

}  // namespace vcc
