// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "secrets/grants.h"
#include "secrets/secret_store.h"
#include "secrets/tokens.h"
#include "store/open_store.h"
#include "support/fake_clock.h"

namespace vcc::test {

/// A store in memory with user nobody, a sealer and a secret store over it.
class SecretRig {
 public:
  FakeClock clock;
  InlineExecutor executor;
  NullLogger log;
  SystemRandom random;
  std::unique_ptr<Store> store = makeMemoryStore(clock, executor, log);
  Sealer sealer{SecretString(std::string(32, 'd')), random};
  SecretStore secrets{*store, sealer};

  SecretRig() { REQUIRE(ensureNobody(*store).ok()); }

  std::string token(const NewToken& request = {}) { return createToken(*store, random, request).value().reveal(); }
  Principal principal(const NewToken& request = {}) { return authenticate(*store, token(request)).value(); }

  Status write(const Principal& who, const std::string& path, const std::string& object) {
    return secrets.write(who, parseSecretPath(path).value(), SecretString(object));
  }
  std::string read(const Principal& who, const std::string& path) const {
    const auto object = secrets.read(who, parseSecretPath(path).value());
    return object.ok() ? object->reveal() : std::string(codeName(object.status().code()));
  }
  std::string grant(const Principal& who, const Credentials& credentials) {
    std::string id;
    REQUIRE(store
                ->transact([&](Tx& tx) -> Status {
                  VCC_ASSIGN_OR_RETURN(id, putGrant(tx, sealer, random, who, credentials));
                  return okStatus();
                })
                .ok());
    return id;
  }
  /// A copy; an empty id when there is none.
  Grant grantOf(const std::string& id) const {
    Grant copy;
    store->read([&](const ReadTx& tx) {
      if (const Grant* found = tx.grants().find(id)) copy = *found;
    });
    return copy;
  }
};

}  // namespace vcc::test
