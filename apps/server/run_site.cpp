#include "apps/server/run_site.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apps/server/answer_page.hpp"
#include "apps/server/credentials.hpp"
#include "apps/server/narrator.hpp"
#include "apps/server/query.hpp"
#include "apps/server/run_search.hpp"
#include "apps/server/web_page.hpp"
#include "base/base64.hpp"
#include "base/text.hpp"
#include "runtime/history.hpp"
#include "runtime/links.hpp"
#include "runtime/question_mail.hpp"

namespace flow {
namespace {

constexpr std::string_view kSite = "/runs", kAnswerForm = "/runs/answer/", kSiteStyle = "/runs/style.css";
constexpr std::uint32_t kRunsOfAPage = 100;
constexpr std::size_t kSteps = 1'000;        // of a run that are shown
constexpr std::size_t kLongestStep = 2'000;  // bytes
constexpr std::int64_t kFormLifeUs = 3'600'000'000;
constexpr const char* kFields[] = {"tenant", "flow", "alert", "machine", "since", "until"};
constexpr const char* kStates[] = {"", "running", "parked", "skipped", "finished", "stopped", "failed"};

HttpAnswer site_page(int status, std::string title, std::string body) {
  return web_page({.status = status,
                   .title = std::move(title),
                   .body = std::move(body),
                   .above = fmt::format("<p><a href=\"{}\">Runs</a></p>", kSite),
                   .style_path = std::string(kSiteStyle),
                   .is_wide = true});
}

HttpAnswer store_failed_page() {
  return site_page(503, "Not now", "<p>the store cannot be read; try again in a minute</p>");
}

// The password of `Basic`, or what stands behind `Bearer`.
std::string given_token(std::string_view authorization) {
  constexpr std::string_view kBasic = "basic ";
  if (!equals_ignoring_case(authorization.substr(0, kBasic.size()), kBasic))
    return std::string(bearer_token(authorization));
  const auto text = bytes_of_base64(authorization.substr(kBasic.size()));
  const std::size_t colon = text ? text->find(':') : std::string::npos;
  return colon == std::string::npos ? std::string() : text->substr(colon + 1);
}

std::string search_form(std::string_view target) {
  std::string form = fmt::format("<form action=\"{}\">", kSite);
  for (const char* name : kFields)
    form += fmt::format("<label>{0} <input name=\"{0}\" value=\"{1}\"></label> ", name,
                        html_escaped(parameter(target, name)));
  form += "<label>state <select name=\"state\">";
  const std::string chosen = parameter(target, "state");
  for (const std::string_view state : kStates)
    form += fmt::format("<option value=\"{}\"{}>{}</option>", state, state == chosen ? " selected" : "",
                        state.empty() ? "any" : state);
  return form + "</select></label> <button>Search</button></form>";
}

std::string run_line(const RunRow& run) {
  return fmt::format(
      "<tr><td><a href=\"{}/{}\">{}</a></td><td class=\"{}\">{}</td><td>{}</td><td>{}</td><td>{}</td>"
      "<td>{}</td></tr>",
      kSite, percent_encoded(run.id), format_time_us(run.created_us), run_state_name(run.state),
      run_state_name(run.state), escaped(run.tenant), escaped(run.flow), escaped(run.key),
      escaped(beginning_of(run.reason, kLongestStep)));
}

std::string next_page(std::string_view target, const std::string& before) {
  std::string link = fmt::format("{}?before={}", kSite, percent_encoded(before));
  for (const char* name : kFields)
    if (const std::string value = parameter(target, name); !value.empty())
      link += fmt::format("&amp;{}={}", name, percent_encoded(value));
  if (const std::string state = parameter(target, "state"); !state.empty())
    link += "&amp;state=" + percent_encoded(state);
  return fmt::format("<p><a href=\"{}\">Older</a></p>", link);
}

}  // namespace

bool RunSite::handle(const HttpQuestion& question, const api::Reply& reply) const {
  if (!options_.api_token) return false;
  const std::string_view target = question.target;
  const auto path = percent_decoded(target.substr(0, target.find('?')));
  if (!path) return false;
  const std::string_view all = *path;
  if (all != kSite && !all.starts_with(std::string(kSite) + "/")) return false;
  const bool is_answer = all.starts_with(kAnswerForm);
  if (!api::reads(question) && !(is_answer && question.method == "POST"))
    return reply(api::only(is_answer ? "GET, POST" : "GET")), true;
  if (all == kSiteStyle) return reply(page_style()), true;
  if (!is_allowed(question, reply)) return true;
  if (is_answer)
    answer(question, all.substr(kAnswerForm.size()), reply);
  else
    reply(all == kSite ? list(target) : show(all.substr(kSite.size() + 1)));
  return true;
}

bool RunSite::is_allowed(const HttpQuestion& question, const api::Reply& reply) const {
  const Result<std::string> expected = options_.api_token();
  const std::string given = given_token(question.header("Authorization"));
  if (expected && !given.empty() && is_same_secret(given, *expected)) return true;
  HttpAnswer refused =
      site_page(401, "Who are you?", "<p>any name, and as the password the token of the API</p>");
  refused.headers.emplace_back("WWW-Authenticate", "Basic realm=\"flow\", charset=\"UTF-8\"");
  reply(std::move(refused));
  return false;
}

HttpAnswer RunSite::list(std::string_view target) const {
  const RunSearch search{.tenant = parameter(target, "tenant"),
                         .flow = parameter(target, "flow"),
                         .alert = parameter(target, "alert"),
                         .machine = parameter(target, "machine"),
                         .state = parameter(target, "state"),
                         .since = parameter(target, "since"),
                         .until = parameter(target, "until"),
                         .before = parameter(target, "before")};
  std::string body = search_form(target);
  const Status checked =
      check_parameters(target, {"tenant", "flow", "alert", "machine", "state", "since", "until", "before"});
  if (!checked)
    return site_page(400, "Runs", body + fmt::format("<p>{}</p>", escaped(checked.error().message)));
  auto filter = read_search(search, clock_.now_us());
  if (!filter)
    return site_page(400, "Runs", body + fmt::format("<p>{}</p>", escaped(filter.error().message)));
  filter->limit = kRunsOfAPage;
  const auto rows = store_.list_runs(*filter);
  if (!rows) return store_failed_page();
  if (rows->empty()) return site_page(200, "Runs", body + "<p>there are none</p>");
  body +=
      "<table><tr><th>began</th><th>state</th><th>tenant</th><th>flow</th><th>event</th><th>why</th></tr>";
  for (const RunRow& run : *rows) body += run_line(run);
  body += "</table>";
  if (rows->size() == kRunsOfAPage) body += next_page(target, rows->back().id);
  return site_page(200, "Runs", body);
}

HttpAnswer RunSite::show(std::string_view id) const {
  const auto history = show_run(store_, id);
  if (!history) return store_failed_page();
  if (!*history) return site_page(404, "Not found", fmt::format("<p>there is no run {}</p>", escaped(id)));
  const RunRow& run = (*history)->run;
  std::string body = "<dl>";
  body += described("State", run_state_name(run.state)) + described("Why", run.reason) +
          described("Error", run.fault);
  body += described("Tenant", run.tenant) + described("Flow", run.flow) +
          described("Started by", run.trigger + " " + run.key);
  body += described("Machine", run.machine) + described("Began", format_time_us(run.created_us));
  if (run.ended_us != 0) body += described("Ended", format_time_us(run.ended_us));
  if (run.wake_us != 0 && run.wake_us != kNever)
    body += described("Asleep until", format_time_us(run.wake_us));
  if (run.wake_us == kNever) body += described("Asleep until", "somebody answers, or what it waits for ends");
  body += described("Module", run.module) + "</dl>" + questions_of(run.id);
  body += "<table><tr><th>time</th><th>what</th></tr>";
  const auto& steps = (*history)->steps;
  for (std::size_t i = 0; i < std::min(steps.size(), kSteps); ++i)
    body += fmt::format("<tr{}><td>{}</td><td>{}</td></tr>", steps[i].is_void ? " class=\"void\"" : "",
                        format_time_us(steps[i].time_us),
                        escaped(beginning_of(step_text(steps[i]), kLongestStep)));
  body += "</table>";
  if (steps.size() > kSteps)
    body += fmt::format("<p>{} more: flow runs show {}</p>", steps.size() - kSteps, escaped(run.id));
  return site_page(200, fmt::format("{} of {}", run.flow, format_time_us(run.created_us)), body);
}

// Of each person and option a link to what it would decide.
std::string RunSite::questions_of(const std::string& run) const {
  const auto open =
      store_.list_questions({.tenant = {}, .run = run, .state = QuestionRow::State::Open, .before_id = {}});
  if (!open) return "<p>what it asks cannot be read</p>";
  std::string body;
  for (const QuestionRow& question : *open) {
    body += fmt::format("<h2>{}</h2><div class=\"details\">{}</div>", escaped(question.subject),
                        details_html(question));
    for (std::uint32_t person = 0; person < question.people.size(); ++person) {
      body += fmt::format("<p>{}:", escaped(question.people[person]));
      for (std::uint32_t option = 0; option < question.options.size(); ++option) {
        const std::int64_t until_us = std::min(clock_.now_us() + kFormLifeUs, question.expires_us);
        const Link link{question.id, person, option, until_us / 1'000'000 * 1'000'000};
        body += fmt::format(" <a href=\"{}{}\">{}</a>", kAnswerForm, sign_link(options_.form_key, link),
                            escaped(question.options[option]));
      }
      body += "</p>";
    }
  }
  return body;
}

// As behind the link of a mail; but it is recorded that the answer came from here.
void RunSite::answer(const HttpQuestion& question, std::string_view token, const api::Reply& reply) const {
  const auto link = read_link(options_.form_key, token);
  if (!link || link->expires_us <= clock_.now_us())
    return reply(notice_page(410, "Too late", "open the run again, and choose there"));
  const auto asked = store_.question(link->question);
  if (!asked) return reply(store_failed_page());
  if (!*asked || link->person >= (*asked)->people.size() || link->option >= (*asked)->options.size())
    return reply(notice_page(404, "Not found", "there is no such question"));
  AnswerRequest request{.question = link->question,
                        .answer = (*asked)->options[link->option],
                        .by = (*asked)->people[link->person],
                        .via = "page"};
  const AnswerReply now = judge_answer(*asked, request, clock_.now_us());
  if (now.how != AnswerReply::How::Recorded) return reply(reply_page(now));
  if (api::reads(question)) {
    const auto run = store_.run((*asked)->run);
    if (!run || !*run) return reply(store_failed_page());
    return reply(confirmation_page(**asked, request.by, request.answer, **run));
  }
  if (question.body.size() > kAnswerFormBytes || question.body != "confirm=yes")
    return reply(notice_page(400, "Not confirmed", "open the page and send its form"));
  options_.answer(std::move(request), [reply](const AnswerReply& told) { reply(reply_page(told)); });
}

}  // namespace flow
