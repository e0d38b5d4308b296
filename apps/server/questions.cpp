// flow questions, flow approve: what runs ask people. The list is read from the store, also while a service
// writes to it. An answer goes to the service; without one it is written to the store, and the run goes on
// when a service starts.
#include <fmt/format.h>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/api.hpp"
#include "apps/server/run_json.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/service_client.hpp"
#include "apps/server/setup.hpp"
#include "apps/server/store_place.hpp"
#include "base/text.hpp"
#include "runtime/question.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow {
namespace {

void print(const QuestionRow& question) {
  fmt::print("{}  {:<9} {:<8} {:<10} {}  {}\n", question.id, question_state_name(question.state),
             question_kind_name(question.kind), question.tenant, question.flow, printable(question.subject));
  if (question.kind == QuestionRow::Kind::Receive) return;
  if (question.state == QuestionRow::State::Answered) {
    fmt::print("  {} by {} ({}) at {}\n", printable(question.answer), printable(question.by), question.via,
               format_time_us(question.closed_us));
    return;
  }
  fmt::print("  to {}: {}{}\n", printable(fmt::format("{}", fmt::join(question.people, ", "))),
             printable(fmt::format("{}", fmt::join(question.options, ", "))),
             question.expires_us == kNever ? "" : ", until " + format_time_us(question.expires_us));
}

Attempt<int> list(const QuestionsOptions& options) {
  FLOW_TRY(const StorePlace place, store_place(options.config, options.store));
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open_read_only(place.store));
  QuestionFilter filter;
  filter.tenant = options.tenant;
  if (!options.all) filter.state = QuestionRow::State::Open;
  filter.limit = 1000;
  FLOW_TRY(const std::vector<QuestionRow> questions, store->list_questions(filter));
  if (options.json) {
    std::string all;
    for (const QuestionRow& question : questions) all += (all.empty() ? "" : ",\n") + json_question(question);
    fmt::print("[{}]\n", all);
    return static_cast<int>(kSuccess);
  }
  if (questions.empty()) fmt::print("no questions\n");
  for (const QuestionRow& question : questions) print(question);
  return static_cast<int>(kSuccess);
}

Attempt<int> answer_at_service(const Config& config, const QuestionsOptions& options) {
  FLOW_TRY(const HttpResponse response,
           ask_service(config, "POST", std::string(api::kQuestions) + "/" + percent_encoded(options.id),
                       fmt::format(R"({{"answer":{},"by":{},"via":"command line"}})",
                                   json_quoted(options.answer), json_quoted(options.by))));
  if (response.status != 200) return tl::unexpected<Failure>(service_refusal(response));
  say(stdout, "recorded; the run goes on\n");
  return static_cast<int>(kSuccess);
}

Attempt<int> answer(const QuestionsOptions& options) {
  FLOW_TRY(const StorePlace place, store_place(options.config, options.store));
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, open_to_change(place));
  if (!store) return answer_at_service(*place.config, options);
  const SystemClock clock;
  FLOW_TRY(const AnswerReply reply,
           answer_in_store(*store, {options.id, options.answer, options.by, "command line"}, clock.now_us()));
  if (reply.how != AnswerReply::How::Recorded) return failure(reply.problem, kUsage);
  say(stdout, "recorded; the run goes on when a service has this store\n");
  return static_cast<int>(kSuccess);
}

}  // namespace

int run_questions_list(const QuestionsOptions& options) {
  const Attempt<int> listed = list(options);
  if (!listed) return complain(listed.error().message), listed.error().code;
  return *listed;
}

int run_questions_answer(const QuestionsOptions& options) {
  const Attempt<int> answered = answer(options);
  if (!answered) complain(answered.error().message);
  leave(answered ? *answered : answered.error().code);
}

}  // namespace flow
