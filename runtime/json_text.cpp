#include "runtime/json_text.hpp"

#include <simdjson.h>

#include "base/text.hpp"

namespace flow {
namespace {

using simdjson::ondemand::document;
using simdjson::ondemand::json_type;
using simdjson::ondemand::value;

// One parser of each sort a thread: they keep their buffers, which grow to the largest document seen.
simdjson::dom::parser& tree_parser() {
  thread_local simdjson::dom::parser parser;
  return parser;
}
simdjson::ondemand::parser& text_parser() {
  thread_local simdjson::ondemand::parser parser;
  return parser;
}

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
}

// The text of a value, whatever it is. False at the first sign of damage.
bool raw_text(value item, std::string& out) {
  json_type type;
  if (item.type().get(type)) return false;
  std::string_view text;
  if (type == json_type::object) {
    simdjson::ondemand::object object;
    if (item.get_object().get(object) || object.raw_json().get(text)) return false;
  } else if (type == json_type::array) {
    simdjson::ondemand::array array;
    if (item.get_array().get(array) || array.raw_json().get(text)) return false;
  } else {
    text = item.raw_json_token();
  }
  out = trimmed(text);
  return true;
}

std::string with_valid_utf8(std::string_view text) {
  std::string repaired(text);
  std::size_t from = 0;
  while (const auto bad = invalid_utf8_at(std::string_view(repaired).substr(from))) {
    from += *bad;
    repaired[from++] = '?';
  }
  return repaired;
}

}  // namespace

bool is_json(std::string_view text) {
  simdjson::dom::element root;
  return !tree_parser().parse(text.data(), text.size()).get(root);
}

std::optional<JsonMembers> json_members(std::string_view text) {
  if (!is_json(text)) return std::nullopt;
  const simdjson::padded_string padded(text);
  document root;
  simdjson::ondemand::object object;
  if (text_parser().iterate(padded).get(root) || root.get_object().get(object)) return std::nullopt;
  JsonMembers members;
  for (auto field : object) {
    std::string_view name;
    value item;
    std::string raw;
    if (field.unescaped_key().get(name) || field.value().get(item)) return std::nullopt;
    std::string key(name);
    if (!raw_text(item, raw)) return std::nullopt;
    members.emplace(std::move(key), std::move(raw));
  }
  return members;
}

std::optional<std::vector<std::string>> json_elements(std::string_view text) {
  const simdjson::padded_string padded(with_valid_utf8(text));
  document root;
  simdjson::ondemand::array array;
  if (text_parser().iterate(padded).get(root) || root.get_array().get(array)) return std::nullopt;
  std::vector<std::string> elements;
  for (auto element : array) {
    value item;
    std::string raw;
    if (element.get(item) || !raw_text(item, raw)) return std::nullopt;
    elements.push_back(std::move(raw));
  }
  return elements;
}

std::optional<std::string> json_member(std::string_view object, std::string_view name) {
  const simdjson::padded_string padded(object);
  document root;
  value item;
  std::string raw;
  if (text_parser().iterate(padded).get(root)) return std::nullopt;
  if (root.find_field_unordered(name).get(item) || !raw_text(item, raw)) return std::nullopt;
  return raw;
}

std::optional<std::string> json_string(std::string_view text) {
  simdjson::dom::element root;
  std::string_view string;
  if (tree_parser().parse(text.data(), text.size()).get(root) || root.get(string)) return std::nullopt;
  return std::string(string);
}

std::optional<std::int64_t> json_int(std::string_view text) {
  simdjson::dom::element root;
  std::int64_t number = 0;
  if (tree_parser().parse(text.data(), text.size()).get(root) || root.get(number)) return std::nullopt;
  return number;
}

std::optional<bool> json_bool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

}  // namespace flow
