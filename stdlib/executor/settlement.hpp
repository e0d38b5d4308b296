// What a crash rule makes of a call that nobody knows about.
#pragma once

#include <string>
#include <string_view>

#include "base/operation.hpp"
#include "stdlib/executor/executor.hpp"

namespace flow {

// The route's own rule, or the default of the effect: Read repeats, Act and Notify ask.
CrashRule crash_rule_of(const Operation& operation, const Route& route);

// Searches the lookup's result, a list or one object, for an element whose `field` holds `key` as a whole
// (not as part of a longer key).
CallFinding finding_in(std::string_view result_json, std::string_view field, std::string_view key);

CallUnknown unknown(std::string message);

// What the failure of a lookup says of the call: a fault that may pass keeps its kind and the server's wish,
// so that the question is asked again in time; any other leaves the call in doubt.
CallUnknown unknown_for(Fault lookup);

}  // namespace flow
