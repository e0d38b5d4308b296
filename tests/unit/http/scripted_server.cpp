#include "tests/unit/http/scripted_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "base/text.hpp"

namespace flow {
namespace {

constexpr int kPatienceMs = 5000;

int bound_socket(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

bool is_readable(int fd, int timeout_ms) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, timeout_ms) > 0;
}

}  // namespace

std::string header_of(const std::string& request, std::string_view name) {
  for (std::size_t at = request.find("\r\n"); at != std::string::npos; at = request.find("\r\n", at + 2)) {
    const std::string_view line =
        std::string_view(request).substr(at + 2, request.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':' ||
        !equals_ignoring_case(line.substr(0, name.size()), name))
      continue;
    const std::size_t value = line.find_first_not_of(' ', name.size() + 1);
    return value == std::string_view::npos ? std::string() : std::string(line.substr(value));
  }
  return {};
}

namespace {

// Bytes of body that the head announces.
std::size_t announced(const std::string& head) {
  return std::strtoull(header_of(head, "Content-Length").c_str(), nullptr, 10);
}

}  // namespace

std::string Peer::read_request() {
  std::array<char, 65536> chunk{};
  for (;;) {
    const std::size_t end = buffer_.find("\r\n\r\n");
    if (end != std::string::npos && buffer_.size() >= end + 4 + announced(buffer_.substr(0, end + 2))) {
      const std::size_t size = end + 4 + announced(buffer_.substr(0, end + 2));
      const std::string request = buffer_.substr(0, size);
      buffer_.erase(0, size);
      return request;
    }
    if (fd_ < 0 || !is_readable(fd_, kPatienceMs)) return {};
    const ssize_t got = ::recv(fd_, chunk.data(), chunk.size(), 0);
    if (got <= 0) return {};
    buffer_.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

bool Peer::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void Peer::drip(std::string_view bytes, std::chrono::milliseconds pause, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (std::size_t i = 0; std::chrono::steady_clock::now() < end; i = (i + 1) % bytes.size()) {
    if (!write(bytes.substr(i, 1))) return;
    std::this_thread::sleep_for(pause);
  }
}

void Peer::flood(std::string_view chunk, std::size_t limit) {
  for (std::size_t sent = 0; sent < limit; sent += chunk.size())
    if (!write(chunk)) return;
}

void Peer::wait_for_close(std::chrono::milliseconds limit) {
  std::array<char, 4096> chunk{};
  const auto end = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < end)
    if (is_readable(fd_, 20) && ::recv(fd_, chunk.data(), chunk.size(), 0) <= 0) return;
}

void Peer::close() {
  if (fd_ < 0) return;
  ::shutdown(fd_, SHUT_RDWR);
  fd_ = -1;  // the server closes the descriptor itself, when nobody can mistake it for another
}

void Peer::reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  // With this option closing sends RST; a descriptor of nothing takes the number's place until the server
  // closes it.
  const int nothing = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::dup3(nothing, fd_, O_CLOEXEC);
  ::close(nothing);
  fd_ = -1;
}

ScriptedServer::ScriptedServer(Script script) : script_(std::move(script)) {
  listener_ = bound_socket(port_);
  ::listen(listener_, 512);
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedServer::~ScriptedServer() {
  is_ending_ = true;
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  for (const int fd : open_) ::close(fd);
}

void ScriptedServer::accept_all() {
  while (!is_ending_) {
    if (!is_readable(listener_, 10)) continue;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const int number = connections_++;
    {
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
    }
    threads_.emplace_back([this, fd, number] {
      Peer peer(fd);
      script_(peer, number);
    });
  }
}

std::string ScriptedServer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

void ScriptedServer::note(const std::string& request) {
  const std::lock_guard lock(mutex_);
  if (!request.empty()) requests_.push_back(request);
}

int ScriptedServer::executions() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(requests_.size());
}

std::vector<std::string> ScriptedServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::string answer(int status, std::string_view body, std::string_view headers) {
  return "HTTP/1.1 " + std::to_string(status) + " Text\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

DeafServer::DeafServer() {
  std::uint16_t port = 0;
  sockets_.push_back(bound_socket(port));
  ::listen(sockets_[0], 0);
  port_ = port;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  for (int i = 0; i < 4; ++i) {  // more than the backlog holds: the kernel drops what comes after
    sockets_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ::connect(sockets_.back(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
}

DeafServer::~DeafServer() {
  for (const int fd : sockets_) ::close(fd);
}

std::uint16_t closed_port() {
  std::uint16_t port = 0;
  ::close(bound_socket(port));
  return port;
}

}  // namespace flow
