// A mail as bytes (RFC 5322, MIME), for whoever carries it: SMTP and the Gmail API. Made by GMime, which
// encodes and folds; nothing in a field can become a header, a recipient or a part.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "stdlib/mail/message.hpp"

namespace flow {

struct WrittenMail {
  std::string sender;                   // envelope: the address alone
  std::vector<std::string> recipients;  // envelope, each once
  std::string message_id;               // with its angle brackets
  std::string bytes;                    // lines end with CRLF; ASCII; no line above 998 bytes
};

// The same message gives the same bytes. Fails as check_mail() does. With `has_bcc` the header Bcc is there,
// for a service that reads the recipients from it and takes it out.
Result<WrittenMail> write_mail(const MailMessage& message, bool has_bcc = false);

}  // namespace flow
