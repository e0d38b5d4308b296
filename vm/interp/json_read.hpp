// JSON from outside (answers, and what is more than a scalar of events) as values of declared types. Lenient
// where APIs are careless: members nobody reads are ignored, a missing or null member is null where that is
// allowed, a null list is empty where it is not, enum values match without regard to case and unknown ones
// keep their spelling. Everything else is a problem that names its place, as `machine.tags[2]`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "vm/bytecode/module.hpp"
#include "vm/interp/heap.hpp"

namespace flow {

// Bytes of a value that its enum does not know: instructions compare them without asking for fuel.
inline constexpr std::size_t kMostSpelling = 256;

struct JsonProblem {
  bool is_out_of_memory = false;
  std::string message;  // starts with the place in backticks
};

// Reads `json` as a value of `type` into `value`, whose bytes are in `heap`. `root` names the whole in
// messages.
std::optional<JsonProblem> read_json(std::string_view json, const TypeTable& types, TypeId type,
                                     std::string_view root, Heap& heap, Slot& value);

// The same for JSON that a flow or a person says to be of that type: texts must have the form of their type,
// enums know their values, and messages name the place by the names JSON has, as `at .items[3].name: expected
// Int, found text`.
std::optional<JsonProblem> convert_json(std::string_view json, const TypeTable& types, TypeId type,
                                        Heap& heap, Slot& value);

// `text` as a Json value, without the blanks; the message says why it is none.
std::optional<JsonProblem> json_parse(std::string_view text, Heap& heap, Slot& value);

}  // namespace flow
