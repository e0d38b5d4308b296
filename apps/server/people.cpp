#include "apps/server/people.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "apps/server/answer_page.hpp"
#include "apps/server/api.hpp"
#include "apps/server/query.hpp"
#include "apps/server/run_json.hpp"
#include "apps/server/web_page.hpp"
#include "base/text.hpp"
#include "runtime/json_text.hpp"
#include "runtime/links.hpp"

namespace flow {
namespace {

constexpr std::string_view kMessages = "/messages/";
constexpr std::uint32_t kMostQuestions = 1000;

HttpAnswer invalid_link() {
  return notice_page(404, "Not found", "this link is not valid");
}

HttpAnswer api_answer(const AnswerReply& reply) {
  using How = AnswerReply::How;
  switch (reply.how) {
    case How::Recorded: return api::answer(200, json_question(reply.question));
    case How::Already: return api::refusal(409, "AlreadyAnswered", reply.problem);
    case How::Expired: return api::refusal(410, "Expired", reply.problem);
    case How::Withdrawn: return api::refusal(410, "Withdrawn", reply.problem);
    case How::NotFound: return api::refusal(404, "NotFound", reply.problem);
    case How::NotAsked: return api::refusal(403, "NotAsked", reply.problem);
    case How::NoSuchOption: return api::refusal(400, "NoSuchOption", reply.problem);
    case How::Stopping: break;
  }
  return api::stopping();
}

HttpAnswer api_answer(const MessageReply& reply) {
  using How = MessageReply::How;
  switch (reply.how) {
    case How::Kept: return api::answer(202, R"({"isKnown":false})");
    case How::Known: return api::answer(202, R"({"isKnown":true})");
    case How::NotFound: return api::refusal(404, "NotFound", reply.problem);
    case How::Over: return api::refusal(410, "Over", reply.problem);
    case How::Refused: return api::refusal(400, "BadRequest", reply.problem);
    case How::Full: return api::refusal(429, "TooMany", reply.problem);
    case How::Stopping: break;
  }
  return api::stopping();
}

std::optional<AnswerRequest> read_answer(const std::string& body, std::string_view id, std::string& problem) {
  const auto members = json_members(body);
  if (!members) return problem = "the body is no well-formed JSON object", std::nullopt;
  AnswerRequest request{.question = std::string(id), .answer = {}, .by = {}, .via = "api"};
  for (const auto& [name, json] : *members) {
    const auto text = json_string(json);
    std::string* const to = name == "answer" ? &request.answer : name == "by" ? &request.by : nullptr;
    if (name == "via" && text == "command line") {
      request.via = *text;
    } else if (to == nullptr) {
      problem = fmt::format("unknown member `{}`; known are answer and by", name);
    } else if (!text) {
      problem = fmt::format("`{}` must be a text", name);
    } else {
      *to = *text;
    }
  }
  if (problem.empty() && (request.answer.empty() || request.by.empty()))
    problem = "say the `answer` and whose it is, as `by`: an address of those who were asked";
  if (!problem.empty()) return std::nullopt;
  return request;
}

}  // namespace

bool People::handle(const HttpQuestion& question, const Reply& reply) const {
  const std::string_view target = question.target;
  const auto path = percent_decoded(target.substr(0, target.find('?')));
  if (!path) return false;
  const std::string_view all = *path;
  if (all == "/style.css") return reply(api::reads(question) ? page_style() : api::only("GET")), true;
  if (all.starts_with(kAnswerPath)) return link(question, all.substr(kAnswerPath.size()), reply), true;
  if (!options_.api_token) return false;
  if (all == api::kQuestions) return questions(question, {}, reply), true;
  if (all.starts_with(api::kQuestions) && all[api::kQuestions.size()] == '/')
    return questions(question, all.substr(api::kQuestions.size() + 1), reply), true;
  const bool is_message = all.starts_with(api::kOneRun) && all.find(kMessages) != std::string_view::npos;
  if (is_message) message(question, all.substr(api::kOneRun.size()), reply);
  return is_message;
}

// Nothing is looked up for a link that we have not signed, and opening one changes nothing.
void People::link(const HttpQuestion& question, std::string_view token, const Reply& reply) const {
  const auto link = read_link(options_.link_key, token);
  if (!link) return reply(invalid_link());
  const bool is_post = question.method == "POST";
  if (!is_post && !api::reads(question)) return reply(api::only("GET or POST"));
  if (link->expires_us <= clock_.now_us())
    return reply(notice_page(410, "Too late", "this link is not valid any more"));
  const auto asked = store_.question(link->question);
  if (!asked) return reply(notice_page(503, "Not now", "the store cannot be read; try again in a minute"));
  if (!*asked || link->person >= (*asked)->people.size() || link->option >= (*asked)->options.size())
    return reply(invalid_link());
  const std::string& person = (*asked)->people[link->person];
  const std::string& option = (*asked)->options[link->option];
  AnswerRequest request{.question = link->question, .answer = option, .by = person, .via = "link"};
  const AnswerReply now = judge_answer(*asked, request, clock_.now_us());
  if (now.how != AnswerReply::How::Recorded) return reply(reply_page(now));
  if (!is_post) {
    const auto run = store_.run((*asked)->run);
    if (!run || !*run) return reply(notice_page(503, "Not now", "the run cannot be read"));
    return reply(confirmation_page(**asked, person, option, **run));
  }
  if (question.body.size() > kAnswerFormBytes)
    return reply(notice_page(413, "Too large", "this is not our form"));
  if (question.body != "confirm=yes")
    return reply(notice_page(400, "Not confirmed", "open the link and send its form"));
  options_.answer(std::move(request), [reply](const AnswerReply& told) { reply(reply_page(told)); });
}

void People::questions(const HttpQuestion& question, std::string_view id, const Reply& reply) const {
  const bool is_post = question.method == "POST" && !id.empty();
  if (!is_post && !api::reads(question)) return reply(api::only(id.empty() ? "GET" : "GET or POST"));
  if (!api::is_allowed(options_.api_token, question, reply)) return;
  if (id.empty()) return list(question, reply);
  if (!is_post) {
    const auto asked = store_.question(id);
    if (!asked) return reply(api::store_failed());
    if (!*asked) return reply(api::refusal(404, "NotFound", fmt::format("there is no question `{}`", id)));
    return reply(api::answer(200, json_question(**asked)));
  }
  std::string problem;
  auto request = read_answer(question.body, id, problem);
  if (!request) return reply(api::refusal(400, "BadRequest", problem));
  options_.answer(std::move(*request), [reply](const AnswerReply& told) { reply(api_answer(told)); });
}

void People::list(const HttpQuestion& question, const Reply& reply) const {
  if (!api::is_known(question, {"state", "tenant", "run", "before"}, reply)) return;
  const std::string state = parameter(question.target, "state");
  if (!state.empty() && state != "open" && state != "all")
    return reply(api::refusal(400, "BadRequest", "`state` is open or all"));
  QuestionFilter filter;
  if (state != "all") filter.state = QuestionRow::State::Open;
  filter.tenant = parameter(question.target, "tenant");
  filter.run = parameter(question.target, "run");
  filter.before_id = parameter(question.target, "before");
  filter.limit = kMostQuestions;
  const auto rows = store_.list_questions(filter);
  if (!rows) return reply(api::store_failed());
  std::string all;
  for (const QuestionRow& row : *rows) all += (all.empty() ? "" : ",") + json_question(row);
  reply(api::answer(200, fmt::format(R"({{"questions":[{}]}})", all)));
}

void People::message(const HttpQuestion& question, std::string_view rest, const Reply& reply) const {
  const std::size_t at = rest.find(kMessages);
  if (question.method != "POST") return reply(api::only("POST"));
  if (!api::is_allowed(options_.api_token, question, reply)) return;
  MessageRequest request{.run = std::string(rest.substr(0, at)),
                         .name = std::string(rest.substr(at + kMessages.size())),
                         .payload = question.body,
                         .key = std::string(question.header("Idempotency-Key")),
                         .from = "api"};
  options_.send(std::move(request), [reply](const MessageReply& told) { reply(api_answer(told)); });
}

}  // namespace flow
