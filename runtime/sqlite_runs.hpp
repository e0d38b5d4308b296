// The tables of modules, runs, their journals, and what was frozen of those that are asleep: a part of
// SqliteStore, with the statements that are theirs.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/sqlite.hpp"
#include "runtime/store.hpp"

namespace flow::sqlite {

class RunTables {
 public:
  explicit RunTables(Connection& connection) : connection_(connection) {}

  Status prepare();
  Status write(const Batch& batch);  // within the transaction of the whole

  // As of Store.
  Result<std::optional<std::string>> module(std::string_view hash);
  Result<std::optional<std::string>> conditions_of(std::string_view hash);
  Result<std::optional<RunRow>> run(std::string_view id);
  Result<std::optional<std::string>> run_of(std::string_view tenant, std::string_view flow,
                                            std::string_view trigger, std::string_view key);
  Result<std::vector<JournalRow>> journal(std::string_view run, std::uint32_t from);
  Result<std::uint32_t> journal_length(std::string_view run);
  Result<std::vector<RunRow>> unfinished(std::string_view after, std::uint32_t limit);
  Result<std::vector<RunRow>> in_line(std::string_view after, std::uint32_t limit);
  Result<std::vector<RunRow>> sleepers(std::int64_t until_us, std::uint32_t limit);
  Result<std::optional<std::int64_t>> next_wake_us();
  Result<std::optional<SleepRow>> frozen(std::string_view run);
  Result<std::vector<RunRow>> open_leases(std::string_view tenant, std::string_view flow);
  Result<std::vector<RunRow>> list(const RunFilter& filter);

 private:
  Status write_runs(const Batch& batch);
  Status append(std::span<const JournalRow> entries);  // of one run, one after the other
  Status write_sleep(const Batch& batch);
  Result<std::vector<RunRow>> runs(Statement& statement);
  Result<std::vector<std::string>> runs_of_event(const RunFilter& filter);  // IDs

  Connection& connection_;
  Statement add_module_, add_conditions_, get_conditions_, add_run_, change_run_, add_entry_, set_wake_,
      put_frozen_, forget_frozen_;
  Statement get_module_, get_run_, find_run_, get_journal_, get_length_, get_unfinished_, get_in_line_,
      get_sleepers_, get_next_wake_, get_frozen_, get_leases_, next_group_, find_event_;
};

}  // namespace flow::sqlite
