// SPDX-License-Identifier: Apache-2.0
#include "api/admin/admin_api.h"
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "engine/existing_servers.h"
#include "host/host_steps.h"

namespace vcc {
namespace {

constexpr std::size_t kMostKeyBytes = 1024;

Result<ServerQuestion> questionOf(const JsonBody& body) {
  ServerQuestion question;
  VCC_ASSIGN_OR_RETURN(question.address, body.text("host", ""));
  VCC_ASSIGN_OR_RETURN(question.user, body.text("user", question.user));
  VCC_ASSIGN_OR_RETURN(question.network, body.text("network", question.network));
  VCC_ASSIGN_OR_RETURN(question.host_key, body.text("host_key", ""));
  if (question.host_key.size() > kMostKeyBytes) return invalidArgument("body of the request: \"host_key\" is no key");
  return question;
}

std::string_view levelName(ServerFinding::Level level) {
  switch (level) {
    case ServerFinding::Level::kOk:
      return "ok";
    case ServerFinding::Level::kNote:
      return "note";
    case ServerFinding::Level::kMissing:
      break;
  }
  return "missing";
}

std::string_view stateName(JobState state) {
  switch (state) {
    case JobState::kRunning:
      return "running";
    case JobState::kDone:
      return "done";
    case JobState::kFailed:
      return "failed";
    case JobState::kUnknown:
      break;
  }
  return "unknown";
}

}  // namespace

Result<HttpAnswer> checkServer(const AdminSeams& seams, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const JsonBody body, request.json());
  VCC_ASSIGN_OR_RETURN(const ServerQuestion question, questionOf(body));
  VCC_ASSIGN_OR_RETURN(const ServerReport report, seams.servers.check(question));
  seams.log.info("ADMIN_ONPREM_CHECKED", "an existing server was looked at",
                 {{"host", question.address}, {"ready", report.ready ? "yes" : "no"}, {"by", request.peer}});
  JsonWriter json;
  json.beginObject();
  json.key("host").string(question.address);
  json.key("host_key").string(report.host_key);
  json.key("ready").boolean(report.ready);
  json.key("findings").beginArray();
  for (const ServerFinding& finding : report.findings) {
    json.beginObject();
    json.key("name").string(finding.name);
    json.key("level").string(levelName(finding.level));
    json.key("text").string(finding.text);
    json.key("commands").beginArray();
    for (const std::string& command : finding.commands) json.string(command);
    json.endArray();
    json.endObject();
  }
  json.endArray();
  json.endObject();
  return HttpAnswer{200, json.take(), {}};
}

Result<HttpAnswer> prepareServer(const AdminSeams& seams, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const JsonBody body, request.json());
  VCC_ASSIGN_OR_RETURN(const ServerQuestion question, questionOf(body));
  VCC_ASSIGN_OR_RETURN(const std::string asked, body.text("job", ""));
  const bool begins = asked.empty();
  VCC_ASSIGN_OR_RETURN(const ServerJob job,
                       begins ? seams.servers.prepare(question) : seams.servers.poll(question, asked));
  if (begins) {
    seams.log.warn("ADMIN_ONPREM_PREPARED", "an existing server is being prepared",
                   {{"host", question.address}, {"by", request.peer}});
  }
  const HostStepInfo* step = job.report.step ? &hostStepInfo(*job.report.step) : nullptr;
  JsonWriter json;
  json.beginObject();
  json.key("job").string(job.id).key("host_key").string(job.host_key);
  json.key("state").string(stateName(job.report.state));
  json.key("step").string(step ? step->doing : "");
  json.key("remedy").string(step ? step->remedy : "");
  json.key("detail").string(job.report.detail);
  json.endObject();
  return HttpAnswer{200, json.take(), {}};
}

}  // namespace vcc
