// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/poco_http_transport.h"

#include <Poco/Exception.h>
#include <Poco/Net/DNS.h>
#include <Poco/Net/HostEntry.h>

#include <algorithm>
#include <array>
#include <list>
#include <map>
#include <new>
#include <optional>

#include "base/mutex.h"
#include "plugin_host/http1.h"
#include "plugin_host/http_connection.h"
#include "plugin_host/http_url.h"
#include "plugin_host/tls_client.h"

namespace vcc {
namespace {

using Connection = std::unique_ptr<ClientConnection>;

constexpr std::size_t kMaxAddresses = 4;
constexpr std::size_t kMaxContexts = 64;
constexpr std::size_t kMaxResponse = std::size_t{256} << 20U;

Status as(Outcome outcome, const Status& from) { return Status(from.code(), from.message(), outcome); }

/// What a connection is good for: requests with equal keys may share one.
std::string poolKey(const HttpUrl& url, const HttpRequest& request) {
  return url.origin() + "\n" + request.ca_file + "\n" + request.ca_pem;
}

/// Connections between requests. Thread safe.
class IdlePool {
 public:
  IdlePool(const Clock& clock, const HttpTransportOptions& options) : clock_(clock), options_(options) {}

  /// The youngest for `key` that is still good; null when there is none.
  Connection take(const std::string& key) {
    const MutexLock lock(mutex_);
    dropOld();
    for (auto it = idle_.begin(); it != idle_.end();) {
      if (it->key != key) {
        ++it;
        continue;
      }
      Connection connection = std::move(it->connection);
      it = idle_.erase(it);
      if (!connection->isStale()) return connection;
    }
    return nullptr;
  }

  void put(const std::string& key, Connection connection) {
    const MutexLock lock(mutex_);
    dropOld();
    const auto same = std::count_if(idle_.begin(), idle_.end(), [&](const Idle& i) { return i.key == key; });
    if (static_cast<std::size_t>(same) >= options_.max_idle_per_origin) return;
    idle_.push_front({key, std::move(connection), clock_.monoMs()});
    if (idle_.size() > options_.max_idle) idle_.pop_back();
  }

 private:
  struct Idle {
    std::string key;
    Connection connection;
    std::int64_t since_mono;
  };

  void dropOld() VCC_REQUIRES(mutex_) {
    const std::int64_t oldest = clock_.monoMs() - options_.idle_ms;
    while (!idle_.empty() && idle_.back().since_mono <= oldest) idle_.pop_back();
  }

  const Clock& clock_;
  const HttpTransportOptions& options_;
  Mutex mutex_;
  std::list<Idle> idle_ VCC_GUARDED_BY(mutex_);  // youngest first
};

class PocoHttpTransport final : public HttpTransport {
 public:
  PocoHttpTransport(const Clock& clock, HttpTransportOptions options, std::optional<HttpUrl> proxy)
      : clock_(clock), options_(std::move(options)), proxy_(std::move(proxy)), pool_(clock, options_) {}

  Result<HttpResponse> send(const HttpRequest& request) override {
    Outcome outcome = Outcome::kNotApplied;
    try {
      return sendChecked(request, &outcome);
    } catch (const std::bad_alloc&) {
      return Status(Code::kResourceExhausted, "http: out of memory", outcome);
    } catch (const std::exception& e) {
      return Status(Code::kInternal, std::string("http: ") + e.what(), outcome);
    }
  }

 private:
  /// `*outcome` is what would be true of the request if everything ended now.
  Result<HttpResponse> sendChecked(const HttpRequest& request, Outcome* outcome) {
    const Result<HttpUrl> url = parseHttpUrl(request.url);
    const Status valid = url.ok() ? checkHttpRequest(request) : url.status();
    if (!valid.ok()) return as(Outcome::kNotApplied, valid);
    if (request.deadline_ms <= 0) {
      return Status(Code::kDeadlineExceeded, "http: no time was left for the request", Outcome::kNotApplied);
    }
    const CallBound bound(clock_, std::min<std::int64_t>(request.deadline_ms, 86'400'000), request.cancelled);
    const std::string key = poolKey(*url, request);
    const bool safe = request.method == "GET" || request.method == "HEAD";
    for (bool may_keep = true;; may_keep = false) {
      Connection connection = may_keep ? pool_.take(key) : nullptr;
      const bool kept = connection != nullptr;
      const auto fail = [&](const Status& why) {
        return Status(why.code(), request.method + " " + url->origin() + ": " + why.message(), *outcome);
      };
      if (kept && !viaProxy(*url) && request.check_address) {
        if (const Status allowed = request.check_address(connection->address()); !allowed.ok()) return fail(allowed);
      } else if (!kept) {
        Result<Connection> opened = connect(*url, request, bound);
        if (!opened.ok()) return fail(opened.status());
        connection = *std::move(opened);
      }
      ResponseParser parser(request.method, std::min(request.max_response_bytes, kMaxResponse));
      bool written = false;
      const Status status = exchange(*connection, *url, request, bound, parser, &written);
      if (written) *outcome = Outcome::kUnknown;
      if (status.ok()) {
        if (parser.keepsAlive()) pool_.put(key, std::move(connection));
        HttpResponse response = parser.take();
        response.retry_after_ms = retryAfterMs(headerOf(response.headers, "retry-after"), clock_);
        return response;
      }
      const bool stale =
          kept && !parser.started() && (status.code() == Code::kUnavailable || status.code() == Code::kDataLoss);
      if (!stale || (written && !safe)) return fail(status);
    }
  }

  Status exchange(ClientConnection& connection, const HttpUrl& url, const HttpRequest& request, const CallBound& bound,
                  ResponseParser& parser, bool* written) {
    const bool whole = viaProxy(url) && !url.tls;
    const std::string target = whole ? "http://" + url.authority() + url.target : url.target;
    VCC_RETURN_IF_ERROR(connection.write(requestHead(request, url, target, options_.user_agent), bound, written));
    // A server may answer and close before it has read the whole body; what it said is worth more than the failure.
    Status sent = connection.write(request.body, bound, written);
    if (!sent.ok() && sent.code() != Code::kUnavailable) return sent;
    Status received = receive(connection, bound, parser);
    if (sent.ok()) return received;
    return received.ok() ? parser.close() : sent;  // closed: half a request must not meet the next one
  }

  static Status receive(ClientConnection& connection, const CallBound& bound, ResponseParser& parser) {
    std::array<char, 16384> buffer{};
    while (!parser.isDone()) {
      VCC_ASSIGN_OR_RETURN(const std::size_t size, connection.read(buffer.data(), buffer.size(), bound));
      const Status status = size == 0 ? parser.close() : parser.feed({buffer.data(), size});
      if (status.code() == Code::kDataLoss) return unavailable(status.message());
      VCC_RETURN_IF_ERROR(status);
    }
    return okStatus();
  }

  bool viaProxy(const HttpUrl& url) const {
    return proxy_ && std::none_of(options_.no_proxy.begin(), options_.no_proxy.end(), [&](const std::string& name) {
             if (name.empty()) return false;
             return name[0] == '.' ? url.host.size() > name.size() && url.host.ends_with(name) : url.host == name;
           });
  }

  Result<Connection> connect(const HttpUrl& url, const HttpRequest& request, const CallBound& bound) {
    Poco::Net::Context::Ptr tls;
    if (url.tls) {
      VCC_ASSIGN_OR_RETURN(tls, contextFor(url, request));
    }
    const HttpUrl& first = viaProxy(url) ? *proxy_ : url;
    VCC_ASSIGN_OR_RETURN(Connection connection, dial(first, request, bound));
    if (viaProxy(url) && url.tls) VCC_RETURN_IF_ERROR(tunnel(*connection, url, bound).prepend("proxy"));
    if (url.tls) VCC_RETURN_IF_ERROR(connection->startTls(tls, url.host, bound));
    return connection;
  }

  /// Connects to the first address that answers. An address that may not be used is refused even when another may.
  Result<Connection> dial(const HttpUrl& to, const HttpRequest& request, const CallBound& bound) {
    std::vector<Poco::Net::IPAddress> addresses;
    try {
      Poco::Net::IPAddress literal;
      if (Poco::Net::IPAddress::tryParse(to.host, literal)) {
        addresses = {literal};
      } else {
        addresses = Poco::Net::DNS::hostByName(to.host).addresses();
      }
    } catch (const Poco::Exception& e) {
      return unavailable("the name " + to.host + " cannot be resolved: " + e.displayText());
    }
    if (addresses.size() > kMaxAddresses) addresses.resize(kMaxAddresses);
    const bool proxy = proxy_ && &to == &*proxy_;
    Status last = unavailable("the name " + to.host + " has no address");
    for (const Poco::Net::IPAddress& address : addresses) {
      if (!proxy && request.check_address) VCC_RETURN_IF_ERROR(request.check_address(address.toString()));
      Result<Connection> connection = ClientConnection::open(address, to.port, bound);
      if (connection.ok() || connection.status().code() != Code::kUnavailable) return connection;
      last = connection.status();
      last.prepend("no connection to " + address.toString() + (proxy ? " (proxy)" : ""));
    }
    return last;
  }

  Status tunnel(ClientConnection& connection, const HttpUrl& url, const CallBound& bound) const {
    bool written = false;
    VCC_RETURN_IF_ERROR(connection.write("CONNECT " + url.endpoint() + " HTTP/1.1\r\nHost: " + url.endpoint() +
                                             "\r\nUser-Agent: " + options_.user_agent + "\r\n\r\n",
                                         bound, &written));
    ResponseParser parser("CONNECT", 0);
    VCC_RETURN_IF_ERROR(receive(connection, bound, parser));
    const int status = parser.take().status;
    return status == 200 ? okStatus() : unavailable("it answered CONNECT with " + std::to_string(status));
  }

  /// Reading the authorities takes milliseconds: contexts are kept, the number of them is bounded.
  Result<Poco::Net::Context::Ptr> contextFor(const HttpUrl& url, const HttpRequest& request) {
    const std::string key = url.host + "\n" + request.ca_file + "\n" + request.ca_pem;
    const MutexLock lock(contexts_mutex_);
    if (const auto known = contexts_.find(key); known != contexts_.end()) return known->second;
    VCC_ASSIGN_OR_RETURN(Poco::Net::Context::Ptr context, makeClientTls(url.host, request.ca_file, request.ca_pem));
    if (contexts_.size() >= kMaxContexts) contexts_.clear();
    contexts_[key] = context;
    return context;
  }

  const Clock& clock_;
  const HttpTransportOptions options_;
  const std::optional<HttpUrl> proxy_;
  IdlePool pool_;
  Mutex contexts_mutex_;
  std::map<std::string, Poco::Net::Context::Ptr> contexts_ VCC_GUARDED_BY(contexts_mutex_);
};

}  // namespace

Result<std::unique_ptr<HttpTransport>> makePocoHttpTransport(const Clock& clock, const HttpTransportOptions& options) {
  std::optional<HttpUrl> proxy;
  if (!options.proxy.empty()) {
    VCC_ASSIGN_OR_RETURN(proxy, parseHttpUrl(options.proxy));
    if (proxy->tls || proxy->target != "/") return invalidArgument("the proxy must be http://host:port");
  }
  return std::unique_ptr<HttpTransport>(new PocoHttpTransport(clock, options, std::move(proxy)));
}

}  // namespace vcc
