// The door of this room: a document that describes an API, Swagger 2 or OpenAPI 3, JSON or YAML, Power
// Platform's `x-ms-` members included, to a connector declaration in the language. What cannot be translated
// is told by place and reason; nothing is left out in silence. Pure: it reads no file and asks no network.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "compiler/resolve/library.hpp"
#include "import/document.hpp"
#include "import/operations.hpp"

namespace flow::importer {

struct ImportOptions {
  std::string file;                            // shown in the file's first line
  std::string name;                            // of the connector; empty: made from the document's title
  std::map<std::string, std::string> effects;  // by operation: `read`, `act` or `notify`
};

struct Import {
  std::string connector;  // its name
  std::string title, version;
  std::string text;  // the declaration, laid out; it compiles beside `library`
  std::size_t records = 0, enums = 0;
  std::vector<TranslatedOperation> operations;
  std::vector<Finding> findings;

  std::size_t count(Translated how) const;
};

// The Error says why the bytes are no description of an API, or which option does not fit it.
Result<Import> import_document(std::string_view bytes, const ImportOptions& options, const Library& library);

// What `flow connector add` prints: counts, then each finding.
std::string report_text(const Import& import);
std::string report_json(const Import& import);

}  // namespace flow::importer
