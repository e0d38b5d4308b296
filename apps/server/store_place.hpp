// Where a command finds the store, and who changes what is in it: the command itself, or the service that has
// it open.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "apps/cli/exit_code.hpp"
#include "apps/server/config.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow {

struct StorePlace {
  std::optional<Config> config;
  std::string store;
};
// `config` names a flow.toml, or is empty; `store` counts more than what that says.
Attempt<StorePlace> store_place(const std::string& config, const std::string& store);

// To be written to, when there is one. Nothing: a service has it open, and ask_service() reaches that.
enum class Absent : std::uint8_t { IsAnError, IsMade };
Attempt<std::unique_ptr<SqliteStore>> open_to_change(const StorePlace& place,
                                                     Absent absent = Absent::IsAnError);

}  // namespace flow
