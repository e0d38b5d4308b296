// The fenced samples of the documentation. What stands behind the three backticks says what a sample is.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace flow::test {

struct Sample {
  std::string place;  // `docs/language.md:17`
  std::string kind;   // `flow`, `flow-error F0204`, `flow-connector`, `toml`, …
  std::string text;
};

std::string read_text(const std::filesystem::path& path);
// The pages a person reads: README.md, docs/*.md, docs/decisions/*.md, docs/generated/*.md. docs/diagnostics
// has a test of its own.
std::vector<std::filesystem::path> pages();
std::vector<Sample> samples(const std::filesystem::path& page);

}  // namespace flow::test
