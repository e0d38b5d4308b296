// What a request carries: JSON, the fields of a form, or a text or file as it is.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "import/request.hpp"

namespace flow::importer {
namespace {

// A body with more members than this stays one parameter, a record.
constexpr std::size_t kMostParameters = 32;

bool is_dynamic(const Place& schema) {
  return schema["x-ms-dynamic-schema"] || schema["x-ms-dynamic-properties"];
}

std::string body_object(const DeclaredEntries& entries) {
  std::string out;
  for (const auto& [name, value] : entries) out += (out.empty() ? "" : ", ") + entry_key(name) + ": " + value;
  return out.empty() ? "{}" : "{ " + out + " }";
}

bool is_file(const Place& schema) {
  const std::string_view format = schema["format"].text();
  return schema["type"].text() == "file" || format == "binary" || format == "byte" ||
         !schema["contentMediaType"].text().empty();
}

}  // namespace

Media media_of(std::string_view content_type) {
  std::string type = lower_ascii(content_type.substr(0, content_type.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  if (type.empty() || type == "*/*" || type == "application/*" || type.find("json") != std::string::npos)
    return Media::Json;
  if (type == "application/x-www-form-urlencoded") return Media::Form;
  if (type == "multipart/form-data") return Media::Multipart;
  if (type.starts_with("text/") || type.find("xml") != std::string::npos ||
      type.find("yaml") != std::string::npos)
    return Media::Text;
  return Media::Binary;
}

std::vector<std::string> RequestTranslation::consumed() const {
  Place list = source_.at["consumes"];
  if (!list.is_list()) list = source_.root["consumes"];
  std::vector<std::string> types;
  for (std::size_t i = 0; list.is_list() && i < list.size(); ++i) types.emplace_back(list.item(i).text());
  return types;
}

bool RequestTranslation::body(DeclaredOperation& into) {
  // Swagger 2: a parameter is the body, or several are the fields of a form.
  bool has_form = false, has_file = false;
  for (const Input& input : inputs_) {
    has_form = has_form || input.in == "formdata";
    has_file = has_file || (input.in == "formdata" && is_file(input.at));
  }
  const auto has_media = [](const std::vector<std::string>& types, Media media) {
    return std::ranges::any_of(types, [&](const std::string& type) { return media_of(type) == media; });
  };
  for (const Input& input : inputs_) {
    if (input.in != "body" || input.is_used) continue;
    const std::vector<std::string> types = consumed();
    const bool is_required = input.at["required"].is_true();
    if (types.empty() || has_media(types, Media::Json)) {
      json_body(input.at, input.schema, is_required, into);
    } else if (has_media(types, Media::Form)) {
      form_members(input.schema, false, into);
    } else if (has_media(types, Media::Multipart)) {
      form_members(input.schema, true, into);
    } else {
      plain_body(input.at, input.schema, types[0], is_required, into);
    }
    if (has_form) findings_.loss(input.at, "beside a body there can be no fields of a form");
    return true;
  }
  if (has_form) {
    const std::vector<std::string> types = consumed();
    form_fields(has_file || (has_media(types, Media::Multipart) && !has_media(types, Media::Form)), into);
    return true;
  }
  // OpenAPI 3.
  const Place request = references_.follow(source_.at["requestBody"]);
  const Place content = request["content"];
  if (!content.is_object() || content.size() == 0) return true;
  for (const Media media : {Media::Json, Media::Form, Media::Multipart, Media::Text, Media::Binary})
    for (std::size_t i = 0; i < content.size(); ++i) {
      if (media_of(content.name(i)) != media) continue;
      const Place schema = content.item(i)["schema"];
      const bool is_required = request["required"].is_true();
      if (media == Media::Json)
        json_body(request, schema, is_required, into);
      else if (media == Media::Form || media == Media::Multipart)
        form_members(schema, media == Media::Multipart, into);
      else
        plain_body(request, schema, std::string(content.name(i)), is_required, into);
      return true;
    }
  return true;
}

void RequestTranslation::json_body(const Place& at, const Place& schema, bool is_required,
                                   DeclaredOperation& into) {
  std::vector<SchemaMember> members =
      is_dynamic(schema) ? std::vector<SchemaMember>() : types_.members(schema);
  std::erase_if(members, [&](const SchemaMember& member) {
    return references_.follow(member.schema)["readOnly"].is_true();
  });
  if (!members.empty() && members.size() + parameters_.size() <= kMostParameters) {
    DeclaredEntries entries;
    for (const SchemaMember& member : members) {
      const PlacedParameter placed = parameters_.add({.wire = member.wire,
                                                      .at = member.schema,
                                                      .schema = references_.follow(member.schema),
                                                      .is_required = member.is_required && is_required,
                                                      .may_be_secret = true,
                                                      .type_name = type_name_ + pascal_case(member.wire)});
      entries.emplace_back(member.wire, placed.expression);
    }
    into.body = body_object(entries);
    return;
  }
  const std::string name(at["name"].text());
  into.body = parameters_
                  .add({.wire = name.empty() ? "body" : name,
                        .at = at,
                        .schema = schema,
                        .is_required = is_required,
                        .type_name = type_name_ + "Body"})
                  .expression;
}

void RequestTranslation::plain_body(const Place& at, const Place& schema, const std::string& media,
                                    bool is_required, DeclaredOperation& into) {
  const bool is_type = !media.empty() && media.find('*') == std::string::npos && media.size() < 200 &&
                       std::ranges::all_of(media, [](char c) { return c >= 0x20 && c < 0x7f; });
  const std::string type = is_type ? media : "application/octet-stream";
  const bool is_text = media_of(media) == Media::Text && !is_file(references_.follow(schema));
  if (schema["properties"] || references_.follow(schema)["properties"])
    findings_.note(at,
                   fmt::format("it is sent as {}, and what it consists of is not checked", printable(type)));
  const std::string name(at["name"].text());
  std::string doc = types_.doc_of(at);
  doc += fmt::format("{}Sent as {}.", doc.empty() ? "" : " ", printable(type));
  into.body = parameters_.add_plain(name.empty() ? "body" : name,
                                    std::string(is_text ? "String" : "Bytes") + (is_required ? "" : "?"),
                                    is_required ? "" : "null", std::move(doc));
  into.sends = type;
}

void RequestTranslation::form_entry(const WantedParameter& wanted, bool is_multipart, bool is_file,
                                    DeclaredEntries& entries) {
  if (is_file && is_multipart) {
    WantedParameter file = wanted;
    file.is_bytes = true;
    const PlacedParameter content = parameters_.add(file);
    const std::string name =
        parameters_.add_plain(wanted.wire + " name", "String", quoted(wanted.wire), "The file's name.");
    entries.emplace_back(wanted.wire, fmt::format("{{ name: {}, content: {} }}", name, content.expression));
    return;
  }
  const PlacedParameter placed = parameters_.add(wanted);
  const bool is_list = placed.type.name.starts_with("List<");
  if (is_list && wanted.at["collectionFormat"].text() != "multi" && !wanted.at["items"]["properties"])
    entries.emplace_back(wanted.wire, placed.expression + ".join(\",\")");
  else
    entries.emplace_back(wanted.wire, placed.expression);
}

void RequestTranslation::form_fields(bool is_multipart, DeclaredOperation& into) {
  DeclaredEntries& entries = is_multipart ? into.multipart : into.form;
  for (const Input& input : inputs_) {
    if (input.in != "formdata" || input.wire.empty()) continue;
    form_entry({.wire = input.wire,
                .at = input.at,
                .schema = input.schema,
                .is_required = input.at["required"].is_true(),
                .may_be_secret = true,
                .type_name = type_name_ + pascal_case(input.wire)},
               is_multipart, is_file(input.at), entries);
  }
}

void RequestTranslation::form_members(const Place& schema, bool is_multipart, DeclaredOperation& into) {
  DeclaredEntries& entries = is_multipart ? into.multipart : into.form;
  for (const SchemaMember& member : types_.members(schema)) {
    const Place at = references_.follow(member.schema);
    if (at["readOnly"].is_true() || member.wire.empty()) continue;
    form_entry({.wire = member.wire,
                .at = member.schema,
                .schema = at,
                .is_required = member.is_required,
                .may_be_secret = true,
                .type_name = type_name_ + pascal_case(member.wire)},
               is_multipart, is_file(at), entries);
  }
  if (entries.empty()) findings_.loss(schema, "of the form's fields nothing is known: none is sent");
}

}  // namespace flow::importer
