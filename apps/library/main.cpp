// flow-library: reads all declarations of stdlib/ once, while Flow is built, and writes what they declare as
// C++ with the bytes of a Library. A mistake in a declaration is reported like any other, and ends the build.
#include <fmt/format.h>

#include <cstdio>

#include "base/text.hpp"
#include "compiler/compile.hpp"
#include "compiler/resolve/library_bytes.hpp"
#include "stdlib/declarations/declarations.hpp"

namespace {

constexpr std::size_t kBytesInLine = 32;

std::string as_cpp(std::string_view bytes) {
  std::string out =
      "// Made by flow-library from stdlib/*/*.flow.\n"
      "#include \"apps/library/standard_library.hpp\"\n\n"
      "namespace flow {\n\nstd::string_view standard_library_bytes() {\n"
      "  static constexpr unsigned char kBytes[] = {";
  for (std::size_t i = 0; i < bytes.size(); ++i)
    out += fmt::format("{}{},", i % kBytesInLine == 0 ? "\n" : "", static_cast<unsigned char>(bytes[i]));
  out +=
      "\n  };\n  return {reinterpret_cast<const char*>(kBytes), sizeof kBytes};\n}\n\n}  // namespace flow\n";
  return out;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    fmt::print(stderr, "usage: flow-library FILE.cpp\n");
    return 2;
  }
  std::vector<flow::NamedText> texts;
  for (const flow::Declaration& declaration : flow::declarations())
    texts.push_back({std::string(declaration.name), std::string(declaration.text)});
  const flow::Declarations loaded = flow::load_declarations(texts);
  for (const flow::Diagnostic& diagnostic : loaded.diagnostics.all())
    fmt::print(stderr, "{}\n", flow::render_text(diagnostic, loaded.files, false));
  if (loaded.diagnostics.has_errors()) return 1;
  const std::string text = as_cpp(flow::write_library(loaded.library));
  std::FILE* const file = std::fopen(arguments[1], "wb");
  if (file == nullptr) return 1;
  const bool is_written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && is_written ? 0 : 1;
}
