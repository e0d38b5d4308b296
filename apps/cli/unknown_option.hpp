// Options that a command does not have, with the one that was likely meant. For the two files that read
// command lines: its header is heavy.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"

namespace flow {

// `app` has given up with CLI::ExtrasError. Empty when what is too much is no option.
inline std::string unknown_option(const CLI::App& app) {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  std::vector<std::string> known;
  for (const CLI::Option* option : command->get_options())
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  for (const std::string& typed : app.remaining(true)) {
    if (!typed.starts_with('-') || typed == "-" || typed == "--") continue;
    const auto near = nearest_name(std::string_view(typed).substr(0, typed.find('=')), known);
    return "there is no option `" + typed + "`" +
           (near ? "; did you mean `" + *near + "`?"
                 : "; see `" + (command == &app ? "flow" : "flow " + command->get_name()) + " --help`");
  }
  return {};
}

}  // namespace flow
