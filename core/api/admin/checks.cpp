// SPDX-License-Identifier: Apache-2.0
#include "api/admin/admin_api.h"
#include "api/json_reader.h"
#include "api/json_writer.h"

namespace vcc {

Result<HttpAnswer> startCheck(const AdminSeams& seams, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const JsonBody body, JsonBody::parse(request.body));
  VCC_ASSIGN_OR_RETURN(const std::string vcid, body.text("vcid", ""));
  VCC_ASSIGN_OR_RETURN(const std::string id, seams.looks.start_check(vcid));
  JsonWriter json;
  json.beginObject().key("check").string(id).endObject();
  return HttpAnswer{200, json.take(), {}};
}

Result<HttpAnswer> showCheck(const AdminSeams& seams, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const CheckResult report, seams.looks.check_report(request.params[0]));
  JsonWriter json;
  json.beginObject();
  json.key("done").boolean(report.done);
  json.key("looks").integer(report.looks);
  json.key("expected").integer(report.expected);
  json.key("lines").beginArray();
  for (const CheckLine& line : report.lines) {
    json.beginObject();
    json.key("vcid").string(line.vcid);
    json.key("vc").string(line.vc);
    json.key("unit").string(line.unit);
    json.key("node_no").integer(line.node_no);
    json.key("node_id").string(line.node_id);
    json.key("instance").string(line.instance);
    json.key("name").string(line.name);
    json.key("cloud_id").string(line.cloud_id);
    json.key("address").string(line.address);
    json.key("record").string(line.record);
    json.key("cloud").string(line.cloud);
    json.key("container").string(line.container);
    json.key("monitor").string(line.monitor);
    json.key("difference").string(line.difference);
    json.endObject();
  }
  json.endArray();
  json.endObject();
  return HttpAnswer{200, json.take(), {}};
}

}  // namespace vcc
