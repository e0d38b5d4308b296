#include "stdlib/mail/message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/text.hpp"

namespace flow {
namespace {

constexpr std::size_t kMostRecipients = 500;
constexpr std::size_t kLongestSubject = 998;
constexpr std::size_t kWordBytes =
    45;  // 60 base64 characters; with `=?UTF-8?B?` and `?=` 72 of the 75 allowed

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}
bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += k <= count ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

// Length of the line or direction control at `at` (U+2028-202E, U+2066-2069), or 0.
std::size_t direction_control(std::string_view text, std::size_t at) {
  const std::string_view three = text.substr(at, 3);
  if (three.size() < 3 || three[0] != '\xe2') return 0;
  const auto last = static_cast<unsigned char>(three[2]);
  const bool hides = (three[1] == '\x80' && last >= 0xa8 && last <= 0xae) ||
                     (three[1] == '\x81' && last >= 0xa6 && last <= 0xa9);
  return hides ? 3 : 0;
}

std::string harmless(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (const std::size_t length = direction_control(text, i); length != 0) {
      out += ' ';
      i += length - 1;
    } else {
      out += is_control(text[i]) ? ' ' : text[i];
    }
  }
  for (auto bad = invalid_utf8_at(out); bad; bad = invalid_utf8_at(out)) out[*bad] = '?';
  return out;
}

bool is_local_char(char c) {
  return !is_control(c) && static_cast<unsigned char>(c) < 0x80 &&
         std::string_view(" ,;:<>()[]\\\"@").find(c) == std::string_view::npos;
}
bool is_domain_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

Status check_address(std::string_view address) {
  const std::size_t at = address.find('@');
  if (at == std::string_view::npos || at == 0 || address.size() > 254 || at > 64)
    return error("a mail address has the form `name@domain`");
  const std::string_view local = address.substr(0, at), domain = address.substr(at + 1);
  if (!is_ascii(address)) return error("a mail address must be ASCII (domains as punycode)");
  if (!std::ranges::all_of(local, is_local_char))
    return error("a mail address holds a character that is not allowed");
  if (domain.empty() || !std::ranges::all_of(domain, is_domain_char) || domain.front() == '.' ||
      domain.back() == '.' || domain.front() == '-')
    return error("a mail address's domain is malformed");
  return {};
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::string unquoted(std::string_view name) {
  if (name.size() < 2 || name.front() != '"' || name.back() != '"') return std::string(name);
  std::string out;
  for (std::size_t i = 1; i + 1 < name.size(); ++i) {
    if (name[i] == '\\' && i + 2 < name.size()) ++i;
    out += name[i];
  }
  return out;
}

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

Result<std::string> address_header(std::string_view name, const std::vector<std::string>& mailboxes,
                                   std::vector<std::string>& recipients) {
  std::string header = std::string(name) + ": ";
  for (std::size_t i = 0; i < mailboxes.size(); ++i) {
    FLOW_TRY(const Mailbox mailbox, parse_mailbox(mailboxes[i]));
    if (i != 0) header += ",\r\n ";
    header += encoded_mailbox(mailbox);
    if (std::ranges::find(recipients, mailbox.address) == recipients.end())
      recipients.push_back(mailbox.address);
  }
  return header;
}

Status check_fields(const MailMessage& message) {
  if (std::ranges::any_of(message.importance, is_control))
    return error("the mail's importance holds a control character");
  if (message.to.empty() && message.cc.empty()) return error("the mail has no recipient");
  if (message.to.size() + message.cc.size() > kMostRecipients)
    return error("the mail has more than 500 recipients");
  if (message.text.empty() && message.html.empty()) return error("the mail has neither text nor html");
  return {};
}

// What an alert says must not keep the mail about it from going out: a subject that is too long is cut, and
// encoded_words() makes blanks of what could forge a header.
std::string fitting(std::string_view subject) {
  if (subject.size() <= kLongestSubject) return std::string(subject);
  std::size_t end = kLongestSubject - 3;
  while (end > 0 && (subject[end] & '\xc0') == '\x80') --end;
  return std::string(subject.substr(0, end)) + "...";
}

}  // namespace

Result<Mailbox> parse_mailbox(std::string_view text) {
  if (std::ranges::any_of(text, is_control)) return error("a mail address holds a control character");
  text = trimmed(text);
  Mailbox mailbox;
  if (text.ends_with('>')) {
    const std::size_t open = text.rfind('<');
    if (open == std::string_view::npos) return error("a mail address holds a character that is not allowed");
    const std::string_view name = trimmed(text.substr(0, open));
    if (name.find_first_of("<>") != std::string_view::npos)
      return error("a mail address's name holds an angle bracket");
    mailbox.name = unquoted(name);
    text = text.substr(open + 1, text.size() - open - 2);
  }
  FLOW_TRY_STATUS(check_address(text));
  mailbox.address = text;
  return mailbox;
}

std::string encoded_words(std::string_view text) {
  const std::string clean = harmless(text);
  if (is_ascii(clean) && clean.find("=?") == std::string::npos) return clean;
  std::string out;
  std::size_t begin = 0;
  while (begin < clean.size()) {
    std::size_t end = std::min(clean.size(), begin + kWordBytes);
    while (end < clean.size() && (static_cast<unsigned char>(clean[end]) & 0xc0) == 0x80) --end;
    if (!out.empty()) out += "\r\n ";
    out += "=?UTF-8?B?" + base64(std::string_view(clean).substr(begin, end - begin)) + "?=";
    begin = end;
  }
  return out;
}

std::string encoded_mailbox(const Mailbox& mailbox) {
  if (mailbox.name.empty()) return mailbox.address;
  const std::string clean = harmless(mailbox.name);
  if (!is_ascii(clean)) return encoded_words(clean) + " <" + mailbox.address + ">";
  std::string quoted = "\"";
  for (const char c : clean) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\" <" + mailbox.address + ">";
}

std::string mail_date(std::int64_t time_us) {
  using namespace std::chrono;
  static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_seconds time = floor<seconds>(sys_time<microseconds>{microseconds{time_us}});
  const sys_days date = floor<days>(time);
  const year_month_day ymd{date};
  const hh_mm_ss clock{time - date};
  return fmt::format("{}, {} {} {:04} {:02}:{:02}:{:02} +0000", kDays[weekday{date}.c_encoding()],
                     static_cast<unsigned>(ymd.day()), kMonths[static_cast<unsigned>(ymd.month()) - 1],
                     static_cast<int>(ymd.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::string message_id(std::string_view key, std::string_view sender_address) {
  constexpr std::size_t kShownOfKey = 64;
  std::string shown;
  for (const char c : key.substr(0, kShownOfKey)) {
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    if (is_plain)
      shown += c;
    else if (!shown.empty() && shown.back() != '.')
      shown += '.';
  }
  while (shown.ends_with('.')) shown.pop_back();
  const std::string_view domain = sender_address.substr(sender_address.find('@') + 1);
  return fmt::format("<flow.{}{}{:016x}@{}>", shown, shown.empty() ? "" : ".", fnv1a(key), domain);
}

std::string with_mail_line_ends(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 32);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' && text[i] != '\n') {
      out += text[i];
      continue;
    }
    out += "\r\n";
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
  }
  return out;
}

Result<PreparedMail> prepare_mail(const MailMessage& message) {
  FLOW_TRY_STATUS(check_fields(message));
  FLOW_TRY(const Mailbox from, parse_mailbox(message.from));
  PreparedMail mail{.sender = from.address, .message_id = message_id(message.key, from.address)};
  mail.headers.push_back("Date: " + mail_date(message.date_us));
  mail.headers.push_back("From: " + encoded_mailbox(from));
  FLOW_TRY(std::string to, address_header("To", message.to, mail.recipients));
  if (!message.to.empty()) mail.headers.push_back(std::move(to));
  FLOW_TRY(std::string cc, address_header("Cc", message.cc, mail.recipients));
  if (!message.cc.empty()) mail.headers.push_back(std::move(cc));
  mail.headers.push_back("Subject: " + encoded_words(fitting(message.subject)));
  mail.headers.push_back("Message-ID: " + mail.message_id);
  // Out-of-office answers to a robot would come back to it for ever.
  mail.headers.push_back("Auto-Submitted: auto-generated");
  mail.headers.push_back("X-Auto-Response-Suppress: All");
  const std::string importance = lower_ascii(message.importance);
  if (importance == "high" || importance == "low")
    mail.headers.push_back("Importance: " + importance);
  else if (!importance.empty() && importance != "normal")
    return error("a mail's importance is low, normal or high");
  return mail;
}

}  // namespace flow
