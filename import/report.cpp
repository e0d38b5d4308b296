// What an import says of itself.
#include <fmt/format.h>

#include "base/text.hpp"
#include "import/import.hpp"

namespace flow::importer {
namespace {

std::string_view name_of(Translated how) {
  switch (how) {
    case Translated::Fully: return "fully";
    case Translated::Partly: return "partly";
    case Translated::Not: return "not";
  }
  return {};
}

// A pointer as one shows it: the whole document is `#`.
std::string shown(const std::string& pointer) {
  return printable("#" + pointer);
}

std::string findings_json(const Import& import, bool is_loss) {
  std::string out;
  for (const Finding& finding : import.findings)
    if (finding.is_loss == is_loss)
      out += fmt::format("{}\n    {{\"pointer\": {}, \"reason\": {}}}", out.empty() ? "" : ",",
                         json_quoted(finding.pointer), json_quoted(finding.reason));
  return "[" + out + (out.empty() ? "]" : "\n  ]");
}

}  // namespace

std::string report_text(const Import& import) {
  std::string out = fmt::format(
      "connector {}: {} operations, {} translated fully, {} partly, {} not; {} records, {} enums\n",
      import.connector, import.operations.size(), import.count(Translated::Fully),
      import.count(Translated::Partly), import.count(Translated::Not), import.records, import.enums);
  for (const Translated how : {Translated::Partly, Translated::Not})
    for (const TranslatedOperation& operation : import.operations)
      if (operation.how == how)
        out += fmt::format("{}: {} {}{}\n", how == Translated::Partly ? "partly" : "not translated",
                           operation.method, printable(operation.path),
                           operation.name.empty() ? "" : ", `" + operation.name + "`");
  for (const bool is_loss : {true, false}) {
    bool is_first = true;
    for (const Finding& finding : import.findings) {
      if (finding.is_loss != is_loss) continue;
      if (is_first) out += is_loss ? "left out:\n" : "notes:\n";
      is_first = false;
      out += fmt::format("  {}: {}\n", shown(finding.pointer), printable(finding.reason));
    }
  }
  return out;
}

std::string report_json(const Import& import) {
  std::string operations;
  for (const TranslatedOperation& operation : import.operations)
    operations += fmt::format(
        "{}\n    {{\"name\": {}, \"method\": {}, \"path\": {}, \"pointer\": {}, \"translated\": \"{}\"}}",
        operations.empty() ? "" : ",", operation.name.empty() ? "null" : json_quoted(operation.name),
        json_quoted(operation.method), json_quoted(operation.path), json_quoted(operation.pointer),
        name_of(operation.how));
  return fmt::format(
      "{{\n  \"connector\": {},\n  \"title\": {},\n  \"version\": {},\n"
      "  \"counts\": {{\"operations\": {}, \"fully\": {}, \"partly\": {}, \"not\": {}, \"records\": {}, "
      "\"enums\": {}}},\n"
      "  \"operations\": [{}{}],\n  \"leftOut\": {},\n  \"notes\": {}\n}}\n",
      json_quoted(import.connector), json_quoted(import.title), json_quoted(import.version),
      import.operations.size(), import.count(Translated::Fully), import.count(Translated::Partly),
      import.count(Translated::Not), import.records, import.enums, operations,
      operations.empty() ? "" : "\n  ", findings_json(import, true), findings_json(import, false));
}

}  // namespace flow::importer
