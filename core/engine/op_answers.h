// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "base/random.h"
#include "plugin_host/driver.h"
#include "store/store.h"

/// What the records become by the answers to a call of an op (architecture 3.5, 3.7). All run inside a transaction.
namespace vcc {

/// What a driver said of one item of an op.
struct Answer {
  std::size_t index = 0;  ///< of the item in the op
  ItemResult result;
  bool was_in_doubt = false;  ///< an earlier send was, which a refusal of this one does not settle
};

/// True while the item's part in its op has not ended.
bool isOpen(const OpItem& item);

/// Takes the answers over into machines and nodes; the op goes with its last open item. `asserted`: the machines are
/// existing servers. `halved`: the cloud refused a whole batch for want of capacity, and each half of it is asked for
/// by an op of its own now.
Status recordAnswers(Tx& tx, Op op, const std::vector<Answer>& answers, bool asserted, Random& random, bool& halved);

}  // namespace vcc
