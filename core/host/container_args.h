// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "host/host.h"

namespace vcc {

/// The arguments of `docker` that run the base container as spec/operations 8.2 says. It never pulls: nothing long runs
/// on a connection. kInvalidArgument for an environment item without a name or `=`, which the engine would replace by a
/// variable of the host, and for an image that it would take for an option.
Result<std::vector<std::string>> runArgs(const ContainerSpec& spec);

/// Success for what may follow `--` as an image or a container id: the grammar itself was checked where it came in.
Status checkImage(const std::string& image);
Status checkContainerId(const std::string& id);

/// `args` in the form that `xargs -0` reads. kInvalidArgument for an item with a NUL byte, an item that the kernel
/// takes for no argument (128 KiB and more), more than 9,000 items, which xargs would cut into two commands, and more
/// than 1.8 MB in all.
Result<std::string> joinArgs(const std::vector<std::string>& args);

}  // namespace vcc
