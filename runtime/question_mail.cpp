#include "runtime/question_mail.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "runtime/json_text.hpp"
#include "runtime/links.hpp"
#include "runtime/safe_html.hpp"

namespace flow {
namespace {

constexpr std::size_t kLongestSubject = 200;

std::string escaped(std::string_view text) {
  return html_escaped(printable(text));
}

std::string options_html(const QuestionRow& question, std::uint32_t person, const AnswerLinks& links) {
  if (links.url.empty()) return {};
  std::string html = "<ul>";
  for (std::uint32_t option = 0; option < question.options.size(); ++option)
    html += fmt::format("<li><a href=\"{}\">{}</a></li>",
                        html_escaped(answer_url(question, person, option, links)),
                        escaped(question.options[option]));
  return html +
         "</ul><p>A link opens a page that asks for confirmation; opening it decides nothing. It is "
         "meant for you alone.</p>";
}

}  // namespace

std::string answer_url(const QuestionRow& question, std::uint32_t person, std::uint32_t option,
                       const AnswerLinks& links) {
  Link link{.question = question.id, .person = person, .option = option, .expires_us = 0};
  const std::int64_t life_us =
      question.asked_us > kNever - kLinkLifeUs ? kNever : question.asked_us + kLinkLifeUs;
  // A second more than the question itself: it is the question that says it is too late.
  link.expires_us = question.expires_us >= life_us ? life_us : question.expires_us + 1'000'000;
  link.expires_us -= link.expires_us % 1'000'000;
  return links.url + std::string(kAnswerPath) + sign_link(links.key, link);
}

std::string details_html(const QuestionRow& question) {
  if (const auto html = json_member(question.details, "$html"))
    return safe_html(json_string(*html).value_or(""));
  const std::string text = json_string(question.details).value_or("");
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out += (out.empty() ? "" : "<br>") + escaped(std::string_view(text).substr(at, end - at));
    at = end + 1;
  }
  return out.empty() ? "" : "<p>" + out + "</p>";
}

std::string question_mail(const QuestionRow& question, std::uint32_t person, const RunRow& run,
                          const AnswerLinks& links) {
  const std::string subject = printable(question.subject);
  std::string html = fmt::format("<p>Flow <b>{}</b> of tenant <b>{}</b> asks you to decide:</p><h2>{}</h2>{}",
                                 escaped(question.flow), escaped(question.tenant), escaped(question.subject),
                                 details_html(question));
  html += options_html(question, person, links);
  html += fmt::format(
      "<p>On the command line: <code>flow questions answer {} OPTION --by {}</code>, where "
      "OPTION is one of: {}.</p>",
      escaped(question.id), escaped(question.people[person]),
      escaped(fmt::format("{}", fmt::join(question.options, ", "))));
  if (question.expires_us != kNever)
    html += fmt::format("<p>It can be answered until {}.</p>", format_time_us(question.expires_us));
  html += fmt::format("<p>The first answer counts. Because of {} {}; run {}.</p>", escaped(run.trigger),
                      escaped(run.key), escaped(run.id));
  return fmt::format(R"({{"to":[{}],"subject":{},"body":{{"$html":{}}},"cc":null,"importance":"Normal"}})",
                     json_quoted(question.people[person]),
                     json_quoted("Please decide: " + std::string(beginning_of(subject, kLongestSubject))),
                     json_quoted(html));
}

}  // namespace flow
