// The `flow` command. Commands that need the network live in `flow-runtime`, which this starts in its place:
// their libraries cost more start-up time than the whole of `flow check`.
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>

#include "apps/cli/compiler_commands.hpp"
#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/cli/unknown_option.hpp"
#include "base/text.hpp"
#include "version.hpp"

namespace {

enum class Where { Compiler, Runtime };
struct Command {
  const char* name;
  Where where;
  const char* summary;
};
constexpr Command kCommands[] = {
#define FLOW_COMMAND(name, where, summary) {#name, Where::where, summary},
#include "apps/cli/commands.def"
#undef FLOW_COMMAND
};

const char* summary(std::string_view name) {
  for (const Command& command : kCommands)
    if (name == command.name) return command.summary;
  return "";
}

int start_runtime(char** argv) {
  std::error_code ignored;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const std::string runtime = (self.parent_path() / "flow-runtime").string();
  execv(runtime.c_str(), argv);
  flow::complain("cannot start `" + runtime + "`: " + std::strerror(errno) + "; it belongs beside `flow`");
  return flow::kWorldWrong;
}

int unknown_command(const std::string& typed) {
  std::vector<std::string> known;
  for (const Command& command : kCommands) known.emplace_back(command.name);
  const auto near = flow::nearest_name(typed, known);
  flow::complain("there is no command `" + typed + "`" +
                 (near ? "; did you mean `" + *near + "`?" : "; see `flow --help`"));
  return flow::kUsage;
}

int command(int argc, char** argv) {
  for (const Command& command : kCommands)
    if (argc > 1 && command.where == Where::Runtime && std::string_view(argv[1]) == command.name)
      return start_runtime(argv);
  if (argc > 1 && argv[1][0] != '-') {
    bool is_known = false;
    for (const Command& command : kCommands) is_known = is_known || std::string_view(argv[1]) == command.name;
    if (!is_known) return unknown_command(argv[1]);
  }

  CLI::App app{"Flow: what happens when Defender raises an alert, as a program that can be checked.", "flow"};
  app.set_version_flag("--version", FLOW_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 success, 1 the flow is wrong or a run failed, 2 wrong usage, 3 a file, the "
      "configuration or the network.\n"
      "Each command has its own --help.");

  flow::CheckOptions check;
  CLI::App* const check_command = app.add_subcommand("check", summary("check"));
  check_command->add_option("FILE", check.files, "`.flow` files; - is standard input")->required();
  CLI::Option* const as_json = check_command->add_flag(
      "--json", check.json, "print the diagnostics as one JSON document on standard output");
  check_command
      ->add_flag("--plan", check.plan, "print what is fetched and called, when, and how often at most")
      ->excludes(as_json);
  check_command->add_flag("--tree", check.tree, "print the syntax tree")->excludes(as_json);
  check_command->add_flag("--manifest", check.manifest,
                          "print all that the flows may ever do; with --json as one JSON document a file");
  check_command->add_flag("--strict", check.strict, "also warn of acting calls without a guardrail");
  check_command
      ->add_option("--param", check.params, "checks a value of a parameter: name=value; can be repeated")
      ->allow_extra_args(false);

  flow::FmtOptions fmt;
  CLI::App* const fmt_command = app.add_subcommand("fmt", summary("fmt"));
  fmt_command->add_option("FILE", fmt.files, "`.flow` files; - is standard input")->required();
  fmt_command->add_flag("--check", fmt.check, "change nothing, name the files that would change");
  fmt_command->add_flag("--diff", fmt.diff, "change nothing, print what would change");

  flow::BuildOptions build;
  CLI::App* const build_command = app.add_subcommand("build", summary("build"));
  build_command->add_option("FILE", build.file, "a `.flow` file")->required();
  build_command->add_option("-o,--output", build.output,
                            "the module to write (default: FILE with the ending .flowc)");

  flow::InspectOptions inspect;
  CLI::App* const inspect_command = app.add_subcommand("inspect", summary("inspect"));
  inspect_command->add_option("FILE", inspect.file, "a `.flowc` or `.flow` file")->required();
  inspect_command->add_flag("--manifest", inspect.manifest_only, "print the manifest only");

  inspect_command->add_flag("--json", inspect.json, "print the manifest as JSON, and nothing else");

  flow::DiffOptions diff;
  CLI::App* const diff_command = app.add_subcommand("diff", summary("diff"));
  diff_command->add_option("OLD", diff.old_file, "a `.flow` or `.flowc` file")->required();
  diff_command->add_option("NEW", diff.new_file, "a `.flow` or `.flowc` file")->required();
  diff_command->add_flag("--json", diff.json, "print one JSON document");

  flow::TestOptions test;
  CLI::App* const test_command = app.add_subcommand("test", summary("test"));
  test_command->add_option("PATH", test.paths, "`.flow` files and folders of them (default: this folder)");
  test_command->add_option("--filter", test.filter, "run only tests whose name holds this text");
  test_command->add_flag("--coverage", test.coverage,
                         "print which statements and conditions the tests reach");
  test_command->add_option("--format", test.format, "text, junit or tap");
  test_command
      ->add_option("--param", test.params,
                   "sets a parameter where a test does not: name=value; can be repeated")
      ->allow_extra_args(false);

  std::string code;
  CLI::App* const explain_command = app.add_subcommand("explain", summary("explain"));
  explain_command->add_option("CODE", code, "as F0204")->required();

  for (const Command& command : kCommands)
    if (command.where == Where::Runtime) app.add_subcommand(command.name, command.summary);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError& error) {
    if (const std::string unknown = flow::unknown_option(app); !unknown.empty())
      return flow::complain(unknown), flow::kUsage;
    return app.exit(error) == 0 ? flow::kSuccess : flow::kUsage;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? flow::kSuccess : flow::kUsage;
  }
  if (check_command->parsed()) return flow::run_check(check);
  if (fmt_command->parsed()) return flow::run_fmt(fmt);
  if (build_command->parsed()) return flow::run_build(build);
  if (inspect_command->parsed()) return flow::run_inspect(inspect);
  if (diff_command->parsed()) return flow::run_diff(diff);
  if (test_command->parsed()) return flow::run_test_command(test);
  return flow::run_explain(code);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return flow::when_written(command(argc, argv));
  } catch (const std::system_error& problem) {  // of a print, when the disk is full
    if (problem.code() == std::errc::broken_pipe) return flow::kWorldWrong;
    flow::complain(problem.what());
    return flow::kWorldWrong;
  }
}
