// SPDX-License-Identifier: Apache-2.0
#include "client.h"

#include "errors.h"
#include "sigv4.h"

namespace ec2 {

using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::HttpRequest;
using vcp::plugin::HttpResponse;
using vcp::plugin::Outcome;
using vcp::plugin::XmlDocument;
using vcp::plugin::XmlNode;

namespace {

constexpr int kMostPages = 1000;
constexpr char kContentType[] = "application/x-www-form-urlencoded; charset=utf-8";

}  // namespace

Client::Client(const Services& services, const vcp::plugin::Call& call, const Entry& entry)
    : services_(services), call_(call), entry_(entry), credentials_(parseCredentials(call.credentials())) {}

XmlDocument Client::send(const Form& form) const {
  const SigningKey key{
      credentials_.access_key, credentials_.secret_key, entry_.region, "ec2", amzDate(services_.host.wallMs()), true};
  SignedRequest signed_part;
  signed_part.method = "POST";
  signed_part.body = form.body();
  signed_part.headers = {{"Content-Type", kContentType}, {"X-Amz-Date", key.amz_date}};
  if (!credentials_.session_token.empty()) {
    signed_part.headers.emplace_back("X-Amz-Security-Token", credentials_.session_token);
  }
  HttpRequest request;
  request.method = signed_part.method;
  request.url = entry_.endpoint + "/";
  request.headers = signed_part.headers;
  // The host writes this header itself, from the URL.
  signed_part.headers.emplace_back("Host", entry_.endpoint.substr(entry_.endpoint.find("://") + 3));
  request.headers.emplace_back("Authorization", authorization(services_.crypto, key, signed_part));
  request.body = std::move(signed_part.body);
  request.account = credentials_.access_key + "@" + entry_.region;  // EC2 counts requests by account and region
  request.max_response_bytes = XmlDocument::kMaxBytes;
  const HttpResponse response = services_.http.send(call_, request);
  if (response.status / 100 != 2) throw refusal(response, form.action());
  return XmlDocument::parse(response.body, form.action());
}

XmlDocument Client::change(const Form& form) const { return send(form); }

XmlDocument Client::read(const Form& form) const {
  try {
    return send(form);
  } catch (const Error& error) {
    throw Error(error.code(), Outcome::kNotApplied, error.message())
        .providerCode(error.providerCode())
        .requestId(error.requestId())
        .retryAfterMs(error.retryAfterMs());
  }
}

void Client::readAll(const Form& form, const std::function<void(const XmlNode&)>& take) const {
  std::string token;
  for (int page = 0; page < kMostPages; ++page) {
    Form next = form;
    if (!token.empty()) next.set("NextToken", token);
    const XmlDocument document = read(next);
    take(document.root());
    token = document.root().child("nextToken").text();
    if (token.empty()) return;
  }
  throw Error(Code::kInternal, Outcome::kNotApplied,
              form.action() + ": more than 1000 pages; the cloud repeats itself?");
}

}  // namespace ec2
