// The table of deployments: a part of SqliteStore, with the statements that are its own.
#pragma once

#include <string_view>
#include <vector>

#include "runtime/sqlite.hpp"
#include "runtime/store.hpp"

namespace flow::sqlite {

class DeploymentTable {
 public:
  explicit DeploymentTable(Connection& connection) : connection_(connection) {}

  Status prepare();
  Status write(const Batch& batch);  // within the transaction of the whole
  // As of Store.
  Result<std::vector<DeploymentRow>> list(std::string_view tenant, std::string_view flow);

 private:
  Connection& connection_;
  Statement add_, get_;
};

}  // namespace flow::sqlite
