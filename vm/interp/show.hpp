// Values for people who look at a run: short, with the names of fields, and never a secret.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/type.hpp"
#include "vm/interp/slot.hpp"

namespace flow {

// As `High`, `"pc-7"`, `["a", "b", … 3 more]`, `Machine {name: "pc-7", tags: []}`, `secret`. `type` names the
// fields of records; where it is unknown or does not fit the value they have no names. The text is cut when
// it has some `most_bytes`, and is one line of valid UTF-8 whenever the value's texts are.
std::string shown_value(const TypeTable& types, std::optional<TypeId> type, Slot value,
                        std::size_t most_bytes);

}  // namespace flow
