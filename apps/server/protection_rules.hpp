// `[protect]` of flow.toml: what no flow may act on. Each rule is a condition as behind `protect` in a flow,
// in a table that says what it speaks of:
//
//   [protect.machine]
//   domain-controllers = 'machine.name matches "^dc" or "Tier0" in machine.tags'
#pragma once

#include <string>
#include <vector>

#include "apps/cli/exit_code.hpp"
#include "base/diagnostic.hpp"
#include "runtime/protections.hpp"

namespace flow {

struct ProtectionText {
  std::string kind;       // `machine`, as the table
  std::string name;       // `domain-controllers`
  std::string condition;  // in the language of flows
  Span place;             // of the value in the file, with its quotes
};

// The tables there may be, for errors.
std::vector<std::string> protection_kinds();

// What the rules are for the runtime. Mistakes go to `diagnostics`, which speak of the file as number 0; then
// the result means nothing. The Error is about a rule that asks for more than it may.
Result<Protections> compile_protections(const std::vector<ProtectionText>& rules, std::string_view file_text,
                                        Diagnostics& diagnostics);

}  // namespace flow
