// A server on loopback that sends exactly the bytes a test gives it, and counts what it was asked.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace flow {

// One accepted connection, in the hands of a script. Every operation ends within `patience`.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  ~Peer() { close(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // The next request with its body (by Content-Length); empty when the client closed or nothing came in time.
  std::string read_request();
  bool write(std::string_view bytes);
  // Writes one byte at a time until the client is gone or `limit` has passed.
  void drip(std::string_view bytes, std::chrono::milliseconds pause, std::chrono::milliseconds limit);
  // Writes `chunk` again and again until the client is gone or `limit` bytes have passed.
  void flood(std::string_view chunk, std::size_t limit);
  void wait_for_close(std::chrono::milliseconds limit);
  void close();
  void reset();  // closes with RST

 private:
  int fd_;
  std::string buffer_;
};

class ScriptedServer {
 public:
  // `script` handles one connection; it runs in a thread of its own. `number` counts connections from 0.
  using Script = std::function<void(Peer&, int number)>;
  explicit ScriptedServer(Script script);
  ~ScriptedServer();

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& path = "/") const;
  int connections() const { return connections_; }

  // For scripts: notes a request as executed, and tells how many were.
  void note(const std::string& request);
  int executions() const;
  std::vector<std::string> requests() const;

 private:
  void accept_all();

  Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> is_ending_ = false;
  std::atomic<int> connections_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<std::thread> threads_;
  std::vector<int> open_;
  std::thread acceptor_;
};

// `HTTP/1.1 <status> …` with Content-Length and `body`; `headers` are whole lines with CRLF.
std::string answer(int status, std::string_view body, std::string_view headers = {});

// The value of a header of a request as it came in; empty when it has none.
std::string header_of(const std::string& request, std::string_view name);

// A port whose queue of connections is full: to connect takes for ever.
class DeafServer {
 public:
  DeafServer();
  ~DeafServer();
  std::uint16_t port() const { return port_; }

 private:
  std::vector<int> sockets_;
  std::uint16_t port_ = 0;
};

// A port on which nobody listens.
std::uint16_t closed_port();

}  // namespace flow
