#include "stdlib/executor/template.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/escape.hpp"
#include "base/text.hpp"

namespace flow {
namespace {

using Kind = Template::Kind;

// The only member of an object `{"$html": "…"}`, when `value` is one with that name.
const JsonValue* marked(const JsonValue& value, std::string_view marker) {
  if (value.kind != JsonValue::Kind::Object || value.names.size() != 1 || value.names[0] != marker)
    return nullptr;
  return value.items[0].is_text() ? &value.items[0] : nullptr;
}

JsonValue without_marker(const JsonValue& value) {
  for (const std::string_view marker : {"$html", "$kql"})
    if (const JsonValue* text = marked(value, marker)) return *text;
  return value;
}

// The same for the same key: version 8, whose bits are the maker's own.
std::string uuid_of(std::string_view key) {
  const auto hash = [&](std::uint64_t basis) {
    for (const char c : key) basis = (basis ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    basis = (basis ^ basis >> 32) * 0xd6e8feb86659fd93u;
    return basis ^ basis >> 32;
  };
  const std::uint64_t high = (hash(0xcbf29ce484222325u) & ~std::uint64_t{0xf000}) | 0x8000;
  const std::uint64_t low = (hash(0x84222325cbf29ce4u) & ~(std::uint64_t{3} << 62)) | std::uint64_t{1} << 63;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff, high & 0xffff,
                     low >> 48, low & 0xffff'ffff'ffff);
}

bool is_true(const JsonValue& value) {
  return value.kind == JsonValue::Kind::Bool ? value.truth : !value.is_null();
}

class Evaluation {
 public:
  explicit Evaluation(const TemplateScope& scope) : scope_(scope), item_(scope.item) {}

  JsonValue value(const Template& node);

 private:
  const JsonValue* raw_parameter(const Template& node) const;
  JsonValue object(const Template& node);
  JsonValue list(const Template& node);
  JsonValue for_each(const Template& node);
  JsonValue concat(const Template& node);
  JsonValue join(const Template& node);
  JsonValue setting(const Template& node) const;
  bool is_type(const Template& node) const;

  const TemplateScope& scope_;
  const JsonValue* item_;
};

const JsonValue* Evaluation::raw_parameter(const Template& node) const {
  const JsonValue* found = scope_.arguments == nullptr ? nullptr : scope_.arguments->member(node.text);
  for (const std::string& field : node.names)
    if (found != nullptr) found = found->member(field);
  return found;
}

JsonValue Evaluation::object(const Template& node) {
  JsonValue result{.kind = JsonValue::Kind::Object};
  for (std::size_t i = 0; i < node.children.size() && i < node.names.size(); ++i) {
    JsonValue member = value(node.children[i]);
    if (member.is_null()) continue;
    result.names.push_back(node.names[i]);
    result.items.push_back(std::move(member));
  }
  return result;
}

JsonValue Evaluation::list(const Template& node) {
  JsonValue result{.kind = JsonValue::Kind::List};
  for (const Template& child : node.children) result.items.push_back(value(child));
  return result;
}

JsonValue Evaluation::for_each(const Template& node) {
  JsonValue over = value(node.children.at(0));
  if (over.is_null()) return over;
  JsonValue result{.kind = JsonValue::Kind::List};
  std::vector<JsonValue> elements;
  if (over.kind == JsonValue::Kind::List)
    elements = std::move(over.items);
  else
    elements.push_back(std::move(over));
  const JsonValue* outer = item_;
  for (const JsonValue& element : elements) {
    item_ = &element;
    result.items.push_back(value(node.children.at(1)));
  }
  item_ = outer;
  return result;
}

// A hole between single quotes is an OData string literal: a quote within is written twice.
bool is_quoted(const Template& concat, std::size_t i) {
  const auto& parts = concat.children;
  return parts[i].kind != Kind::Text && i > 0 && i + 1 < parts.size() && parts[i - 1].kind == Kind::Text &&
         parts[i + 1].kind == Kind::Text && parts[i - 1].text.ends_with('\'') &&
         parts[i + 1].text.starts_with('\'');
}

std::string with_doubled_quotes(const std::string& text) {
  std::string out;
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  return out;
}

JsonValue Evaluation::concat(const Template& node) {
  std::string text;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const std::string part = text_of(value(node.children[i]));
    text += is_quoted(node, i) ? with_doubled_quotes(part) : part;
  }
  return JsonValue::of_text(std::move(text));
}

JsonValue Evaluation::join(const Template& node) {
  JsonValue list = value(node.children.at(0));
  if (list.kind != JsonValue::Kind::List) return list;
  if (list.items.empty()) return {};
  std::string text;
  for (std::size_t i = 0; i < list.items.size(); ++i)
    text += (i == 0 ? "" : node.text) + text_of(list.items[i]);
  return JsonValue::of_text(std::move(text));
}

JsonValue Evaluation::setting(const Template& node) const {
  if (node.text == "base" && !scope_.base.empty()) return JsonValue::of_text(scope_.base);
  if (scope_.settings == nullptr) return {};
  const auto found = scope_.settings->find(std::string(scope_.connector) + "." + node.text);
  return found == scope_.settings->end() ? JsonValue{} : JsonValue::of_text(found->second);
}

bool Evaluation::is_type(const Template& node) const {
  const JsonValue* found = raw_parameter(node);
  if (found == nullptr) return false;
  if (node.type == kHtmlType) return marked(*found, "$html") != nullptr;
  if (node.type == kKqlType) return marked(*found, "$kql") != nullptr;
  return node.type == kStringType && found->is_text();
}

JsonValue Evaluation::value(const Template& node) {
  switch (node.kind) {
    case Kind::Null: return {};
    case Kind::Bool: return JsonValue::of_bool(node.number != 0);
    case Kind::Int: return JsonValue::of_number(std::to_string(node.number));
    case Kind::Float:
      return std::isfinite(node.real) ? JsonValue::of_number(fmt::format("{}", node.real)) : JsonValue{};
    case Kind::Text: return JsonValue::of_text(node.text);
    case Kind::Param: {
      const JsonValue* found = raw_parameter(node);
      return found == nullptr ? JsonValue{} : without_marker(*found);
    }
    case Kind::Item: {
      const JsonValue* found = item_;
      for (const std::string& field : node.names)
        if (found != nullptr) found = found->member(field);
      return found == nullptr ? JsonValue{} : without_marker(*found);
    }
    case Kind::Setting: return setting(node);
    case Kind::CallKey:
      return JsonValue::of_text(node.names.empty() ? std::string(scope_.call_key) : uuid_of(scope_.call_key));
    case Kind::Object: return object(node);
    case Kind::List: return list(node);
    case Kind::ForEach: return for_each(node);
    case Kind::Concat: return concat(node);
    case Kind::Written: {
      const JsonValue text = value(node.children.at(0));
      const auto escape = escape_named(node.text);
      return text.is_null() || !escape ? JsonValue{} : JsonValue::of_text(written(text_of(text), *escape));
    }
    case Kind::IsType: return JsonValue::of_bool(is_type(node));
    case Kind::CamelCase: {
      JsonValue text = value(node.children.at(0));
      if (text.is_text() && !text.text.empty() && text.text[0] >= 'A' && text.text[0] <= 'Z')
        text.text[0] = static_cast<char>(text.text[0] - 'A' + 'a');
      return text;
    }
    case Kind::Join: return join(node);
    case Kind::If: return value(node.children.at(is_true(value(node.children.at(0))) ? 1 : 2));
  }
  return {};
}

std::string hole_name(const Template& node, const TemplateScope& scope) {
  if (node.kind == Kind::Setting) return "setting `" + std::string(scope.connector) + "." + node.text + "`";
  return node.kind == Kind::Param ? "`" + node.text + "`" : "a part of the path";
}

}  // namespace

std::string text_of(const JsonValue& value) {
  switch (value.kind) {
    case JsonValue::Kind::Null: return {};
    case JsonValue::Kind::Text:
    case JsonValue::Kind::Number: return value.text;
    case JsonValue::Kind::Bool: return value.truth ? "true" : "false";
    case JsonValue::Kind::List:
    case JsonValue::Kind::Object: break;
  }
  return to_json(value);
}

JsonValue evaluate(const Template& node, const TemplateScope& scope) {
  return Evaluation(scope).value(node);
}

Result<std::string> evaluate_path(const Template& node, const TemplateScope& scope) {
  if (node.kind == Kind::Text) return node.text;
  if (node.kind != Kind::Concat) return error("the path of the operation is no text");
  std::string path;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const Template& child = node.children[i];
    if (child.kind == Kind::Text) {
      path += child.text;
      continue;
    }
    const std::string hole = text_of(evaluate(child, scope));
    if (hole.empty())
      return error(hole_name(child, scope) + " has no value, and the request's path needs one");
    if (hole == "." || hole == "..")
      return error(hole_name(child, scope) + " is `" + hole + "`, which would lead to another path");
    path += percent_encoded(is_quoted(node, i) ? with_doubled_quotes(hole) : hole);
  }
  return path;
}

Status reveal(JsonValue& value, const RevealSecret& secret) {
  if (const JsonValue* name = marked(value, "$secret")) {
    if (!secret) return error("no secrets are configured, and the call needs `" + name->text + "`");
    FLOW_TRY(std::string revealed, secret(name->text));
    value = JsonValue::of_text(std::move(revealed));
    return {};
  }
  for (JsonValue& item : value.items) FLOW_TRY_STATUS(reveal(item, secret));
  return {};
}

Result<std::string> completion_arguments(const Template& arguments, std::string_view arguments_json,
                                         std::string_view result_json, std::string_view call_key) {
  FLOW_TRY(JsonValue scope_values, parse_json(arguments_json));
  FLOW_TRY(JsonValue result, parse_json(result_json));
  if (scope_values.kind != JsonValue::Kind::Object) return error("the arguments are no JSON object");
  scope_values.names.insert(scope_values.names.begin(), "result");
  scope_values.items.insert(scope_values.items.begin(), std::move(result));
  return to_json(evaluate(arguments, {.arguments = &scope_values, .call_key = call_key}));
}

}  // namespace flow
