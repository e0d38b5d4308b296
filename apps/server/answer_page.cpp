#include "apps/server/answer_page.hpp"

#include <fmt/format.h>

#include "apps/server/web_page.hpp"
#include "base/clock.hpp"
#include "runtime/question_mail.hpp"

namespace flow {
namespace {

// What an answer leads to, as far as the runtime knows.
std::string meaning(const QuestionRow& question, std::string_view option) {
  if (question.kind == QuestionRow::Kind::Ask)
    return fmt::format("The flow goes on with the answer <b>{}</b>.", escaped(option));
  const bool is_admission = question.kind == QuestionRow::Kind::Admit;
  if (option == kApprove)
    return is_admission ? "The call that was held back <b>is made</b>."
                        : "You <b>agree</b>: the flow goes on with yes.";
  return is_admission ? "The call that was held back <b>is not made</b>."
                      : "You <b>refuse</b>: the flow goes on with no.";
}

}  // namespace

HttpAnswer confirmation_page(const QuestionRow& question, std::string_view person, std::string_view option,
                             const RunRow& run) {
  std::string body = fmt::format("<div class=\"details\">{}</div><dl>", details_html(question));
  body += described("Asked by", fmt::format("flow {} of tenant {}", question.flow, question.tenant));
  body += described("Because of", fmt::format("{} {}", run.trigger, run.key));
  body += described("Run", fmt::format("{}, call {}", question.run, question.call));
  body += described("Asked at", format_time_us(question.asked_us));
  if (question.expires_us != kNever)
    body += described("Can be answered until", format_time_us(question.expires_us));
  body += described("Put to", fmt::format("{}", fmt::join(question.people, ", ")));
  body += fmt::format(
      "</dl><h2>Your answer: {}</h2><p>{} The first answer of those who were asked counts. It "
      "is recorded as that of {}.</p>",
      escaped(option), meaning(question, option), escaped(person));
  body += fmt::format(
      "<form method=\"post\"><input type=\"hidden\" name=\"confirm\" value=\"yes\">"
      "<button type=\"submit\">Answer: {}</button></form>",
      escaped(option));
  return web_page({.title = question.subject, .body = body});
}

HttpAnswer reply_page(const AnswerReply& reply) {
  using How = AnswerReply::How;
  switch (reply.how) {
    case How::Recorded:
      return web_page({.title = "Recorded",
                       .body = fmt::format("<p>{}: <b>{}</b>. The flow goes on.</p>",
                                           escaped(reply.question.subject), escaped(reply.question.answer))});
    case How::Already: return notice_page(409, "Already answered", reply.problem);
    case How::Expired: return notice_page(410, "Too late", reply.problem);
    case How::Withdrawn: return notice_page(410, "Not needed any more", reply.problem);
    case How::NotFound:
    case How::NotAsked:
    case How::NoSuchOption: break;
    case How::Stopping: return notice_page(503, "Not now", "the service is stopping; try again in a minute");
  }
  return notice_page(404, "Not found", "this link is not valid");
}

HttpAnswer notice_page(int status, std::string_view title, std::string_view text) {
  return web_page(
      {.status = status, .title = std::string(title), .body = fmt::format("<p>{}</p>", escaped(text))});
}

}  // namespace flow
