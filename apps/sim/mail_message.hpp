// A mail as its receiver reads it: RFC 5322 headers, RFC 2047 words and MIME parts decoded to UTF-8.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flow::sim {

struct MailMessage {
  std::vector<std::pair<std::string, std::string>> headers;  // unfolded and decoded, in order
  std::string subject, from, message_id;                     // from: the address alone
  std::vector<std::string> to, cc;                           // addresses alone
  std::string text, html;                                    // the first text/plain and text/html parts
  std::vector<std::string> attachments;                      // their file names
  std::size_t bytes = 0;                                     // of the message as it came

  std::string_view header(std::string_view name) const;
};

// Never fails: what is malformed is kept as it stands. Nesting beyond 8 parts deep is not looked into.
MailMessage parse_mail(std::string_view message);
// `=?utf-8?B?…?=` and `?Q?` words decoded; other text unchanged.
std::string decode_words(std::string_view text);
// `"SOC, day" <soc@example.com>, b@example.com` gives the two addresses.
std::vector<std::string> addresses_in(std::string_view header);

}  // namespace flow::sim
