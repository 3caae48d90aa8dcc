// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/registry.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "base/encoding.h"
#include "base/mutex.h"
#include "plugin_host/catalog_origins.h"
#include "plugin_host/loader.h"

namespace vcc {
namespace {

constexpr std::size_t kMaxConfigBytes = 64U << 10U;
constexpr std::size_t kMaxFileName = 64;
constexpr std::string_view kSuffix = ".yml";

bool isFileName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxFileName && name[0] != '.' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) { return c > 0x20 && c != 0x7F && c != '/'; });
}

/// A file of providers.d, as far as it could be read.
struct ProviderFile {
  std::string file;
  ProviderConfig config;
  Status parsed;

  std::vector<ProviderConfig> instances() const {
    return config.aliases.empty() ? std::vector<ProviderConfig>{config} : config.aliases;
  }
};

class Registry final : public PluginRegistry {
 public:
  Registry(const PluginConfig& config, FileSystem& files, HttpTransport& http, const HostEnvironment& environment)
      : files_(files), log_(environment.log), loader_(config, files, http, environment) {}

  std::vector<const DriverSlot*> slots() const override {
    const MutexLock lock(mutex_);
    return shown_;
  }
  const DriverSlot* byProvider(std::string_view provider) const override {
    return find([&](const DriverSlot& slot) {
      return std::find(slot.providers.begin(), slot.providers.end(), provider) != slot.providers.end();
    });
  }
  const DriverSlot* byInstance(std::string_view instance) const override {
    return find([&](const DriverSlot& slot) { return slot.instance == instance; });
  }

  Status start();
  Result<std::vector<DriverSlot>> load(const std::string& name) override;
  void useCatalog(std::shared_ptr<const Catalog> catalog) override;

 private:
  /// A loaded instance whose origins follow the catalog.
  struct Follower {
    ProviderConfig config;
    std::vector<std::string> providers;
    HttpService* http;
  };

  template <class Predicate>
  const DriverSlot* find(const Predicate& fits) const {
    const MutexLock lock(mutex_);
    const auto found = std::find_if(shown_.begin(), shown_.end(), [&](const DriverSlot* slot) { return fits(*slot); });
    return found == shown_.end() ? nullptr : *found;
  }

  ProviderFile read(const std::string& file) const VCC_REQUIRES(loading_);
  bool isSelected(const ProviderFile& file, const ProviderConfig& provider) const VCC_REQUIRES(loading_);
  bool isOverridden(const ProviderFile& file, const ProviderConfig& provider) const;
  Status checkOnly() const VCC_REQUIRES(loading_);
  DriverSlot attempt(const ProviderFile& file, const ProviderConfig& provider) VCC_REQUIRES(loading_);
  Status loadInstance(const ProviderConfig& provider, Refusals& refusals, DriverSlot* slot) VCC_REQUIRES(loading_);
  Status checkUnused(const DriverSlot& slot, Refusals& refusals) const VCC_REQUIRES(loading_);
  void show(DriverSlot slot) VCC_REQUIRES(loading_);

  FileSystem& files_;
  Logger& log_;
  mutable Mutex mutex_;
  std::vector<const DriverSlot*> shown_ VCC_GUARDED_BY(mutex_);  // into slots_
  Mutex loading_;
  InstanceLoader loader_ VCC_GUARDED_BY(loading_);
  std::deque<DriverSlot> slots_ VCC_GUARDED_BY(loading_);  // each unchanged once shown, and never removed
  std::shared_ptr<const Catalog> catalog_ VCC_GUARDED_BY(loading_) = std::make_shared<const Catalog>();
  std::vector<Follower> followers_ VCC_GUARDED_BY(loading_);
  bool running_ VCC_GUARDED_BY(loading_) = false;  // drivers may be called
};

Status Registry::start() {
  const MutexLock lock(loading_);
  VCC_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.list(loader_.config().providers_dir));
  std::vector<ProviderFile> found;
  for (const std::string& name : names) {
    if (name.size() > kSuffix.size() && name[0] != '.' && name.ends_with(kSuffix)) found.push_back(read(name));
  }
  // Files of one instance first: what they serve is theirs, whatever the aliases of another file say.
  std::stable_partition(found.begin(), found.end(), [](const ProviderFile& f) { return f.config.aliases.empty(); });
  for (const ProviderFile& file : found) {
    for (const ProviderConfig& provider : file.instances()) {
      if (file.parsed.ok() && (!provider.enabled || !isSelected(file, provider) || isOverridden(file, provider))) {
        continue;
      }
      DriverSlot slot = attempt(file, provider);
      const Status status = slot.driver == nullptr ? slot.refusal : okStatus();
      show(std::move(slot));
      if (provider.critical) VCC_RETURN_IF_ERROR(status);
    }
  }
  running_ = true;
  return checkOnly();
}

Status Registry::checkOnly() const {
  const std::vector<const DriverSlot*> all = slots();
  for (const std::string& wanted : loader_.config().only) {
    const bool there = std::any_of(all.begin(), all.end(), [&](const DriverSlot* slot) {
      return slot->instance == wanted || slot->file == wanted + std::string(kSuffix);
    });
    if (there || byProvider(wanted) != nullptr) continue;
    return notFound("driver " + wanted + " was asked for, but no enabled file in " + loader_.config().providers_dir +
                    " defines it");
  }
  return okStatus();
}

Result<std::vector<DriverSlot>> Registry::load(const std::string& name) {
  if (!isFileName(name)) {
    return invalidArgument("plugin load: '" + cleanUtf8(name, kMaxFileName) +
                           "' is no name of a file in providers.d (without .yml)");
  }
  const MutexLock lock(loading_);
  const std::string path = loader_.config().providers_dir + "/" + name + std::string(kSuffix);
  if (!files_.exists(path)) return notFound("plugin load: there is no " + path + "; write it first");
  const ProviderFile file = read(name + std::string(kSuffix));
  std::vector<DriverSlot> outcomes;
  for (const ProviderConfig& provider : file.instances()) {
    const bool off = !provider.enabled && file.config.enabled;  // this alias alone
    if (file.parsed.ok() && (off || isOverridden(file, provider))) continue;
    outcomes.push_back(attempt(file, provider));
  }
  // Shown together at the end: while the next instance of a plugin opens, nothing else may call into it.
  for (const DriverSlot& slot : outcomes) {
    const DriverSlot* present = byInstance(slot.instance);
    if (present == nullptr || (present->driver == nullptr && present->file == slot.file)) show(slot);
  }
  if (outcomes.empty())
    return failedPrecondition("plugin load: " + path + ": its aliases are served by other files, or off");
  return outcomes;
}

void Registry::useCatalog(std::shared_ptr<const Catalog> catalog) {
  const MutexLock lock(loading_);
  catalog_ = std::move(catalog);
  for (const Follower& follower : followers_) {
    follower.http->setPolicy(OriginPolicy(allowedOrigins(follower.config, follower.providers, *catalog_, log_),
                                          loader_.config().evaluation));
  }
}

ProviderFile Registry::read(const std::string& file) const {
  ProviderFile out;
  out.file = file;
  out.config.name = file.substr(0, file.size() - kSuffix.size());
  const Result<std::string> text = files_.read(loader_.config().providers_dir + "/" + file, kMaxConfigBytes);
  out.parsed = text.ok() ? parseProviderConfig(file, *text, &out.config) : text.status();
  return out;
}

bool Registry::isSelected(const ProviderFile& file, const ProviderConfig& provider) const {
  const std::vector<std::string>& only = loader_.config().only;
  const auto named = [&](const std::string& name) { return std::find(only.begin(), only.end(), name) != only.end(); };
  return only.empty() || named(provider.name) || named(file.config.name) ||
         std::any_of(provider.providers.begin(), provider.providers.end(), named);
}

bool Registry::isOverridden(const ProviderFile& file, const ProviderConfig& provider) const {
  if (file.config.aliases.empty()) return false;
  const DriverSlot* other = byProvider(provider.name);
  if (other == nullptr || other->file == file.file) return false;
  log_.info("PROVIDER_ALIAS_OVERRIDDEN", "another file serves this alias",
            {{"alias", provider.name}, {"file", file.file}, {"served_by", other->file}});
  return true;
}

DriverSlot Registry::attempt(const ProviderFile& file, const ProviderConfig& provider) {
  Refusals refusals(log_, provider.name);
  DriverSlot slot;
  slot.instance = provider.name;
  slot.file = file.file;
  slot.providers = provider.providers;
  Status status;
  if (!file.parsed.ok()) {
    status = refusals.error("PROVIDER_CONFIG_BAD", file.parsed);
  } else if (!provider.enabled || !isSelected(file, provider)) {
    status = refusals.error(
        "PROVIDER_NOT_ENABLED",
        failedPrecondition(file.file + (provider.enabled ? ": key 'providers' of the server's settings does not "
                                                           "name it; add it there and restart"
                                                         : ": says enabled: false; set it to true first")));
  } else {
    status = loadInstance(provider, refusals, &slot);
  }
  if (status.ok()) return slot;
  slot.refusal_id = refusals.id();
  slot.refusal = status;
  // A refused instance still stands for its provider, so that requests are told why it is not there.
  if (slot.providers.empty()) slot.providers = {slot.instance};
  std::erase_if(slot.providers, [&](const std::string& name) {
    const DriverSlot* other = byProvider(name);
    return other != nullptr && other->instance != slot.instance;
  });
  return slot;
}

Status Registry::loadInstance(const ProviderConfig& provider, Refusals& refusals, DriverSlot* slot) {
  const DriverSlot* namesake = byInstance(provider.name);
  if (namesake != nullptr && namesake->file != slot->file) {
    return refusals.error("PLUGIN_DUPLICATE", alreadyExists("providers.d file " + namesake->file +
                                                            " has the same name; change key 'name' in one of the two"));
  }
  if (namesake != nullptr && namesake->driver != nullptr) {
    return refusals.error("PLUGIN_NEEDS_RESTART",
                          failedPrecondition("it is loaded from " + namesake->path +
                                             " already, and a loaded driver is never replaced; restart the controller "
                                             "to use a new file or new settings"));
  }
  VCC_ASSIGN_OR_RETURN(const std::shared_ptr<PluginFile> plugin, loader_.map(provider, refusals, slot));
  if (slot->providers.empty()) slot->providers = {plugin->info().provider};
  for (const std::string& name : slot->providers) {
    const DriverSlot* other = byProvider(name);
    if (other == nullptr || other == namesake) continue;
    return refusals.error("PLUGIN_DUPLICATE",
                          alreadyExists("cloud_provider " + name + " is served by driver " + other->instance +
                                        " already; set key 'providers' in one of the two files"));
  }
  VCC_RETURN_IF_ERROR(checkUnused(*slot, refusals));
  VCC_ASSIGN_OR_RETURN(
      OpenDriver opened,
      loader_.open(provider, allowedOrigins(provider, slot->providers, *catalog_, log_), plugin, refusals));
  slot->driver = loader_.interpose(std::move(opened.driver), provider, slot);
  if (!provider.origins_from.empty()) followers_.push_back({provider, slot->providers, opened.http});
  log_.info("PLUGIN_LOADED", plugin->info().display_name,
            {{"driver", provider.name},
             {"id", plugin->info().id},
             {"version", plugin->info().version},
             {"abi", plugin->info().abi},
             {"path", plugin->path()},
             {"sha256", plugin->sha256()}});
  return okStatus();
}

/// open_driver is promised that no other call into its plugin is in progress, which only the start can keep.
Status Registry::checkUnused(const DriverSlot& slot, Refusals& refusals) const {
  const DriverSlot* user =
      find([&](const DriverSlot& other) { return other.driver != nullptr && other.path == slot.path; });
  if (!running_ || user == nullptr) return okStatus();
  return refusals.error(
      "PLUGIN_NEEDS_RESTART",
      failedPrecondition("plugin " + slot.path + " serves driver " + user->instance +
                         " already, and cannot open another while that runs; restart the controller"));
}

/// Adds an instance, or puts it in the place of what was refused.
void Registry::show(DriverSlot slot) {
  slots_.push_back(std::move(slot));
  const DriverSlot* fresh = &slots_.back();
  const MutexLock lock(mutex_);
  const auto same = std::find_if(shown_.begin(), shown_.end(), [&](const DriverSlot* other) {
    return other->instance == fresh->instance && other->file == fresh->file;
  });
  if (same == shown_.end()) {
    shown_.push_back(fresh);
  } else {
    *same = fresh;
  }
}

}  // namespace

Result<std::unique_ptr<PluginRegistry>> loadDrivers(const PluginConfig& config, FileSystem& files, const Clock& clock,
                                                    Random& random, HttpTransport& http, Logger& log) {
  auto registry = std::make_unique<Registry>(config, files, http, HostEnvironment{clock, random, log});
  VCC_RETURN_IF_ERROR(registry->start());
  return std::unique_ptr<PluginRegistry>(std::move(registry));
}

}  // namespace vcc
