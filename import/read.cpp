#include "import/read.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace flow::importer {

Result<Document> read_document(std::string_view bytes, Findings& findings) {
  if (bytes.size() > kLongestDocument)
    return error(fmt::format("the document is longer than {} MiB", kLongestDocument >> 20));
  const std::string text = as_utf8(bytes, findings);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return error("the document is empty");
  // YAML begins no comment by `/`.
  if (std::string_view("{[/").find(text[first]) == std::string_view::npos) return read_yaml(text, findings);
  Result<Document> json = read_json(text, findings);
  if (json) return json;
  if (const std::string repaired = repaired_json(text); repaired != text)
    if (Result<Document> again = read_json(repaired, findings)) {
      findings.add("", "it is no JSON as it stands: comments, commas or control characters were taken out",
                   false);
      return again;
    }
  Result<Document> yaml = read_yaml(text, findings);
  if (yaml) return yaml;
  return error(
      fmt::format("it is neither JSON ({}) nor YAML ({})", json.error().message, yaml.error().message));
}

}  // namespace flow::importer
