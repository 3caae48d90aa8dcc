// SPDX-License-Identifier: Apache-2.0
#include "rig.h"

using namespace ec2_test;

namespace {

constexpr char kDiskSpec[] = R"({"cloud_params":{"size":"8","type":"gp3","cloud_image":"default","tags":{"a":"b"}}})";

struct DiskRig : Rig {
  OpenDisks disks{driver};
};

std::string volumeXml(const std::string& id, const std::string& state, const std::string& name = "vcp-a-0",
                      const std::string& instance = "", const std::string& attachment = "attached") {
  const std::string held =
      instance.empty() ? ""
                       : "<item><instanceId>" + instance + "</instanceId><status>" + attachment + "</status></item>";
  return "<item><volumeId>" + id + "</volumeId><size>8</size><status>" + state +
         "</status><createTime>2026</createTime>" + "<attachmentSet>" + held +
         "</attachmentSet><tagSet><item><key>vcp:name</key><value>" + name + "</value></item></tagSet></item>";
}

std::string volumesXml(const std::string& items) { return "<R><volumeSet>" + items + "</volumeSet></R>"; }

Items machine() {
  Items one = items(1);
  one[0].name = "vcp-m-0";
  one[0].cloud_id = "i-0001";
  return one;
}

std::string machineXml(const std::string& state = "running", const std::string& more = "") {
  return instancesXml({{"i-0001", state, 0, "vcp-m-0", "op", more}});
}

}  // namespace

TEST_CASE_FIXTURE(DiskRig, "disks: made in the zone of the subnet, with token and tags") {
  http.reply(200, "<R><subnetSet><item><availabilityZone>ap-northeast-1c</availabilityZone></item></subnetSet></R>");
  http.reply(200, "<R><volumeId>vol-01</volumeId></R>");
  http.reply(400, errorXml("VolumeLimitExceeded"));
  const Answers made = disks.create(call(), kDiskSpec, items(2));
  CHECK(actions() == std::vector<std::string>{"DescribeSubnets", "CreateVolume", "CreateVolume"});
  auto sent = form(1);
  CHECK(sent["AvailabilityZone"] == "ap-northeast-1c");
  CHECK(sent["Size"] == "8");
  CHECK(sent["VolumeType"] == "gp3");
  CHECK(sent["ClientToken"] == "op-0");
  CHECK(sent["TagSpecification.1.ResourceType"] == "volume");
  CHECK(form(2)["ClientToken"] == "op-1");
  CHECK(made.items.at(0).done == 1);
  CHECK(made.items.at(0).cloud_id == "vol-01");
  CHECK(made.items.at(1).error.code == VCP_RESOURCE_EXHAUSTED);
}

TEST_CASE_FIXTURE(DiskRig, "disks: the entry's zone saves the question; a lost answer is unknown, a lost read is not") {
  Json entry = Json::parse(kEntry);
  entry["aws_availability_zone"] = "ap-northeast-1a";
  http.fail(Code::kUnavailable, Outcome::kUnknown);
  CHECK(disks.create(call(entry.dump()), kDiskSpec, items(1)).items.at(0).error.outcome == VCP_OUTCOME_UNKNOWN);
  CHECK(form(0)["AvailabilityZone"] == "ap-northeast-1a");
  http.fail(Code::kUnavailable, Outcome::kUnknown);
  CHECK(disks.create(call(), kDiskSpec, items(1)).items.at(0).error.outcome == VCP_OUTCOME_NOT_APPLIED);
}

TEST_CASE_FIXTURE(DiskRig, "disks: a snapshot is found by its tag, frozen, and used") {
  const std::string spec = R"({"cloud_params":{"cloud_image":"data-1"}})";
  http.reply(200,
             "<R><snapshotSet><item><snapshotId>snap-1</snapshotId><startTime>2025</startTime></item><item><snapshotId>"
             "snap-2</snapshotId><startTime>2026</startTime></item></snapshotSet></R>");
  Items one = items(1);
  const Answers first = disks.create(call(), spec, one);
  CHECK(form(0)["Owner.1"] == "self");
  CHECK(first.items.at(0).pending == 1);
  CHECK(first.items.at(0).driver_state == "1 snap-2");
  one[0].driver_state = "1 snap-2";
  http.reply(200, "<R><subnetSet><item><availabilityZone>z</availabilityZone></item></subnetSet></R>");
  http.reply(200, "<R><volumeId>vol-01</volumeId></R>");
  CHECK(disks.create(call(), spec, one).items.at(0).done == 1);
  CHECK(form(2)["SnapshotId"] == "snap-2");
  CHECK(form(2).count("Size") == 0);
  http.reply(200, "<R><snapshotSet/></R>");
  CHECK(disks.create(call(), spec, items(1)).items.at(0).error.code == VCP_INVALID_ARGUMENT);
}

TEST_CASE_FIXTURE(DiskRig, "disks: observed by id, else by name") {
  Items four = items(4);
  four[0].cloud_id = "vol-01";
  four[1].cloud_id = "vol-02";
  http.reply(200, volumesXml(volumeXml("vol-01", "in-use", "vcp-a-0", "i-7") +
                             volumeXml("vol-02", "in-use", "vcp-a-1", "i-8", "detaching")));
  http.reply(200, volumesXml(volumeXml("vol-03", "error", "vcp-a-2")));
  const auto seen = disks.observe(call(), four);
  CHECK(form(0)["Filter.1.Name"] == "volume-id");
  CHECK(form(1)["Filter.1.Name"] == "tag:vcp:name");
  CHECK(seen.disks.at(0).state == DiskState::kAttached);
  CHECK(seen.disks.at(0).machine_id == "i-7");
  CHECK(seen.disks.at(0).size_gib == 8);
  CHECK(seen.disks.at(1).state == DiskState::kDetaching);
  CHECK(seen.disks.at(2).state == DiskState::kFailed);
  CHECK(seen.disks.at(2).cloud_id == "vol-03");
  CHECK_FALSE(seen.disks.at(3).found);
  http.reply(500, "<html/>");
  CHECK(disks.observe(call(), items(1)).code == VCP_UNAVAILABLE);
}

TEST_CASE_FIXTURE(DiskRig, "disks: attached under the first free name; already so is done; held elsewhere is refused") {
  const std::string devices =
      "<blockDeviceMapping><item><deviceName>/dev/sda1</deviceName></item><item><deviceName>/dev/sdf</deviceName></"
      "item>"
      "</blockDeviceMapping>";
  Items four = items(4);
  const char* const ids[] = {"vol-01", "vol-02", "vol-03", "vol-04"};
  std::string all;
  for (std::size_t i = 0; i < 4; ++i) four[i].cloud_id = ids[i];
  all += volumeXml("vol-01", "available", "vcp-a-0") + volumeXml("vol-02", "available", "vcp-a-1") +
         volumeXml("vol-03", "in-use", "vcp-a-2", "i-0001") + volumeXml("vol-04", "in-use", "vcp-a-3", "i-other");
  http.reply(200, volumesXml(all));
  http.reply(200, machineXml("running", devices));
  http.reply(200, "<R/>");
  http.reply(200, "<R/>");
  Items machines;
  for (int i = 0; i < 4; ++i) machines.push_back(machine()[0]);
  const Answers held = disks.attach(call(), true, four, machines);
  CHECK(form(2)["Action"] == "AttachVolume");
  CHECK(form(2)["Device"] == "/dev/sdg");
  CHECK(form(2)["InstanceId"] == "i-0001");
  CHECK(form(3)["Device"] == "/dev/sdh");
  CHECK(held.items.at(0).done == 1);
  CHECK(held.items.at(1).done == 1);
  CHECK(held.items.at(2).done == 1);
  CHECK(held.items.at(3).error.code == VCP_FAILED_PRECONDITION);
  CHECK(http.requests.size() == 4);
}

TEST_CASE_FIXTURE(DiskRig, "disks: attach names what is absent or not ready") {
  const auto code = [&](const std::string& volumes, const std::string& instances) {
    http.reply(200, volumes);
    http.reply(200, instances);
    const auto answer = disks.attach(call(), true, items(1), machine()).items.at(0);
    CHECK(answer.error.outcome == VCP_OUTCOME_NOT_APPLIED);
    return answer.error.code;
  };
  const std::string volume = volumesXml(volumeXml("vol-01", "available"));
  CHECK(code(volumesXml(""), machineXml()) == VCP_NOT_FOUND);
  CHECK(code(volume, machineXml("terminated")) == VCP_NOT_FOUND);
  CHECK(code(volume, machineXml("pending")) == VCP_FAILED_PRECONDITION);
  CHECK(code(volumesXml(volumeXml("vol-01", "creating")), machineXml()) == VCP_FAILED_PRECONDITION);
  std::string full;
  for (char c = 'f'; c <= 'p'; ++c) full += std::string("<item><deviceName>/dev/sd") + c + "</deviceName></item>";
  CHECK(code(volume, machineXml("running", "<blockDeviceMapping>" + full + "</blockDeviceMapping>")) ==
        VCP_FAILED_PRECONDITION);
}

TEST_CASE_FIXTURE(DiskRig, "disks: detached from this machine only") {
  const auto detach = [&](const std::string& volume) {
    http.reply(200, volumesXml(volume));
    http.reply(200, machineXml());
    return disks.attach(call(), false, items(1), machine()).items.at(0);
  };
  CHECK(detach("").done == 1);
  CHECK(detach(volumeXml("vol-01", "available")).done == 1);
  CHECK(detach(volumeXml("vol-01", "in-use", "vcp-a-0", "i-other")).done == 1);
  CHECK(detach(volumeXml("vol-01", "in-use", "vcp-a-0", "i-0001", "detaching")).done == 1);
  CHECK(http.requests.size() == 8);
  http.reply(200, volumesXml(volumeXml("vol-01", "in-use", "vcp-a-0", "i-0001")));
  http.reply(200, machineXml());
  http.reply(200, "<R/>");
  CHECK(disks.attach(call(), false, items(1), machine()).items.at(0).done == 1);
  CHECK(form(10)["Action"] == "DetachVolume");
  CHECK(form(10)["InstanceId"] == "i-0001");
}

TEST_CASE_FIXTURE(DiskRig, "disks: destroyed when nothing holds them, absent is done") {
  const auto destroy = [&](const std::string& volume) {
    http.reply(200, volumesXml(volume));
    return disks.destroy(call(), items(1)).items.at(0);
  };
  CHECK(destroy("").done == 1);
  CHECK(destroy(volumeXml("vol-01", "deleting")).done == 1);
  CHECK(destroy(volumeXml("vol-01", "creating")).pending == 1);
  const auto held = destroy(volumeXml("vol-01", "in-use", "vcp-a-0", "i-7"));
  CHECK(held.error.code == VCP_FAILED_PRECONDITION);
  CHECK(held.error.outcome == VCP_OUTCOME_NOT_APPLIED);
  CHECK(http.requests.size() == 4);

  http.reply(200, volumesXml(volumeXml("vol-01", "available")));
  http.reply(200, "<R/>");
  CHECK(disks.destroy(call(), items(1)).items.at(0).done == 1);
  CHECK(form(5)["Action"] == "DeleteVolume");
  CHECK(form(5)["VolumeId"] == "vol-01");

  http.reply(200, volumesXml(volumeXml("vol-01", "available") + volumeXml("vol-02", "available")));
  http.reply(200, "<R/>");
  CHECK(disks.destroy(call(), items(1)).items.at(0).pending == 1);
  http.reply(200, volumesXml(volumeXml("vol-01", "available")));
  http.reply(400, errorXml("VolumeInUse"));
  CHECK(disks.destroy(call(), items(1)).items.at(0).error.code == VCP_FAILED_PRECONDITION);
}
