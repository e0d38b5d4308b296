#include "runtime/sqlite_care.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "runtime/file_lock.hpp"
#include "runtime/sqlite.hpp"
#include "runtime/sqlite_schema.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow {
namespace {

namespace fs = std::filesystem;
using sqlite::Connection;
using sqlite::Statement;

Result<Connection> open_existing(const std::string& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    return error(fmt::format("store {}: there is no such file; is the folder there?", path));
  FLOW_TRY(Connection connection, Connection::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX));
  FLOW_TRY_STATUS(connection.run("PRAGMA busy_timeout = 5000;"));
  return connection;
}

// Complains, too, of what is no store of ours.
Result<int> version_of(Connection& connection) {
  FLOW_TRY(const std::int64_t version, sqlite::schema_version(connection));
  if (version == 0) return error(fmt::format("store {}: it is empty, and no store", connection.path()));
  return static_cast<int>(version);
}

void sync_folder_of(const std::string& path) {
  fs::path folder = fs::path(path).parent_path();
  if (folder.empty()) folder = ".";
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  static_cast<void>(::fsync(descriptor));
  ::close(descriptor);
}

Status copy_checked(Connection& from, const std::string& part) {
  FLOW_TRY(Connection copy, Connection::open(part, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  FLOW_TRY_STATUS(from.copy_into(copy));
  FLOW_TRY_STATUS(copy.run("PRAGMA journal_mode = DELETE"));  // one file, with nothing beside it
  FLOW_TRY(Statement check, copy.prepare("PRAGMA quick_check(1)"));
  FLOW_TRY(const auto said, copy.one_text(check));
  if (said == "ok") return {};
  return error(
      fmt::format("store {}: it is damaged, and so would be the copy: {}; `flow store check` says more",
                  from.path(), said.value_or("")));
}

Status copy_to(Connection& from, const std::string& to) {
  std::error_code problem;
  if (fs::exists(to, problem))
    return error(fmt::format("{}: this file is there already; choose a new name", to));
  const std::string part = to + ".part";
  fs::remove(part, problem);
  Status copied = copy_checked(from, part);
  if (copied) {
    fs::rename(part, to, problem);
    if (problem) copied = error(fmt::format("{}: {}", to, problem.message()));
  }
  if (!copied) fs::remove(part, problem);
  if (copied) sync_folder_of(to);
  return copied;
}

std::string free_name(const std::string& wanted) {
  std::error_code ignored;
  std::string name = wanted;
  for (int i = 2; fs::exists(name, ignored); ++i) name = fmt::format("{}.{}", wanted, i);
  return name;
}

}  // namespace

Status backup_store(const std::string& path, const std::string& to) {
  FLOW_TRY(Connection connection, open_existing(path));
  FLOW_TRY(const int version, version_of(connection));
  static_cast<void>(version);  // any will do
  return copy_to(connection, to);
}

Result<Migration> migrate_store(const std::string& path) {
  {
    FLOW_TRY(const Connection looking, open_existing(path));  // or the lock below would be made for nothing
  }
  FLOW_TRY(const std::string place, only_name_of(path));
  FLOW_TRY(const FileLock lock, FileLock::acquire(place + ".lock"));
  FLOW_TRY(Connection connection, open_existing(path));
  Migration migration{.from = 0, .to = kStoreVersion, .backup = {}};
  FLOW_TRY(migration.from, version_of(connection));
  if (migration.from < kStoreVersion) {
    migration.backup = free_name(fmt::format("{}.version-{}", path, migration.from));
    FLOW_TRY_STATUS(copy_to(connection, migration.backup));
  }
  FLOW_TRY_STATUS(sqlite::prepare_schema(connection, path, true));
  return migration;
}

}  // namespace flow
