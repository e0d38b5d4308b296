// `flow connector add`: a document that describes an API to a `.flow` file that declares it.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/library/standard_library.hpp"
#include "apps/server/runtime_commands.hpp"
#include "base/text.hpp"
#include "import/import.hpp"
#include "import/read.hpp"

namespace flow {
namespace {

Attempt<std::map<std::string, std::string>> effects_of(const std::vector<std::string>& given) {
  std::map<std::string, std::string> effects;
  for (const std::string& text : given) {
    const std::size_t equals = text.find('=');
    const std::string effect = equals == std::string::npos ? std::string() : text.substr(equals + 1);
    if (effect != "read" && effect != "act" && effect != "notify")
      return failure(fmt::format("`--effect {}`: write `--effect operation=read`, `=act` or `=notify`", text),
                     kUsage);
    if (!effects.emplace(text.substr(0, equals), effect).second)
      return failure(fmt::format("`--effect {}` is given twice", text.substr(0, equals)), kUsage);
  }
  return effects;
}

}  // namespace

int run_connector_add(const ConnectorAddOptions& options) {
  auto effects = effects_of(options.effects);
  if (!effects) return complain(effects.error().message), effects.error().code;
  const Result<std::string> bytes = read_file(options.file, importer::kLongestDocument);
  if (!bytes) return complain(bytes.error().message), kWorldWrong;
  const std::string shown =
      options.file == "-" ? "" : std::filesystem::path(options.file).filename().string();
  const Result<importer::Import> import = importer::import_document(
      *bytes, {.file = shown, .name = options.name, .effects = std::move(*effects)}, standard_library());
  if (!import) return complain(fmt::format("`{}`: {}", options.file, import.error().message)), kFlowWrong;

  const std::string report = options.report == "json" ? report_json(*import) : report_text(*import);
  const std::string output = options.output.empty() ? import->connector + ".flow" : options.output;
  if (output == "-") {
    say(stdout, import->text);
    say(stderr, report);
    return kSuccess;
  }
  std::error_code ignored;
  if (options.output.empty() && std::filesystem::exists(output, ignored))
    return complain(fmt::format("`{}` is there already; -o {} replaces it", output, output)), kUsage;
  if (std::filesystem::equivalent(output, options.file, ignored))
    return complain("the output would overwrite the document"), kUsage;
  if (const Status written = write_file(output, import->text); !written)
    return complain(written.error().message), kWorldWrong;
  say(stdout, (options.report == "json" ? "" : output + ": ") + report);
  return kSuccess;
}

}  // namespace flow
