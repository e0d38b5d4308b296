// The scalar functions of the documented subset: what each takes and gives, and the code. Functions that need
// more than values (case, iff, now, …) are in the list too, their arguments are all evaluated first.
#pragma once

#include <span>
#include <string_view>

#include "apps/sim/kql/run.hpp"

namespace flow::kql {

using Arguments = std::span<const Value>;
// Arguments come converted to the kinds that `takes` says. Total: what cannot be computed is null.
using FunctionCode = Value (*)(Run& run, Arguments arguments);

struct Function {
  std::string_view name;
  // One letter for each parameter: s text, l long, r any number, d datetime, t timespan, j dynamic, b bool,
  // a anything. Behind `?` they may be left out; a last `*` repeats the letter before it.
  std::string_view takes;
  // The same letters, or the number of the argument whose type it is.
  char gives;
  FunctionCode code;
};

std::span<const Function> text_functions();
std::span<const Function> regex_functions();
std::span<const Function> time_functions();
std::span<const Function> dynamic_functions();
std::span<const Function> number_functions();
std::span<const Function> network_functions();

const Function* find_function(std::string_view name);
std::vector<std::string> function_names();

// The operators between texts: `has`, `contains`, `startswith` and their kin without `!`; nothing for others.
using TextTest = bool (*)(std::string_view text, std::string_view part);
TextTest text_test(std::string_view name);
bool has_term(std::string_view text, std::string_view term);

// a + b and so on. The type is null when the operator does not take these types.
std::optional<Type> arithmetic_type(char op, Type left, Type right);
Value arithmetic(char op, const Value& left, const Value& right);
Value bin(const Value& value, const Value& width);

// Null outside of the years 1 to 9999.
Value time_at(std::int64_t ticks);

}  // namespace flow::kql
