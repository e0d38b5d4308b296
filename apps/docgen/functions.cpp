// functions.md: the standard functions, as their declarations say.
#include <fmt/format.h>

#include <string>

#include "apps/docgen/pages.hpp"

namespace flow {
namespace {

void add_function(std::string& out, const StandardFunction& function, bool is_further) {
  out += is_further ? "\n" : fmt::format("\n### {}\n\n", function.name);
  out += fmt::format("    {}\n\n{}\n", function.signature, function.doc);
  if (function.examples.empty()) return;
  out += "\n";
  for (const std::string& example : function.examples) out += fmt::format("- `{}`\n", example);
}

}  // namespace

std::string functions_page(const Library& library) {
  std::string out =
      "# Standard functions\n\n"
      "Made by `flow-docgen docs/generated`; a test compares. Do not edit: change the source named below.\n"
      "Sources: `stdlib/functions/*.flow`. A test runs each example, which is a `Bool` that must be true.\n\n"
      "A function is called on its first argument, `text.lower()`, or with it, `lower(text)`; both are the "
      "same. An "
      "argument\n"
      "may be named, and one with a default left out. Where the first parameter is a `String`, other types "
      "that are "
      "kept as\n"
      "text, as `Email`, may stand there; a text in quotes may stand for an `Ip`, `Url` and the like, and "
      "its form is "
      "checked.\n\n"
      "What a type parameter may stand for follows from its name:\n\n"
      "| Name | Stands for |\n|---|---|\n"
      "| `Text` | `String` and types that are kept as text, but for `Html`, `Kql` and `Secret` |\n"
      "| `Ordered` | numbers, `String`, `Time`, `Duration`, ordered enums |\n"
      "| `Comparable` | what `==` compares |\n"
      "| `Key` | what a map can have as keys |\n"
      "| `Number` | `Int`, `Float`, `Duration` |\n"
      "| `Row` | records, and maps with keys of `String` |\n"
      "| any other | anything |\n";
  std::string group, name;
  for (const StandardFunction& function : library.functions) {
    if (function.group != group) out += fmt::format("\n## {}.flow\n", group = function.group);
    add_function(out, function, function.name == name);
    name = function.name;
  }
  return out;
}

}  // namespace flow
