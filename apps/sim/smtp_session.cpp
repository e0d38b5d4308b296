#include "apps/sim/smtp_session.hpp"

#include <algorithm>

#include "apps/sim/url.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kLongestCommand = 12'288;
constexpr std::size_t kLongestText = 998;
constexpr std::size_t kMostRecipients = 100;
constexpr int kMostErrors = 20;

// `<a@b>` and what follows it; nothing when malformed. MAIL may name nobody: `<>`.
struct Path {
  std::string address;
  std::string_view parameters;
};
std::optional<Path> parse_path(std::string_view text, bool may_be_empty) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  const std::size_t end = text.find('>');
  if (!text.starts_with('<') || end == std::string_view::npos) return std::nullopt;
  const std::string_view address = text.substr(1, end - 1);
  const bool has_control = std::ranges::any_of(address, [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '<' || c == ',';
  });
  const std::size_t at = address.find('@');
  const bool is_address = at != std::string_view::npos && at > 0 && at + 1 < address.size();
  if (has_control || (!is_address && !(may_be_empty && address.empty()))) return std::nullopt;
  return Path{std::string(address), text.substr(end + 1)};
}

}  // namespace

SmtpSession::SmtpSession(SmtpOptions options, Hooks hooks)
    : options_(std::move(options)), hooks_(std::move(hooks)) {}

void SmtpSession::reply(std::string_view line) {
  output_ += line;
  output_ += "\r\n";
}

void SmtpSession::fail(std::string_view line) {
  reply(line);
  if (++errors_ < kMostErrors) return;
  reply("421 4.7.0 too many errors");
  is_over_ = true;
}

std::string SmtpSession::feed(std::string_view bytes) {
  if (!has_greeted_) reply("220 sim.example.com ESMTP pretend tenant");
  has_greeted_ = true;
  input_ += bytes;
  std::size_t start = 0;
  while (!is_over_ && !wants_tls_) {
    const std::size_t end = input_.find('\n', start);
    if (end == std::string::npos) break;
    const bool ends_with_crlf = end > start && input_[end - 1] == '\r';
    on_line(std::string_view(input_).substr(start, end - start - (ends_with_crlf ? 1 : 0)), ends_with_crlf);
    start = end + 1;
  }
  input_.erase(0, start);
  // What came in the clear behind STARTTLS somebody may have put there: nothing of it is heard.
  if (wants_tls_) input_.clear();
  if (!is_over_ && input_.size() > kLongestCommand) {
    reply("500 5.5.2 line too long");
    is_over_ = true;
  }
  return std::exchange(output_, {});
}

void SmtpSession::on_line(std::string_view line, bool ends_with_crlf) {
  if (mode_ == Mode::Data) return on_data_line(line, ends_with_crlf);
  if (!ends_with_crlf) return fail("500 5.5.2 a line ends with CR and LF");
  switch (mode_) {
    case Mode::Command: return on_command(line);
    case Mode::PlainResponse: return finish_login(check_plain(line));
    case Mode::TokenResponse: return finish_login(check_xoauth2(line));
    case Mode::LoginUser:
      login_user_ = base64_decoded(line).value_or("");
      mode_ = Mode::LoginPassword;
      return reply("334 UGFzc3dvcmQ6");
    case Mode::LoginPassword:
      return finish_login(options_.user.empty() || (login_user_ == options_.user &&
                                                    base64_decoded(line).value_or("") == options_.password));
    case Mode::Data: return;
  }
}

void SmtpSession::on_command(std::string_view line) {
  const std::string verb = lower_ascii(line.substr(0, line.find(' ')));
  const std::string_view rest = line.size() > verb.size() ? line.substr(verb.size() + 1) : std::string_view();
  if (verb == "quit") {
    reply("221 2.0.0 bye");
    is_over_ = true;
  } else if (verb == "noop") {
    reply("250 2.0.0 ok");
  } else if (verb == "rset") {
    forget_mail();
    reply("250 2.0.0 ok");
  } else if (verb == "helo" || verb == "ehlo") {
    if (rest.empty()) return fail("501 5.5.4 who are you?");
    forget_mail();
    has_ehlo_ = true;
    if (verb == "helo") return reply("250 sim.example.com");
    reply("250-sim.example.com");
    reply("250-SIZE " + std::to_string(options_.most_bytes));
    reply("250-8BITMIME");
    reply("250-SMTPUTF8");
    reply("250-PIPELINING");
    if (options_.offers_tls && !options_.is_secure) reply("250-STARTTLS");
    // No login is asked for where anybody could read it.
    const bool may_login = options_.is_secure || !options_.requires_tls;
    reply(may_login ? "250 AUTH PLAIN LOGIN XOAUTH2" : "250 ENHANCEDSTATUSCODES");
  } else if (verb == "starttls") {
    on_starttls(rest);
  } else if (verb == "auth") {
    on_auth(rest);
  } else if (verb == "mail") {
    on_mail(rest);
  } else if (verb == "rcpt") {
    on_rcpt(rest);
  } else if (verb == "data") {
    on_data();
  } else if (verb == "vrfy") {
    reply("252 2.1.5 send and see");
  } else {
    fail("500 5.5.1 unknown command");
  }
}

void SmtpSession::on_starttls(std::string_view rest) {
  if (!options_.offers_tls || options_.is_secure) return fail("503 5.5.1 not now");
  if (!rest.empty()) return fail("501 5.5.4 STARTTLS takes nothing");
  if (meets_fault("STARTTLS")) return;
  reply("220 2.0.0 go on with TLS");
  wants_tls_ = true;
}

void SmtpSession::begin_tls() {
  wants_tls_ = false;
  options_.is_secure = true;
  has_ehlo_ = has_login_ = false;
  forget_mail();
}

void SmtpSession::on_auth(std::string_view rest) {
  if (!has_ehlo_) return fail("503 5.5.1 EHLO first");
  if (options_.requires_tls && !options_.is_secure)
    return fail("530 5.7.0 must issue a STARTTLS command first");
  if (has_login_ || from_) return fail("503 5.5.1 not now");
  if (meets_fault("AUTH")) return;
  const std::string mechanism = lower_ascii(rest.substr(0, rest.find(' ')));
  const std::string_view initial =
      rest.size() > mechanism.size() ? rest.substr(mechanism.size() + 1) : std::string_view();
  if (mechanism == "plain") {
    if (!initial.empty()) return finish_login(check_plain(initial));
    mode_ = Mode::PlainResponse;
    reply("334 ");
  } else if (mechanism == "login") {
    login_user_ = base64_decoded(initial).value_or("");
    mode_ = initial.empty() ? Mode::LoginUser : Mode::LoginPassword;
    reply(initial.empty() ? "334 VXNlcm5hbWU6" : "334 UGFzc3dvcmQ6");
  } else if (mechanism == "xoauth2") {
    if (!initial.empty()) return finish_login(check_xoauth2(initial));
    mode_ = Mode::TokenResponse;  // a token may be too long for the line of the command
    reply("334 ");
  } else {
    fail("504 5.5.4 PLAIN, LOGIN or XOAUTH2");
  }
}

bool SmtpSession::check_plain(std::string_view response) const {
  const auto decoded = base64_decoded(response);
  if (!decoded) return false;
  const std::size_t first = decoded->find('\0');
  const std::size_t second = first == std::string::npos ? first : decoded->find('\0', first + 1);
  if (second == std::string::npos) return false;
  return options_.user.empty() || (decoded->substr(first + 1, second - first - 1) == options_.user &&
                                   decoded->substr(second + 1) == options_.password);
}

// `user=` address ^A `auth=Bearer ` token ^A^A
bool SmtpSession::check_xoauth2(std::string_view response) const {
  constexpr std::string_view kToken =
      "\x01"
      "auth=Bearer ";
  const std::string decoded = base64_decoded(response).value_or("");
  const std::size_t at = decoded.find(kToken);
  if (!decoded.starts_with("user=") || at == std::string::npos || !decoded.ends_with("\x01\x01"))
    return false;
  const std::string_view all = decoded;
  const std::string_view user = all.substr(5, at - 5);
  const std::string_view token = all.substr(at + kToken.size(), all.size() - at - kToken.size() - 2);
  return !hooks_.is_token || hooks_.is_token(user, token);
}

void SmtpSession::finish_login(bool is_right) {
  mode_ = Mode::Command;
  has_login_ = is_right;
  if (is_right) return reply("235 2.7.0 authentication successful");
  fail("535 5.7.8 authentication credentials invalid");
}

void SmtpSession::on_mail(std::string_view rest) {
  if (!has_ehlo_) return fail("503 5.5.1 EHLO first");
  if (options_.requires_tls && !options_.is_secure)
    return fail("530 5.7.0 must issue a STARTTLS command first");
  if (options_.requires_login && !has_login_) return fail("530 5.7.0 authentication required");
  if (from_) return fail("503 5.5.1 there is already a sender");
  if (!equals_ignoring_case(rest.substr(0, 5), "FROM:")) return fail("501 5.5.4 MAIL FROM:<address>");
  const auto path = parse_path(rest.substr(5), true);
  if (!path) return fail("501 5.1.7 malformed sender");
  const std::string parameters = lower_ascii(path->parameters);
  if (const std::size_t at = parameters.find(" size="); at != std::string::npos) {
    const std::string size = parameters.substr(at + 6, parameters.find(' ', at + 6) - at - 6);
    const bool is_number = !size.empty() && size.find_first_not_of("0123456789") == std::string::npos;
    if (!is_number) return fail("501 5.5.4 malformed SIZE");
    if (size.size() > 15 || std::stoull(size) > options_.most_bytes) return fail("552 5.3.4 message too big");
  }
  if (meets_fault("MAIL")) return;
  from_ = path->address;
  reply("250 2.1.0 ok");
}

void SmtpSession::on_rcpt(std::string_view rest) {
  if (!from_) return fail("503 5.5.1 MAIL first");
  if (!equals_ignoring_case(rest.substr(0, 3), "TO:")) return fail("501 5.5.4 RCPT TO:<address>");
  const auto path = parse_path(rest.substr(3), false);
  if (!path) return fail("501 5.1.3 malformed recipient");
  if (to_.size() >= kMostRecipients) return fail("452 4.5.3 too many recipients");
  if (meets_fault("RCPT")) return;
  to_.push_back(path->address);
  reply("250 2.1.5 ok");
}

void SmtpSession::on_data() {
  if (to_.empty()) return fail("503 5.5.1 RCPT first");
  message_.clear();
  data_problem_.clear();
  mode_ = Mode::Data;
  reply("354 end with a lone dot");
}

void SmtpSession::on_data_line(std::string_view line, bool ends_with_crlf) {
  if (line == "." && ends_with_crlf) return end_data();
  // Only CR LF ends a line: whatever takes a bare LF for one could be made to see a second message in this
  // one.
  if (!ends_with_crlf) data_problem_ = "554 5.6.0 a bare LF in the message";
  if (line.size() > kLongestText) data_problem_ = "554 5.6.0 a line longer than 998 octets";
  if (message_.size() + line.size() + 2 > options_.most_bytes) data_problem_ = "552 5.3.4 message too big";
  if (!data_problem_.empty()) return message_.clear();
  if (line.starts_with('.')) line.remove_prefix(1);
  message_ += line;
  message_ += "\r\n";
}

void SmtpSession::end_data() {
  mode_ = Mode::Command;
  const SmtpEnvelope envelope{*from_, to_};
  const std::string message = std::exchange(message_, {});
  const std::string problem = data_problem_;
  forget_mail();
  if (!problem.empty()) return fail(problem);
  const auto fault = hooks_.fault ? hooks_.fault("DATA") : std::nullopt;
  if ((!fault || fault->executes) && hooks_.deliver) hooks_.deliver(envelope, message);
  if (!fault) return reply("250 2.0.0 ok, stored");
  if (fault->status == 0)
    is_over_ = true;
  else
    reply(std::to_string(fault->status) + (fault->status < 500 ? " 4.3.0" : " 5.3.0") +
          " a failure that was asked for");
}

bool SmtpSession::meets_fault(std::string_view command) {
  const auto fault = hooks_.fault ? hooks_.fault(command) : std::nullopt;
  if (!fault) return false;
  if (fault->status == 0)
    is_over_ = true;
  else
    reply(std::to_string(fault->status) + (fault->status < 500 ? " 4.3.0" : " 5.3.0") +
          " a failure that was asked for");
  return true;
}

void SmtpSession::forget_mail() {
  from_.reset();
  to_.clear();
  message_.clear();
}

}  // namespace flow::sim
