// SPDX-License-Identifier: Apache-2.0
#include "sim/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace vcc::sim {
namespace {

constexpr std::int64_t kSliceMs = 1000;  // of looking whether the caller was told to stop

std::string pathOf(const std::string& url) {
  const std::size_t host = url.find("//");
  const std::size_t slash = host == std::string::npos ? host : url.find('/', host + 2);
  return slash == std::string::npos ? "/" : url.substr(slash);
}

/// A page of something between us and the cloud, which quotes what it was sent.
std::string proxyPage(const HttpRequest& request) {
  std::string page = "<html><head><title>502 Bad Gateway</title></head><body>";
  for (const auto& [name, value] : request.headers) page += fmt::format("{}: {}<br>", name, value);
  return page + "</body></html>";
}

}  // namespace

/// A request on its way, and its answer. Outlives its sender.
struct Network::Exchange {
  HttpRequest request;
  Fate fate = Fate::kGood;
  std::string makes;
  bool arrived = false;
  std::int64_t back_ms = 0;
  std::optional<Result<HttpResponse>> answer;
  std::function<void()> wake;
};

Network::Fate Network::draw() {
  const std::array<std::pair<double, Fate>, 9> chances{{{faults.refused, Fate::kRefused},
                                                        {faults.lost_request, Fate::kLostRequest},
                                                        {faults.lost_answer, Fate::kLostAnswer},
                                                        {faults.late, Fate::kLate},
                                                        {faults.throttle, Fate::kThrottle},
                                                        {faults.broken, Fate::kBroken},
                                                        {faults.html, Fate::kHtml},
                                                        {faults.refusal, Fate::kRefusal},
                                                        {faults.revoked, Fate::kRevoked}}};
  double drawn = static_cast<double>(dice_.roll(1'000'000)) / 1e6;
  for (const auto& [chance, fate] : chances) {
    if (drawn < chance) return fate;
    drawn -= chance;
  }
  return Fate::kGood;
}

std::string Network::made(const HttpRequest& request, const Cloud& cloud) {
  if (!cloud.spec().unique_names || request.method != "POST") return {};
  const auto body = nlohmann::json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("name")) return {};
  return request.url + " " + body["name"].get<std::string>();
}

Result<HttpResponse> Network::send(const HttpRequest& request) {
  const Life* life = scheduler_.current();
  if (life == nullptr || life->dead) return Status(Code::kCancelled, "the process has died", Outcome::kNotApplied);
  const auto cloud = std::find_if(clouds_.begin(), clouds_.end(),
                                  [&](const auto& c) { return request.url.starts_with(c->spec().origin + "/"); });
  if (cloud == clouds_.end()) {
    witness_.violation("a request to nobody: " + request.url);
    return Status(Code::kUnavailable, "there is no such host", Outcome::kNotApplied);
  }
  ++requests;
  auto exchange = std::make_shared<Exchange>();
  exchange->request = {.method = request.method, .url = request.url, .headers = request.headers, .body = request.body};
  exchange->fate = draw();
  const bool change = (*cloud)->isChange(request);
  if (change) exchange->makes = made(request, **cloud);
  witness_.tell(life->name, fmt::format("sends {} {} {} fate {}", request.method, pathOf(request.url), request.body,
                                        static_cast<int>(exchange->fate)));
  return this->exchange(request, **cloud, exchange);
}

Result<HttpResponse> Network::exchange(const HttpRequest& request, Cloud& cloud,
                                       const std::shared_ptr<Exchange>& exchange) {
  const std::int64_t begun = scheduler_.now();
  const std::int64_t deadline = begun + request.deadline_ms;
  const std::int64_t there_ms = 1 + dice_.skewed(200);
  exchange->back_ms = 1 + dice_.skewed(200);
  if (exchange->fate == Fate::kRefused) {
    scheduler_.sleepUntil(std::min(deadline, begun + there_ms));
    return Status(Code::kUnavailable, "connection refused", Outcome::kNotApplied);
  }
  exchange->wake = scheduler_.wakeup();
  if (!exchange->makes.empty() && ++making_[exchange->makes] > 1) {
    witness_.violation("two requests are on their way that make the same: " + exchange->makes);
  }
  std::int64_t arrival = begun + there_ms;
  if (dice_.chance(0.02)) arrival += dice_.skewed(20'000);
  if (exchange->fate == Fate::kLostRequest) {
    // Nobody knows that it is lost: the connection breaks some time later, or nothing at all is heard of it.
    scheduler_.at(arrival, nullptr, [this, exchange] {
      if (!exchange->makes.empty()) --making_[exchange->makes];
      if (dice_.chance(0.5)) respond(exchange, 0, Status(Code::kUnavailable, "connection reset", Outcome::kUnknown));
    });
  } else if (exchange->fate != Fate::kLate) {
    scheduler_.at(arrival, nullptr, [this, exchange, &cloud] { arrive(exchange, cloud); });
  }
  const auto give_up = [&](Code code, const char* why) -> Result<HttpResponse> {
    exchange->wake = nullptr;
    if (exchange->fate == Fate::kLate) {
      // Never later after this than the driver says that it may be.
      scheduler_.at(scheduler_.now() + dice_.between(1, cloud.settle_ms * 9 / 10), nullptr,
                    [this, exchange, &cloud] { arrive(exchange, cloud); });
    }
    return Status(code, why, Outcome::kUnknown);
  };
  while (!exchange->answer) {
    if (request.cancelled && request.cancelled()) return give_up(Code::kCancelled, "the call was cancelled");
    if (scheduler_.nowMs() >= deadline) return give_up(Code::kDeadlineExceeded, "no answer in time");
    exchange->wake = scheduler_.wakeup();
    scheduler_.sleepUntil(std::min(deadline, scheduler_.now() + kSliceMs));
    if (scheduler_.current()->dead) return give_up(Code::kCancelled, "the process has died");
  }
  exchange->wake = nullptr;
  return *exchange->answer;
}

HttpResponse Network::refusalOf(Fate fate, const HttpRequest& request, const Cloud& cloud) {
  HttpResponse response;
  switch (fate) {
    case Fate::kThrottle:
      response.status = dice_.chance(0.5) ? 429 : 503;
      response.retry_after_ms = dice_.chance(0.3) ? 0 : 1000 * dice_.between(1, 60);
      response.body = R"({"error":"slow down"})";
      break;
    case Fate::kHtml:
      response.status = dice_.chance(0.5) ? 200 : 502;
      response.body = proxyPage(request);
      break;
    case Fate::kRevoked:
      response.status = 401;
      response.body = R"({"error":"no such key"})";
      break;
    case Fate::kRefusal: {
      const auto& refusals = cloud.spec().refusals;
      const auto& refusal = refusals[dice_.roll(refusals.size())];
      response.status = refusal.status;
      response.body = refusal.body;
      break;
    }
    default:
      response.status = dice_.chance(0.5) ? 500 : 502;
      response.body = dice_.chance(0.5) ? R"({"error":"internal"})" : proxyPage(request);
  }
  return response;
}

void Network::arrive(const std::shared_ptr<Exchange>& exchange, Cloud& cloud) {
  if (!exchange->makes.empty()) --making_[exchange->makes];
  const HttpRequest& request = exchange->request;
  const bool change = cloud.isChange(request);
  bool applies = true;
  bool refused = false;
  switch (exchange->fate) {
    case Fate::kThrottle:
    case Fate::kRevoked:
      refused = true;
      applies = false;
      break;
    case Fate::kRefusal:
      refused = change && !cloud.spec().refusals.empty();
      applies = !refused;
      break;
    case Fate::kBroken:
    case Fate::kHtml:
      refused = true;
      applies = dice_.chance(0.5);
      break;
    default:
      break;
  }
  HttpResponse response;
  if (applies) response = cloud.handle(request, scheduler_.now());
  if (refused) response = refusalOf(exchange->fate, request, cloud);
  witness_.tell("cloud", fmt::format("{} {} {}{} -> {} {}", request.method, pathOf(request.url), request.body,
                                     applies ? "" : " (not applied)", response.status, response.body));
  if (change && applies) checkTwins(cloud);
  if (exchange->fate == Fate::kLate) return;
  if (exchange->fate == Fate::kLostAnswer) {
    if (dice_.chance(0.5)) return;
    return respond(exchange, exchange->back_ms, Status(Code::kUnavailable, "connection reset", Outcome::kUnknown));
  }
  respond(exchange, exchange->back_ms, std::move(response));
}

void Network::respond(const std::shared_ptr<Exchange>& exchange, std::int64_t after_ms, Result<HttpResponse> answer) {
  scheduler_.at(scheduler_.now() + after_ms, nullptr, [exchange, answer = std::move(answer)] {
    exchange->answer = answer;
    if (exchange->wake) exchange->wake();
  });
}

/// Two objects of one name where names are the engine's promise: a machine was made twice.
void Network::checkTwins(const Cloud& cloud) {
  if (!cloud.spec().unique_names) return;
  std::set<std::pair<std::string, std::string>> seen;
  for (const CloudObject& object : cloud.objects()) {
    if (!seen.emplace(object.kind, object.name).second) {
      witness_.violation(fmt::format("cloud {} has two objects {} {}", cloud.spec().name, object.kind, object.name));
    }
  }
}

}  // namespace vcc::sim
