#include "stdlib/mail/reply.hpp"

#include <cstdint>

namespace flow {
namespace {

struct ReplyRow {
  int code;
  std::string_view enhanced;
  FaultKind fault;
  std::int64_t wait_s;
  std::string_view hint;
};
constexpr ReplyRow kReplies[] = {
#define FLOW_SMTP_REPLY(code, enhanced, fault, wait_s, hint) {code, enhanced, FaultKind::fault, wait_s, hint},
#include "stdlib/mail/replies.def"
#undef FLOW_SMTP_REPLY
};

bool matches(const ReplyRow& row, int code, std::string_view text) {
  return (row.code == 0 || row.code == code) &&
         (row.enhanced.empty() || text.find(row.enhanced) != std::string_view::npos);
}

}  // namespace

Fault smtp_fault(int code, std::string_view text) {
  Fault fault{.kind = code < 500 ? FaultKind::Unavailable : FaultKind::BadRequest, .status = code};
  std::string_view hint = code < 500 ? "the server asks to try later" : "the server refused the message";
  for (const ReplyRow& row : kReplies) {
    if (!matches(row, code, text)) continue;
    fault.kind = row.fault;
    fault.retry_after_us = row.wait_s * 1'000'000;
    hint = row.hint;
    break;
  }
  fault.message = std::string(hint) + " (" + std::string(text) + ")";
  return fault;
}

}  // namespace flow
