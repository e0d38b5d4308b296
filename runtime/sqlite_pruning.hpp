// Taking out what need not be kept: a part of SqliteStore, with the statements that are its own.
#pragma once

#include <string>
#include <vector>

#include "runtime/sqlite.hpp"
#include "runtime/store.hpp"

namespace flow::sqlite {

class Pruning {
 public:
  explicit Pruning(Connection& connection) : connection_(connection) {}

  Status prepare();

  // What goes, and what is to be told of it. Reads only.
  struct Plan {
    Pruned pruned;
    std::vector<std::string> runs;  // that go, perhaps
  };
  Result<Plan> plan(const PruneOrder& order);
  // Within a transaction: the runs of the plan, until so many rows are gone. Completes plan.pruned.
  Status carry_out(Plan& plan, const PruneOrder& order);
  Result<std::vector<std::string>> modules_but(const std::vector<std::string>& needed);
  Status remove_modules(const std::vector<std::string>& hashes);  // within a transaction

 private:
  Result<bool> may_be_asked_for(const std::string& trigger, const std::string& key);
  Status remove_run(const std::string& run, std::uint32_t& rows);

  Connection& connection_;
  Statement look_, find_run_, get_modules_, remove_module_, forget_once_, forget_counted_;
  Statement remove_journal_, remove_frozen_, remove_tellings_, remove_questions_, remove_messages_,
      remove_run_;
};

}  // namespace flow::sqlite
