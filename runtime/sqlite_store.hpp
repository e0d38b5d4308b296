// The embedded store: one SQLite file in WAL mode with synchronous=FULL, written through one connection that
// belongs to the loop's thread. A second writer on the same file is refused by a lock beside it
// (`<file>.lock`), which the kernel drops when its holder dies. Readers (`flow runs`) open the file without
// the lock, at any time.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/store.hpp"

namespace flow {

// Version history of the tables (PRAGMA user_version):
//   1  first version
//   2  keys of flow.once()
//   3  runs that are asleep
//   4  calls counted under a limit
//   5  questions to people, the mails about them, and messages to runs
//   6  what was used of the quotas within the last hour; what is live; several entries in one row of the
//      journal, whose rows have numbers; the audit trail;
//      the machine that a run is about
//   7  what events said last, for flows that ask what was before
//   8  runs that wait for their turn are asleep; conditions of modules, as they were written
inline constexpr int kStoreVersion = 8;

struct SqliteOptions {
  std::int64_t max_bytes =
      0;  // a commit that would let the file grow beyond this fails; 0 is the disk's own limit
  // Name of a registered sqlite3_vfs to keep the file by, which then has to keep other writers out as well.
  // Empty: the system's files, and the lock beside the file.
  std::string vfs;
  // Takes the log into the file in a thread of its own. Otherwise it is done by tidy(), and by a commit that
  // makes the log long.
  bool checkpoints_in_background = false;
};

class SqliteStore final : public Store {
 public:
  // Opens for writing, makes the file when there is none, and brings older tables up to kStoreVersion.
  // Refused with a clear Error: a file of someone else's, a newer version, one that is in use, damaged or not
  // writable.
  // `:memory:` gives a store that lives as long as this object, for tests.
  static Result<std::unique_ptr<SqliteStore>> open(const std::string& path, SqliteOptions options = {});
  // For looking only: every commit() fails. The file must exist.
  static Result<std::unique_ptr<SqliteStore>> open_read_only(const std::string& path);
  ~SqliteStore() override;

  // How much it holds, for people who watch a service.
  struct Figures {
    std::int64_t asleep = 0;  // runs
    std::int64_t parked = 0;
    std::int64_t open_questions = 0;  // and messages that runs wait for
    std::int64_t bytes = 0;
  };
  Result<Figures> figures();

  Status commit(const Batch& batch) override;
  Result<std::optional<std::string>> module(std::string_view hash) override;
  Result<std::optional<std::string>> conditions_of(std::string_view hash) override;
  Result<std::optional<RunRow>> run(std::string_view id) override;
  Result<std::optional<std::string>> run_of(std::string_view tenant, std::string_view flow,
                                            std::string_view trigger, std::string_view key) override;
  Result<std::vector<JournalRow>> journal(std::string_view run, std::uint32_t from) override;
  Result<std::uint32_t> journal_length(std::string_view run) override;
  Result<std::vector<RunRow>> unfinished_runs(std::string_view after, std::uint32_t limit) override;
  Result<std::vector<RunRow>> runs_in_line(std::string_view after, std::uint32_t limit) override;
  Result<std::vector<RunRow>> sleepers(std::int64_t until_us, std::uint32_t limit) override;
  Result<std::optional<std::int64_t>> next_wake_us() override;
  Result<std::optional<SleepRow>> frozen(std::string_view run) override;
  Result<std::vector<RunRow>> open_leases(std::string_view tenant, std::string_view flow) override;
  Result<std::vector<RunRow>> list_runs(const RunFilter& filter) override;
  Result<std::optional<CursorRow>> cursor(std::string_view tenant, std::string_view trigger) override;
  Result<bool> is_seen(std::string_view tenant, std::string_view trigger, std::string_view key) override;
  Result<std::optional<StateRow>> last_state(std::string_view tenant, std::string_view trigger,
                                             std::string_view id) override;
  Result<std::int64_t> once_until(std::string_view tenant, std::string_view flow,
                                  std::string_view key) override;
  Result<std::vector<CountedCallRow>> counted_calls(std::string_view tenant, std::string_view flow,
                                                    std::string_view operation,
                                                    std::int64_t after_us) override;
  Result<std::vector<SentRow>> sent_calls(std::int64_t from_second) override;
  Result<std::vector<RestRow>> rests(std::int64_t after_us) override;
  Result<std::optional<QuestionRow>> question(std::string_view id) override;
  Result<std::vector<QuestionRow>> list_questions(const QuestionFilter& filter) override;
  Result<std::vector<TellingRow>> untold(std::string_view after, std::int64_t after_person,
                                         std::uint32_t limit) override;
  Result<std::vector<TellingRow>> tellings(std::string_view question) override;
  Result<std::optional<MessageRow>> next_message(std::string_view run, std::string_view name,
                                                 std::uint32_t after) override;
  Result<bool> has_message(std::string_view run, std::string_view key) override;
  Result<MessageCounts> message_counts(std::string_view run) override;
  Result<std::vector<DeploymentRow>> deployments(std::string_view tenant, std::string_view flow) override;
  Result<std::optional<std::string>> meta(std::string_view key) override;
  Result<std::vector<AuditLine>> audit(std::uint64_t after, std::uint32_t limit) override;
  Status tidy() override;
  Result<Pruned> prune_runs(const PruneOrder& order) override;
  Result<std::uint32_t> prune_modules(const std::vector<std::string>& needed) override;
  Result<std::uint32_t> prune_audit(std::int64_t before_us, std::uint32_t limit,
                                    std::int64_t now_us) override;

 private:
  struct Tables;
  explicit SqliteStore(std::unique_ptr<Tables> tables);
  Status in_transaction(const std::function<Status()>& write);

  std::unique_ptr<Tables> tables_;
};

}  // namespace flow
