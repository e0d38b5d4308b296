// Waiting for people: flow.approve() and flow.ask(), and calls that a policy lets nobody make but after
// asking. A question and the intent of its call are of one commit. Its row in the store is what counts: who
// answers changes it, and the run, wherever it is then, in memory, asleep or on the disk of a process that
// died, finds the answer there when it looks.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "runtime/auditing.hpp"
#include "runtime/json_text.hpp"
#include "runtime/loop.hpp"
#include "runtime/served.hpp"

namespace flow {
namespace {

constexpr std::size_t kMostPeople = 50;
constexpr std::size_t kMostOptions = 20;
constexpr std::size_t kLongestOption = 200;
constexpr std::size_t kLongestAddress = 254;

Fault bad(const Operation& operation, std::string_view what) {
  return {.kind = FaultKind::BadRequest, .message = fmt::format("{}: {}", operation.full_name(), what)};
}

Fault nobody_in_time(const Operation& operation) {
  return {.kind = FaultKind::Timeout,
          .message = fmt::format("nobody answered {} in time", operation.full_name())};
}

// One text or a list of them.
std::vector<std::string> texts(const JsonMembers& arguments, std::string_view name) {
  std::vector<std::string> found;
  const auto member = arguments.find(name);
  if (member == arguments.end()) return found;
  if (auto one = json_string(member->second)) return {*std::move(one)};
  const auto elements = json_elements(member->second);
  if (!elements) return found;
  for (const std::string& element : *elements) found.push_back(json_string(element).value_or(""));
  return found;
}

std::string text(const JsonMembers& arguments, std::string_view name) {
  const auto member = arguments.find(name);
  return member == arguments.end() ? "" : json_string(member->second).value_or("");
}

bool is_address(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == text.size() || text.size() > kLongestAddress)
    return false;
  return std::ranges::all_of(text, [](unsigned char c) {
    return c > ' ' && c < 0x7f && c != ',' && c != ';' && c != '<' && c != '>';
  });
}

std::optional<std::string> problem_with_people(std::vector<std::string>& people) {
  std::vector<std::string> once;
  for (std::string& person : people) {
    if (!is_address(person)) return fmt::format("`{}` is no mail address", person);
    const auto is_same = [&](const std::string& other) { return equals_ignoring_case(other, person); };
    if (std::ranges::none_of(once, is_same)) once.push_back(std::move(person));
  }
  people = std::move(once);
  if (people.empty()) return "it names nobody who may answer";
  if (people.size() > kMostPeople) return fmt::format("it names more than {} people", kMostPeople);
  return std::nullopt;
}

std::optional<std::string> problem_with_options(const std::vector<std::string>& options) {
  if (options.empty()) return "it has no options to choose from";
  if (options.size() > kMostOptions) return fmt::format("it has more than {} options", kMostOptions);
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (options[i].empty()) return "one of its options is empty";
    if (options[i].size() > kLongestOption)
      return fmt::format("one of its options is longer than {} bytes", kLongestOption);
    if (std::find(options.begin(), options.begin() + static_cast<std::ptrdiff_t>(i), options[i]) !=
        options.begin() + static_cast<std::ptrdiff_t>(i))
      return fmt::format("it has the option `{}` twice", options[i]);
  }
  return std::nullopt;
}

std::int64_t later(std::int64_t time_us, std::int64_t by_us) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(time_us, by_us, &sum) ? kNever : sum;
}

}  // namespace

// A question without what is asked.
QuestionRow Runtime::Loop::new_question(const Run& run, std::uint32_t number, QuestionRow::Kind kind) const {
  QuestionRow question;
  question.run = run.row().id;
  question.call = number;
  question.id = question_id(question.run, number);
  question.tenant = run.row().tenant;
  question.flow = run.row().flow;
  question.kind = kind;
  question.details = "\"\"";
  question.asked_us = clock_.now_us();
  const std::optional<CallOptions>& options = run.waiting(number)->call.options;
  const std::int64_t within_us = options ? options->await_within_us : 0;
  question.expires_us = within_us > 0 ? later(question.asked_us, within_us) : kNever;
  return question;
}

std::variant<QuestionRow, Fault> Runtime::Loop::question_of(const Run& run, std::uint32_t number) const {
  const Operation& operation = run.operation(number);
  const JsonMembers arguments = json_members(run.waiting(number)->call.arguments).value_or(JsonMembers());
  if (operation.name == "receive") {
    QuestionRow question = new_question(run, number, QuestionRow::Kind::Receive);
    question.subject = text(arguments, "name");
    return question;
  }
  const bool is_ask = operation.name == "ask";
  QuestionRow question =
      new_question(run, number, is_ask ? QuestionRow::Kind::Ask : QuestionRow::Kind::Approve);
  question.people = texts(arguments, is_ask ? "to" : "by");
  question.subject = text(arguments, is_ask ? "question" : "subject");
  if (const auto details = arguments.find("details"); details != arguments.end())
    question.details = details->second;
  question.options = is_ask ? texts(arguments, "options") : std::vector<std::string>{kApprove, kRefuse};
  if (const auto problem = problem_with_people(question.people)) return bad(operation, *problem);
  if (const auto problem = problem_with_options(question.options)) return bad(operation, *problem);
  return question;
}

// As the store has it, with what this turn has made of it.
Result<std::optional<QuestionRow>> Runtime::Loop::question(const std::string& id) {
  const auto of_this_turn = [&](const std::vector<QuestionRow>& rows) {
    const auto row = std::ranges::find(rows, id, &QuestionRow::id);
    return row == rows.end() ? nullptr : &*row;
  };
  std::optional<QuestionRow> found;
  if (const QuestionRow* const asked = of_this_turn(batch_.questions)) {
    found = *asked;
  } else {
    FLOW_TRY(found, store_.question(id));
  }
  const QuestionRow* const closed = of_this_turn(batch_.closed);
  if (!found || closed == nullptr || found->state != QuestionRow::State::Open) return found;
  found->state = closed->state;
  found->closed_us = closed->closed_us;
  found->answer = closed->answer;
  found->by = closed->by;
  found->via = closed->via;
  return found;
}

// Comes here when the run gets to the call, and again whenever it is taken up.
void Runtime::Loop::wait_for_somebody(Run& run, std::uint32_t number) {
  const std::int64_t now_us = clock_.now_us();
  const Operation& operation = run.operation(number);
  const std::string id = question_id(run.row().id, number);
  std::optional<QuestionRow> known;
  if (run.waiting(number)->in_doubt) {
    Result<std::optional<QuestionRow>> found = question(id);
    if (!found) return fail_store(found.error());
    known = std::move(*found);
  }
  const bool has_row = known.has_value();
  if (!has_row) {
    const auto asked = question_of(run, number);
    const auto* const fault = std::get_if<Fault>(&asked);
    if (!run.waiting(number)->in_doubt)
      run.note_attempt(number, now_us, fault != nullptr ? 0 : std::get<QuestionRow>(asked).expires_us);
    if (fault != nullptr) return run.answer(number, *fault, false, now_us);
    known = std::get<QuestionRow>(asked);
  }
  const bool is_message = known->kind == QuestionRow::Kind::Receive;
  if (is_message && take_message_for(run, number, known->subject, has_row)) return;
  if (!has_row) open_question(run, *known);
  if (!is_message && known->state == QuestionRow::State::Answered)
    return run.answer(number, answer_of(*known), false, now_us);
  if (known->expires_us <= now_us) {
    close_question(id, QuestionRow::State::Expired);
    return run.answer(number, nobody_in_time(operation), false, now_us);
  }
  rest_until_due(run, number, now_us);
}

void Runtime::Loop::open_question(const Run& run, const QuestionRow& question) {
  batch_.questions.push_back(question);
  after_commit([this, question] { observer_->question_asked(question); });
  for (std::uint32_t person = 0; person < question.people.size(); ++person)
    tell(run.row(), run.module(), question, person);
}

void Runtime::Loop::close_question(const std::string& id, QuestionRow::State state) {
  QuestionRow closed;
  closed.id = id;
  closed.state = state;
  closed.closed_us = clock_.now_us();
  batch_.closed.push_back(std::move(closed));
  stop_telling(id);
}

Outcome Runtime::Loop::answer_of(const QuestionRow& answered) {
  if (answered.kind == QuestionRow::Kind::Ask) return Returned{json_quoted(answered.answer)};
  return Returned{answered.answer == kApprove ? "true" : "false"};
}

// What was waited for until now has not come.
Outcome Runtime::Loop::outcome_when_due(const Run& run, std::uint32_t number) {
  if (run.operation(number).full_name() == "flow.call")
    return Fault{.kind = FaultKind::Timeout, .message = "the called flow was not over in time; it goes on"};
  if (!is_answered_by_somebody(run.operation(number))) return Returned{"null"};
  close_question(question_id(run.row().id, number), QuestionRow::State::Expired);
  return nobody_in_time(run.operation(number));
}

Status Runtime::Loop::take_answer(const AnswerRequest& request, const AnswerDone& done) {
  FLOW_TRY(const auto asked, question(request.question));
  AnswerReply reply = judge_answer(asked, request, clock_.now_us());
  if (reply.how == AnswerReply::How::Recorded) {
    const QuestionRow& answered = reply.question;
    batch_.closed.push_back(answered);
    batch_.audit.push_back(audit_answer(answered));
    stop_telling(answered.id);
    after_commit([this, answered] { observer_->question_answered(answered); });
    if (run(answered.run) == nullptr)
      wake_soon(answered.run);
    else if (Run* const waiting = waiting_run(answered.run, answered.call))
      go_on_with(*waiting, answered);
  }
  when_durable(
      [done, reply = std::move(reply)] { done(reply); });  // the answer before it may be of this turn
  return {};
}

void Runtime::Loop::go_on_with(Run& run, const QuestionRow& answered) {
  if (answered.kind != QuestionRow::Kind::Admit)
    return finish_call(run, answered.call, answer_of(answered), false);
  ask_for(run, answered.call);  // who held it back finds the answer
  settle_run(run);
}

// One that is asleep is found by wake_due(), which keeps to the room there is in memory; one that is on its
// way there looks by itself.
void Runtime::Loop::wake_soon(const std::string& id) {
  const std::int64_t now_us = clock_.now_us();
  batch_.due.push_back({.run = id, .wake_us = now_us});
  next_sleeper_us_ = std::min(next_sleeper_us_, now_us);
}

void Runtime::Loop::withdraw(const Run& run, const std::vector<std::uint32_t>& calls) {
  for (const std::uint32_t number : calls)
    close_question(question_id(run.row().id, number), QuestionRow::State::Withdrawn);
}

bool Runtime::Loop::was_asked(const Run& run, std::uint32_t number) {
  const Result<std::optional<QuestionRow>> known = question(question_id(run.row().id, number));
  if (!known) fail_store(known.error());
  return known && known->has_value();
}

std::optional<bool> Runtime::Loop::approval(Run& run, std::uint32_t number, const Approval& wanted) {
  const std::int64_t now_us = clock_.now_us();
  const std::string id = question_id(run.row().id, number);
  Result<std::optional<QuestionRow>> known = question(id);
  if (!known) {
    fail_store(known.error());
    return std::nullopt;
  }
  if (!*known) {
    QuestionRow asked = new_question(run, number, QuestionRow::Kind::Admit);
    asked.people = wanted.people;
    asked.subject = wanted.subject;
    asked.details = json_quoted(wanted.details);
    asked.options = {kApprove, kRefuse};
    asked.expires_us = wanted.within_us > 0 ? later(now_us, wanted.within_us) : kNever;
    if (problem_with_people(asked.people)) return false;
    open_question(run, asked);
    known = asked;
  }
  const QuestionRow& question = **known;
  run.note_held(number, false);
  run.note_due(number, 0);
  if (question.state != QuestionRow::State::Open) return question.answer == kApprove;
  if (question.expires_us <= now_us) {
    close_question(id, QuestionRow::State::Expired);
    return false;
  }
  run.note_held(number, true);
  run.note_due(number, question.expires_us);
  drowsy_.insert(run.row().id);
  if (question.expires_us != kNever)
    at(question.expires_us, run, number, [this, number](Run& held) {
      if (!held.waiting(number)->is_held) return;
      ask_for(held, number);
      settle_run(held);
    });
  return std::nullopt;
}

}  // namespace flow
