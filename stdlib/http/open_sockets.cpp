#include "stdlib/http/open_sockets.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

namespace flow {

int OpenSockets::port_of(int fd, Socket& socket) {
  if (socket.port != 0) return socket.port;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET)
    socket.port = ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6)
    socket.port = ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return socket.port;
}

void OpenSockets::is_talkative(int port) {
  for (auto& [fd, socket] : sockets_)
    if (port_of(fd, socket) == port) socket.is_talkative = true;
}

bool OpenSockets::is_unquiet(int port) {
  for (auto& [fd, socket] : sockets_) {
    if (socket.is_talkative || port_of(fd, socket) != port) continue;
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, 0) > 0) return true;
  }
  return false;
}

}  // namespace flow
