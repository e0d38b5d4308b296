// One list in the place of several reads of one thing each (Several of base/operation.hpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/operation.hpp"
#include "base/result.hpp"
#include "stdlib/executor/executor.hpp"

namespace flow {

// What the completing operation would be asked for in `parameter`; empty when the request gave nothing that
// names it. The request's operation has a Completion.
std::string asked_value(const BegunRequest& begun, const std::string& parameter);

// The list's arguments, a JSON object. Empty values are left out; an Error when nothing is left.
Result<std::string> several_arguments(const Several& several, const std::string& parameter,
                                      const std::vector<std::string>& values);

// A JSON list with, for each value and in their order, the element of `list_json` whose `field` holds it, or
// null. Of several such elements the first counts.
Result<std::string> rows_of(std::string_view list_json, std::string_view field,
                            const std::vector<std::string>& values);

}  // namespace flow
