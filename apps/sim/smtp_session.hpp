// One SMTP dialogue without the network: bytes in, bytes out. Limits: 12,288 bytes for a command line, 998
// and the line end for a line of a message, 100 recipients, 10 MB for a message, 20 errors.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/sim/model.hpp"

namespace flow::sim {

struct SmtpOptions {
  std::string user, password;  // empty: any login is right
  bool requires_login = false;
  bool offers_tls = false;    // STARTTLS
  bool requires_tls = false;  // before a login and a mail
  bool is_secure = false;     // TLS from the first byte
  std::size_t most_bytes = 10u << 20;
};

struct SmtpEnvelope {
  std::string from;
  std::vector<std::string> to;
};

class SmtpSession {
 public:
  struct Hooks {
    std::function<void(SmtpEnvelope, std::string message)> deliver;
    std::function<std::optional<SmtpFault>(std::string_view command)> fault;  // MAIL RCPT DATA AUTH
    // Whether this token is good for the mailbox; without it any is.
    std::function<bool(std::string_view user, std::string_view token)> is_token;
  };

  SmtpSession(SmtpOptions options, Hooks hooks);

  // The greeting comes from the first call, with nothing to feed.
  std::string feed(std::string_view bytes);
  bool is_over() const { return is_over_; }  // close after writing what feed() gave
  // After writing what feed() gave, TLS begins; then begin_tls(), and what is fed is what TLS says.
  bool wants_tls() const { return wants_tls_; }
  void begin_tls();

 private:
  enum class Mode : std::uint8_t { Command, Data, PlainResponse, TokenResponse, LoginUser, LoginPassword };

  void on_line(std::string_view line, bool ends_with_crlf);
  void on_command(std::string_view line);
  void on_starttls(std::string_view rest);
  void on_auth(std::string_view rest);
  void on_mail(std::string_view rest);
  void on_rcpt(std::string_view rest);
  void on_data();
  void on_data_line(std::string_view line, bool ends_with_crlf);
  void end_data();
  void finish_login(bool is_right);
  bool check_plain(std::string_view response) const;
  bool check_xoauth2(std::string_view response) const;
  bool meets_fault(std::string_view command);
  void reply(std::string_view line);
  void fail(std::string_view line);
  void forget_mail();

  SmtpOptions options_;
  Hooks hooks_;
  Mode mode_ = Mode::Command;
  std::string input_, output_, message_, login_user_;
  std::optional<std::string> from_;
  std::vector<std::string> to_;
  std::string data_problem_;  // the reply that the message gets in place of 250
  bool wants_tls_ = false;
  bool has_greeted_ = false, has_ehlo_ = false, has_login_ = false, is_over_ = false;
  int errors_ = 0;
};

}  // namespace flow::sim
