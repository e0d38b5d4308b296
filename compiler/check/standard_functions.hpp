// What carries out each standard function (functions.def), by the key of its declaration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/check/checked.hpp"

namespace flow {

struct FunctionBinding {
  std::string_view key;
  CheckedMethod::Kind kind;
  NativeId native;  // of Kind::Native
};
const std::vector<FunctionBinding>& function_bindings();
// How a call is written, for messages: `list.first(test: T => Bool)`.
std::string form_of_call(const StandardFunction& function);
// String and what else is kept as text, but for what text must not get into or out of: Html, Kql, Secret.
bool is_plain_text(const TypeTable& types, TypeId type);
// nullptr when nothing carries it out.
const FunctionBinding* function_binding(std::string_view key);

// What to write for a name that another language or Logic Apps has; nothing for any other name. Without
// regard to case.
struct ForeignName {
  std::string_view name;         // there
  std::string_view replacement;  // the name here, or empty when it is said in another way
  std::string_view advice;       // what to write
};
const ForeignName* foreign_name(std::string_view name);

}  // namespace flow
