// An SMTP server on loopback that follows a script of replies and keeps what it is told.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace flow {

class SmtpTestServer {
 public:
  // Replies by command (`MAIL`, `RCPT`, `DATA`, `.` for the end of the message, …) in place of the usual
  // ones. An empty reply closes the connection without a word.
  using Replies = std::map<std::string, std::string>;
  explicit SmtpTestServer(Replies replies = {});
  ~SmtpTestServer();

  std::uint16_t port() const { return port_; }
  std::vector<std::string> commands() const;
  std::string message() const;  // the last one, as it came over the wire, without the final dot

 private:
  void serve();
  void converse(int fd);
  std::string reply_to(const std::string& line) const;

  Replies replies_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> is_ending_ = false;
  std::atomic<int> current_ = -1;  // the connection being served
  mutable std::mutex mutex_;
  std::vector<std::string> commands_;
  std::string message_;
  std::thread thread_;
};

}  // namespace flow
