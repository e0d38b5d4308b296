// A mail and what is checked of it before anything is made of it. Pure text, no network.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace flow {

struct MailAttachment {
  std::string name;          // as the reader sees it
  std::string content_type;  // `text/csv`; empty: application/octet-stream
  std::string content;       // the bytes themselves
};

struct MailMessage {
  std::string from;  // one address, perhaps with a name: `SOC <soc@contoso.com>`
  std::vector<std::string> to;
  std::vector<std::string> cc;
  std::vector<std::string> bcc;  // get the mail and are not in it
  std::vector<std::string> reply_to;
  std::string subject;
  std::string text;  // one of text and html may be empty
  std::string html;
  std::vector<MailAttachment> attachments;
  std::string importance;  // empty, `low`, `normal` or `high`
  std::string key;         // makes the Message-ID: equal keys give equal IDs
  std::string id;          // the Message-ID itself, `left@right`; empty: of the key
  std::int64_t date_us = 0;
};

struct Mailbox {
  std::string name;     // empty when there is none
  std::string address;  // `local@domain`
};

// `a@b.example`, `Name <a@b.example>` or `"Name" <a@b.example>`, exactly one. Refuses control characters,
// blanks, commas and angle brackets inside the address, local parts above 64 and addresses above 254 bytes.
Result<Mailbox> parse_mailbox(std::string_view text);

// What may stand in a header: control characters and what changes the direction of writing become blanks,
// what is no UTF-8 becomes `?`, and what a reader would take for an encoded word (`=?`) is broken up.
std::string harmless(std::string_view text);

// `<flow.run-7.3.0f1e2d3c4b5a6978@contoso.com>`: the key's harmless characters, then a hash of all of it.
std::string message_id(std::string_view key, std::string_view sender_address);

// A message that passed every check.
struct CheckedMail {
  Mailbox from;
  std::vector<Mailbox> to, cc, reply_to;
  std::vector<std::string> recipients;  // of the envelope: to, cc and bcc, each once
  std::string subject;                  // harmless, at most 998 bytes
  std::string importance;               // empty, `low` or `high`
  std::string message_id;               // with its angle brackets
};
// Refuses mails without sender, recipient or body, more than 500 recipients, attachments without a name or of
// a malformed type.
Result<CheckedMail> check_mail(const MailMessage& message);

}  // namespace flow
