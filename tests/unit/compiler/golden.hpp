// Golden cases: tests/golden/<area>/<case>.flow beside <case>.expected, which holds what the stage `area`
// prints for it. FLOW_UPDATE=1 writes the expected files anew; their diff is then reviewed as code.
#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "compiler/compile.hpp"

namespace flow::test {

// The connectors that come with Flow, loaded once.
const Library& standard_library();

struct GoldenCase {
  std::string area;
  std::string name;
  std::filesystem::path source;

  std::filesystem::path expected() const {
    return std::filesystem::path(source).replace_extension(".expected");
  }
};
inline void PrintTo(const GoldenCase& golden, std::ostream* out) {
  *out << golden.area << '/' << golden.name;
}

// Every case of the areas that this binary shows, sorted.
std::vector<GoldenCase> golden_cases();

// What a stage printed, and whether it found errors.
struct Shown {
  std::string text;
  bool has_errors = false;
};
// Shows `text` as `area` does; `name` is the file's name in what is shown.
Shown show(const std::string& area, const std::string& name, const std::string& text);

std::string read_text(const std::filesystem::path& path);

// All diagnostics as `flow check` prints them, without colours.
std::string rendered(const Diagnostics& diagnostics, const Files& files);

}  // namespace flow::test
