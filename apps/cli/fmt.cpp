// flow fmt: files in their one layout.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "apps/cli/compiler_commands.hpp"
#include "apps/cli/exit_code.hpp"
#include "apps/cli/source.hpp"
#include "apps/cli/terminal.hpp"
#include "base/line_diff.hpp"
#include "base/text.hpp"
#include "compiler/format/format.hpp"
#include "compiler/parse/parse.hpp"

namespace flow {
namespace {

Attempt<std::string> laid_out(const std::string& path, const std::string& text) {
  const auto source = std::make_shared<const SourceFile>(path == "-" ? "<stdin>" : path, text);
  Diagnostics diagnostics;
  const Tree tree = parse(source, 0, diagnostics);
  diagnostics.sort_by_place();
  for (const Diagnostic& diagnostic : diagnostics.all())
    say(stderr, render_text(diagnostic, {source}, wants_colours(STDERR_FILENO)) + "\n");
  if (diagnostics.has_errors())
    return failure(fmt::format("`{}` has mistakes and stays as it is", source->name()), kFlowWrong);
  auto result = format(tree);
  if (!result) return failure(fmt::format("`{}`: {}", source->name(), result.error().message), kFlowWrong);
  return std::move(*result);
}

// False when it would change and may not.
Attempt<bool> format_file(const std::string& path, const FmtOptions& options) {
  FLOW_TRY(const std::string text, read_source(path));
  const auto result = laid_out(path, text);
  if (!result) return tl::unexpected<Failure>(result.error());
  if (options.diff) say(stdout, unified_diff(text, *result, path == "-" ? "<stdin>" : path));
  if (options.check || options.diff) return *result == text;
  if (path == "-")
    say(stdout, *result);
  else if (*result != text)
    FLOW_TRY_STATUS(write_file(path, *result));
  return true;
}

}  // namespace

int run_fmt(const FmtOptions& options) {
  int exit_code = kSuccess;
  for (const std::string& path : options.files) {
    const Attempt<bool> is_same = format_file(path, options);
    if (!is_same) {
      complain(is_same.error().message);
      exit_code = std::max<int>(exit_code, is_same.error().code);
    } else if (!*is_same) {
      if (!options.diff) say(stdout, fmt::format("{} would change\n", path == "-" ? "<stdin>" : path));
      exit_code = std::max<int>(exit_code, kFlowWrong);
    }
  }
  return exit_code;
}

}  // namespace flow
