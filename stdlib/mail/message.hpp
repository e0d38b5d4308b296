// The headers of a mail: checked, encoded, folded. Pure text, no network.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "stdlib/mail/smtp.hpp"

namespace flow {

struct Mailbox {
  std::string name;     // empty when there is none
  std::string address;  // `local@domain`
};

// `a@b.example`, `Name <a@b.example>` or `"Name" <a@b.example>`, exactly one. Refuses control characters,
// blanks, commas and angle brackets inside the address, local parts above 64 and addresses above 254 bytes.
Result<Mailbox> parse_mailbox(std::string_view text);

// RFC 2047: ASCII stays as it is; other text becomes base64 words of at most 75 characters, cut between
// characters and joined by folded space. Control characters and what changes the direction of writing become
// blanks first.
std::string encoded_words(std::string_view text);
// The name and address as they stand in From, To or Cc.
std::string encoded_mailbox(const Mailbox& mailbox);

// `Tue, 13 Oct 2026 09:15:00 +0000`
std::string mail_date(std::int64_t time_us);
// `<flow.run-7.3.0f1e2d3c4b5a6978@contoso.com>`: the key's harmless characters, then a hash of all of it.
std::string message_id(std::string_view key, std::string_view sender_address);

// Lines end with CRLF, whatever they ended with before.
std::string with_mail_line_ends(std::string_view text);

// A message that passed every check, ready for the library: header lines without their line ends.
struct PreparedMail {
  std::string sender;                   // envelope
  std::vector<std::string> recipients;  // envelope, each once
  std::vector<std::string> headers;
  std::string message_id;
};
Result<PreparedMail> prepare_mail(const MailMessage& message);

}  // namespace flow
