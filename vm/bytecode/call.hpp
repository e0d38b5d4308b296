// The seam between a flow and the world. The machine never calls out: it suspends and hands a Call to whoever
// runs it, who answers with an Outcome. Both are plain values; arguments and results are JSON texts, which
// the journal keeps as they are and a person can read. Kql and Html arguments of union parameters are written
// {"$kql": "…"} and
// {"$html": "…"}, so that the executor can tell them from plain text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/fault.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

struct Call {
  std::uint32_t number = 0;     // 0, 1, 2 … in the order a run makes them; the same in every replay
  std::uint32_t operation = 0;  // index into Module::operations
  bool is_fetch = false;
  std::string arguments;  // a JSON object, parameter name to value, in declaration order
  std::uint32_t line = 0;
  bool is_cleanup = false;  // made by `on error`, `on undo` or `finally`
  std::optional<CallOptions> options;
};
struct LogLine {
  std::uint32_t number = 0;
  std::string text;
  std::uint32_t line = 0;
};

struct Returned {
  std::string json;  // the operation's result as the API wrote it; `null` for Nothing
};
using Outcome = std::variant<Returned, Fault>;

}  // namespace flow
