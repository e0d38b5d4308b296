#include "tests/bench/durable/tenant.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/text.hpp"
#include "tests/bench/durable/alert.hpp"

namespace flow::bench {
namespace {

std::string answer(std::string_view status, std::string_view body) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}", status,
                     body.size(), body);
}

// Where the first request in `bytes` ends; nothing when it is not all there. Clients send a length, or a body
// in chunks of which the last ends it.
std::optional<std::size_t> end_of_request(std::string_view bytes) {
  const std::size_t head = bytes.find("\r\n\r\n");
  if (head == std::string_view::npos) return std::nullopt;
  const std::string lower = lower_ascii(bytes.substr(0, head));
  if (const std::size_t at = lower.find("\r\ncontent-length:"); at != std::string::npos) {
    const std::size_t end = head + 4 + std::strtoull(lower.c_str() + at + 17, nullptr, 10);
    return bytes.size() < end ? std::nullopt : std::optional(end);
  }
  if (lower.find("\r\ntransfer-encoding: chunked") == std::string::npos) return head + 4;
  const std::size_t last = bytes.find("0\r\n\r\n", head + 4);
  return last == std::string_view::npos ? std::nullopt : std::optional(last + 5);
}

class Server {
 public:
  Server(int listener, Tenant::Counts& counts) : listener_(listener), counts_(counts) {
    poller_ = ::epoll_create1(EPOLL_CLOEXEC);
    watch(listener);
  }

  [[noreturn]] void serve() {
    std::array<epoll_event, 64> events{};
    for (;;) {
      const int count = ::epoll_wait(poller_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        fd == listener_ ? accept() : take(fd);
      }
    }
  }

 private:
  void watch(int fd) const {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    ::epoll_ctl(poller_, EPOLL_CTL_ADD, fd, &event);
  }
  void accept() const {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(fd);
  }
  void take(int fd) {
    const ssize_t got = ::recv(fd, chunk_.data(), chunk_.size(), 0);
    if (got <= 0) {
      asked_.erase(fd);
      ::close(fd);
      return;
    }
    std::string& bytes = asked_[fd].append(chunk_.data(), static_cast<std::size_t>(got));
    std::string out;
    for (auto end = end_of_request(bytes); end; end = end_of_request(bytes)) {
      out += answer_to(std::string_view(bytes).substr(0, bytes.find("\r\n")));
      bytes.erase(0, *end);
    }
    if (!out.empty()) ::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
  }
  const std::string& answer_to(std::string_view request) {
    const auto has = [&](std::string_view part) { return request.find(part) != std::string_view::npos; };
    if (request.starts_with("GET /api/alerts/")) return ++counts_.reads, alert_;
    if (has("/isolate ")) return ++counts_.isolations, action_;
    if (has("/sendMail ")) return ++counts_.mails, mail_;
    if (has("/token ")) return ++counts_.tokens, token_;
    return ++counts_.others, unknown_;
  }

  int listener_;
  int poller_ = -1;
  Tenant::Counts& counts_;
  std::unordered_map<int, std::string> asked_;
  std::array<char, 65536> chunk_{};
  const std::string alert_ = answer("200 OK", sample_alert("da637308392288907382_-880718168"));
  const std::string action_ = answer(
      "201 Created",
      R"({"id":"5382f7ea-7557-4ab7-9782-d50480024a4e","type":"Isolate","requestor":"flow@contoso.com","requestorComment":"isolated by flow","status":"Pending","machineId":"7b1f4967d9728e5aa3c06a9e617a22a4a5a17378","creationDateTimeUtc":"2026-01-01T14:39:38.2262283Z","lastUpdateTimeUtc":"2026-01-01T14:40:44.6596267Z","relatedFileInfo":null})");
  const std::string mail_ = answer("202 Accepted", "{}");
  const std::string token_ =
      answer("200 OK", fmt::format(R"({{"token_type":"Bearer","expires_in":3599,"access_token":"{}"}})",
                                   std::string(200, 't')));
  const std::string unknown_ = answer("404 Not Found", "{}");
};

}  // namespace

Result<std::unique_ptr<Tenant>> Tenant::start() {
  std::unique_ptr<Tenant> tenant(new Tenant());
  void* const shared =
      ::mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return error("no memory for the tenant");
  tenant->counts_ = new (shared) Counts{};
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, 1024) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return error("the tenant cannot listen");
  tenant->port_ = ntohs(address.sin_port);
  tenant->pid_ = ::fork();
  if (tenant->pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    Server(listener, *tenant->counts_).serve();
  }
  ::close(listener);
  if (tenant->pid_ < 0) return error("cannot start another process");
  return tenant;
}

Tenant::~Tenant() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (counts_ != nullptr) ::munmap(counts_, sizeof(Counts));
}

}  // namespace flow::bench
