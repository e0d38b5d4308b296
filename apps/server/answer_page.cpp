#include "apps/server/answer_page.hpp"

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "runtime/question_mail.hpp"

namespace flow {
namespace {

constexpr const char* kStyle =
    "body{font:16px/1.5 sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f}"
    "dt{font-weight:bold}dd{margin:0 0 .5rem 0}main{border:1px solid #c7c7cc;border-radius:.5rem;"
    "padding:1rem 1.5rem}button{font:inherit;padding:.6rem 1.2rem}"
    "body.wide{max-width:80rem}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem "
    ".6rem "
    ".2rem 0;border-bottom:1px solid "
    "#e3e3e8;vertical-align:top;overflow-wrap:anywhere}.failed,.parked{color:#a40000}"
    ".void{color:#8a8a90}label{margin-right:.6rem}input,select{font:inherit}"
    ".details{border-left:3px solid #c7c7cc;padding-left:1rem;overflow-wrap:anywhere}";

std::string escaped(std::string_view text) {
  return html_escaped(printable(text));
}

HttpAnswer page(int status, std::string_view title, const std::string& body) {
  HttpAnswer answer;
  answer.status = status;
  answer.content_type = "text/html; charset=utf-8";
  answer.headers = {
      {"Content-Security-Policy",
       "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
      {"Referrer-Policy", "no-referrer"},
      {"Cache-Control", "no-store"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"X-Robots-Tag", "noindex"}};
  answer.body = fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><title>{0}</title><link rel=\"stylesheet\" "
      "href=\"../style.css\"></head>"
      "<body><main><h1>{0}</h1>{1}</main></body></html>",
      escaped(title), body);
  return answer;
}

std::string row(std::string_view name, std::string_view value) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>", name, escaped(value));
}

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
  body += row("Asked by", fmt::format("flow {} of tenant {}", question.flow, question.tenant));
  body += row("Because of", fmt::format("{} {}", run.trigger, run.key));
  body += row("Run", fmt::format("{}, call {}", question.run, question.call));
  body += row("Asked at", format_time_us(question.asked_us));
  if (question.expires_us != kNever)
    body += row("Can be answered until", format_time_us(question.expires_us));
  body += row("Put to", fmt::format("{}", fmt::join(question.people, ", ")));
  body += fmt::format(
      "</dl><h2>Your answer: {}</h2><p>{} The first answer of those who were asked counts. It "
      "is recorded as that of {}.</p>",
      escaped(option), meaning(question, option), escaped(person));
  body += fmt::format(
      "<form method=\"post\"><input type=\"hidden\" name=\"confirm\" value=\"yes\">"
      "<button type=\"submit\">Answer: {}</button></form>",
      escaped(option));
  return page(200, question.subject, body);
}

HttpAnswer reply_page(const AnswerReply& reply) {
  using How = AnswerReply::How;
  switch (reply.how) {
    case How::Recorded:
      return page(200, "Recorded",
                  fmt::format("<p>{}: <b>{}</b>. The flow goes on.</p>", escaped(reply.question.subject),
                              escaped(reply.question.answer)));
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
  return page(status, title, fmt::format("<p>{}</p>", escaped(text)));
}

HttpAnswer page_style() {
  HttpAnswer answer;
  answer.content_type = "text/css";
  answer.headers = {{"Cache-Control", "max-age=3600"}, {"X-Content-Type-Options", "nosniff"}};
  answer.body = kStyle;
  return answer;
}

}  // namespace flow
