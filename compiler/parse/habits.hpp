// What people who come from other languages write, and what to write here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/diagnostic.hpp"
#include "compiler/parse/builder.hpp"

namespace flow {

struct Habit {
  Span span;
  std::string message;
  std::string note;  // empty without one
  std::optional<FixIt> fix;
};

// Where a mistake was noticed: the word or sign there, and where the one before it ends.
struct MistakePlace {
  std::string_view text;      // of the source
  std::string_view expected;  // the message of the rule that failed
  Span found;
  std::uint32_t end_before = 0;
};

// The habit that explains the mistake, if one does.
std::optional<Habit> habit_at(const MistakePlace& place);

}  // namespace flow
