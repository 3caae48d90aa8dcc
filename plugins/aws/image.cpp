// SPDX-License-Identifier: Apache-2.0
#include "image.h"

#include <cctype>

#include "errors.h"

namespace ec2 {
namespace {

using vcp::plugin::Error;
using vcp::plugin::invalid;
using vcp::plugin::XmlNode;

constexpr char kCanonical[] = "099720109477";
constexpr char kUbuntu[] = "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-";

bool isAmi(const std::string& text) { return text.compare(0, 4, "ami-") == 0; }

/// Families with Graviton processors have a g right after their generation ("m7g", "c6gn"); a1 is the first of them.
std::string architectureOf(const std::string& instance_type) {
  const std::string family = instance_type.substr(0, instance_type.find('.'));
  std::size_t at = 0;
  while (at < family.size() && std::isdigit(static_cast<unsigned char>(family[at])) == 0) ++at;
  while (at < family.size() && std::isdigit(static_cast<unsigned char>(family[at])) != 0) ++at;
  return family == "a1" || (at < family.size() && family[at] == 'g') ? "arm64" : "amd64";
}

/// The newest of a list by the text of `date`, which sorts as time does.
XmlNode newest(const XmlNode& set, const std::string& date) {
  XmlNode best;
  for (const XmlNode& item : set.children("item")) {
    if (!best || item.child(date).text() > best.child(date).text()) best = item;
  }
  return best;
}

}  // namespace

Image Image::fromState(std::string_view state) {
  if (state.substr(0, 2) != "1 ") return {};
  state.remove_prefix(2);
  const std::size_t gap = state.find(' ');
  if (gap == std::string_view::npos) return {};
  Image image{std::string(state.substr(0, gap)), std::string(state.substr(gap + 1))};
  return isAmi(image.id) ? image : Image{};
}

Image resolveImage(const Client& client, const Entry& entry, const std::string& wanted,
                   const std::string& instance_type) {
  const bool by_default = wanted == "default";
  const std::string text = by_default ? entry.default_image : wanted;
  const std::string where =
      by_default && !text.empty() ? "/catalog_entry/aws_default_image" : "/cloud_params/cloud_image";
  Form form("DescribeImages");
  if (isAmi(text)) {
    form.list("ImageId", {text});
  } else if (text.empty()) {
    form.list("Owner", {kCanonical}).filter("name", {kUbuntu + architectureOf(instance_type) + "-server-*"});
  } else {
    std::vector<std::string> owners{"self"};
    owners.insert(owners.end(), entry.image_owners.begin(), entry.image_owners.end());
    form.list("Owner", owners).filter("name", {text});
  }
  if (!isAmi(text)) form.filter("state", {"available"});
  const std::string missing =
      text.empty()  ? "AWS has no Ubuntu image here; name one, or set aws_default_image in the catalog"
      : isAmi(text) ? "there is no image " + text + " in " + entry.region
                    : "there is no image of this name among those of the account" +
                          std::string(entry.image_owners.empty() ? "" : " and of aws_image_owners") + " in " +
                          entry.region + "; give its id (ami-...)";
  try {
    const auto document = client.read(form);
    const XmlNode found = newest(document.root().child("imagesSet"), "creationDate");
    Image image{found.child("imageId").text(), found.child("rootDeviceName").text()};
    if (image.id.empty()) throw invalid(where, missing);
    return image;
  } catch (const Error& error) {
    if (isAbsent(error)) throw invalid(where, missing).providerCode(error.providerCode());
    throw;
  }
}

std::string resolveSnapshot(const Client& client, const std::string& wanted) {
  if (wanted.compare(0, 5, "snap-") == 0) return wanted;
  Form form("DescribeSnapshots");
  form.list("Owner", {"self"}).filter("tag:Name", {wanted}).filter("status", {"completed"});
  std::string id;
  std::string begun;
  client.readAll(form, [&](const XmlNode& page) {
    const XmlNode found = newest(page.child("snapshotSet"), "startTime");
    if (!found || found.child("startTime").text() <= begun) return;
    begun = found.child("startTime").text();
    id = found.child("snapshotId").text();
  });
  if (id.empty()) {
    throw invalid("/cloud_params/cloud_image",
                  "the account has no snapshot with the tag Name = " + wanted + "; give its id (snap-...)");
  }
  return id;
}

}  // namespace ec2
