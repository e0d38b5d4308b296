// Defaults of parameters in declarations: constants of the parameter's type, kept as JSON text. Durations and
// moments are texts there, as in settings; enum values are their names.
#pragma once

#include <string>
#include <string_view>

#include "base/diagnostic.hpp"
#include "base/type.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow {

// `value` is the default of the parameter `name`. Empty, and reported, when it is no constant of `type`.
std::string default_json(const Tree& tree, NodeId value, std::string_view name, const TypeTable& types,
                         TypeId type, Diagnostics& diagnostics);

// What the constant `json` is of, where a parameter of `type` has it as default: `type` without null; of a
// union the member.
TypeId type_of_default(const TypeTable& types, TypeId type, std::string_view json);
// Whether it is a text in quotes, and that text.
bool is_text_default(std::string_view json);
std::string text_of_default(std::string_view json);

}  // namespace flow
