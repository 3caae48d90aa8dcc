// SPDX-License-Identifier: Apache-2.0
#include "engine/cloud_config.h"

#include "model/json_tree.h"

namespace vcc {

namespace {

// Where systemd listens for sshd (Ubuntu), a generator makes the socket's ports from sshd's settings when it is
// reloaded.
constexpr char kRestart[] =
    "systemctl daemon-reload; for unit in ssh.socket ssh.service sshd.service; do systemctl try-restart $unit; done; "
    "true";

YamlValue texts(std::initializer_list<std::string> words) {
  YamlValue list = YamlValue::list();
  for (const std::string& word : words) list.items.push_back(YamlValue::scalar(word));
  return list;
}

}  // namespace

std::string cloudConfig(const MachineAccess& access) {
  if (access.public_key.empty()) return {};
  YamlValue user = YamlValue::map();
  user.add("name", YamlValue::scalar(access.user));
  user.add("shell", YamlValue::scalar("/bin/bash"));
  user.add("sudo", texts({"ALL=(ALL) NOPASSWD:ALL"}));
  user.add("ssh_authorized_keys", texts({access.public_key}));
  YamlValue file = YamlValue::map();
  file.add("path", YamlValue::scalar("/etc/ssh/sshd_config.d/10-vcp.conf"));
  file.add("content", YamlValue::scalar("Port " + std::to_string(access.ssh_port) + "\n"));
  YamlValue config = YamlValue::map();
  YamlValue& users = config.add("users", texts({"default"}));  // cloud-init merges it with the user where they are one
  users.items.push_back(std::move(user));
  config.add("write_files", YamlValue::list()).items.push_back(std::move(file));
  config.add("runcmd", YamlValue::list()).items.push_back(texts({"sh", "-c", kRestart}));
  return "#cloud-config\n" + toJson(config) + "\n";
}

}  // namespace vcc
