// Messages to runs: flow.receive(). A message that comes before the run asks for it is kept, in order; the
// run takes it in the commit of the call's answer.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/auditing.hpp"
#include "runtime/loop.hpp"
#include "runtime/served.hpp"

namespace flow {
namespace {

MessageReply refused(MessageReply::How how, std::string problem) {
  return {.how = how, .problem = std::move(problem)};
}

}  // namespace

// The oldest one of that name, as the store has them and this turn has added and taken.
Result<std::optional<MessageRow>> Runtime::Loop::next_message(const std::string& run,
                                                              const std::string& name) {
  const auto is_taken = [&](const MessageRow& message) {
    return std::ranges::any_of(batch_.taken, [&](const TakenRow& taken) {
      return taken.run == message.run && taken.number == message.number;
    });
  };
  for (std::uint32_t after = 0;;) {
    FLOW_TRY(std::optional<MessageRow> message, store_.next_message(run, name, after));
    if (!message) break;
    if (!is_taken(*message)) return message;
    after = message->number;
  }
  for (const MessageRow& message : batch_.messages)
    if (message.run == run && message.name == name && !is_taken(message)) return std::optional(message);
  return std::optional<MessageRow>();
}

// Answers the call when there is one.
bool Runtime::Loop::take_message_for(Run& run, std::uint32_t number, const std::string& name, bool has_row) {
  const auto message = next_message(run.row().id, name);
  if (!message) {
    fail_store(message.error());
    return false;
  }
  if (!*message) return false;
  batch_.taken.push_back({.run = run.row().id, .number = (*message)->number, .call = number});
  if (has_row) close_question(question_id(run.row().id, number), QuestionRow::State::Answered);
  run.answer(number, Returned{(*message)->payload}, false, clock_.now_us());
  return true;
}

// Whether such a run is there to take messages; the reply says why not.
Result<std::optional<MessageReply>> Runtime::Loop::problem_with_receiver(const std::string& id) {
  using Reply = std::optional<MessageReply>;
  if (run(id) != nullptr) return Reply();
  std::optional<RunRow> row;
  if (const auto ended = std::ranges::find(batch_.changed_runs, id, &RunRow::id);
      ended != batch_.changed_runs.end()) {
    row = *ended;
  } else {
    FLOW_TRY(row, store_.run(id));
  }
  if (!row) return Reply(refused(MessageReply::How::NotFound, fmt::format("there is no run `{}`", id)));
  if (row->state != RunState::Running && row->state != RunState::Parked)
    return Reply(refused(MessageReply::How::Over,
                         fmt::format("run `{}` is over: {}", id, run_state_name(row->state))));
  return Reply();
}

Result<MessageReply> Runtime::Loop::keep_message(const MessageRequest& request) {
  if (auto problem = message_problem(request))
    return refused(MessageReply::How::Refused, std::move(*problem));
  FLOW_TRY(std::optional<MessageReply> problem, problem_with_receiver(request.run));
  if (problem) return std::move(*problem);
  const auto is_same = [&](const MessageRow& other) {
    return other.run == request.run && !request.key.empty() && other.key == request.key;
  };
  FLOW_TRY(const bool is_known, store_.has_message(request.run, request.key));
  if (is_known || std::ranges::any_of(batch_.messages, is_same))
    return MessageReply{.how = MessageReply::How::Known, .problem = {}};
  FLOW_TRY(Store::MessageCounts counts, store_.message_counts(request.run));
  for (const MessageRow& message : batch_.messages)
    if (message.run == request.run) counts.last = message.number, ++counts.kept;
  for (const TakenRow& taken : batch_.taken) counts.kept -= taken.run == request.run ? 1 : 0;
  if (counts.kept >= kMaxKeptMessages)
    return refused(MessageReply::How::Full,
                   fmt::format("the run keeps {} messages that it has not taken", counts.kept));
  batch_.messages.push_back({.run = request.run,
                             .number = counts.last + 1,
                             .name = request.name,
                             .payload = request.payload,
                             .key = request.key,
                             .from = request.from,
                             .received_us = clock_.now_us(),
                             .taken_by = std::nullopt});
  return MessageReply{.how = MessageReply::How::Kept, .problem = {}};
}

Status Runtime::Loop::take_message(const MessageRequest& request, const MessageDone& done) {
  FLOW_TRY(const MessageReply reply, keep_message(request));
  if (reply.how == MessageReply::How::Kept) {
    FLOW_TRY(const std::optional<RunRow> row, row_of(request.run));
    if (row)
      batch_.audit.push_back(audit_message(*row, request.name, request.from, request.key, clock_.now_us()));
    if (Run* const receiver = run(request.run))
      hand_message(*receiver, request.name);
    else
      FLOW_TRY_STATUS(wake_for_message(request.run, request.name));
  }
  when_durable([done, reply] { done(reply); });
  return {};
}

void Runtime::Loop::hand_message(Run& run, const std::string& name) {
  for (const std::uint32_t number : run.under_way()) {
    const bool is_asked =
        run.operation(number).full_name() == "flow.receive" && run.waiting(number)->in_doubt;
    if (!is_asked) continue;
    const auto asked = question_of(run, number);
    const auto* const question = std::get_if<QuestionRow>(&asked);
    if (question == nullptr || question->subject != name) continue;
    if (take_message_for(run, number, name, true)) return settle_run(run);
  }
}

Status Runtime::Loop::wake_for_message(const std::string& run, const std::string& name) {
  FLOW_TRY(
      const std::vector<QuestionRow> open,
      store_.list_questions({.tenant = {}, .run = run, .state = QuestionRow::State::Open, .before_id = {}}));
  for (const QuestionRow& question : open)
    if (question.kind == QuestionRow::Kind::Receive && question.subject == name) {
      wake_soon(run);
      break;
    }
  return {};
}

}  // namespace flow
