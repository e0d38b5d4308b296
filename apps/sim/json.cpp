#include "apps/sim/json.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <cmath>

#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kDeepestJson = 64;

Json converted(simdjson::dom::element element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::NULL_VALUE: return nullptr;
    case element_type::BOOL: return bool(element);
    case element_type::INT64: return std::int64_t(element);
    case element_type::UINT64: return static_cast<double>(std::uint64_t(element));
    case element_type::DOUBLE: return double(element);
    case element_type::STRING: return std::string_view(element);
    case element_type::ARRAY: {
      Json::List list;
      for (const auto item : simdjson::dom::array(element)) list.push_back(converted(item));
      return list;
    }
    case element_type::OBJECT: {
      Json::Object object;  // not set(), which would make a body of many names quadratic
      for (const auto [name, value] : simdjson::dom::object(element))
        object.push_back({std::string(name), converted(value)});
      return Json::object_of(std::move(object));
    }
  }
  return nullptr;
}

}  // namespace

Json Json::object(std::initializer_list<Member> members) {
  Json json;
  json.value_ = Object(members);
  return json;
}

Json Json::object_of(Object members) {
  Json json;
  json.value_ = std::move(members);
  return json;
}

Json Json::texts(const std::vector<std::string>& texts) {
  List list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

std::string_view Json::kind() const {
  static constexpr std::string_view kKinds[] = {"null",   "a boolean", "a number", "a number",
                                                "a text", "a list",    "an object"};
  return kKinds[value_.index()];
}

std::string_view Json::text() const {
  const auto* text = std::get_if<std::string>(&value_);
  return text != nullptr ? std::string_view(*text) : std::string_view();
}
std::int64_t Json::integer() const {
  const auto* number = std::get_if<std::int64_t>(&value_);
  return number != nullptr ? *number : 0;
}
double Json::number() const {
  const auto* real = std::get_if<double>(&value_);
  return real != nullptr ? *real : static_cast<double>(integer());
}
bool Json::boolean() const {
  const auto* truth = std::get_if<bool>(&value_);
  return truth != nullptr && *truth;
}
const Json::List& Json::items() const {
  static const List kNone;
  const auto* list = std::get_if<List>(&value_);
  return list != nullptr ? *list : kNone;
}
const Json::Object& Json::members() const {
  static const Object kNone;
  const auto* object = std::get_if<Object>(&value_);
  return object != nullptr ? *object : kNone;
}

const Json* Json::find(std::string_view name) const {
  for (const Member& member : members())
    if (member.name == name) return &member.value;
  return nullptr;
}

const Json& Json::operator[](std::string_view name) const {
  static const Json kNull;
  const Json* found = find(name);
  return found != nullptr ? *found : kNull;
}

Json& Json::set(std::string_view name, Json value) {
  if (!is_object()) value_ = Object{};
  auto& object = std::get<Object>(value_);
  for (Member& member : object) {
    if (member.name != name) continue;
    member.value = std::move(value);
    return *this;
  }
  object.push_back({std::string(name), std::move(value)});
  return *this;
}

void Json::add(Json value) {
  if (!is_list()) value_ = List{};
  std::get<List>(value_).push_back(std::move(value));
}

void Json::append_to(std::string& out) const {
  if (is_null())
    out += "null";
  else if (is_bool())
    out += boolean() ? "true" : "false";
  else if (is_int())
    out += std::to_string(integer());
  else if (is_number())
    out += std::isfinite(number()) ? fmt::format("{}", number()) : "null";
  else if (is_text())
    append_json_quoted(out, text());
  else if (is_list()) {
    out += '[';
    for (const Json& item : items()) {
      if (&item != items().data()) out += ',';
      item.append_to(out);
    }
    out += ']';
  } else {
    out += '{';
    for (const Member& member : members()) {
      if (&member != members().data()) out += ',';
      append_json_quoted(out, member.name);
      out += ':';
      member.value.append_to(out);
    }
    out += '}';
  }
}

std::string Json::to_text() const {
  std::string out;
  append_to(out);
  return out;
}

Result<Json> parse_json(std::string_view text) {
  if (text.empty()) return error("there is no JSON, the text is empty");
  simdjson::dom::parser parser;
  if (const auto failed = parser.allocate(text.size() + 64, kDeepestJson); failed != simdjson::SUCCESS)
    return error(simdjson::error_message(failed));
  simdjson::dom::element root;
  const simdjson::padded_string padded(text.data(), text.size());
  if (const auto failed = parser.parse(padded).get(root); failed != simdjson::SUCCESS)
    return error(std::string("this is no JSON: ") + simdjson::error_message(failed));
  return converted(root);
}

}  // namespace flow::sim
