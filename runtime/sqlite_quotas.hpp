// The tables of what was used of the quotas: a part of SqliteStore, with the statements that are theirs. One
// row for all calls of a line within a second, so a turn of the loop costs a row, however many calls it lets
// go.
#pragma once

#include <vector>

#include "runtime/sqlite.hpp"
#include "runtime/store.hpp"

namespace flow::sqlite {

class QuotaTables {
 public:
  explicit QuotaTables(Connection& connection) : connection_(connection) {}

  Status prepare();
  Status write(const Batch& batch);  // within the transaction of the whole

  // As of Store.
  Result<std::vector<SentRow>> sent_calls(std::int64_t from_second);
  Result<std::vector<RestRow>> rests(std::int64_t after_us);

 private:
  Connection& connection_;
  Statement add_sent_, forget_sent_, put_rest_, get_sent_, get_rests_;
};

}  // namespace flow::sqlite
