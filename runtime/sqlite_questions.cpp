#include "runtime/sqlite_questions.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "runtime/json_text.hpp"

namespace flow::sqlite {
namespace {

#define FLOW_QUESTION_COLUMNS                                                                          \
  "id, run, call, tenant, flow, kind, state, people, subject, details, options, asked_us, expires_us," \
  " closed_us, answer, answered_by, via"

std::string json_list(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ",") + json_quoted(text);
  return "[" + list + "]";
}

std::vector<std::string> texts_of(std::string_view list) {
  std::vector<std::string> texts;
  for (const std::string& element : json_elements(list).value_or(std::vector<std::string>()))
    texts.push_back(json_string(element).value_or(""));
  return texts;
}

// What this program does not know is shown as the last that it knows, which nobody can answer.
template <class Enum>
Enum numbered(std::int64_t number, Enum last) {
  return number >= 0 && number <= static_cast<std::int64_t>(last) ? static_cast<Enum>(number) : last;
}

QuestionRow question_row(const Statement& row) {
  QuestionRow question;
  question.id = row.text(0);
  question.run = row.text(1);
  question.call = static_cast<std::uint32_t>(row.number(2));
  question.tenant = row.text(3);
  question.flow = row.text(4);
  question.kind = numbered(row.number(5), kLastQuestionKind);
  question.state = numbered(row.number(6), kLastQuestionState);
  question.people = texts_of(row.text(7));
  question.subject = row.text(8);
  question.details = row.text(9);
  question.options = texts_of(row.text(10));
  question.asked_us = row.number(11);
  question.expires_us = row.number(12);
  question.closed_us = row.number(13);
  question.answer = row.text(14);
  question.by = row.text(15);
  question.via = row.text(16);
  return question;
}

}  // namespace

Status QuestionTables::prepare() {
  FLOW_TRY(add_question_,
           connection_.prepare("INSERT INTO questions (" FLOW_QUESTION_COLUMNS
                               ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  FLOW_TRY(close_question_,
           connection_.prepare("UPDATE questions SET state = ?, closed_us = ?, answer = ?, answered_by = ?,"
                               " via = ? WHERE id = ? AND state = 0"));
  FLOW_TRY(put_telling_,
           connection_.prepare("INSERT OR REPLACE INTO tellings (question, person, state, time_us, problem)"
                               " VALUES (?, ?, ?, ?, ?)"));
  FLOW_TRY(add_message_,
           connection_.prepare("INSERT INTO messages (run, number, name, payload, key, sender, received_us)"
                               " VALUES (?, ?, ?, ?, ?, ?, ?)"));
  FLOW_TRY(take_message_,
           connection_.prepare("UPDATE messages SET taken_by = ? WHERE run = ? AND number = ?"));
  FLOW_TRY(set_due_,
           connection_.prepare("UPDATE runs SET wake_us = ? WHERE id = ? AND state = 0 AND wake_us > 0"));
  FLOW_TRY(get_question_,
           connection_.prepare("SELECT " FLOW_QUESTION_COLUMNS " FROM questions WHERE id = ?"));
  FLOW_TRY(get_list_,
           connection_.prepare("SELECT " FLOW_QUESTION_COLUMNS
                               " FROM questions WHERE (?1 = '' OR tenant = ?1) AND (?2 = '' OR run = ?2)"
                               " AND (?3 < 0 OR state = ?3) AND (?4 = '' OR id < ?4)"
                               " ORDER BY id DESC LIMIT ?5"));
  FLOW_TRY(get_untold_, connection_.prepare("SELECT question, person, state, time_us, problem FROM tellings"
                                            " WHERE state < 2 AND (question, person) > (?, ?)"
                                            " ORDER BY question, person LIMIT ?"));
  FLOW_TRY(get_tellings_, connection_.prepare("SELECT question, person, state, time_us, problem FROM tellings"
                                              " WHERE question = ? ORDER BY person"));
  FLOW_TRY(get_next_message_,
           connection_.prepare("SELECT number, payload, key, sender, received_us FROM messages WHERE run = ?"
                               " AND name = ? AND taken_by IS NULL AND number > ? ORDER BY number LIMIT 1"));
  FLOW_TRY(find_message_,
           connection_.prepare("SELECT 1 FROM messages WHERE run = ? AND key = ? AND key <> ''"));
  FLOW_TRY(get_counts_,
           connection_.prepare("SELECT ifnull(max(number), 0), count(*) - count(taken_by) FROM messages"
                               " WHERE run = ?"));
  return {};
}

Status QuestionTables::write_questions(const Batch& batch) {
  for (const QuestionRow& row : batch.questions) {
    const std::string people = json_list(row.people), options = json_list(row.options);
    Statement& add = add_question_;
    add.bind(1, row.id)
        .bind(2, row.run)
        .bind(3, std::int64_t{row.call})
        .bind(4, row.tenant)
        .bind(5, row.flow);
    add.bind(6, static_cast<std::int64_t>(row.kind)).bind(7, static_cast<std::int64_t>(row.state));
    add.bind(8, people).bind(9, row.subject).bind(10, row.details).bind(11, options).bind(12, row.asked_us);
    add.bind(13, row.expires_us).bind(14, row.closed_us).bind(15, row.answer).bind(16, row.by);
    add.bind(17, row.via);
    FLOW_TRY_STATUS(connection_.finish(add, "keep a question"));
  }
  for (const QuestionRow& row : batch.closed) {
    close_question_.bind(1, static_cast<std::int64_t>(row.state)).bind(2, row.closed_us);
    close_question_.bind(3, row.answer).bind(4, row.by).bind(5, row.via).bind(6, row.id);
    FLOW_TRY_STATUS(connection_.finish(close_question_, "close a question"));
  }
  for (const TellingRow& row : batch.tellings) {
    put_telling_.bind(1, row.question).bind(2, std::int64_t{row.person});
    put_telling_.bind(3, static_cast<std::int64_t>(row.state)).bind(4, row.time_us).bind(5, row.problem);
    FLOW_TRY_STATUS(connection_.finish(put_telling_, "note who was told"));
  }
  return {};
}

Status QuestionTables::write_messages(const Batch& batch) {
  for (const MessageRow& row : batch.messages) {
    add_message_.bind(1, row.run).bind(2, std::int64_t{row.number}).bind(3, row.name).bind(4, row.payload);
    add_message_.bind(5, row.key).bind(6, row.from).bind(7, row.received_us);
    FLOW_TRY_STATUS(connection_.finish(add_message_, "keep a message"));
  }
  for (const TakenRow& row : batch.taken) {
    take_message_.bind(1, std::int64_t{row.call}).bind(2, row.run).bind(3, std::int64_t{row.number});
    FLOW_TRY_STATUS(connection_.finish(take_message_, "take a message"));
  }
  for (const DueRow& row : batch.due) {
    set_due_.bind(1, row.wake_us).bind(2, row.run);
    FLOW_TRY_STATUS(connection_.finish(set_due_, "wake a run"));
  }
  return {};
}

Status QuestionTables::write(const Batch& batch) {
  FLOW_TRY_STATUS(write_questions(batch));
  return write_messages(batch);
}

Result<std::vector<QuestionRow>> QuestionTables::questions(Statement& statement) {
  const Use use(statement);
  std::vector<QuestionRow> rows;
  int code = statement.step();
  for (; code == SQLITE_ROW; code = statement.step()) rows.push_back(question_row(statement));
  if (code != SQLITE_DONE) return tl::unexpected(connection_.problem("read questions"));
  return rows;
}

Result<std::optional<QuestionRow>> QuestionTables::question(std::string_view id) {
  FLOW_TRY(std::vector<QuestionRow> rows, questions(get_question_.bind(1, id)));
  if (rows.empty()) return std::optional<QuestionRow>();
  return std::optional<QuestionRow>(std::move(rows.front()));
}

Result<std::vector<QuestionRow>> QuestionTables::list(const QuestionFilter& filter) {
  get_list_.bind(1, filter.tenant).bind(2, filter.run);
  get_list_.bind(3, filter.state ? static_cast<std::int64_t>(*filter.state) : -1).bind(4, filter.before_id);
  get_list_.bind(5, std::int64_t{std::min(filter.limit, kMaxListedRuns)});
  return questions(get_list_);
}

Result<std::vector<TellingRow>> QuestionTables::told(Statement& statement) {
  const Use use(statement);
  std::vector<TellingRow> rows;
  int code = statement.step();
  for (; code == SQLITE_ROW; code = statement.step())
    rows.push_back({.question = statement.text(0),
                    .person = static_cast<std::uint32_t>(statement.number(1)),
                    .state = numbered(statement.number(2), TellingRow::State::Dropped),
                    .time_us = statement.number(3),
                    .problem = statement.text(4)});
  if (code != SQLITE_DONE) return tl::unexpected(connection_.problem("read who was told"));
  return rows;
}

Result<std::vector<TellingRow>> QuestionTables::untold(std::string_view after, std::int64_t after_person,
                                                       std::uint32_t limit) {
  return told(get_untold_.bind(1, after).bind(2, after_person).bind(3, std::int64_t{limit}));
}

Result<std::vector<TellingRow>> QuestionTables::tellings(std::string_view question) {
  return told(get_tellings_.bind(1, question));
}

Result<std::optional<MessageRow>> QuestionTables::next_message(std::string_view run, std::string_view name,
                                                               std::uint32_t after) {
  Statement& statement = get_next_message_.bind(1, run).bind(2, name).bind(3, std::int64_t{after});
  const Use use(statement);
  const int code = statement.step();
  if (code == SQLITE_DONE) return std::optional<MessageRow>();
  if (code != SQLITE_ROW) return tl::unexpected(connection_.problem("read a message"));
  return std::optional<MessageRow>(MessageRow{.run = std::string(run),
                                              .number = static_cast<std::uint32_t>(statement.number(0)),
                                              .name = std::string(name),
                                              .payload = statement.text(1),
                                              .key = statement.text(2),
                                              .from = statement.text(3),
                                              .received_us = statement.number(4),
                                              .taken_by = std::nullopt});
}

Result<bool> QuestionTables::has_message(std::string_view run, std::string_view key) {
  Statement& statement = find_message_.bind(1, run).bind(2, key);
  const Use use(statement);
  const int code = statement.step();
  if (code != SQLITE_ROW && code != SQLITE_DONE) return tl::unexpected(connection_.problem("find a message"));
  return code == SQLITE_ROW;
}

Result<Store::MessageCounts> QuestionTables::message_counts(std::string_view run) {
  Statement& statement = get_counts_.bind(1, run);
  const Use use(statement);
  if (statement.step() != SQLITE_ROW) return tl::unexpected(connection_.problem("count messages"));
  return Store::MessageCounts{.last = static_cast<std::uint32_t>(statement.number(0)),
                              .kept = static_cast<std::uint32_t>(statement.number(1))};
}

}  // namespace flow::sqlite
