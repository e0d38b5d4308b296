// A declaration as text. The formatter of the language then lays it out; what it keeps as the author has it,
// line ends between the parts, is written here.
#include <fmt/format.h>

#include "import/declaration.hpp"
#include "import/names.hpp"
#include "import/prose.hpp"

namespace flow::importer {
namespace {

constexpr std::size_t kDocWidth = 108;

class Printer {
 public:
  std::string print(const DeclaredConnector& connector) {
    for (const std::string& comment : connector.comments)
      out_ += comment.empty() ? "//\n" : "// " + comment + "\n";
    out_ += fmt::format("connector {} {{\n", connector.name);
    if (!connector.base.empty()) out_ += fmt::format("    base {}\n", quoted(connector.base));
    out_ += fmt::format("    auth {}\n", connector.auth);
    for (const DeclaredEnum& type : connector.enums) enumeration(type);
    for (const DeclaredRecord& record : connector.records) fields(record);
    for (const DeclaredOperation& operation : connector.operations) this->operation(operation);
    out_ += "}\n";
    return std::move(out_);
  }

 private:
  void doc(std::string_view text, std::string_view indent) {
    for (const std::string& line : doc_lines(text, kDocWidth - indent.size()))
      out_ += fmt::format("{}{}\n", indent, line);
  }

  void enumeration(const DeclaredEnum& type) {
    out_ += '\n';
    doc(type.doc, "    ");
    out_ += fmt::format("    enum {} {{ {} }}\n", type.name, fmt::join(type.values, ", "));
  }

  void fields(const DeclaredRecord& record) {
    out_ += '\n';
    doc(record.doc, "    ");
    out_ += fmt::format("    record {} {{\n", record.name);
    for (const DeclaredField& field : record.fields) {
      doc(field.doc, "        ");
      const std::string from = field.wire == field.name ? "" : " from " + quoted(field.wire);
      out_ += fmt::format("        {}: {}{},\n", field.name, field.type, from);
    }
    out_ += "    }\n";
  }

  void entries(std::string_view clause, const DeclaredEntries& entries) {
    if (entries.empty()) return;
    out_ += fmt::format("        {} {{ ", clause);
    for (std::size_t i = 0; i < entries.size(); ++i)
      out_ += fmt::format("{}{}: {}", i == 0 ? "" : ", ", entry_key(entries[i].first), entries[i].second);
    out_ += " }\n";
  }

  void operation(const DeclaredOperation& operation) {
    out_ += '\n';
    doc(operation.doc, "    ");
    out_ += fmt::format("    {} {}(", operation.effect, operation.name);
    bool has_docs = false;
    for (const DeclaredParameter& parameter : operation.parameters)
      has_docs = has_docs || !parameter.doc.empty();
    for (std::size_t i = 0; i < operation.parameters.size(); ++i) {
      const DeclaredParameter& parameter = operation.parameters[i];
      if (has_docs) out_ += "\n";
      doc(parameter.doc, "        ");
      out_ += fmt::format(
          "{}{}: {}{}{}{}", has_docs ? "        " : "", parameter.name, parameter.type,
          parameter.default_value.empty() ? "" : " = ", parameter.default_value,
          i + 1 < operation.parameters.size() ? (has_docs ? "," : ", ") : (has_docs ? ",\n" : ""));
    }
    out_ += has_docs ? "    )" : ")";
    if (!operation.result.empty()) out_ += " -> " + operation.result;
    out_ += fmt::format(" {{\n        {} \"{}\"\n", operation.method, operation.path);
    entries("query", operation.query);
    entries("headers", operation.headers);
    entries("form", operation.form);
    entries("multipart", operation.multipart);
    if (!operation.body.empty())
      out_ += fmt::format("        body {}{}\n", operation.body,
                          operation.sends.empty() ? "" : " as " + quoted(operation.sends));
    if (!operation.gives.empty()) out_ += fmt::format("        gives {}\n", quoted(operation.gives));
    if (!operation.next_page.empty())
      out_ += fmt::format("        pages {} limit {}\n", quoted(operation.next_page), operation.most_pages);
    if (!operation.source.empty()) out_ += fmt::format("        source {}\n", quoted(operation.source));
    out_ += "    }\n";
  }

  std::string out_;
};

}  // namespace

std::string print(const DeclaredConnector& connector) {
  return Printer().print(connector);
}

}  // namespace flow::importer
