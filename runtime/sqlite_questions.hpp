// The tables of questions to people, of the mails about them, and of messages to runs: a part of SqliteStore,
// with the statements that are theirs.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "runtime/sqlite.hpp"
#include "runtime/store.hpp"

namespace flow::sqlite {

class QuestionTables {
 public:
  explicit QuestionTables(Connection& connection) : connection_(connection) {}

  Status prepare();
  Status write(const Batch& batch);  // within the transaction of the whole

  // As of Store.
  Result<std::optional<QuestionRow>> question(std::string_view id);
  Result<std::vector<QuestionRow>> list(const QuestionFilter& filter);
  Result<std::vector<TellingRow>> untold(std::string_view after, std::int64_t after_person,
                                         std::uint32_t limit);
  Result<std::vector<TellingRow>> tellings(std::string_view question);
  Result<std::optional<MessageRow>> next_message(std::string_view run, std::string_view name,
                                                 std::uint32_t after);
  Result<bool> has_message(std::string_view run, std::string_view key);
  Result<Store::MessageCounts> message_counts(std::string_view run);

 private:
  Status write_questions(const Batch& batch);
  Status write_messages(const Batch& batch);
  Result<std::vector<QuestionRow>> questions(Statement& statement);
  Result<std::vector<TellingRow>> told(Statement& statement);

  Connection& connection_;
  Statement add_question_, close_question_, put_telling_, add_message_, take_message_, set_due_;
  Statement get_question_, get_list_, get_untold_, get_tellings_, get_next_message_, find_message_,
      get_counts_;
};

}  // namespace flow::sqlite
