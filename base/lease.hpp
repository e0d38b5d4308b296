// `lease`: how a call is undone by the inverse of its operation.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/operation.hpp"

namespace flow {

// Where the event of what ends a lease says how long it is. No parameter can have this name.
inline constexpr std::string_view kLeaseMember = "@lease";

// The parameters of the inverse, as indices, that get what the leased call was given: those of the same name
// and type that are the target, or have no default. Both operations are of one type table.
std::vector<std::size_t> kept_parameters(const Operation& leased, const Operation& inverse);
// Whether that is all that the inverse must be given.
bool can_undo(const Operation& leased, const Operation& inverse);

}  // namespace flow
