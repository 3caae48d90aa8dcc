// SPDX-License-Identifier: Apache-2.0
// Clients that poll as the SDK does: each asks on a connection of its own every so often, whatever the others do.
// Prints one line of JSON: how many answers, and the milliseconds that half and 99 % of them took, with the connection
// (TCP and TLS) and without. Usage: rest_poller PORT TOKEN PATH CLIENTS PERIOD_MS SECONDS
#include <Poco/Net/Context.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using Time = std::chrono::steady_clock;

double msSince(Time::time_point begin) {
  return std::chrono::duration<double, std::milli>(Time::now() - begin).count();
}

struct Samples {
  std::mutex mutex;
  std::vector<double> whole;
  std::vector<double> answer;
  int failed = 0;
};

void askOnce(const char* token, const char* path, Poco::UInt16 port, const Poco::Net::Context::Ptr& tls,
             Samples& samples) {
  try {
    const auto begin = Time::now();
    Poco::Net::SecureStreamSocket socket(Poco::Net::SocketAddress("127.0.0.1", port), tls);
    const auto asked = Time::now();
    const std::string request = fmt::format(
        "GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nx-vcc-access-token: {}\r\n\r\n", path, token);
    socket.sendBytes(request.data(), static_cast<int>(request.size()));
    std::array<char, 65536> piece{};
    std::string head;
    for (int got = 0; (got = socket.receiveBytes(piece.data(), piece.size())) > 0;) {
      if (head.empty()) head.assign(piece.data(), static_cast<std::size_t>(got));
    }
    const double whole = msSince(begin);
    const double answer = msSince(asked);
    const std::lock_guard lock(samples.mutex);
    if (!head.starts_with("HTTP/1.1 200 ")) ++samples.failed;
    samples.whole.push_back(whole);
    samples.answer.push_back(answer);
  } catch (const Poco::Exception&) {
    const std::lock_guard lock(samples.mutex);
    ++samples.failed;
  }
}

double share(std::vector<double>& values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(part * static_cast<double>(values.size())))];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) return 2;
  const auto port = static_cast<Poco::UInt16>(std::atoi(argv[1]));
  const int clients = std::atoi(argv[4]);
  const std::chrono::milliseconds period(std::atoi(argv[5]));
  const auto begin = Time::now();
  const auto end = begin + std::chrono::seconds(std::atoi(argv[6]));
  const Poco::Net::Context::Ptr tls =
      new Poco::Net::Context(Poco::Net::Context::TLS_CLIENT_USE, "", "", "", Poco::Net::Context::VERIFY_NONE);
  Samples samples;
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(clients));
  for (int i = 0; i < clients; ++i) {
    threads.emplace_back([&, i] {
      for (auto next = begin + i * period / clients; next < end; next += period) {
        std::this_thread::sleep_until(next);
        askOnce(argv[2], argv[3], port, tls, samples);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  fmt::print(
      "{{\"answers\": {}, \"failed\": {}, \"p50\": {:.2f}, \"p99\": {:.2f}, \"answer_p50\": {:.2f}, "
      "\"answer_p99\": {:.2f}}}\n",
      samples.whole.size(), samples.failed, share(samples.whole, 0.5), share(samples.whole, 0.99),
      share(samples.answer, 0.5), share(samples.answer, 0.99));
  return 0;
}
