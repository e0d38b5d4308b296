// Values as text: for people, as KQL literals, and as JSON for the arguments of a call. Nothing here depends
// on the locale.
#pragma once

#include <optional>
#include <string>

#include "vm/bytecode/module.hpp"
#include "vm/interp/slot.hpp"

namespace flow {

// A scalar for people, or Json; null is `(unknown)`.
void append_text(std::string& out, const TypeTable& types, Slot value);

// A scalar, or a list of scalars as `dynamic([…])`.
void append_kql_literal(std::string& out, const TypeTable& types, Slot value);

// `value` as JSON; `type` accepts it. Values share their parts, so a small heap can hold a value of endless
// text: writing ends when `out` has more than `max_bytes`.
enum class JsonWritten : std::uint8_t { Whole, TooDeep, TooLarge };
JsonWritten append_json(std::string& out, const TypeTable& types, TypeId type, Slot value,
                        std::size_t max_bytes);

}  // namespace flow
