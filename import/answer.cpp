#include "import/answer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace flow::importer {
namespace {

// Requests that one call makes at most for a list in pages.
constexpr int kPagesOfACall = 20;

// The first success with a schema, else the first success; `default` when no success is named.
Place success(const Place& responses, References& references) {
  Place first;
  for (std::size_t i = 0; responses.is_object() && i < responses.size(); ++i) {
    const std::string_view code = responses.name(i);
    if (code.size() != 3 || code[0] != '2') continue;
    const Place response = references.follow(responses.item(i));
    if (!response.is_object()) continue;
    if (response["schema"] || response["content"].size() > 0) return response;
    if (!first) first = response;
  }
  if (!first && responses["default"]) first = references.follow(responses["default"]);
  return first;
}

std::vector<std::string> produced(const DocumentOperation& source) {
  Place list = source.at["produces"];
  if (!list.is_list()) list = source.root["produces"];
  std::vector<std::string> types;
  for (std::size_t i = 0; list.is_list() && i < list.size(); ++i) types.emplace_back(list.item(i).text());
  return types;
}

bool is_json(const std::string& type) {
  return media_of(type) == Media::Json;
}

struct Content {
  Place schema;
  std::string other_media;  // when it is no JSON
};

Content content_of(const DocumentOperation& source, const Place& response) {
  Content found;
  const Place content = response["content"];
  if (content.is_object() && content.size() > 0) {
    for (std::size_t i = 0; i < content.size(); ++i)
      if (is_json(std::string(content.name(i))))
        return {.schema = content.item(i)["schema"], .other_media = {}};
    return {.schema = content.item(0)["schema"], .other_media = std::string(content.name(0))};
  }
  found.schema = response["schema"];
  const std::vector<std::string> types = produced(source);
  if (!types.empty() && std::ranges::none_of(types, is_json)) found.other_media = types[0];
  return found;
}

// `x-ms-pageable`: the result is the list, of all pages where the answers name the next.
bool pages(const DocumentOperation& source, const Place& schema, Types& types, const std::string& type_name,
           DeclaredOperation& into) {
  const Place pageable = source.at["x-ms-pageable"];
  if (!pageable.is_object()) return false;
  std::string item(pageable["itemName"].text());
  if (item.empty()) item = "value";
  for (const SchemaMember& member : types.members(schema)) {
    if (member.wire != item) continue;
    const SchemaType type = types.of(member.schema, type_name + "Result");
    if (!type.name.starts_with("List<")) return false;
    into.result = type.name;
    into.gives = item;
    const std::string_view link = pageable["nextLinkName"].text();
    if (!link.empty() && into.effect == "read") {
      into.next_page = link;
      into.most_pages = kPagesOfACall;
    }
    return true;
  }
  return false;
}

}  // namespace

void translate_answer(const DocumentOperation& source, References& references, Types& types,
                      Findings& findings, DeclaredOperation& into) {
  const Place response = success(source.at["responses"], references);
  if (!response) return;
  const Content content = content_of(source, response);
  if (!content.schema && content.other_media.empty()) return;
  if (!content.schema && !response["content"]) return;
  const std::string type_name = pascal_case(into.name);
  if (!content.other_media.empty()) {
    const Place schema = references.follow(content.schema);
    if (schema["properties"].size() > 0)
      findings.note(response,
                    fmt::format("the answer is {}: it comes as Bytes", printable(content.other_media)));
    into.result = "Bytes";
    return;
  }
  if (pages(source, content.schema, types, type_name, into)) return;
  const SchemaType type = types.of(content.schema, type_name + "Result");
  // A Base64 text as the whole answer would be taken as it is.
  into.result = type.name == "Bytes" && references.follow(content.schema)["format"].text() == "byte"
                    ? "String"
                    : type.name;
  if (type.is_nullable && type.name != "Json") into.result += '?';
}

}  // namespace flow::importer
