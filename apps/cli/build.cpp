// flow build and flow inspect: modules to files, and files to something a person reads.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "apps/cli/compiler_commands.hpp"
#include "apps/cli/exit_code.hpp"
#include "apps/cli/source.hpp"
#include "apps/cli/terminal.hpp"
#include "vm/bytecode/disassemble.hpp"
#include "vm/bytecode/encode.hpp"
#include "vm/bytecode/summary.hpp"
#include "vm/bytecode/verify.hpp"

namespace flow {

int run_build(const BuildOptions& options) {
  if (options.file == "-" && options.output.empty())
    return complain("say where to write the module: -o NAME.flowc"), kUsage;
  auto compilation = compile_file(options.file);
  if (!compilation) return complain(compilation.error().message), kWorldWrong;
  print_diagnostics(*compilation);
  if (!compilation->module)
    return complain(fmt::format("`{}` has {} errors; nothing was written", options.file,
                                compilation->diagnostics.errors())),
           kFlowWrong;
  if (const Status safe = verify(*compilation->module); !safe)
    return complain(fmt::format("internal: the module does not verify: {}", safe.error().message)),
           kWorldWrong;
  if (compilation->module->flows.empty())
    return complain(fmt::format("`{}` declares no flow; nothing was written", options.file)), kFlowWrong;
  const std::string output = options.output.empty()
                                 ? std::filesystem::path(options.file).replace_extension(".flowc").string()
                                 : options.output;
  if (output == options.file) return complain("the output would overwrite the source"), kUsage;
  const std::string bytes = encode(*compilation->module);
  if (const Status written = write_file(output, bytes); !written)
    return complain(written.error().message), kWorldWrong;
  fmt::print("{}: {} bytes, {} flow{}\n", output, bytes.size(), compilation->module->flows.size(),
             compilation->module->flows.size() == 1 ? "" : "s");
  return kSuccess;
}

int run_inspect(const InspectOptions& options) {
  const auto module = load_module(options.file);
  if (!module) return complain(module.error().message), module.error().code;
  if (options.json) {
    fmt::print("{}", manifest_json(*module));
    return kSuccess;
  }
  fmt::print("{}", print_manifest(*module));
  if (!options.manifest_only) fmt::print("\n{}", disassemble(*module));
  return kSuccess;
}

}  // namespace flow
