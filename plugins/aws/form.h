// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ec2 {

using Tags = std::map<std::string, std::string>;

/// One request of EC2's Query API: an action and its parameters, sent as a form. Lists are numbered from 1 and, other
/// than in AWS's older Query services, have no "member" in their names (botocore's "ec2" protocol).
class Form {
 public:
  explicit Form(std::string action) : action_(std::move(action)) {}

  const std::string& action() const { return action_; }

  Form& set(std::string name, std::string value);
  /// `name`.1, `name`.2, ...
  Form& list(const std::string& name, const std::vector<std::string>& values);
  /// Filter.N: any of the values; several filters must all match.
  Form& filter(const std::string& name, const std::vector<std::string>& values);
  /// TagSpecification.N for one kind of object that the request makes. Nothing when there are no tags.
  Form& tagged(const std::string& kind, const Tags& tags);
  /// Tag.N, as CreateTags has them.
  Form& tags(const Tags& tags);

  /// application/x-www-form-urlencoded, in the order of the calls: the same calls give the same bytes.
  std::string body() const;

 private:
  std::string action_;
  std::vector<std::pair<std::string, std::string>> fields_;
  int filters_ = 0;
  int tag_specifications_ = 0;
};

}  // namespace ec2
