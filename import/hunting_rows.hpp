// The columns of hunting queries as records of the language, for a file that flows name with `use`: which
// queries a text has, and what is written about their rows. Pure: who asks for the columns is elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow::importer {

struct HuntQuery {
  std::string text;  // of the KQL literal; empty when it has holes
  std::uint32_t line = 0;
  std::string owner;  // the flow or function that it stands in; empty: one without a name
  bool has_holes = false;
};
// Every KQL literal outside tests, in the order of the text; each text once.
std::vector<HuntQuery> hunt_queries(const Tree& tree);

// The query that gives no rows, but their columns.
std::string probe_of(const std::string& query);

struct HuntColumn {
  std::string name;
  std::string type;  // as the API says it: `DateTime`, `Int64`, `SByte`
};
// From a JSON list of `{"name", "type"}`. An Error when it is none, or has no columns.
Result<std::vector<HuntColumn>> hunt_columns(std::string_view json);

struct HuntRows {
  HuntQuery query;
  std::vector<HuntColumn> columns;
};
inline constexpr std::string_view kRowsMark =
    "// Columns of hunting queries, by `flow hunt schema`, which writes this file anew.";
// The file, laid out: one record for each, named after the query's owner, `file` where it has none.
Result<std::string> rows_text(const std::vector<HuntRows>& rows, const std::string& file);

}  // namespace flow::importer
