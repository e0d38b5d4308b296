// The tables of what is remembered from run to run: how far each trigger was read, the events that were seen,
// the keys that flows have taken, the calls that count under a limit, and the runtime's own marks. A part of
// SqliteStore, with the statements that are theirs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/sqlite.hpp"
#include "runtime/store.hpp"

namespace flow::sqlite {

class TriggerTables {
 public:
  explicit TriggerTables(Connection& connection) : connection_(connection) {}

  Status prepare();
  Status write(const Batch& batch);  // within the transaction of the whole

  // As of Store.
  Result<std::optional<CursorRow>> cursor(std::string_view tenant, std::string_view trigger);
  Result<bool> is_seen(std::string_view tenant, std::string_view trigger, std::string_view key);
  Result<std::int64_t> once_until(std::string_view tenant, std::string_view flow, std::string_view key);
  Result<std::vector<CountedCallRow>> counted_calls(std::string_view tenant, std::string_view flow,
                                                    std::string_view operation, std::int64_t after_us);
  Result<std::optional<std::string>> meta(std::string_view key);

 private:
  Status write_events(const Batch& batch);
  Status write_counts(const Batch& batch);
  Status write_marks(const Batch& batch);

  Connection& connection_;
  Statement add_seen_, put_cursor_, forget_old_, forget_rest_, put_once_, forget_once_, put_counted_,
      remove_counted_, forget_counted_, put_meta_;
  Statement get_cursor_, get_seen_, get_once_, get_counted_, get_meta_;
};

}  // namespace flow::sqlite
