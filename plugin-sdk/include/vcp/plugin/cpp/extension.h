// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "vcp/plugin/cpp/host.h"

namespace vcp::plugin::detail {

/// A sink of this side: collects what a host function writes. Nothing is thrown into the host.
class TextTaker {
 public:
  TextTaker() {
    sink_.struct_size = sizeof sink_;
    sink_.maker_data = this;
    sink_.write = [](const vcp_text_sink_t* sink, vcp_string_t piece) -> std::int32_t {
      try {
        static_cast<TextTaker*>(sink->maker_data)->text_ += view(piece);
        return VCP_OK;
      } catch (...) {
        return VCP_RESOURCE_EXHAUSTED;
      }
    };
  }
  TextTaker(const TextTaker&) = delete;
  TextTaker& operator=(const TextTaker&) = delete;

  const vcp_text_sink_t* sink() const { return &sink_; }
  std::string take() { return std::move(text_); }

 private:
  vcp_text_sink_t sink_{};
  std::string text_;
};

/// An extension that a driver cannot do without; throws kFailedPrecondition when this host has none.
template <class Table>
const Table* required(const Host& host, const char* id) {
  const Table* table = host.extension<Table>(id);
  if (table == nullptr) {
    throw Error(Code::kFailedPrecondition, Outcome::kNotApplied, std::string("this host does not have ") + id);
  }
  return table;
}

}  // namespace vcp::plugin::detail
