// The table of what events said last: a part of SqliteStore, with the statements that are its own.
#pragma once

#include <optional>
#include <string_view>

#include "runtime/sqlite.hpp"
#include "runtime/store.hpp"

namespace flow::sqlite {

class StateTable {
 public:
  explicit StateTable(Connection& connection) : connection_(connection) {}

  Status prepare();
  Status write(const Batch& batch);  // within the transaction of the whole
  // As of Store.
  Result<std::optional<StateRow>> last(std::string_view tenant, std::string_view trigger,
                                       std::string_view id);

 private:
  Connection& connection_;
  Statement put_, get_, forget_old_, forget_rest_;
};

}  // namespace flow::sqlite
