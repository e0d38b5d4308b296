#include "tests/unit/stdlib/smtp_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace flow {
namespace {

const std::map<std::string, std::string>& usual_replies() {
  static const std::map<std::string, std::string> replies{
      {"EHLO", "250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN XOAUTH2"},
      {"MAIL", "250 2.1.0 ok"},
      {"RCPT", "250 2.1.5 ok"},
      {"DATA", "354 go on"},
      {".", "250 2.0.0 queued"},
      {"QUIT", "221 bye"},
      {"AUTH", "235 2.7.0 ok"},
      {"RSET", "250 ok"},
      {"NOOP", "250 ok"}};
  return replies;
}

// Lines of one connection.
class Lines {
 public:
  explicit Lines(int fd) : fd_(fd) {}

  bool read(std::string& line) {
    std::array<char, 8192> chunk{};
    for (;;) {
      if (const std::size_t end = buffer_.find("\r\n"); end != std::string::npos) {
        line = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        return true;
      }
      const ssize_t got = ::recv(fd_, chunk.data(), chunk.size(), 0);
      if (got <= 0) return false;
      buffer_.append(chunk.data(), static_cast<std::size_t>(got));
    }
  }
  void write(const std::string& line) {
    const std::string bytes = line + "\r\n";
    static_cast<void>(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }

 private:
  int fd_;
  std::string buffer_;
};

}  // namespace

SmtpTestServer::SmtpTestServer(Replies replies) : replies_(std::move(replies)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  ::listen(listener_, 16);
  thread_ = std::thread([this] { serve(); });
}

SmtpTestServer::~SmtpTestServer() {
  is_ending_ = true;
  if (const int fd = current_; fd >= 0) ::shutdown(fd, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

void SmtpTestServer::serve() {
  while (!is_ending_) {
    pollfd entry{.fd = listener_, .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, 10) <= 0) continue;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const timeval patience{.tv_sec = 1, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    current_ = fd;
    converse(fd);
    current_ = -1;
    ::close(fd);
  }
}

void SmtpTestServer::converse(int fd) {
  Lines lines(fd);
  lines.write("220 test ESMTP");
  std::string line, body;
  bool is_body = false;
  while (lines.read(line)) {
    if (is_body && line != ".") {
      body += line + "\r\n";
      continue;
    }
    std::string reply;
    {
      const std::lock_guard lock(mutex_);
      if (is_body)
        message_ = body;
      else
        commands_.push_back(line);
      reply = reply_to(line);
    }
    if (reply.empty()) return;
    lines.write(reply);
    is_body = reply.starts_with("354");
  }
}

std::string SmtpTestServer::reply_to(const std::string& line) const {
  for (const auto* replies : {&replies_, &usual_replies()})
    for (const auto& [command, reply] : *replies)
      if (line.starts_with(command)) return reply;
  return "500 what?";
}

std::vector<std::string> SmtpTestServer::commands() const {
  const std::lock_guard lock(mutex_);
  return commands_;
}

std::string SmtpTestServer::message() const {
  const std::lock_guard lock(mutex_);
  return message_;
}

}  // namespace flow
