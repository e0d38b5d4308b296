// Values that nobody gave, by their type: the same each time, and as harmless as the type allows. A test
// gives them where it says nothing, and the runtime where a flow must not act and goes on all the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/operation.hpp"
#include "base/type.hpp"

namespace flow {

// JSON of what a value read from outside could be: what may be null is, lists are empty, an enum has a value
// that says that all is well. `name` is what it stands for, as `title`; `now_us` is the time it shows.
std::string stand_in_json(const TypeTable& types, TypeId type, const std::string& name, std::int64_t now_us);

// What a call of the operation gives when all goes well. The parts of a record that the call names, as the ID
// of a machine, are those. Arguments are names with JSON, in any order.
using NamedJson = std::vector<std::pair<std::string, std::string_view>>;
std::string stand_in_result(const TypeTable& types, const Operation& operation, const NamedJson& arguments,
                            std::int64_t now_us);

}  // namespace flow
