// A TCP client that says exactly what a test wants said.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace flow::sim {

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { ::close(socket_); }

  bool is_connected() const { return is_connected_; }
  // False when the other side has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }
  // What has come when `end` was seen, the other side closed, or five seconds went by.
  std::string read_until(std::string_view end, std::size_t most = 1u << 20) {
    while (text_.find(end) == std::string::npos && text_.size() < most && read_some()) {
    }
    const std::size_t found = text_.find(end);
    const std::size_t size = found == std::string::npos ? text_.size() : found + end.size();
    std::string taken = text_.substr(0, size);
    text_.erase(0, size);
    return taken;
  }
  std::string read_all(std::size_t most = 1u << 20) {
    while (text_.size() < most && read_some()) {
    }
    return std::exchange(text_, {});
  }
  // Whether the last read ended with a reset.
  bool was_reset() const { return was_reset_; }

 private:
  bool read_some() {
    pollfd polled{socket_, POLLIN, 0};
    if (::poll(&polled, 1, 5000) <= 0) return false;
    char buffer[65536];
    const ssize_t size = ::recv(socket_, buffer, sizeof buffer, 0);
    was_reset_ = size < 0;
    if (size <= 0) return false;
    text_.append(buffer, static_cast<std::size_t>(size));
    return true;
  }

  int socket_;
  bool is_connected_ = false, was_reset_ = false;
  std::string text_;
};

}  // namespace flow::sim
