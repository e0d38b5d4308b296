// `flow hunt schema`: asks a tenant which columns the hunting queries of a file end with, and writes them
// down as records, so that `flow check` knows the rows without a network.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <future>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/library/standard_library.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/setup.hpp"
#include "apps/server/world.hpp"
#include "base/text.hpp"
#include "compiler/parse/parse.hpp"
#include "import/hunting_rows.hpp"
#include "import/names.hpp"

namespace flow {
namespace {

using importer::HuntQuery;
using importer::HuntRows;

Attempt<std::vector<HuntQuery>> queries_of(const std::string& file) {
  FLOW_TRY(const std::string text, read_file(file, kMaxSourceBytes));
  const auto source = std::make_shared<const SourceFile>(file, text);
  Diagnostics diagnostics;
  const Tree tree = parse(source, 0, diagnostics);
  diagnostics.sort_by_place();
  for (const Diagnostic& diagnostic : diagnostics.all())
    say(stderr, render_text(diagnostic, {source}, wants_colours(STDERR_FILENO)) + "\n");
  if (diagnostics.has_errors()) return failure(fmt::format("`{}` has mistakes", file), kFlowWrong);
  return importer::hunt_queries(tree);
}

// The operation that names columns, with what it needs, as a module holds it.
Result<Module> probing_module() {
  const Library& library = standard_library();
  Module module;
  module.types = library.types;
  module.connectors = library.connectors;
  module.operations.assign(library.operations.begin(), library.operations.end());
  if (!module.operation("graph", "hunt_schema")) return error("the library has no graph.hunt_schema");
  return module;
}

Result<std::vector<importer::HuntColumn>> columns_of(World& world, const Module& module,
                                                     const std::string& tenant, const std::string& query) {
  auto promise = std::make_shared<std::promise<Outcome>>();
  auto future = promise->get_future();
  OperationCall call;
  call.tenant = tenant;
  call.module = &module;
  call.operation = *module.operation("graph", "hunt_schema");
  call.arguments = fmt::format(R"({{"query":{{"$kql":{}}}}})", json_quoted(importer::probe_of(query)));
  call.key = "probe";
  world.executor().perform(std::move(call),
                           [promise](Outcome outcome) { promise->set_value(std::move(outcome)); });
  const Outcome outcome = future.get();
  if (const auto* fault = std::get_if<Fault>(&outcome)) return error(fault->message);
  return importer::hunt_columns(std::get<Returned>(outcome).json);
}

// `night_rows.flow` beside `night-hunt.flow` would be `night_hunt_rows.flow`: a name that `use` takes.
std::string default_output(const std::string& file) {
  const std::filesystem::path path(file);
  return (path.parent_path() / (importer::snake_case(path.stem().string()) + "_rows.flow")).string();
}

Status check_output(const HuntSchemaOptions& options, const std::string& output) {
  std::error_code ignored;
  if (std::filesystem::equivalent(output, options.file, ignored))
    return error("the output would overwrite the flows");
  if (!options.output.empty() || !std::filesystem::exists(output, ignored)) return {};
  FLOW_TRY(const std::string before, read_file(output, kMaxSourceBytes));
  if (before.starts_with(importer::kRowsMark)) return {};
  return error(fmt::format("`{}` is there already, and was not written by this command; -o {} replaces it",
                           output, output));
}

Attempt<int> probe(const HuntSchemaOptions& options) {
  FLOW_TRY(const std::vector<HuntQuery> queries, queries_of(options.file));
  if (queries.empty())
    return failure(fmt::format("`{}` has no hunting query, as `kql\"…\"`", options.file), kFlowWrong);
  const std::string output = options.output.empty() ? default_output(options.file) : options.output;
  if (output != "-" && !options.is_check) FLOW_TRY_STATUS(check_output(options, output));
  FLOW_TRY(Config config, choose_config({options.config, options.sim, options.sim_port, 0, "graph"}));
  if (!options.tenant.empty())
    std::erase_if(config.tenants, [&](const TenantConfig& each) { return each.name != options.tenant; });
  if (config.tenants.empty())
    return failure(fmt::format("the configuration has no tenant `{}`", options.tenant), kUsage);
  if (config.tenants.size() > 1)
    return failure("the configuration has several tenants; choose one with --tenant", kUsage);
  FLOW_TRY(const Module module, probing_module());
  FLOW_TRY(const std::unique_ptr<World> world, World::make(config));
  std::vector<HuntRows> rows;
  std::size_t failed = 0;
  for (const HuntQuery& query : queries) {
    const std::string place = fmt::format("{}:{}", options.file, query.line);
    if (query.has_holes) {
      complain(
          fmt::format("{}: the query has holes, so its columns are not known before it runs; declare its "
                      "record by hand",
                      place));
      continue;
    }
    auto columns = columns_of(*world, module, config.tenants.front().name, query.text);
    if (!columns) {
      ++failed;
      complain(fmt::format("{}: {}", place, columns.error().message));
      continue;
    }
    rows.push_back({query, std::move(*columns)});
  }
  if (failed > 0 || rows.empty()) return static_cast<int>(failed > 0 ? kWorldWrong : kFlowWrong);
  FLOW_TRY(const std::string text, importer::rows_text(rows, options.file));
  if (options.is_check) {
    const auto before = read_file(output, kMaxSourceBytes);
    if (before && *before == text) return static_cast<int>(kSuccess);
    return failure(
        fmt::format("`{}` is not what the tenant says now; run `flow hunt schema {}`", output, options.file),
        kFlowWrong);
  }
  if (output == "-") {
    say(stdout, text);
  } else {
    FLOW_TRY_STATUS(write_file(output, text));
    say(stdout, fmt::format("{}: {} record{}; name it with `use {}`\n", output, rows.size(),
                            rows.size() == 1 ? "" : "s", std::filesystem::path(output).stem().string()));
  }
  return static_cast<int>(kSuccess);
}

}  // namespace

int run_hunt_schema(const HuntSchemaOptions& options) {
  const Attempt<int> done = probe(options);
  if (!done) complain(done.error().message);
  leave(done ? *done : done.error().code);
}

}  // namespace flow
