// The sockets of a library that keeps connections and does not tell which socket a request goes out on: they
// are known by their local port.
#pragma once

#include <cstdint>
#include <map>

namespace flow {

class OpenSockets {
 public:
  void opened(int fd) { sockets_.emplace(fd, Socket{}); }
  void closed(int fd) { sockets_.erase(fd); }
  // The connection from this port speaks HTTP/2: the server may say something at any time.
  void is_talkative(int port);
  // A kept connection from this port is closed, or holds bytes after the last answer, which would be taken
  // for the next one's. Rarely it is another one from the same port, to another server: harmless, as it costs
  // a connection.
  bool is_unquiet(int port);

 private:
  struct Socket {
    int port = 0;  // 0 until it is asked for: a socket has none before it is connected
    bool is_talkative = false;
  };
  static int port_of(int fd, Socket& socket);

  std::map<int, Socket> sockets_;
};

}  // namespace flow
