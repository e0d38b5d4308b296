#include "apps/cli/source.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "apps/cli/modules.hpp"
#include "apps/cli/terminal.hpp"
#include "base/text.hpp"
#include "vm/bytecode/encode.hpp"
#include "vm/bytecode/verify.hpp"

namespace flow {

namespace {

std::string today() {
  const std::int64_t now_us = std::chrono::duration_cast<std::chrono::microseconds>(
                                  std::chrono::system_clock::now().time_since_epoch())
                                  .count();
  return format_time_us(now_us).substr(0, 10);
}

}  // namespace

Result<std::string> read_source(const std::string& path) {
  FLOW_TRY(std::string text, read_file(path, kMaxSourceBytes));
  if (text.starts_with("FLOWC\r\n"))
    return error(
        fmt::format("`{}` is a compiled module, not a source; `flow inspect` shows what it holds", path));
  const auto has_zeros = [&](std::size_t first) {
    return text.size() > 3 && text[first] == 0 && text[first + 2] == 0;
  };
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") || has_zeros(0) || has_zeros(1))
    return error(fmt::format("`{}` is written in UTF-16; save it as UTF-8", path));
  return text;
}

Result<Compilation> compile_file(const std::string& path, bool strict, Purpose purpose) {
  FLOW_TRY(std::string text, read_source(path));
  return compile({path == "-" ? "<stdin>" : path, std::move(text)}, standard_library(), module_loader(),
                 module_id(path), {.today = today(), .strict = strict}, purpose);
}

void print_diagnostics(const Compilation& compilation) {
  const bool colours = wants_colours(STDERR_FILENO);
  std::string out;
  for (const Diagnostic& diagnostic : compilation.diagnostics.all())
    out += render_text(diagnostic, compilation.files, colours) + "\n";
  std::fwrite(out.data(), 1, out.size(), stderr);
}

Attempt<Module> load_module(const std::string& path) {
  if (path.ends_with(".flowc")) {
    FLOW_TRY(const std::string bytes, read_file(path, kMaxModuleBytes));
    auto module = decode(bytes);
    if (!module) return error(fmt::format("`{}`: {}", path, module.error().message));
    if (const Status safe = verify(*module); !safe)
      return error(fmt::format("`{}` is no valid module: {}", path, safe.error().message));
    return std::move(*module);
  }
  FLOW_TRY(Compilation compilation, compile_file(path));
  print_diagnostics(compilation);
  if (!compilation.module)
    return failure(fmt::format("`{}` has {} error{}", path, compilation.diagnostics.errors(),
                               compilation.diagnostics.errors() == 1 ? "" : "s"),
                   kFlowWrong);
  const Status safe = verify(*compilation.module);
  if (!safe)
    return error(
        fmt::format("internal: the compiled module of `{}` does not verify: {}", path, safe.error().message));
  return std::move(*compilation.module);
}

}  // namespace flow
