// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <thread>
#include <vector>

#include "base/log_scope.h"

using namespace vcc;

namespace {

/// A pipe whose written bytes can be taken out.
class Pipe {
 public:
  Pipe() { REQUIRE(pipe(ends_.data()) == 0); }
  ~Pipe() {
    close(ends_[0]);
    close(ends_[1]);
  }
  int in() const { return ends_[1]; }
  std::string take() const {
    std::string out(65536, '\0');
    const ssize_t count = read(ends_[0], out.data(), out.size());
    out.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return out;
  }

 private:
  std::array<int, 2> ends_{};
};

/// The line without its time stamp.
std::string body(const std::string& line) { return line.substr(line.find(' ') + 1); }

}  // namespace

TEST_CASE("a line has time, severity, id, fields and text") {
  const Pipe pipe;
  FdLogger log(pipe.in(), Severity::kInfo);
  log.warn("TEST_LINE", "the text of it", {{"node", 3}, {"flag", true}, {"name", "web-1"}});
  const std::string line = pipe.take();
  std::string shape = line.substr(0, line.find(' '));
  for (char& c : shape) c = c >= '0' && c <= '9' ? '9' : c;
  CHECK(shape == "9999-99-99T99:99:99.999Z");
  CHECK(body(line) == "WARNING TEST_LINE node=3 flag=true name=web-1 the text of it\n");
}

TEST_CASE("lines below the threshold are dropped") {
  const Pipe pipe;
  FdLogger log(pipe.in(), Severity::kWarning);
  log.debug("TEST_A", "a");
  log.info("TEST_B", "b");
  log.error("TEST_C", "c");
  CHECK(body(pipe.take()) == "ERROR TEST_C c\n");
}

TEST_CASE("nothing in a value or a text can forge a line, a field or a terminal command") {
  const Pipe pipe;
  FdLogger log(pipe.in(), Severity::kInfo);
  const std::pair<std::string, std::string> values[] = {
      {"", R"("")"},
      {"a b", R"("a b")"},
      {"a=b", R"("a=b")"},
      {"say \"x\"", R"("say \"x\"")"},
      {"a\\b", R"("a\\b")"},
      {"x\n2026-01-01T00:00:00.000Z ERROR FORGED", R"("x\n2026-01-01T00:00:00.000Z ERROR FORGED")"},
      {"\x1b[31m\r\t\x7f", R"("\x1b[31m\x0d\t\x7f")"},
      {"\xC2\x9B"
       "31m",
       R"("\u009b31m")"},
      {std::string("nul\0!", 5), R"("nul\x00!")"},
      {"caf\xC3\xA9", "\"caf\xC3\xA9\""},
      {"bad\xFF", "\"bad\xEF\xBF\xBD\""},
  };
  for (const auto& [value, shown] : values) {
    log.info("TEST_VALUE", "t", {{"v", value}});
    CHECK(body(pipe.take()) == "INFO TEST_VALUE v=" + shown + " t\n");
  }
  log.info("TEST_TEXT", "a\nERROR FORGED \x1b[2J \\n");
  CHECK(body(pipe.take()) == "INFO TEST_TEXT a\\nERROR FORGED \\x1b[2J \\\\n\n");
}

TEST_CASE("a huge value is cut") {
  const Pipe pipe;
  FdLogger log(pipe.in(), Severity::kInfo);
  log.info("TEST_HUGE", "end", {{"v", std::string(50000, 'x')}});
  const std::string line = pipe.take();
  CHECK(line.size() < 2200);
  CHECK(line.find("xxx... end\n") != std::string::npos);
}

TEST_CASE("lines of several threads do not mix") {
  const Pipe pipe;
  FdLogger log(pipe.in(), Severity::kInfo);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&log, t] {
      for (int i = 0; i < 50; ++i) log.info("TEST_MIX", "tail", {{"v", std::string(100, static_cast<char>('a' + t))}});
    });
  }
  for (auto& thread : threads) thread.join();
  const std::string all = pipe.take();
  std::size_t count = 0;
  for (std::size_t at = 0; at < all.size(); ++count) {
    const auto end = all.find('\n', at);
    REQUIRE(end != std::string::npos);
    const std::string line = body(all.substr(at, end - at));
    const std::string head = "INFO TEST_MIX v=";
    REQUIRE(line.size() > head.size());
    CHECK(line == head + std::string(100, line[head.size()]) + " tail");
    at = end + 1;
  }
  CHECK(count == 200);
}

TEST_CASE("a closed descriptor is survived") {
  FdLogger log(-1, Severity::kInfo);
  log.info("TEST_CLOSED", "nobody reads this");
}

TEST_CASE("lines within a scope carry its field, on its own thread only") {
  const Pipe pipe;
  FdLogger log(pipe.in(), Severity::kInfo);
  {
    const LogScope scope("request", "1a2b");
    log.info("A", "x");
    {
      const LogScope inner("step", "2");
      log.info("B", "x", {{"key", 1}});
    }
    std::thread([&log] { log.info("C", "x"); }).join();
  }
  log.info("D", "x");
  std::string text = pipe.take();
  std::vector<std::string> lines;
  for (std::size_t end = 0; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
    lines.push_back(body(text.substr(0, end)));
  }
  CHECK(lines == std::vector<std::string>{"INFO A request=1a2b x", "INFO B step=2 request=1a2b key=1 x", "INFO C x",
                                          "INFO D x"});
}
