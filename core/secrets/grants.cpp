// SPDX-License-Identifier: Apache-2.0
#include "secrets/grants.h"

#include <fmt/format.h>

#include <vector>

#include "base/encoding.h"
#include "model/json_tree.h"

namespace vcc {
namespace {

constexpr std::string_view kScheme = "vault://";

std::string placeOfGrant(const Grant& grant) { return placeOf("grant.sealed", grant.grant_id + ":" + grant.owner); }

Status refused(const Principal& who, std::string_view path, std::string_view why) {
  Status status =
      permissionDenied(fmt::format("{}:{} vault read is failed: {}", who.token_head, cleanUtf8(path, 200), why));
  return status.withProviderCode(kVaultReadFailed);
}

/// What a reference stands for, for `who`.
Result<SecretString> follow(const Store& store, const Sealer& sealer, const Principal& who, std::string_view path) {
  const Result<SecretPath> parsed = parseSecretPath(path);
  if (!parsed.ok()) return refused(who, path, parsed.status().message());
  Result<SecretString> value = internalError("");
  store.read([&](const ReadTx& tx) { value = readReference(tx, sealer, who, *parsed); });
  if (value.ok()) return value;
  const Code code = value.status().code();
  if (code == Code::kNotFound) {
    return refused(who, path, "there is nothing at this path that your token can read; store it with this token first");
  }
  if (code == Code::kInvalidArgument) return refused(who, path, value.status().message());
  return value.status();
}

Credentials credentialsOf(const Sealer& sealer, const YamlValue& values, const YamlValue& references) {
  Credentials credentials;
  credentials.values = SecretString(toJson(values));
  credentials.references = toJson(references);
  credentials.fingerprint = sealer.fingerprint(credentials.values.reveal());
  return credentials;
}

Result<YamlValue> mapFromJson(const std::string& json) {
  VCC_ASSIGN_OR_RETURN(YamlValue tree, treeFromJson(json));
  if (!tree.isMap()) return dataLoss("credentials that are recorded are not a JSON object");
  return tree;
}

YamlValue* memberOf(YamlValue& map, std::string_view key) {
  for (auto& [name, value] : map.members) {
    if (name == key) return &value;
  }
  return nullptr;
}

}  // namespace

Result<Credentials> resolveCredentials(const Store& store, const Sealer& sealer, const Principal& who,
                                       const std::string& named) {
  VCC_ASSIGN_OR_RETURN(YamlValue values, mapFromJson(named));
  YamlValue references = YamlValue::map();
  for (auto& [key, value] : values.members) {
    if (!value.isScalar() || !value.text.starts_with(kScheme)) continue;
    const std::string path = value.text.substr(kScheme.size());
    VCC_ASSIGN_OR_RETURN(const SecretString secret, follow(store, sealer, who, path));
    value.text = secret.reveal();
    references.add(key, YamlValue::scalar(path));
  }
  return credentialsOf(sealer, values, references);
}

Result<Credentials> renewCredentials(const Store& store, const Sealer& sealer, const Principal& who, const Grant& grant,
                                     bool may_reuse, bool& reused) {
  reused = false;
  const bool trusted = may_reuse || who.user == grant.owner;
  VCC_ASSIGN_OR_RETURN(const YamlValue references, mapFromJson(grant.references));
  VCC_ASSIGN_OR_RETURN(const SecretString held, openGrant(grant, sealer));
  VCC_ASSIGN_OR_RETURN(YamlValue values, mapFromJson(held.reveal()));
  Status cause;
  if (!trusted && references.members.size() < values.members.size()) {
    cause = refused(who, "the plain credentials of the unit",
                    "they belong to user " + grant.owner + "; make a unit with your own");
  }
  for (const auto& [key, path] : references.members) {
    if (!cause.ok()) break;
    const Result<SecretString> secret = follow(store, sealer, who, path.text);
    YamlValue* const value = memberOf(values, key);
    if (secret.ok() && value != nullptr) value->text = secret->reveal();
    cause = secret.status();
  }
  if (cause.ok()) return credentialsOf(sealer, values, references);
  if (!trusted) return cause;
  reused = true;
  return Credentials{held, grant.references, grant.fingerprint};
}

Result<std::string> putGrant(Tx& tx, const Sealer& sealer, Random& random, const Principal& who,
                             const Credentials& credentials) {
  Grant grant;
  grant.grant_id = newId(random);
  grant.owner = who.user;
  grant.token_hash = who.token_hash;
  grant.references = credentials.references;
  grant.fingerprint = credentials.fingerprint;
  grant.values = sealer.seal(credentials.values.reveal(), placeOfGrant(grant));
  grant.created_at = tx.now();
  grant.changed_at = tx.now();
  std::string id = grant.grant_id;
  VCC_RETURN_IF_ERROR(tx.grants().put(std::move(grant)));
  return id;
}

Result<SecretString> openGrant(const Grant& grant, const Sealer& sealer) {
  if (grant.values.empty()) {
    return unauthenticated(fmt::format(
        "the credentials that user {} brought for this unit were purged with their token; what they made can be "
        "changed and deleted only in the cloud's own console",
        grant.owner));
  }
  return sealer.open(grant.values, placeOfGrant(grant));
}

Status resealGrants(Tx& tx, const Sealer& sealer, const Secret& written, const SecretString& object) {
  const std::string path = written.mount + "/" + written.path;
  std::vector<Grant> touched;
  const auto gather = [&](const Grant& grant) {
    if (!grant.values.empty() && grant.references.find(quoteJson(path)) != std::string::npos) touched.push_back(grant);
    return true;
  };
  if (written.owner.empty()) {
    tx.grants().scan(gather);
  } else {
    tx.grants().scan("token_hash", written.owner, gather);
  }
  if (touched.empty()) return okStatus();
  VCC_ASSIGN_OR_RETURN(const YamlValue tree, treeFromJson(object.reveal()));
  const YamlValue* fresh = tree.find("value");
  if (fresh == nullptr || !fresh->isScalar()) return okStatus();  // nothing that a reference could stand for
  for (Grant& grant : touched) {
    VCC_ASSIGN_OR_RETURN(const YamlValue references, mapFromJson(grant.references));
    VCC_ASSIGN_OR_RETURN(const SecretString held, openGrant(grant, sealer));
    VCC_ASSIGN_OR_RETURN(YamlValue values, mapFromJson(held.reveal()));
    for (const auto& [key, reference] : references.members) {
      YamlValue* const value = memberOf(values, key);
      if (reference.text == path && value != nullptr) value->text = fresh->text;
    }
    const Credentials renewed = credentialsOf(sealer, values, references);
    grant.fingerprint = renewed.fingerprint;
    grant.values = sealer.seal(renewed.values.reveal(), placeOfGrant(grant));
    grant.changed_at = tx.now();
    VCC_RETURN_IF_ERROR(tx.grants().put(std::move(grant)));
  }
  return okStatus();
}

void dropGrantIfUnused(Tx& tx, const std::string& grant_id) {
  if (grant_id.empty()) return;
  bool used = false;
  const auto note = [&](const auto&) {
    used = true;
    return false;
  };
  tx.units().scan("grant_id", grant_id, note);
  if (!used) tx.machines().scan("grant_id", grant_id, note);
  if (!used) tx.sweepPlaces().scan("grant_id", grant_id, note);
  if (!used) tx.grants().erase(grant_id);
}

Result<std::int64_t> purgeGrants(Tx& tx, std::string_view token_hash) {
  std::vector<Grant> theirs;
  tx.grants().scan("token_hash", token_hash, [&](const Grant& grant) {
    theirs.push_back(grant);
    return true;
  });
  for (Grant& grant : theirs) {
    grant.values.clear();
    grant.fingerprint.clear();
    grant.changed_at = tx.now();
    VCC_RETURN_IF_ERROR(tx.grants().put(std::move(grant)));
  }
  return static_cast<std::int64_t>(theirs.size());
}

}  // namespace vcc
