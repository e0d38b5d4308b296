// Reads a document of an API: JSON, or YAML where it is no JSON. Takes what people publish: a byte order
// mark, UTF-16, bytes that are no UTF-8, comments and commas too many; what it had to repair is among the
// findings.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "import/document.hpp"

namespace flow::importer {

inline constexpr std::size_t kLongestDocument = 32u << 20;  // bytes
inline constexpr int kDeepestDocument = 200;                // lists and objects in each other
inline constexpr std::size_t kMostNodes = 4'000'000;

Result<Document> read_document(std::string_view bytes, Findings& findings);

// The parts of it; `text` is UTF-8.
Result<Document> read_json(std::string_view text, Findings& findings);
Result<Document> read_yaml(std::string_view text, Findings& findings);

// Takes comments, commas before a closing bracket and raw control characters in texts out of what was meant
// as JSON. Texts keep what they say.
std::string repaired_json(std::string_view text);

// UTF-8 without a byte order mark, whatever it was.
std::string as_utf8(std::string_view bytes, Findings& findings);

}  // namespace flow::importer
