// The tables, and how older ones become today's. Adding a version: a new step in sqlite_schema.cpp, one line
// in sqlite_store.hpp's history, and its file under tests/replay, where that of the old version stays.
#pragma once

#include "runtime/sqlite.hpp"

namespace flow::sqlite {

// The version of its tables. The error is for a file that is another program's, or of a newer version.
Result<std::int64_t> schema_version(Connection& connection);

// Checks that the file is ours and not newer than we are; creates or migrates when `may_write`.
Status prepare_schema(Connection& connection, const std::string& path, bool may_write);

}  // namespace flow::sqlite
