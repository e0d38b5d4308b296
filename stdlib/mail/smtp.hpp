// Mail by SMTP submission. A message is given as fields; the sender writes the headers, so that nothing in a
// field can become a header, a recipient or a command.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "base/fault.hpp"
#include "stdlib/mail/message.hpp"

namespace flow {

struct SmtpServer {
  enum class Security : std::uint8_t {
    None,      // clear text; for relays on this machine
    StartTls,  // refused when the server does not offer it
    Implicit,  // TLS from the first byte, port 465
  };
  enum class Login : std::uint8_t { None, Password, Bearer };  // Bearer is XOAUTH2
  enum class Mechanism : std::uint8_t { Any, Plain, Login };   // of a password; Any: PLAIN or LOGIN

  std::string host;
  std::uint16_t port = 587;
  Security security = Security::StartTls;
  Login login = Login::None;
  Mechanism mechanism = Mechanism::Any;
  bool sends_login_in_clear = false;  // without TLS a login is refused, unless somebody has said so
  std::string user;
  std::string ca_bundle;  // PEM file; empty is the system's bundle
  std::string helo;       // the name we give ourselves; empty lets the library choose
};

struct SmtpJob {
  SmtpServer server;
  std::string credential;  // password or token; empty when the server wants none
  MailMessage message;
  bool is_trial = false;  // only connects and signs in: no message is sent, and none is needed
  std::int64_t deadline_us = 60'000'000;
};

struct MailSent {
  std::string message_id;  // with its angle brackets; empty after a trial
};
// A Fault's kind says what to do: BadRequest, Forbidden, Unauthorized never succeed; Throttled and
// Unavailable may later; maybe_executed means that the message may have been accepted all the same.
using MailResult = tl::expected<MailSent, Fault>;

class SmtpSender {
 public:
  virtual ~SmtpSender() = default;
  // Calls `done` exactly once, from any thread, perhaps before send() returns. Never blocks on the network.
  virtual void send(SmtpJob job, std::function<void(MailResult)> done) = 0;
};

// The implementation on libcurl: one thread, at most two connections to a server at a time, a queue of at
// most a thousand messages. Its destructor ends what is under way.
std::unique_ptr<SmtpSender> make_curl_smtp_sender();

}  // namespace flow
