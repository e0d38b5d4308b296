#include "runtime/question.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "runtime/auditing.hpp"
#include "runtime/json_text.hpp"

namespace flow {
namespace {

AnswerReply refused(AnswerReply::How how, const QuestionRow& question, std::string problem) {
  return {.how = how, .question = question, .problem = std::move(problem)};
}

bool is_for_people(const QuestionRow& question) {
  return question.kind != QuestionRow::Kind::Receive;
}

AnswerReply judge_open(const QuestionRow& question, const AnswerRequest& request, std::int64_t now_us) {
  using How = AnswerReply::How;
  const auto person = std::ranges::find_if(
      question.people, [&](const std::string& one) { return equals_ignoring_case(one, request.by); });
  if (person == question.people.end())
    return refused(
        How::NotAsked, question,
        fmt::format("`{}` was not asked; those who were: {}", request.by, fmt::join(question.people, ", ")));
  if (std::ranges::find(question.options, request.answer) == question.options.end()) {
    const auto near = nearest_name(request.answer, question.options);
    return refused(How::NoSuchOption, question,
                   fmt::format("`{}` is no answer to this; answers are {}{}", request.answer,
                               fmt::join(question.options, ", "),
                               near ? fmt::format("; did you mean `{}`?", *near) : ""));
  }
  AnswerReply reply{.how = How::Recorded, .question = question, .problem = {}};
  reply.question.state = QuestionRow::State::Answered;
  reply.question.closed_us = now_us;
  reply.question.answer = request.answer;
  reply.question.by = *person;
  reply.question.via = request.via;
  return reply;
}

}  // namespace

AnswerReply judge_answer(const std::optional<QuestionRow>& question, const AnswerRequest& request,
                         std::int64_t now_us) {
  using How = AnswerReply::How;
  if (!question || !is_for_people(*question))
    return refused(How::NotFound, {}, fmt::format("there is no question `{}`", request.question));
  switch (question->state) {
    case QuestionRow::State::Open: break;
    case QuestionRow::State::Answered:
      return refused(How::Already, *question,
                     fmt::format("{} has answered `{}` at {}; the first answer counts", question->by,
                                 question->answer, format_time_us(question->closed_us)));
    case QuestionRow::State::Expired:
      return refused(How::Expired, *question,
                     fmt::format("it could be answered until {}", format_time_us(question->expires_us)));
    case QuestionRow::State::Withdrawn:
      return refused(How::Withdrawn, *question, "the run has ended or gone on without an answer");
  }
  if (now_us >= question->expires_us)
    return refused(How::Expired, *question,
                   fmt::format("it could be answered until {}", format_time_us(question->expires_us)));
  return judge_open(*question, request, now_us);
}

Result<AnswerReply> answer_in_store(Store& store, const AnswerRequest& request, std::int64_t now_us) {
  FLOW_TRY(const auto question, store.question(request.question));
  AnswerReply reply = judge_answer(question, request, now_us);
  if (reply.how != AnswerReply::How::Recorded) return reply;
  Batch batch;
  batch.closed.push_back(reply.question);
  batch.audit.push_back(audit_answer(reply.question));
  batch.due.push_back({.run = reply.question.run, .wake_us = now_us});
  FLOW_TRY_STATUS(store.commit(batch));
  return reply;
}

std::optional<std::string> message_problem(const MessageRequest& request) {
  if (request.name.empty()) return "a message needs a name";
  if (request.name.size() > kMaxMessageName)
    return fmt::format("the name is longer than {} bytes", kMaxMessageName);
  if (invalid_utf8_at(request.name) || invalid_utf8_at(request.key))
    return "the name or the key is no valid UTF-8";
  if (request.key.size() > kMaxMessageKey)
    return fmt::format("the key is longer than {} bytes", kMaxMessageKey);
  if (request.payload.size() > kMaxMessageBytes)
    return fmt::format("the message is larger than {} bytes", kMaxMessageBytes);
  if (!is_json(request.payload)) return "the message is not well-formed JSON";
  return std::nullopt;
}

}  // namespace flow
