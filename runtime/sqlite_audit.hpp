// The table of the audit trail: a part of SqliteStore, with the statements that are its own. It knows the end
// of the chain, to which each commit adds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/audit.hpp"
#include "runtime/sqlite.hpp"
#include "runtime/store.hpp"

namespace flow::sqlite {

class AuditTable {
 public:
  explicit AuditTable(Connection& connection) : connection_(connection) {}

  Status prepare();
  // Within the transaction of the whole. What was written counts once keep() says that it was committed.
  Status write(const std::vector<AuditRow>& rows);
  void keep() { end_ = new_end_; }
  void drop() { new_end_ = end_; }

  // How many of the first `limit` are of before that time, and none behind one that is not.
  Result<std::uint32_t> old_rows(std::int64_t before_us, std::uint32_t limit);
  // Within a transaction: so many of the oldest, of which there are as many.
  Status prune(std::uint32_t count, std::int64_t now_us);

  Result<std::vector<AuditLine>> lines(std::uint64_t after, std::uint32_t limit);

 private:
  struct End {
    std::uint64_t number = 0;
    std::string hash;
  };
  Connection& connection_;
  Statement add_, get_, remove_;
  End end_, new_end_;
};

}  // namespace flow::sqlite
