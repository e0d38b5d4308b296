// Changing part of what an API takes only as a whole: it is read, what the call says is laid over it, and the
// rest goes back as it came.
#pragma once

#include "base/operation.hpp"
#include "stdlib/json/json.hpp"

namespace flow {

// Whether the route does that: its first request is a GET, and its body belongs to the second.
bool is_change(const Route& route);

// `above`, an object, over `below`: its members, and those of members that are objects on both sides, take
// the place of what was there; what is further within counts as one value. Of a list the elements are added
// that are not there yet, where one is there when an element below has all that it has.
JsonValue laid_over(const JsonValue& below, const JsonValue& above);

}  // namespace flow
