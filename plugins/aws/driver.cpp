// SPDX-License-Identifier: Apache-2.0
#include "driver.h"

#include <algorithm>
#include <set>

#include "errors.h"

namespace ec2 {

using vcp::plugin::Call;
using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::invalid;
using vcp::plugin::Item;
using vcp::plugin::Items;
using vcp::plugin::Json;
using vcp::plugin::Observation;
using vcp::plugin::Observations;
using vcp::plugin::Outcome;
using vcp::plugin::Resource;
using vcp::plugin::Results;
using vcp::plugin::State;

namespace {

constexpr std::int64_t kLagMs = 3000;        // before a request is sent again that met an object EC2 does not show yet
constexpr std::size_t kMaxUserData = 16384;  // bytes, before base64
constexpr char kTwinPart[] = "instance";

void report(const Instance& instance, const Item& item, Results& out) {
  out.machine(item, instance.id, instance.address);
  if (!instance.spot_request.empty()) out.resource(item, kSpotRequestPart, item.name, instance.spot_request);
}

/// The host merges parts by (kind, name), so a second one of a kind needs a name of its own.
std::string partName(const Item& item, std::size_t position, const std::string& id) {
  return std::string(item.name) + (position == 0 ? "" : "+" + id);
}

/// What of a machine costs money, besides its instance: its spot requests, also one that only its instance tells of,
/// and twins of it.
std::vector<Resource> livingParts(const Item& item, const Instances& instances, const SpotRequests& requests) {
  std::vector<Resource> parts;
  for (std::size_t i = 1; i < instances.size(); ++i) {
    if (!instances[i].isOver()) parts.push_back({kTwinPart, partName(item, i, instances[i].id), instances[i].id});
  }
  std::set<std::string> alive;
  for (const SpotRequest& request : requests) {
    if (request.isAlive()) alive.insert(request.id);
  }
  if (requests.empty() && !instances.empty() && !instances[0].isOver() && !instances[0].spot_request.empty()) {
    alive.insert(instances[0].spot_request);
  }
  std::size_t count = 0;
  for (const std::string& id : alive) parts.push_back({kSpotRequestPart, partName(item, count++, id), id});
  return parts;
}

/// Parts that are left of an instance that is over can bring another one: not gone.
Observation observationOf(const Item& item, const Instances& instances, const SpotRequests& requests) {
  Observation seen = instances.empty() ? Observation{} : observationOf(instances.front());
  seen.resources = livingParts(item, instances, requests);
  if (seen.name.empty()) seen.name = item.name;
  if ((instances.empty() || instances.front().isOver()) && !seen.resources.empty()) {
    seen.found = true;
    seen.state = item.cloud_id.empty() && instances.empty() ? State::kProvisioning : State::kTerminating;
  }
  return seen;
}

}  // namespace

Ec2Driver::Ec2Driver(const vcp::plugin::Host& host, std::string_view config, Market market, const char* provider)
    : services_(host),
      evaluation_(vcp::plugin::parseObject(config, "config").value("evaluation", false)),
      market_(market),
      provider_(provider) {}

void Ec2Driver::validate(std::string_view cloud_params, std::string_view catalog_entry) {
  const Json params = vcp::plugin::parseObject(cloud_params, "cloud_params");
  parseMachine(params, market_);
  checkSecrets(params);
  checkAddresses(params);
  checkVolumes(params);
  parseEntry(catalog_entry, evaluation_);
}

Tags Ec2Driver::marks(const Call& call, std::string_view name, std::string_view title, const Tags& users) const {
  Tags tags = users;
  tags[kTagController] = call.vccId();
  tags[kTagProvider] = provider_;
  tags[kTagOp] = call.opId();
  if (!name.empty()) tags[kTagName] = name;
  if (!title.empty()) tags[kTagTitle] = title;
  return tags;
}

bool Ec2Driver::sharesRequest(const Item& item) const {
  return market_ == Market::kOnDemand && item.requested_address.empty() && item.create_size > 1;
}

void Ec2Driver::create(const Call& call, std::string_view spec_text, const Items& items, Results& out) {
  const Json spec = vcp::plugin::parseObject(spec_text, "spec");
  const MachineSpec machine = parseMachine(spec.value("cloud_params", Json::object()), market_);
  const Entry entry = entryOf(call);
  const Client client(services_, call, entry);
  Items wanted;
  Image image;
  for (const Item& item : items) {
    if (item.cloud_id.empty()) {
      wanted.push_back(item);
      if (image.id.empty()) image = Image::fromState(item.driver_state);
      continue;
    }
    // It exists; what a batch could not write on it is its name.
    out.guard(item, [&] {
      if (sharesRequest(item)) {
        Form form("CreateTags");
        form.list("ResourceId", {std::string(item.cloud_id)});
        form.tags({{kTagName, std::string(item.name)}, {kTagTitle, std::string(item.display_name)}});
        try {
          client.change(form);
        } catch (const Error& error) {
          if (!isAbsent(error)) throw;
          return out.pending(item, kLagMs, "EC2 does not show its instance yet");
        }
      }
      out.done(item);
    });
  }
  if (wanted.empty()) return;
  if (image.id.empty()) {
    image = resolveImage(client, entry, machine.image, machine.instance_type);
    for (const Item& item : wanted) {
      out.driverState(item, image.toState());
      out.pending(item, 0, "its image is " + image.id);
    }
    return;
  }
  const Form form = runForm(entry, spec, machine, image);
  if (sharesRequest(wanted.front())) return runBatch(call, client, form, machine, wanted, out);
  for (const Item& item : wanted) {
    out.guard(item, [&] { runOne(call, client, form, machine, item, out); });
  }
}

/// RunInstances without what differs between the instances: count, token, address, tags.
Form Ec2Driver::runForm(const Entry& entry, const Json& spec, const MachineSpec& machine, const Image& image) const {
  Form form("RunInstances");
  form.set("ImageId", image.id).set("InstanceType", machine.instance_type).set("SubnetId", entry.subnet);
  form.list("SecurityGroupId", entry.security_groups);
  if (!entry.zone.empty()) form.set("Placement.AvailabilityZone", entry.zone);
  const std::string disk = "BlockDeviceMapping.1.";
  if (machine.root.size_gib > 0 || !machine.root.type.empty()) {
    form.set(disk + "DeviceName", image.root_device).set(disk + "Ebs.DeleteOnTermination", "true");
    if (machine.root.size_gib > 0) form.set(disk + "Ebs.VolumeSize", std::to_string(machine.root.size_gib));
    if (!machine.root.type.empty()) form.set(disk + "Ebs.VolumeType", machine.root.type);
    if (machine.root.iops > 0) form.set(disk + "Ebs.Iops", std::to_string(machine.root.iops));
  }
  // Without version 1 of the metadata service a request forged through a program on the machine reads no credentials.
  form.set("MetadataOptions.HttpTokens", "required").set("MetadataOptions.HttpEndpoint", "enabled");
  const std::string user_data = spec.value(Json::json_pointer("/access/user_data"), "");
  if (user_data.size() > kMaxUserData) {
    throw invalid("/access/user_data", "has more than 16384 bytes, which is what EC2 takes");
  }
  if (!user_data.empty()) form.set("UserData", services_.crypto.base64(user_data));
  if (market_ == Market::kSpot) {
    form.set("InstanceMarketOptions.MarketType", "spot");
    const std::string options = "InstanceMarketOptions.SpotOptions.";
    form.set(options + "SpotInstanceType", machine.persistent ? "persistent" : "one-time");
    form.set(options + "InstanceInterruptionBehavior", machine.persistent ? "stop" : "terminate");
    if (!machine.max_price.empty()) form.set(options + "MaxPrice", machine.max_price);
  }
  return form;
}

void Ec2Driver::runOne(const Call& call, const Client& client, Form form, const MachineSpec& machine, const Item& item,
                       Results& out) const {
  const Tags tags = marks(call, item.name, item.display_name, machine.tags);
  form.set("MinCount", "1").set("MaxCount", "1");
  form.set("ClientToken", std::string(call.opId()) + "-" + std::to_string(item.create_index));
  if (!item.requested_address.empty()) form.set("PrivateIpAddress", std::string(item.requested_address));
  form.tagged("instance", tags).tagged("volume", tags).tagged("network-interface", tags);
  if (market_ == Market::kSpot) form.tagged("spot-instances-request", tags);
  const Instances made = launched(client.change(form));
  if (made.empty()) throw Error(Code::kUnavailable, Outcome::kApplied, "RunInstances: EC2's answer has no instance");
  report(made.front(), item, out);
  out.done(item);
}

/// One request for all items, all or nothing. Its token is the op's, so a repeat has the same answer.
void Ec2Driver::runBatch(const Call& call, const Client& client, Form form, const MachineSpec& machine,
                         const Items& items, Results& out) const {
  const std::string count = std::to_string(items.front().create_size);
  const Tags tags = marks(call, "", "", machine.tags);
  form.set("MinCount", count).set("MaxCount", count).set("ClientToken", std::string(call.opId()));
  form.tagged("instance", tags).tagged("volume", tags).tagged("network-interface", tags);
  const Instances made = launched(client.change(form));
  for (const Item& item : items) {
    const auto mine = std::find_if(
        made.begin(), made.end(), [&](const Instance& instance) { return instance.launch_index == item.create_index; });
    if (mine == made.end()) {
      out.error(item, Error(Code::kUnavailable, Outcome::kApplied,
                            "RunInstances: EC2's answer has no instance with launch index " +
                                std::to_string(item.create_index)));
      continue;
    }
    report(*mine, item, out);
    out.pending(item, 0, "its name is next");
  }
}

Ec2Driver::Sight Ec2Driver::look(const Client& client, const Items& items, Depth depth) const {
  Items by_mark;
  std::copy_if(items.begin(), items.end(), std::back_inserter(by_mark),
               [&](const Item& item) { return depth == Depth::kDeep || item.cloud_id.empty(); });
  const Instances marked = instancesByOp(client, by_mark);
  std::map<std::string, Instance> by_id;
  for (const Instance& instance : marked) by_id[instance.id] = instance;
  std::vector<std::string> unseen;
  for (const Item& item : items) {
    if (!item.cloud_id.empty() && by_id.count(std::string(item.cloud_id)) == 0) unseen.emplace_back(item.cloud_id);
  }
  for (auto& [id, instance] : instancesById(client, unseen)) by_id[id] = instance;

  Sight sight;
  Items in_question;  // of whose spot requests something must be known
  for (const Item& item : items) {
    Instances mine = ofItem(marked, item);
    const auto known = by_id.find(std::string(item.cloud_id));
    const bool has = std::any_of(mine.begin(), mine.end(), [&](const Instance& i) { return i.id == item.cloud_id; });
    if (known != by_id.end() && !has) mine.insert(mine.begin(), known->second);
    if (depth == Depth::kDeep || mine.empty() || mine.front().isOver()) in_question.push_back(item);
    sight.instances.push_back(std::move(mine));
  }
  sight.requests.resize(items.size());
  if (market_ != Market::kSpot || in_question.empty()) return sight;

  const SpotRequests all = spotRequests(client, in_question);
  std::vector<std::string> brought;
  for (std::size_t i = 0; i < items.size(); ++i) {
    sight.requests[i] = ofItem(all, items[i]);
    for (const SpotRequest& request : sight.requests[i]) {
      if (!request.instance.empty() && by_id.count(request.instance) == 0) brought.push_back(request.instance);
    }
  }
  // A persistent request brings a new instance for one that somebody has terminated.
  const auto fresh = instancesById(client, brought);
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (const SpotRequest& request : sight.requests[i]) {
      const auto found = fresh.find(request.instance);
      if (found != fresh.end()) sight.instances[i].insert(sight.instances[i].begin(), found->second);
    }
  }
  return sight;
}

void Ec2Driver::observe(const Call& call, const Items& items, Observations& out) {
  const Entry entry = entryOf(call);
  const Client client(services_, call, entry);
  const Sight sight = look(client, items, Depth::kShallow);
  for (std::size_t i = 0; i < items.size(); ++i) {
    out.observed(items[i], observationOf(items[i], sight.instances[i], sight.requests[i]));
  }
}

void Ec2Driver::destroy(const Call& call, const Items& items, Results& out) {
  const Entry entry = entryOf(call);
  const Client client(services_, call, entry);
  const Sight sight = look(client, items, Depth::kDeep);
  struct Batch {
    std::set<std::string> ids;
    Items items;
  };
  Batch requests;
  Batch instances;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Item& item = items[i];
    for (const Resource& part : livingParts(item, sight.instances[i], sight.requests[i])) {
      out.resource(item, part.kind, part.name, part.id);
    }
    std::set<std::string> alive;
    for (const SpotRequest& request : sight.requests[i]) {
      if (request.isAlive()) alive.insert(request.id);
    }
    std::set<std::string> running;
    for (const Instance& instance : sight.instances[i]) {
      if (!instance.isLeaving()) running.insert(instance.id);
    }
    if (!sight.instances[i].empty()) out.machine(item, sight.instances[i].front().id, "");
    // The request first: one that lives brings another instance for the one that goes.
    if (alive.empty() && running.empty()) {
      out.done(item);
      continue;
    }
    Batch& batch = alive.empty() ? instances : requests;
    batch.ids.insert(alive.empty() ? running.begin() : alive.begin(), alive.empty() ? running.end() : alive.end());
    batch.items.push_back(item);
  }
  const auto send = [&](const Batch& batch, auto&& change, auto&& answer) {
    if (batch.items.empty()) return;
    try {
      change(std::vector<std::string>(batch.ids.begin(), batch.ids.end()));
    } catch (const Error& error) {
      for (const Item& item : batch.items) out.error(item, error);
      return;
    }
    for (const Item& item : batch.items) answer(item);
  };
  send(
      requests, [&](const std::vector<std::string>& ids) { cancelSpotRequests(client, ids); },
      [&](const Item& item) { out.pending(item, 0, "its spot request is cancelled, its instance is next"); });
  send(
      instances,
      [&](const std::vector<std::string>& ids) { client.change(Form("TerminateInstances").list("InstanceId", ids)); },
      [&](const Item& item) { out.done(item); });
}

void Ec2Driver::list(const Call& call, Observations& out) {
  const Entry entry = entryOf(call);
  const Client client(services_, call, entry);
  const Tags mark{{kTagController, std::string(call.vccId())}, {kTagProvider, provider_}};
  bool wanted = true;
  std::set<std::string> brought;
  eachInstance(client, mark, [&](const Instance& instance) {
    if (!wanted || instance.isOver()) return;
    brought.insert(instance.spot_request);
    Observation seen = ec2::observationOf(instance);
    if (seen.name.empty()) seen.name = instance.id;
    if (!instance.spot_request.empty()) seen.resources.push_back({kSpotRequestPart, seen.name, instance.spot_request});
    wanted = out.listed(seen);
  });
  if (wanted && market_ == Market::kSpot) {
    for (const SpotRequest& request : spotRequests(client, mark)) {
      if (brought.count(request.id) > 0) continue;
      Observation seen;
      seen.found = true;
      seen.state = State::kProvisioning;
      const auto name = request.tags.find(kTagName);
      seen.name = name == request.tags.end() ? request.id : name->second;
      seen.resources = {{kSpotRequestPart, seen.name, request.id}};
      if (wanted) wanted = out.listed(seen);
    }
  }
  if (wanted) out.complete();
}

void Ec2Driver::switchPower(const Call& call, bool on, const Items& items, Results& out) const {
  const Entry entry = entryOf(call);
  const Client client(services_, call, entry);
  const Sight sight = look(client, items, Depth::kShallow);
  std::vector<std::string> ids;
  Items changed;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Item& item = items[i];
    const Instances& mine = sight.instances[i];
    if (mine.empty() || mine.front().isLeaving()) {
      out.error(item, Error(Code::kNotFound, Outcome::kNotApplied,
                            "machine " + std::string(item.name) + ": cannot change its power: it does not exist"));
      continue;
    }
    const std::string& state = mine.front().state;
    if (on ? state == "running" || state == "pending" : state == "stopped" || state == "stopping") {
      out.done(item);
    } else if (state == "pending" || state == "stopping") {
      // EC2 takes neither a start of the one nor a stop of the other.
      out.pending(item, kLagMs, "its instance is " + state);
    } else {
      ids.push_back(mine.front().id);
      changed.push_back(item);
    }
  }
  if (ids.empty()) return;
  try {
    client.change(Form(on ? "StartInstances" : "StopInstances").list("InstanceId", ids));
  } catch (const Error& error) {
    for (const Item& item : changed) out.error(item, error);
    return;
  }
  for (const Item& item : changed) out.done(item);
}

}  // namespace ec2
