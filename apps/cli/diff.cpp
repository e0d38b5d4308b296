// flow diff: what a new version may do that the old one could not.
#include <fmt/format.h>

#include "apps/cli/compiler_commands.hpp"
#include "apps/cli/exit_code.hpp"
#include "apps/cli/source.hpp"
#include "apps/cli/terminal.hpp"
#include "vm/bytecode/compare.hpp"

namespace flow {

int run_diff(const DiffOptions& options) {
  const auto before = load_module(options.old_file);
  if (!before) return complain(before.error().message), kWorldWrong;
  const auto after = load_module(options.new_file);
  if (!after) return complain(after.error().message), kWorldWrong;
  const std::vector<Change> changes = compare(summarise(*before), summarise(*after));
  if (options.json)
    fmt::print("{}", changes_json(changes));
  else
    fmt::print("{}", print_changes(changes));
  return changes.empty() ? kSuccess : kDifferent;
}

}  // namespace flow
