// Samples of several files in one text: a line `// --- notify.flow` begins the next file, which the others
// name with `use`.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "compiler/compile.hpp"
#include "compiler/syntax/file_name.hpp"

namespace flow::test {

using NamedFiles = std::map<std::string, std::string>;

// The first file's text; the others go to `others`.
inline std::string split_files(const std::string& text, NamedFiles& others) {
  static constexpr std::string_view kMark = "\n// --- ";
  std::size_t at = text.find(kMark);
  const std::string first = at == std::string::npos ? text : text.substr(0, at + 1);
  while (at != std::string::npos) {
    const std::size_t name = at + kMark.size(), end = text.find('\n', name);
    if (end == std::string::npos) break;
    at = text.find(kMark, end);
    others[text.substr(name, end - name)] =
        text.substr(end + 1, at == std::string::npos ? at : at + 1 - (end + 1));
  }
  return first;
}

inline ModuleLoader loader_of(NamedFiles files) {
  return
      [files = std::move(files)](const ModuleRequest& request) -> std::variant<FoundModule, MissingModule> {
        const std::string name = std::string(request.module) + (request.is_path ? "" : ".flow");
        if (const auto found = files.find(name); found != files.end())
          return FoundModule{.id = name, .source = {name, found->second}};
        MissingModule missing{.looked_for = {"`" + name + "`"}, .there = {}, .problem = {}};
        for (const auto& [file, text] : files)
          missing.there.push_back(request.is_path ? file : name_from_file(file));
        return missing;
      };
}

inline Compilation compile_files(const std::string& name, const std::string& text, const Library& library) {
  NamedFiles others;
  std::string first = split_files(text, others);
  return compile({name, std::move(first)}, library, loader_of(std::move(others)), name);
}

}  // namespace flow::test
