// SPDX-License-Identifier: Apache-2.0
#include "secrets/secret_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "model/json_tree.h"
#include "secrets/grants.h"
#include "store/schema.h"

namespace vcc {
namespace {

/// Whose values those of a mount are.
std::string ownerOf(const Principal& who, std::string_view mount) {
  return mount == kCubbyholeMount ? who.token_hash : std::string();
}

std::string keyOf(const Principal& who, const SecretPath& path) {
  return joinKey(joinKey(path.mount, ownerOf(who, path.mount)), path.path);
}

std::string placeOfSecret(const Secret& secret) { return placeOf("secret.value", Schema<Secret>::key(secret)); }

Status mayChange(const Principal& who, const SecretPath& path) {
  if (path.mount != kSharedMount || who.api_role == ApiRole::kFullAccess) return okStatus();
  return permissionDenied("secret/ is shared: a token of role readonly may not change it");
}

Result<SecretString> readSecret(const ReadTx& tx, const Sealer& sealer, const Principal& who, const SecretPath& path) {
  const Secret* found = tx.secrets().find(keyOf(who, path));
  if (found == nullptr) return notFound("there is nothing at " + path.text());
  return sealer.open(found->value, placeOfSecret(*found));
}

}  // namespace

Status SecretStore::write(const Principal& who, const SecretPath& path, const SecretString& object) {
  VCC_RETURN_IF_ERROR(mayChange(who, path));
  if (object.size() > limits_.value_bytes) {
    return {Code::kOutOfRange, fmt::format("a value may have {} bytes as JSON", limits_.value_bytes)};
  }
  if (!isUtf8(object.reveal())) return invalidArgument("the body is not UTF-8");
  const Result<YamlValue> tree = treeFromJson(object.reveal());
  if (!tree.ok() || !tree->isMap()) return invalidArgument("the body must be one JSON object of keys and values");
  if (tree->members.empty()) return invalidArgument("missing data fields: the body must have at least one key");
  Secret secret{path.mount, ownerOf(who, path.mount), path.path, "", 0};
  secret.value = sealer_.seal(object.reveal(), placeOfSecret(secret));
  return store_.transact([&](Tx& tx) -> Status {
    if (tx.secrets().find(Schema<Secret>::key(secret)) == nullptr) {
      const std::size_t limit = path.mount == kSharedMount ? limits_.shared_entries : limits_.token_entries;
      std::size_t count = 0;
      tx.secrets().scan("mount, owner", Schema<Secret>::folder(secret), [&](const Secret&) { return ++count < limit; });
      if (count >= limit) {
        return resourceExhausted(fmt::format("{}/ holds {} paths, its limit; delete some first", path.mount, limit));
      }
    }
    Secret record = secret;
    record.updated_at = tx.now();
    VCC_RETURN_IF_ERROR(tx.secrets().put(record));
    return resealGrants(tx, sealer_, record, object);
  });
}

Result<SecretString> SecretStore::read(const Principal& who, const SecretPath& path) const {
  Result<SecretString> object = internalError("");
  store_.read([&](const ReadTx& tx) { object = readSecret(tx, sealer_, who, path); });
  return object;
}

Status SecretStore::remove(const Principal& who, const SecretPath& path) {
  VCC_RETURN_IF_ERROR(mayChange(who, path));
  return store_.transact([&](Tx& tx) -> Status {
    tx.secrets().erase(keyOf(who, path));
    return okStatus();
  });
}

Result<std::vector<std::string>> SecretStore::list(const Principal& who, const std::string& mount,
                                                   const std::string& folder) const {
  VCC_RETURN_IF_ERROR(checkMount(mount));
  if (!folder.empty()) VCC_RETURN_IF_ERROR(checkSecretSegments(folder));
  const std::string prefix = folder.empty() ? "" : folder + "/";
  std::vector<std::string> names;
  store_.read([&](const ReadTx& tx) {
    tx.secrets().scan("mount, owner", joinKey(mount, ownerOf(who, mount)), [&](const Secret& secret) {
      if (!secret.path.starts_with(prefix)) return true;
      const std::size_t slash = secret.path.find('/', prefix.size());
      const std::size_t end = slash == std::string::npos ? secret.path.size() : slash + 1;
      names.push_back(secret.path.substr(prefix.size(), end - prefix.size()));
      return true;
    });
  });
  if (names.empty()) return notFound("there is nothing below " + mount + "/" + prefix);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<SecretString> readReference(const ReadTx& tx, const Sealer& sealer, const Principal& who,
                                   const SecretPath& path) {
  VCC_ASSIGN_OR_RETURN(const SecretString object, readSecret(tx, sealer, who, path));
  VCC_ASSIGN_OR_RETURN(const YamlValue tree, treeFromJson(object.reveal()));
  const YamlValue* value = tree.find("value");
  if (value == nullptr || !value->isScalar()) {
    return invalidArgument("it has no text under the key \"value\"; store it as {\"value\": \"...\"}");
  }
  return SecretString(value->text);
}

void eraseCubbyhole(Tx& tx, std::string_view token_hash) {
  std::vector<std::string> keys;
  tx.secrets().scan("mount, owner", joinKey(kCubbyholeMount, token_hash), [&](const Secret& secret) {
    keys.push_back(Schema<Secret>::key(secret));
    return true;
  });
  for (const std::string& key : keys) tx.secrets().erase(key);
}

}  // namespace vcc
