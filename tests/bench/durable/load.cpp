#include "tests/bench/durable/load.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "base/text.hpp"

namespace flow::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kNumber = "################";
constexpr int kSilentMs = 30'000;

struct Client {
  int fd = -1;
  std::string answer;
  Clock::time_point asked_at;
};

// Of an answer's head, a header's value.
std::optional<std::string_view> header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (!equals_ignoring_case(line.substr(0, name.size()), name)) continue;
    const std::string_view value = line.substr(name.size() + 1);
    return value.substr(std::min(value.find_first_not_of(' '), value.size()));
  }
  return std::nullopt;
}

// The status of the answer, once all of it is there.
std::optional<int> whole_answer(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view head = bytes.substr(0, end);
  const std::string_view body = bytes.substr(end + 4);
  if (const auto length = header(head, "content-length")) {
    std::size_t size = 0;
    std::from_chars(length->data(), length->data() + length->size(), size);
    if (body.size() < size) return std::nullopt;
  } else if (header(head, "transfer-encoding") && !body.ends_with("0\r\n\r\n")) {
    return std::nullopt;
  }
  int status = 0;
  if (head.size() > 12) std::from_chars(head.data() + 9, head.data() + 12, status);
  return status;
}

class Generator {
 public:
  explicit Generator(const Load& load) : load_(load) {
    request_ = fmt::format(
        "POST {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: "
        "{}\r\n{}\r\n{}",
        load.path, load.port, load.body.size(), load.headers, load.body);
    number_at_ = request_.find(kNumber);
    poller_ = ::epoll_create1(EPOLL_CLOEXEC);
  }
  ~Generator() {
    for (const Client& client : clients_) ::close(client.fd);
    ::close(poller_);
  }
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  Status connect() {
    clients_.resize(load_.in_flight);
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      const int fd = clients_[i].fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(load_.port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        return error(fmt::format("nothing listens at 127.0.0.1:{}", load_.port));
      epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
      ::epoll_ctl(poller_, EPOLL_CTL_ADD, fd, &event);
    }
    return {};
  }

  Status run() {
    begun_at_ = Clock::now();
    ends_at_ =
        begun_at_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(load_.seconds));
    std::size_t open = clients_.size();
    for (Client& client : clients_) FLOW_TRY_STATUS(ask(client));
    std::array<epoll_event, 128> events{};
    while (open > 0) {
      const int count = ::epoll_wait(poller_, events.data(), static_cast<int>(events.size()), kSilentMs);
      if (count == 0) return error(fmt::format("127.0.0.1:{}{} does not answer", load_.port, load_.path));
      for (int i = 0; i < count; ++i) {
        FLOW_TRY(const bool goes_on, take(clients_[events[static_cast<std::size_t>(i)].data.u64]));
        if (!goes_on) --open;
      }
    }
    return {};
  }

  Measured measured() {
    Measured all = measured_;
    all.seconds = std::chrono::duration<double>(Clock::now() - begun_at_).count();
    all.answers = waits_ms_.size();
    if (waits_ms_.empty()) return all;
    std::ranges::sort(waits_ms_);
    const auto at = [&](std::size_t percent) {
      return static_cast<double>(waits_ms_[std::min(waits_ms_.size() - 1, waits_ms_.size() * percent / 100)]);
    };
    all.p50_ms = at(50);
    all.p99_ms = at(99);
    all.longest_ms = static_cast<double>(waits_ms_.back());
    return all;
  }

 private:
  Status ask(Client& client) {
    static std::uint64_t number = static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
    if (number_at_ != std::string::npos)
      fmt::format_to(request_.begin() + static_cast<std::ptrdiff_t>(number_at_), "{:016x}", ++number);
    client.answer.clear();
    client.asked_at = Clock::now();
    // The socket blocks when its buffer is full, which takes more than one request.
    if (::send(client.fd, request_.data(), request_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request_.size()))
      return error(fmt::format("127.0.0.1:{} closed the connection", load_.port));
    return {};
  }

  // What came; false when the client is to ask no more.
  Result<bool> take(Client& client) {
    const ssize_t got = ::recv(client.fd, chunk_.data(), chunk_.size(), 0);
    if (got <= 0) return error(fmt::format("127.0.0.1:{} closed the connection", load_.port));
    client.answer.append(chunk_.data(), static_cast<std::size_t>(got));
    const auto status = whole_answer(client.answer);
    if (!status) return true;
    const Clock::time_point now = Clock::now();
    waits_ms_.push_back(std::chrono::duration<float, std::milli>(now - client.asked_at).count());
    if (*status / 100 != 2 && measured_.refusals++ == 0)
      measured_.first_refusal = client.answer.substr(0, 400);
    if (now >= ends_at_) return false;
    FLOW_TRY_STATUS(ask(client));
    return true;
  }

  const Load& load_;
  std::string request_;
  std::size_t number_at_ = 0;
  int poller_ = -1;
  std::vector<Client> clients_;
  std::vector<float> waits_ms_;
  std::array<char, 65536> chunk_{};
  Clock::time_point begun_at_, ends_at_;
  Measured measured_;
};

}  // namespace

Result<Measured> put_load(const Load& load) {
  Generator generator(load);
  FLOW_TRY_STATUS(generator.connect());
  FLOW_TRY_STATUS(generator.run());
  return generator.measured();
}

}  // namespace flow::bench
