// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <new>

#include "vcp/plugin/cpp/error.h"

namespace vcp::plugin::detail {

/// The one place where exceptions of a driver end. Runs `body`; whatever it throws becomes a status and a filled error.
/// `unforeseen` is the outcome of everything that is not an Error with an outcome of its own: kUnknown where `body` may
/// have changed the cloud, kNotApplied where it only reads.
template <class Body>
std::int32_t barrier(Outcome unforeseen, vcp_error_t* error, Body&& body) noexcept {
  try {
    body();
    return VCP_OK;
  } catch (const Error& e) {
    return fillError(error, unforeseen, e);
  } catch (const std::bad_alloc&) {
    return fillError(error, unforeseen, VCP_RESOURCE_EXHAUSTED, "the driver ran out of memory");
  } catch (const std::exception& e) {
    return fillError(error, unforeseen, VCP_UNKNOWN, e.what());
  } catch (...) {
    return fillError(error, unforeseen, VCP_UNKNOWN, "the driver threw something that is not a std::exception");
  }
}

}  // namespace vcp::plugin::detail
