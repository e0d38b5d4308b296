// flow explain: the page of a diagnostic, which is part of the program.
#include <fmt/format.h>

#include <algorithm>

#include "apps/cli/compiler_commands.hpp"
#include "apps/cli/diagnostic_pages.hpp"
#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "base/diagnostic.hpp"
#include "base/text.hpp"

namespace flow {

int run_explain(const std::string& wanted) {
  std::vector<std::string> known;
  for (const CodeRow& code : all_codes()) {
    known.emplace_back(code.id);
    if (!equals_ignoring_case(code.id, wanted) && !equals_ignoring_case(code.name, wanted)) continue;
    for (const DiagnosticPage& page : diagnostic_pages())
      if (page.id == code.id) return fmt::print("{}", page.text), kSuccess;
    return fmt::print("{} {}: {}\n", code.id, code.name, code.title), kSuccess;
  }
  const auto near = nearest_name(wanted, known);
  complain(fmt::format("there is no diagnostic `{}`{}", wanted,
                       near ? fmt::format("; did you mean {}?", *near) : ""));
  return kUsage;
}

}  // namespace flow
