// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/plugin_file.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <system_error>

#include "base/encoding.h"
#include "plugin_host/descriptor.h"

namespace vcc {
namespace {

constexpr std::size_t kMaxFileBytes = 256U << 20U;
constexpr std::uint32_t kFrozenBytes = offsetof(vcp_plugin_entry_t, reserved);

/// Who besides root and ourselves could change the file or folder; empty when nobody. Our own group counts as
/// ourselves: with a umask of 002 every build folder is writable by it.
std::string whoElseWrites(const struct stat& entry, bool owner_counts) {
  if (owner_counts && entry.st_uid != 0 && entry.st_uid != geteuid())
    return "it belongs to user " + std::to_string(entry.st_uid);
  if ((entry.st_mode & S_IWOTH) != 0) return "everybody may write to it";
  if ((entry.st_mode & S_IWGRP) != 0 && entry.st_gid != 0 && entry.st_gid != getegid()) {
    return "group " + std::to_string(entry.st_gid) + " may write to it";
  }
  return "";
}

/// Checks the file, its folder, and that the folders above are not open to everybody (sticky ones are not). Their
/// owners are trusted: a server is often started by root in a tree that belongs to somebody else. What passes here is
/// opened by path later: nobody else can change it in between.
Status checkOwnership(const std::string& path, Refusals& refusals) {
  std::filesystem::path at(path);
  for (int level = 0;; ++level) {
    struct stat entry {};
    if (::stat(at.c_str(), &entry) != 0) {
      return refusals.error("PLUGIN_MODE_REFUSED", unavailable("plugin " + path + ": cannot look at " + at.string() +
                                                               ": " + std::generic_category().message(errno)));
    }
    const bool above = level >= 2;
    const bool sticky = above && (entry.st_mode & S_ISVTX) != 0;
    const std::string who = sticky ? "" : whoElseWrites(entry, !above);
    if (!who.empty()) {
      return refusals.error("PLUGIN_MODE_REFUSED",
                            permissionDenied("plugin " + path + ": not opened, because others could replace it: " +
                                             at.string() + ": " + who + "; chown it to root and chmod go-w"));
    }
    if (at == at.root_path()) return okStatus();
    at = at.parent_path();
  }
}

Status wrongVersion(const std::string& path, std::uint32_t major, std::uint32_t minor) {
  return failedPrecondition("plugin " + path + ": built for plugin ABI " + std::to_string(major) + "." +
                            std::to_string(minor) + ", this controller speaks " + std::to_string(VCP_ABI_MAJOR) + "." +
                            std::to_string(VCP_ABI_MINOR) + "; rebuild it with the SDK of this release");
}

/// Maps the file and finds a usable entry. The library stays mapped whatever happens.
Result<const vcp_plugin_entry_t*> openEntry(const std::string& path, Refusals& refusals) {
  // RTLD_NOW: a missing symbol is refused here, not met in the middle of a create.
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* why = ::dlerror();
    return refusals.error("PLUGIN_OPEN_FAILED", failedPrecondition("plugin " + path + ": cannot be opened: " +
                                                                   cleanUtf8(why == nullptr ? "unknown" : why, 500) +
                                                                   "; rebuild it for this system"));
  }
  refusals.passed("library");
  const auto* entry = static_cast<const vcp_plugin_entry_t*>(::dlsym(library, VCP_PLUGIN_SYMBOL));
  if (entry == nullptr) {
    if (::dlsym(library, "vcp_plugin_v1") != nullptr)
      return refusals.error("PLUGIN_ABI_REFUSED", wrongVersion(path, 1, 0));
    return refusals.error("PLUGIN_SYMBOL_MISSING", failedPrecondition("plugin " + path +
                                                                      ": has no symbol " VCP_PLUGIN_SYMBOL
                                                                      "; it is not a plugin of this controller"));
  }
  if (entry->magic != VCP_PLUGIN_MAGIC) {
    return refusals.error("PLUGIN_MAGIC_BAD", failedPrecondition("plugin " + path +
                                                                 ": its entry does not begin with the magic "
                                                                 "number; it is damaged or not a plugin"));
  }
  const bool readable = entry->struct_size >= kFrozenBytes;
  if (readable && (entry->abi_major != VCP_ABI_MAJOR || entry->abi_minor != VCP_ABI_MINOR)) {
    return refusals.error("PLUGIN_ABI_REFUSED", wrongVersion(path, entry->abi_major, entry->abi_minor));
  }
  if (!readable || !VCP_HAS(vcp_plugin_entry_t, entry, open_driver)) {
    return refusals.error(
        "PLUGIN_TABLE_SHORT",
        failedPrecondition("plugin " + path + ": its entry table is too short; rebuild it with the SDK"));
  }
  if (entry->info == nullptr || entry->open_driver == nullptr) {
    return refusals.error("PLUGIN_REQUIRED_MISSING",
                          failedPrecondition("plugin " + path + ": its entry has no descriptor or no open_driver"));
  }
  refusals.passed("entry", "ABI " + std::to_string(entry->abi_major) + "." + std::to_string(entry->abi_minor));
  return entry;
}

}  // namespace

Result<std::string> findPluginFile(const std::vector<std::string>& dirs, const std::string& name, Refusals& refusals) {
  if (name.empty() || name[0] == '.' || name.find('/') != name.npos || name.find('\0') != name.npos) {
    return refusals.error("PLUGIN_PATH_REFUSED",
                          invalidArgument("plugin '" + cleanUtf8(name, 200) +
                                          "': key 'plugin' must be a file name without folders; the folders "
                                          "are set by plugin_dirs"));
  }
  std::string searched;
  for (const std::string& dir : dirs) {
    std::error_code failed;
    const std::filesystem::path folder = std::filesystem::canonical(dir, failed);
    searched += " " + dir;
    if (failed || !std::filesystem::exists(folder / name, failed)) continue;
    const std::filesystem::path file = std::filesystem::canonical(folder / name, failed);
    if (failed || file.parent_path() != folder || !std::filesystem::is_regular_file(file, failed)) {
      return refusals.error(
          "PLUGIN_PATH_REFUSED",
          permissionDenied("plugin " + (folder / name).string() +
                           ": not opened, because it leads out of its folder or is not a regular file; copy the "
                           "file itself there"));
    }
    VCC_RETURN_IF_ERROR(checkOwnership(file.string(), refusals));
    refusals.passed("file", file.string());
    return file.string();
  }
  return refusals.error("PLUGIN_PATH_REFUSED",
                        notFound("plugin " + name + ": no such file in plugin_dirs (" +
                                 (searched.empty() ? "none set" : searched.substr(1)) + "); install it there"));
}

Result<std::string> PluginFile::digest(const std::string& path, const std::string& expected, FileSystem& files,
                                       Refusals& refusals) {
  const Result<std::string> content = files.read(path, kMaxFileBytes);
  if (!content.ok()) return refusals.error("PLUGIN_OPEN_FAILED", content.status());
  std::string digest = hexEncode(vcc::sha256(*content));
  if (!expected.empty() && digest != expected) {
    return refusals.error("PLUGIN_HASH_MISMATCH",
                          permissionDenied("plugin " + path + ": its SHA-256 is " + digest + ", providers.d expects " +
                                           expected + "; find out who replaced the file, then update the key"));
  }
  refusals.passed("sha256", digest);
  return digest;
}

bool PluginFile::isMapped(const std::string& path) {
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  if (library != nullptr) ::dlclose(library);
  return library != nullptr;
}

Result<std::shared_ptr<PluginFile>> PluginFile::load(const std::string& path, const std::string& sha256,
                                                     bool evaluation, const HostEnvironment& environment,
                                                     Refusals& refusals) {
  VCC_ASSIGN_OR_RETURN(const vcp_plugin_entry_t* entry, openEntry(path, refusals));
  VCC_ASSIGN_OR_RETURN(DriverInfo info, readDescriptor(path, *entry, refusals));
  refusals.passed("descriptor", info.id);
  if (info.simulated_hosts && !evaluation) {
    return refusals.error(
        "PLUGIN_NOT_EVALUATION",
        failedPrecondition("plugin " + path +
                           ": its machines are simulated, which only an evaluation data folder "
                           "may use; make one with occtr --init-data DIR --evaluation, or set enabled: false"));
  }
  return std::shared_ptr<PluginFile>(new PluginFile(path, sha256, entry, std::move(info), environment));
}

PluginFile::PluginFile(std::string path, std::string sha256, const vcp_plugin_entry_t* entry, DriverInfo info,
                       const HostEnvironment& environment)
    : path_(std::move(path)),
      sha256_(std::move(sha256)),
      entry_(entry),
      info_(std::move(info)),
      host_(environment, info_.id) {}

Status PluginFile::init(Refusals& refusals) {
  if (entry_->init != nullptr) {
    vcp_error_t error = emptyError();
    std::int32_t code = VCP_INTERNAL;
    try {
      code = entry_->init(host_.table(), &error);
    } catch (...) {
      host_.misbehaved("its init threw an exception");
    }
    if (code != VCP_OK) {
      return refusals.error("PLUGIN_INIT_FAILED",
                            std::move(fromAbi(code, error, false).prepend("plugin " + path_ + ": init failed")));
    }
  }
  initialised_ = true;
  refusals.passed("init");
  VCC_ASSIGN_OR_RETURN(DriverExtensions extensions, readExtensions(path_, *entry_, refusals));
  info_.extensions = std::move(extensions.ids);
  disks_ = extensions.disks;
  info_.offers_disks = disks_ != nullptr;
  refusals.passed("extensions");
  return okStatus();
}

PluginFile::~PluginFile() {
  if (!initialised_ || entry_->deinit == nullptr) return;
  try {
    entry_->deinit();
  } catch (...) {
    host_.misbehaved("its deinit threw an exception");
  }
}

}  // namespace vcc
