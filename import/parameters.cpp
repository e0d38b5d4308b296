#include "import/parameters.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "import/constants.hpp"

namespace flow::importer {
namespace {

// What other parameters and operations say about its values, in words.
std::string dynamic_doc(const Place& at) {
  for (const std::string_view name : {"x-ms-dynamic-values", "x-ms-dynamic-list"}) {
    const Place dynamic = at[name];
    const std::string operation = snake_case(dynamic["operationId"].text());
    if (!operation.empty()) return fmt::format("Its values come from `{}`.", operation);
  }
  return {};
}

bool is_internal(const Place& place) {
  return equals_ignoring_case(place["x-ms-visibility"].text(), "internal");
}

bool names_secret(std::string_view wire) {
  std::string name = lower_ascii(wire);
  std::erase_if(name, [](char c) { return c == '-' || c == '_' || c == '.'; });
  constexpr std::string_view kSecrets[] = {"authorization", "apikey",   "xapikey",
                                           "accesstoken",   "password", "clientsecret"};
  return std::ranges::find(kSecrets, name) != std::end(kSecrets);
}

void append_sentence(std::string& doc, std::string_view sentence) {
  if (sentence.empty()) return;
  if (!doc.empty()) doc += ' ';
  doc += sentence;
}

}  // namespace

PlacedParameter Parameters::add(const WantedParameter& wanted) {
  Place value = wanted.schema["default"];
  if (!value) value = wanted.at["default"];
  const bool is_given = value && value.kind() != Document::Kind::Null;
  if (wanted.is_required && is_given && (is_internal(wanted.at) || is_internal(wanted.schema)))
    if (auto fixed = fixed_value(value))
      return {.expression = std::move(*fixed), .type = {}, .is_constant = true};

  SchemaType type =
      wanted.is_bytes ? SchemaType{.name = "Bytes"} : types_.of(wanted.schema, wanted.type_name);
  const bool is_password = wanted.schema["format"].text() == "password" || names_secret(wanted.wire);
  if (wanted.may_be_secret && is_password && type.name == "String") type.name = "Secret";

  DeclaredParameter made;
  made.name = names_.take(camel_case(wanted.wire), "value");
  made.doc = types_.doc_of(wanted.at, wanted.wire);
  if (made.doc.empty()) made.doc = types_.doc_of(wanted.schema, wanted.wire);
  append_sentence(made.doc, type.doc);
  append_sentence(made.doc, dynamic_doc(wanted.at));

  std::optional<std::string> constant;
  if (is_given) constant = default_of(type, value);
  if (is_given && !constant) {
    const std::string_view text = value.scalar();
    findings_.note(
        value, fmt::format("this default is no constant of type {}: it is in the documentation", type.name));
    append_sentence(made.doc, text.empty()
                                  ? std::string_view()
                                  : fmt::format("By default {}.", printable(beginning_of(text, 100))));
  }
  // The one value that there is need not be said.
  if (!is_given && wanted.is_required && type.values.size() == 1)
    constant = default_of(type, wanted.schema["enum"].item(0));

  const bool may_be_null = type.is_nullable || (!wanted.is_required && !constant);
  made.type = type.name + (may_be_null && (type.name != "Json" || !wanted.is_required) ? "?" : "");
  if (constant)
    made.default_value = *constant;
  else if (!wanted.is_required)
    made.default_value = "null";
  PlacedParameter placed{.expression = made.name, .type = std::move(type)};
  (made.default_value.empty() ? required_ : optional_).push_back(std::move(made));
  return placed;
}

std::string Parameters::add_plain(std::string_view wire, std::string type, std::string default_value,
                                  std::string doc) {
  std::string name = names_.take(camel_case(wire), "value");
  const bool is_required = default_value.empty();
  (is_required ? required_ : optional_)
      .push_back({.name = name,
                  .type = std::move(type),
                  .default_value = std::move(default_value),
                  .doc = std::move(doc)});
  return name;
}

std::vector<DeclaredParameter> Parameters::all() const {
  std::vector<DeclaredParameter> all = required_;
  all.insert(all.end(), optional_.begin(), optional_.end());
  return all;
}

}  // namespace flow::importer
