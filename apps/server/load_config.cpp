#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "apps/cli/terminal.hpp"
#include "apps/server/config.hpp"
#include "base/source.hpp"

namespace flow {
namespace {

// `told` gets what is to be said of mistakes in the language of flows, with their places.
Attempt<Config> load(const std::string& file, bool colours, std::string& told) {
  FLOW_TRY(const std::string text, read_file(file, 1u << 20));
  FLOW_TRY(Config config, parse_config(file, text));
  Diagnostics diagnostics;
  auto protections = compile_protections(config.protection_texts, text, diagnostics);
  if (!protections) return error(fmt::format("{}: {}", file, protections.error().message));
  config.protections = std::move(*protections);
  const Files files{std::make_shared<const SourceFile>(file, text)};
  for (const Diagnostic& diagnostic : diagnostics.all())
    told += render_text(diagnostic, files, colours) + "\n";
  if (diagnostics.has_errors())
    return failure(fmt::format("`{}` has {} error{} in `[protect]`", file, diagnostics.errors(),
                               diagnostics.errors() == 1 ? "" : "s"),
                   kWorldWrong);
  return config;
}

}  // namespace

Attempt<Config> load_config(const std::string& file) {
  std::string told;
  Attempt<Config> config = load(file, wants_colours(STDERR_FILENO), told);
  if (!told.empty()) say(stderr, told);
  return config;
}

Attempt<Config> load_config_quietly(const std::string& file) {
  std::string told;
  Attempt<Config> config = load(file, false, told);
  if (!config && !told.empty()) config.error().message += "\n" + told;
  return config;
}

}  // namespace flow
