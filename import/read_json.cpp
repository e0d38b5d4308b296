// JSON to a Document; the one place of this room that knows simdjson.
#include <fmt/format.h>
#include <simdjson.h>

#include <set>

#include "import/read.hpp"

namespace flow::importer {
namespace {

namespace dom = simdjson::dom;

class JsonReader {
 public:
  JsonReader(Document& document, Findings& findings) : document_(document), findings_(findings) {}

  DocumentNode read(dom::element json, const std::string& pointer) {
    Document::Node node;
    switch (json.type()) {
      case dom::element_type::NULL_VALUE: break;
      case dom::element_type::BOOL:
        node.kind = Document::Kind::Bool;
        node.truth = bool(json);
        break;
      case dom::element_type::STRING:
        node.kind = Document::Kind::Text;
        node.text = std::string_view(json);
        break;
      case dom::element_type::INT64:
        node.kind = Document::Kind::Number;
        node.text = fmt::format("{}", std::int64_t(json));
        break;
      case dom::element_type::UINT64:
        node.kind = Document::Kind::Number;
        node.text = fmt::format("{}", std::uint64_t(json));
        break;
      case dom::element_type::DOUBLE:
        node.kind = Document::Kind::Number;
        node.text = fmt::format("{}", double(json));
        break;
      case dom::element_type::ARRAY: {
        node.kind = Document::Kind::List;
        for (const dom::element item : dom::array(json))
          node.items.push_back(read(item, pointer + "/" + std::to_string(node.items.size())));
        break;
      }
      case dom::element_type::OBJECT: {
        node.kind = Document::Kind::Object;
        std::set<std::string_view> seen;
        for (const dom::key_value_pair member : dom::object(json)) {
          const std::string at = pointer + "/" + pointer_part(member.key);
          if (!seen.insert(member.key).second)
            findings_.add(at, "this member stands there twice; the last one counts", false);
          node.names.emplace_back(member.key);
          node.items.push_back(read(member.value, at));
        }
        break;
      }
    }
    return document_.add(std::move(node));
  }

 private:
  Document& document_;
  Findings& findings_;
};

}  // namespace

Result<Document> read_json(std::string_view text, Findings& findings) {
  dom::parser parser;
  if (const auto failed = parser.allocate(text.size() + 1, kDeepestDocument + 1))
    return error(simdjson::error_message(failed));
  dom::element root;
  if (const auto failed = parser.parse(simdjson::padded_string(text)).get(root)) {
    if (failed == simdjson::DEPTH_ERROR)
      return error(fmt::format("it is nested deeper than {} levels", kDeepestDocument));
    return error(simdjson::error_message(failed));
  }
  Document document;
  document.root = JsonReader(document, findings).read(root, "");
  return document;
}

std::string repaired_json(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::size_t comma = std::string::npos;  // in `out`, when only blanks follow it so far
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      comma = std::string::npos;
      out += c;
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) {
          out += text[i++];
          out += text[i];
        } else if (static_cast<unsigned char>(text[i]) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(text[i]));
        } else {
          out += text[i];
        }
      }
      if (i < text.size()) out += '"';
    } else if (c == '/' && text.substr(i).starts_with("//")) {
      i = std::min(text.find('\n', i), text.size()) - 1;
    } else if (c == '/' && text.substr(i).starts_with("/*")) {
      const std::size_t end = text.find("*/", i + 2);
      i = end == std::string_view::npos ? text.size() : end + 1;
    } else {
      if ((c == '}' || c == ']') && comma != std::string::npos) out[comma] = ' ';
      if (c != ' ' && c != '\t' && c != '\r' && c != '\n') comma = c == ',' ? out.size() : std::string::npos;
      out += c;
    }
  }
  return out;
}

}  // namespace flow::importer
