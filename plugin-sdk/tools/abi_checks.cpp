// SPDX-License-Identifier: Apache-2.0
#include "abi_checks.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <set>
#include <string_view>
#include <vector>

#include "elf_file.h"
#include "isolate.h"
#include "plugin.h"
#include "services.h"
#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/ext/disk.h"
#include "vcp/plugin/ext/draft/spot.h"
#include "vcp/plugin/testing/fake_host.h"
#include "vcp/plugin/testing/scripted_http.h"

namespace vcp::check {
namespace {

using plugin::borrow;
using plugin::Json;
using plugin::view;

constexpr std::int64_t kLimitMs = 10'000;
constexpr std::size_t kMaxSchema = 256U << 10U;
constexpr std::uint32_t kFrozenBytes = offsetof(vcp_plugin_entry_t, reserved);
constexpr char kDraftDiskId[] = "draft.vcp.disk/1";

const vcp_plugin_entry_t& entryOf(const std::string& path) {
  std::string why;
  void* library = openLibrary(path, &why);
  expect(library != nullptr, "the file can be opened with RTLD_NOW", why);
  const auto* entry = static_cast<const vcp_plugin_entry_t*>(::dlsym(library, VCP_PLUGIN_SYMBOL));
  expect(entry != nullptr, "data symbol " VCP_PLUGIN_SYMBOL, "there is none");
  return *entry;
}

std::string listOf(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "nothing" : text;
}

/// 1 to `limit` characters of [a-z0-9] and `more`.
bool isWord(std::string_view text, std::size_t limit, std::string_view more) {
  return !text.empty() && text.size() <= limit && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || more.find(c) != std::string_view::npos;
  });
}

bool isText(std::string_view text, std::size_t limit) { return !text.empty() && text.size() <= limit && isUtf8(text); }

std::string faultOf(const vcp_plugin_info_t& info) {
  constexpr std::int64_t kMaxDelayMs = 366LL * 86'400'000;
  const auto delay = [](std::int64_t ms) { return ms >= 0 && ms <= kMaxDelayMs; };
  if (!isWord(view(info.id), 128, "._-")) return "id is not reverse DNS in lower case";
  if (!isWord(view(info.provider), 32, "_")) return "provider is not 1 to 32 of a-z, 0-9, _";
  if (!isText(view(info.display_name), 128)) return "display_name is missing, too long or not UTF-8";
  if (!isText(view(info.version), 64)) return "version is missing, too long or not UTF-8";
  const auto optional = [](const vcp_string_t& text, std::size_t limit) {
    return view(text).empty() || isText(view(text), limit);
  };
  if (!optional(info.vendor, 128) || !optional(info.license, 128) || !optional(info.sdk_version, 64)) {
    return "vendor, license or sdk_version is too long or not UTF-8";
  }
  if (info.idempotency < VCP_IDEMPOTENCY_TOKEN || info.idempotency > VCP_IDEMPOTENCY_LOOKUP) {
    return "idempotency is not declared";
  }
  if (info.existence < VCP_EXISTENCE_OBSERVED || info.existence > VCP_EXISTENCE_ASSERTED) {
    return "existence is not declared";
  }
  if (info.attach_needs < VCP_ATTACH_UNSPECIFIED || info.attach_needs > VCP_ATTACH_OFF) {
    return "attach_needs is out of range";
  }
  if (info.concurrency > 1024) return "concurrency is above 1024";
  if (info.max_batch > 1000 || info.max_observe > 1000) return "max_batch or max_observe is above 1000";
  if (!delay(info.token_ttl_ms)) return "token_ttl_ms is out of range";
  if (info.idempotency == VCP_IDEMPOTENCY_TOKEN && info.token_ttl_ms == 0) return "token_ttl_ms is needed with tokens";
  if (!delay(info.lookup_lag_ms) || !delay(info.settle_ms)) return "lookup_lag_ms or settle_ms is out of range";
  return "";
}

/// As long as the first version of the table was: what came later is optional.
bool isWhole(const vcp_driver_ops_t& ops) { return VCP_HAS(vcp_driver_ops_t, &ops, power); }

/// An instance of the driver, opened through init as a host does it.
class Instance {
 public:
  Instance(const std::string& path, const std::string& options) : entry_(openPlugin(path)) {
    vcp_error_t error = plugin::detail::emptyError();
    if (entry_.init != nullptr && entry_.init(host_.table(), &error) != VCP_OK) {
      fail("init succeeds", toText(error));
    }
    driver_.struct_size = sizeof driver_;
    const std::string config = driverConfig(".", options);
    if (entry_.open_driver(host_.table(), borrow(config), &driver_, &error) != VCP_OK) {
      fail("open_driver succeeds", toText(error));
    }
    expect(driver_.ops != nullptr, "open_driver gives the table", "out->ops is null");
  }
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  ~Instance() {
    if (isWhole(ops()) && ops().close != nullptr) ops().close(driver_.instance);
    if (entry_.deinit != nullptr) entry_.deinit();
  }

  const vcp_plugin_info_t& info() const { return *entry_.info; }
  const vcp_driver_ops_t& ops() const { return *driver_.ops; }
  /// Null when the plugin does not offer it.
  template <class Table>
  const Table* extension(std::string_view id) const {
    return entry_.get_extension == nullptr ? nullptr : static_cast<const Table*>(entry_.get_extension(borrow(id)));
  }

  std::string schema() const {
    expect(isWhole(ops()) && ops().describe != nullptr, "the table has describe",
           "it is too short or describe is null");
    std::string text;
    vcp_text_sink_t sink{};
    sink.struct_size = sizeof sink;
    sink.maker_data = &text;
    sink.write = [](const vcp_text_sink_t* s, vcp_string_t piece) -> std::int32_t {
      std::string& all = *static_cast<std::string*>(s->maker_data);
      if (all.size() + piece.size > kMaxSchema) return VCP_OUT_OF_RANGE;
      all += view(piece);
      return VCP_OK;
    };
    vcp_error_t error = plugin::detail::emptyError();
    expect(ops().describe(driver_.instance, &sink, &error) == VCP_OK, "describe succeeds", toText(error));
    return text;
  }

 private:
  plugin::testing::FakeHost host_;
  const Services services_{host_};
  plugin::testing::ScriptedHttp http_{host_};  // without a script: every request fails
  const vcp_plugin_entry_t& entry_;
  vcp_driver_t driver_{};
};

Outcome checkExports(const std::string& path) {
  std::vector<std::string> others;
  bool there = false;
  for (const std::string& name : readElf(path).exported) {
    there = there || name == VCP_PLUGIN_SYMBOL;
    if (name.rfind("vcp_plugin_v", 0) != 0) others.push_back(name);
  }
  expect(there, "the file exports " VCP_PLUGIN_SYMBOL, "it does not");
  if (others.size() > 10) {
    const std::size_t all = others.size();
    others.resize(10);
    others.push_back("... " + std::to_string(all) + " in all");
  }
  expect(others.empty(), "nothing but " VCP_PLUGIN_SYMBOL " is exported", "also exported: " + listOf(others));
  return {};
}

Outcome checkNeeded(const std::string& path) {
  std::vector<std::string> doubtful;
  for (const std::string& library : readElf(path).needed) {
    for (const char* prefix : {"libPoco", "libpoco", "libssl", "libcrypto", "libcurl"}) {
      if (library.rfind(prefix, 0) == 0) doubtful.push_back(library);
    }
  }
  if (doubtful.empty()) return {};
  return {Verdict::kWarn, "only the C and C++ run-time", "it links " + listOf(doubtful)};
}

Outcome checkVersion(const std::string& path) {
  const vcp_plugin_entry_t& entry = entryOf(path);
  expect(entry.struct_size >= kFrozenBytes, "an entry that reaches to abi_minor",
         "struct_size is " + std::to_string(entry.struct_size));
  expect(entry.abi_major == VCP_ABI_MAJOR && entry.abi_minor == VCP_ABI_MINOR, "ABI " VCP_ABI_VERSION,
         "ABI " + std::to_string(entry.abi_major) + "." + std::to_string(entry.abi_minor));
  return {};
}

Outcome checkOps(const std::string& path, const std::string& options) {
  const Instance instance(path, options);
  const vcp_driver_ops_t& ops = instance.ops();
  expect(isWhole(ops), "a table that reaches to 'power'", "struct_size is " + std::to_string(ops.struct_size));
  const std::array<std::pair<const char*, bool>, 7> required{{{"close", ops.close != nullptr},
                                                              {"describe", ops.describe != nullptr},
                                                              {"validate", ops.validate != nullptr},
                                                              {"probe", ops.probe != nullptr},
                                                              {"create", ops.create != nullptr},
                                                              {"observe", ops.observe != nullptr},
                                                              {"destroy", ops.destroy != nullptr}}};
  std::vector<std::string> missing;
  for (const auto& [name, there] : required) {
    if (!there) missing.emplace_back(name);
  }
  expect(missing.empty(), "every required function", "missing: " + listOf(missing));
  return {};
}

Outcome checkCapabilities(const std::string& path, const std::string& options) {
  const Instance instance(path, options);
  const vcp_driver_ops_t& ops = instance.ops();
  expect(isWhole(ops), "a whole table", "it is too short");
  const auto compare = [&](const char* name, std::uint64_t bit, bool there) {
    const bool declared = (instance.info().capabilities & bit) != 0;
    expect(declared == there, std::string("capability bit and function '") + name + "' go together",
           declared ? "declared, but the function is null" : "the function is there, but not declared");
  };
  compare("power", VCP_CAP_POWER, ops.power != nullptr);
  compare("list", VCP_CAP_LIST, ops.list != nullptr);
  return {};
}

using Functions = std::vector<std::pair<const char*, bool>>;

Functions functionsOf(const vcp_disk_ops_t& ops) {
  return {{"validate", ops.validate != nullptr}, {"create", ops.create != nullptr},
          {"destroy", ops.destroy != nullptr},   {"attach", ops.attach != nullptr},
          {"detach", ops.detach != nullptr},     {"observe", ops.observe != nullptr}};
}

Functions functionsOf(const vcp_spot_ops_t& ops) { return {{"notices", ops.notices != nullptr}}; }

bool isWhole(const vcp_disk_ops_t& ops) { return VCP_HAS(vcp_disk_ops_t, &ops, observe); }

bool isWhole(const vcp_spot_ops_t& ops) { return VCP_HAS(vcp_spot_ops_t, &ops, notices); }

template <class Table>
void expectWhole(const char* id, const Table& table) {
  expect(isWhole(table), std::string(id) + ": a table that reaches to its last function",
         "struct_size is " + std::to_string(table.struct_size));
  std::vector<std::string> missing;
  for (const auto& [name, there] : functionsOf(table)) {
    if (!there) missing.emplace_back(name);
  }
  expect(missing.empty(), std::string(id) + ": every required function", "missing: " + listOf(missing));
}

Outcome checkExtensions(const std::string& path, const std::string& options) {
  const Instance instance(path, options);
  const auto* disk = instance.extension<vcp_disk_ops_t>(VCP_DISK_ID);
  if (disk != nullptr) expectWhole(VCP_DISK_ID, *disk);
  if (const auto* spot = instance.extension<vcp_spot_ops_t>(VCP_SPOT_ID)) expectWhole(VCP_SPOT_ID, *spot);
  const bool needs = instance.info().attach_needs != VCP_ATTACH_UNSPECIFIED;
  expect(disk == nullptr || needs, "attach_needs is declared by a driver that offers " VCP_DISK_ID,
         "it is VCP_ATTACH_UNSPECIFIED");
  if (disk == nullptr && instance.extension<void>(kDraftDiskId) != nullptr) {
    return {Verdict::kWarn, "disks are offered as " VCP_DISK_ID,
            std::string("only as ") + kDraftDiskId + ", which the next release no longer asks for"};
  }
  return {};
}

Json schemaOf(const std::string& path, const std::string& options) {
  const Json schema = Json::parse(Instance(path, options).schema(), nullptr, false);
  expect(schema.is_object(), "the schema is a JSON object", "it is not");
  const auto properties = schema.find("properties");
  expect(properties != schema.end() && properties->is_object(), "member 'properties' is an object", "it is not");
  return *properties;
}

Outcome checkSchema(const std::string& path, const std::string& options) {
  const Json properties = schemaOf(path, options);
  for (const auto& [key, value] : properties.items()) {
    expect(value.is_object() || value.is_boolean(), "each property is a schema", "'" + key + "' is not");
  }
  return {};
}

/// Keys that are hardly anything but secrets.
Outcome checkSecrets(const std::string& path, const std::string& options) {
  std::vector<std::string> unmarked;
  const Json properties = schemaOf(path, options);
  for (const auto& [key, value] : properties.items()) {
    const auto mark = value.is_object() ? value.find("x-vcp-secret") : value.end();
    if (value.is_object() && mark != value.end()) {
      expect(mark->is_boolean(), "x-vcp-secret is true or false", "at '" + key + "' it is neither");
      if (mark->get<bool>()) continue;
    }
    for (const char* word : {"secret", "password", "passwd", "private_key", "access_key", "token"}) {
      if (key.find(word) == std::string::npos) continue;
      unmarked.push_back(key);
      break;
    }
  }
  if (unmarked.empty()) return {};
  return {Verdict::kWarn, "keys that look like secrets are marked", "not marked: " + listOf(unmarked)};
}

struct AbiCheck {
  Topic topic;
  bool is_base;  // those after it mean nothing when it fails
  std::function<Outcome(const std::string& path, const std::string& options)> body;
};

const std::vector<AbiCheck>& abiChecks() {
  static const std::vector<AbiCheck> checks{
      {{"abi.elf", "the file is an ELF shared object", "a shared object that exports one constant data symbol", "abi.h",
        "link it as a module with vcp_add_plugin()"},
       false,
       [](const std::string& path, const std::string&) { return readElf(path), Outcome{}; }},
      {{"abi.exports", "it exports the entry and nothing else", "The entry: the one thing a plugin exports",
        "driver.h, vcp_plugin_entry_t", "build it with vcp_add_plugin(), which brings the version script"},
       false,
       [](const std::string& path, const std::string&) { return checkExports(path); }},
      {{"abi.nodelete", "it is never unmapped", "The library stays mapped for ever.", "driver.h, deinit",
        "build it with vcp_add_plugin(), which links with -z nodelete"},
       false,
       [](const std::string& path, const std::string&) {
         expect(readElf(path).is_nodelete, "flag NODELETE", "it is not set");
         return Outcome{};
       }},
      {{"abi.needed", "it brings no network or TLS library",
        "Rules that hold everywhere; the host lends HTTP and crypto", "abi.h, ext/http.h",
        "use the services of the host; link other libraries statically and without their globals"},
       false,
       [](const std::string& path, const std::string&) { return checkNeeded(path); }},
      {{"abi.opens", "it can be opened, with no symbol undefined",
        "any host can say what it was given before it runs any of its code", "driver.h, vcp_plugin_entry_t",
        "link with -z defs, as vcp_add_plugin() does; build it for this system"},
       true,
       [](const std::string& path, const std::string&) {
         entryOf(path);
         return Outcome{};
       }},
      {{"abi.magic", "its entry begins with the magic number", "VCP_PLUGIN_MAGIC", "driver.h, vcp_plugin_entry_t",
        "define the entry with VCP_PLUGIN() or with the constants of the header"},
       true,
       [](const std::string& path, const std::string&) {
         expect(entryOf(path).magic == VCP_PLUGIN_MAGIC, "VCP_PLUGIN_MAGIC", "another number");
         return Outcome{};
       }},
      {{"abi.version", "it speaks ABI " VCP_ABI_VERSION, "a host loads only plugins of exactly its own 0.minor",
        "abi.h", "rebuild it with this SDK"},
       true,
       [](const std::string& path, const std::string&) { return checkVersion(path); }},
      {{"abi.entry", "its entry is whole", "Every struct begins with `struct_size`", "abi.h, rule 5",
        "set struct_size to sizeof; info and open_driver are required"},
       true,
       [](const std::string& path, const std::string&) {
         const vcp_plugin_entry_t& entry = entryOf(path);
         expect(VCP_HAS(vcp_plugin_entry_t, &entry, open_driver), "an entry that reaches to open_driver",
                "struct_size is " + std::to_string(entry.struct_size));
         expect(entry.info != nullptr && entry.open_driver != nullptr, "info and open_driver", "one of them is null");
         expect(VCP_HAS(vcp_plugin_info_t, entry.info, settle_ms), "a descriptor that reaches to settle_ms",
                "struct_size is " + std::to_string(entry.info->struct_size));
         return Outcome{};
       }},
      {{"abi.descriptor", "its descriptor is within limits",
        "The descriptor: constant data, readable without calling anything.", "driver.h, vcp_plugin_info_t",
        "correct the field"},
       false,
       [](const std::string& path, const std::string&) {
         const std::string fault = faultOf(*openPlugin(path).info);
         expect(fault.empty(), "every field within its limits", fault);
         return Outcome{};
       }},
      {{"abi.instance", "init and open_driver succeed", "An error refuses the plugin", "driver.h, init and open_driver",
        "look at the message; options come from --option"},
       true,
       [](const std::string& path, const std::string& options) {
         const Instance instance(path, options);
         return Outcome{};
       }},
      {{"abi.table", "its table is long enough and complete", "The operations of a driver; a static table.",
        "driver.h, vcp_driver_ops_t", "set struct_size to sizeof and fill in every required function"},
       true,
       checkOps},
      {{"abi.capabilities", "capabilities and functions go together", "Optional: null without VCP_CAP_LIST.",
        "driver.h, vcp_driver_ops_t", "declare what is there, and nothing else"},
       false,
       checkCapabilities},
      {{"abi.extensions", "each extension is whole, or not offered",
        "who hands out a table has every function of it that is not called optional", "ABI.md, Extensions",
        "fill in the whole table with struct_size = sizeof, and declare attach_needs with disks"},
       false,
       checkExtensions},
      {{"abi.schema", "describe writes a JSON Schema with properties",
        "a JSON Schema (draft 2020-12) whose `properties` are the keys of cloud_params", "driver.h, describe",
        "write schema.json and give it to vcp_add_plugin(SCHEMA)"},
       true,
       checkSchema},
      {{"abi.secrets", "secrets are marked in the schema", "secrets marked `\"x-vcp-secret\": true`",
        "driver.h, describe", "mark each key that holds a secret; unmarked ones are shown to users"},
       false,
       checkSecrets},
  };
  return checks;
}

std::string hex(std::uint64_t value) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string durationText(std::int64_t ms) { return std::to_string(ms) + " ms"; }

}  // namespace

std::string driverConfig(const std::string& data_dir, const std::string& options) {
  const Json config{{"instance", "check"},
                    {"evaluation", true},
                    {"data_dir", data_dir},
                    {"options", plugin::parseObject(options, "options")}};
  return config.dump();
}

void runAbiChecks(const std::string& path, const std::string& options, Report* report) {
  std::string broken;
  for (const AbiCheck& check : abiChecks()) {
    const std::int64_t began = steadyMs();
    Outcome outcome{Verdict::kSkip, "", "it means nothing while " + broken + " fails"};
    if (broken.empty()) outcome = runIsolated([&] { return check.body(path, options); }, kLimitMs);
    if (check.is_base && outcome.verdict == Verdict::kFail) broken = check.topic.name;
    report->add(check.topic, std::move(outcome), steadyMs() - began);
  }
}

void describePlugin(const std::string& path, const std::string& options, Report* report) {
  // The child gives its findings back as the text of a passed check.
  const Outcome outcome = runIsolated(
      [&]() -> Outcome {
        const Instance instance(path, options);
        const vcp_plugin_info_t& info = instance.info();
        Json facts = Json::array();
        const auto add = [&](const char* key, std::string value) { facts.push_back({key, std::move(value)}); };
        constexpr std::array<const char*, 4> kIdempotency{"-", "token", "name", "lookup"};
        constexpr std::array<const char*, 3> kExistence{"-", "observed", "asserted"};
        constexpr std::array<const char*, 4> kAttach{"no disks", "any", "running", "off"};
        const auto word = [](const auto& words, std::int32_t value) -> std::string {
          return value >= 0 && value < static_cast<std::int32_t>(words.size()) ? words[static_cast<std::size_t>(value)]
                                                                               : std::to_string(value);
        };
        add("id", std::string(view(info.id)));
        add("provider", std::string(view(info.provider)));
        add("display_name", std::string(view(info.display_name)));
        add("vendor", std::string(view(info.vendor)));
        add("license", std::string(view(info.license)));
        add("version", std::string(view(info.version)));
        add("abi", VCP_ABI_VERSION);
        add("sdk_version", std::string(view(info.sdk_version)));
        add("capabilities", hex(info.capabilities) + ((info.capabilities & VCP_CAP_POWER) != 0 ? " power" : "") +
                                ((info.capabilities & VCP_CAP_LIST) != 0 ? " list" : "") +
                                ((info.capabilities & VCP_CAP_SIMULATED_HOSTS) != 0 ? " simulated_hosts" : "") +
                                ((info.capabilities & VCP_CAP_NEEDS_ADDRESS) != 0 ? " needs_address" : ""));
        std::string extensions;
        for (const char* id : {VCP_DISK_ID, VCP_SPOT_ID}) {
          if (instance.extension<void>(id) != nullptr) extensions += (extensions.empty() ? "" : ", ") + std::string(id);
        }
        add("extensions", extensions.empty() ? "none" : extensions);
        add("idempotency", word(kIdempotency, info.idempotency));
        add("existence", word(kExistence, info.existence));
        add("attach_needs", word(kAttach, info.attach_needs));
        add("concurrency", std::to_string(info.concurrency));
        add("max_batch", std::to_string(info.max_batch));
        add("max_observe", std::to_string(info.max_observe));
        add("token_ttl", durationText(info.token_ttl_ms));
        add("lookup_lag", durationText(info.lookup_lag_ms));
        add("settle", durationText(info.settle_ms == 0 ? 120'000 : info.settle_ms));
        add("schema", instance.schema());
        return {Verdict::kPass, facts.dump(-1, ' ', false, Json::error_handler_t::replace), ""};
      },
      kLimitMs);
  static constexpr Topic kTopic{"describe", "the plugin can be read", "readable without calling anything",
                                "driver.h, vcp_plugin_info_t", "run `vcp-plugin-check abi` for the cause"};
  if (outcome.verdict != Verdict::kPass) return report->add(kTopic, outcome, 0);
  for (const Json& fact : Json::parse(outcome.expected)) {
    report->fact(fact.at(0).get<std::string>(), fact.at(1).get<std::string>());
  }
}

}  // namespace vcp::check
