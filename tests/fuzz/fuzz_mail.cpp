// Fields of a mail to bytes, and back with the reader of the pretend tenant: nothing in a field becomes a
// header, a recipient or a part, and lines are as the standards want them.
#include <algorithm>
#include <set>

#include "apps/sim/mail_message.hpp"
#include "base/result.hpp"
#include "stdlib/mail/mime.hpp"
#include "tests/fuzz/bytes.hpp"

namespace flow::fuzz {
namespace {

// The input, cut at its bytes of 0xff, field by field.
MailMessage message_of(std::string_view input) {
  std::vector<std::string> fields;
  for (std::size_t at = 0; at <= input.size();) {
    const std::size_t end = std::min(input.find('\xff', at), input.size());
    fields.emplace_back(input.substr(at, end - at));
    at = end + 1;
  }
  fields.resize(9);
  MailMessage message;
  message.from = "soc@contoso.com";
  message.to = {"lead@contoso.com"};
  message.date_us = 1'791'882'900'000'000;
  message.subject = fields[0];
  message.text = fields[1] + ".";
  message.html = fields[2];
  message.attachments.push_back({fields[3] + "x", fields[4], fields[5]});
  message.key = fields[6];
  if (!fields[7].empty()) message.cc = {fields[7]};
  if (!fields[8].empty()) message.reply_to = {fields[8] + " <back@contoso.com>"};
  return message;
}

void check_lines(const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t end = bytes.find('\n', at);
    FLOW_CHECK(end != std::string::npos && end > 0 && bytes[end - 1] == '\r', "lines end with CRLF");
    FLOW_CHECK(end - at <= 999, "no line is longer than 998 bytes");
    for (std::size_t i = at; i + 1 < end; ++i)
      FLOW_CHECK(bytes[i] == '\t' || (bytes[i] >= ' ' && bytes[i] < 0x7f), "a mail is printable ASCII");
    at = end + 1;
  }
}

void write_and_read(std::string_view input) {
  const MailMessage message = message_of(input);
  const auto written = write_mail(message);
  if (!written) return;
  check_lines(written->bytes);
  const sim::MailMessage read = sim::parse_mail(written->bytes);
  static const std::set<std::string> kKnown{"Date",
                                            "From",
                                            "Reply-To",
                                            "To",
                                            "Cc",
                                            "Subject",
                                            "Message-Id",
                                            "Auto-Submitted",
                                            "X-Auto-Response-Suppress",
                                            "MIME-Version",
                                            "Content-Type"};
  std::set<std::string> found;
  for (const auto& [name, value] : read.headers) {
    FLOW_CHECK(kKnown.contains(name), "no field becomes a header");
    FLOW_CHECK(found.insert(name).second, "no header is there twice");
  }
  FLOW_CHECK(read.from == "soc@contoso.com" && read.to == message.to, "whom it is from and to stays");
  FLOW_CHECK(read.cc.size() == message.cc.size(), "a copy goes to whom it was said");
  FLOW_CHECK(written->recipients.size() <= 1 + message.cc.size(), "nobody else gets it");
  FLOW_CHECK(read.attachments.size() == 1, "no field becomes a part");
}

}  // namespace

std::vector<std::string> seeds() {
  return {
      "Isolated PC-042\xffHello\xff<p>x</p>\xffreport.csv\xfftext/csv\xff"
      "a,b\xffrun/3\xffZo\xc3\xab <z@b.example>\xffSOC",
      "x\r\nBcc: evil@x.example\xff\r\n.\r\nQUIT\xff\xff../\"x\r\n\xff\xff\xff\xff",
      "=?UTF-8?B?DQpCY2M6IHg=?=\xff--=_mixed\xff--=_alternative--\r\n",
  };
}

}  // namespace flow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  flow::fuzz::write_and_read({reinterpret_cast<const char*>(data), size});
  return 0;
}
