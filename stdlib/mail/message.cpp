#include "stdlib/mail/message.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace flow {
namespace {

constexpr std::size_t kMostRecipients = 500;
constexpr std::size_t kLongestSubject = 998;
constexpr std::size_t kLongestName = 255;  // of an attachment's file
constexpr std::size_t kMostAttachments = 100;

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}
bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
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

Result<std::vector<Mailbox>> mailboxes_of(const std::vector<std::string>& texts) {
  std::vector<Mailbox> mailboxes;
  for (const std::string& text : texts) {
    FLOW_TRY(Mailbox mailbox, parse_mailbox(text));
    mailboxes.push_back(std::move(mailbox));
  }
  return mailboxes;
}

bool is_type_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$&-^_.+").find(c) != std::string_view::npos;
}

// `type/subtype`, without parameters: a charset would be a claim about bytes that nobody checks.
bool is_content_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size() || text.size() > 127)
    return false;
  const std::string_view type = text.substr(0, slash), subtype = text.substr(slash + 1);
  return std::ranges::all_of(type, is_type_char) && std::ranges::all_of(subtype, is_type_char) &&
         !equals_ignoring_case(type, "multipart") && !equals_ignoring_case(type, "message");
}

Status check_attachments(const std::vector<MailAttachment>& attachments) {
  if (attachments.size() > kMostAttachments) return error("the mail has more than 100 attachments");
  for (const MailAttachment& each : attachments) {
    if (each.name.empty()) return error("an attachment has no name");
    if (each.name.size() > kLongestName) return error("the name of an attachment is longer than 255 bytes");
    if (!each.content_type.empty() && !is_content_type(each.content_type))
      return error("the content type of attachment `" + printable(each.name) +
                   "` is none, as `text/csv` is one");
  }
  return {};
}

Status check_fields(const MailMessage& message) {
  const std::size_t recipients = message.to.size() + message.cc.size() + message.bcc.size();
  if (recipients == 0) return error("the mail has no recipient");
  if (recipients > kMostRecipients) return error("the mail has more than 500 recipients");
  if (message.reply_to.size() > kMostRecipients)
    return error("the mail has more than 500 addresses to reply to");
  if (message.text.empty() && message.html.empty()) return error("the mail has neither text nor html");
  return check_attachments(message.attachments);
}

// What an alert says must not keep the mail about it from going out: a subject that is too long is cut, and
// harmless() makes blanks of what could forge a header.
std::string fitting(std::string_view subject) {
  if (subject.size() <= kLongestSubject) return std::string(subject);
  std::size_t end = kLongestSubject - 3;
  while (end > 0 && (subject[end] & '\xc0') == '\x80') --end;
  return std::string(subject.substr(0, end)) + "...";
}

}  // namespace

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
  for (std::size_t at = out.find("=?"); at != std::string::npos; at = out.find("=?", at))
    out.insert(at + 1, 1, ' ');
  for (auto bad = invalid_utf8_at(out); bad; bad = invalid_utf8_at(out)) out[*bad] = '?';
  return out;
}

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

Result<CheckedMail> check_mail(const MailMessage& message) {
  FLOW_TRY_STATUS(check_fields(message));
  CheckedMail mail;
  FLOW_TRY(mail.from, parse_mailbox(message.from));
  FLOW_TRY(mail.to, mailboxes_of(message.to));
  FLOW_TRY(mail.cc, mailboxes_of(message.cc));
  FLOW_TRY(mail.reply_to, mailboxes_of(message.reply_to));
  FLOW_TRY(const std::vector<Mailbox> bcc, mailboxes_of(message.bcc));
  for (const auto* list : std::initializer_list<const std::vector<Mailbox>*>{&mail.to, &mail.cc, &bcc})
    for (const Mailbox& mailbox : *list)
      if (std::ranges::find(mail.recipients, mailbox.address) == mail.recipients.end())
        mail.recipients.push_back(mailbox.address);
  mail.subject = harmless(fitting(message.subject));
  mail.importance = lower_ascii(message.importance);
  if (mail.importance == "normal") mail.importance.clear();
  if (!mail.importance.empty() && mail.importance != "high" && mail.importance != "low")
    return error("a mail's importance is low, normal or high");
  if (!message.id.empty()) FLOW_TRY_STATUS(check_address(message.id));
  mail.message_id = message.id.empty() ? message_id(message.key, mail.from.address) : "<" + message.id + ">";
  return mail;
}

}  // namespace flow
