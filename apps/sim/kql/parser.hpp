// Reads a query to its syntax. Limits: 500 operators, 10,000 expressions, parentheses and subqueries 50 deep.
#pragma once

#include <string_view>

#include "apps/sim/kql/syntax.hpp"
#include "base/result.hpp"

namespace flow::kql {

// The Error is the answer's message: it names the word that is wrong, and where it stands.
Result<Query> parse_query(std::string_view query);

}  // namespace flow::kql
