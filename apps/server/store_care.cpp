// flow store: whether the file is sound, a copy of it, and bringing it up to today's version.
#include <fmt/format.h>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/runtime_commands.hpp"
#include "base/text.hpp"
#include "runtime/sqlite_care.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow {
namespace {

Attempt<int> check(const StoreOptions& options) {
  FLOW_TRY(const StoreReport report, check_store(options.store));
  for (const std::string& finding : report.findings) fmt::print("{}\n", printable(finding));
  if (report.findings.size() >= kMostFindings) fmt::print("and perhaps more: the check has ended here\n");
  if (!report.findings.empty()) {
    complain(fmt::format("store {} is damaged; keep it as it is, and restore a backup", options.store));
    return static_cast<int>(kFlowWrong);
  }
  if (report.version < kStoreVersion) {
    fmt::print(
        "the file is sound; it has version {}, so its rows were not looked at: `flow store migrate` brings it"
        " to version {}\n",
        report.version, kStoreVersion);
    return static_cast<int>(kSuccess);
  }
  fmt::print("sound: version {}, {} runs with {} entries, {} modules, {} rows of the audit trail\n",
             report.version, report.runs, report.entries, report.modules, report.audit_rows);
  return static_cast<int>(kSuccess);
}

Attempt<int> backup(const StoreOptions& options) {
  FLOW_TRY_STATUS(backup_store(options.store, options.to));
  fmt::print("{} is a copy of {}\n", options.to, options.store);
  return static_cast<int>(kSuccess);
}

Attempt<int> migrate(const StoreOptions& options) {
  FLOW_TRY(const Migration done, migrate_store(options.store));
  if (done.from == done.to)
    fmt::print("store {} has version {}, which is this program's\n", options.store, done.to);
  else
    fmt::print("store {} was brought from version {} to {}; {} is as it was before\n", options.store,
               done.from, done.to, done.backup);
  return static_cast<int>(kSuccess);
}

int finish(const Attempt<int>& result) {
  if (!result) return complain(result.error().message), result.error().code;
  return *result;
}

}  // namespace

int run_store_check(const StoreOptions& options) {
  return finish(check(options));
}
int run_store_backup(const StoreOptions& options) {
  return finish(backup(options));
}
int run_store_migrate(const StoreOptions& options) {
  return finish(migrate(options));
}

}  // namespace flow
