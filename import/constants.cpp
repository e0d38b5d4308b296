#include "import/constants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/text_forms.hpp"
#include "grammar/words.hpp"
#include "import/names.hpp"

namespace flow::importer {
namespace {

constexpr std::size_t kLongestDefault = 2000;
constexpr int kDeepestValue = 12;

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number number{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::string> int_constant(std::string_view text) {
  const auto number = number_in<std::int64_t>(text);
  // The least number has no literal.
  if (!number || *number == INT64_MIN) return std::nullopt;
  return std::to_string(*number);
}

std::optional<std::string> float_constant(std::string_view text) {
  const auto number = number_in<double>(text);
  if (!number || !std::isfinite(*number)) return std::nullopt;
  std::string out = fmt::format("{}", *number);
  if (out.find('.') == std::string::npos) out.insert(std::min(out.find('e'), out.size()), ".0");
  return out;
}

// Types of which a text is a constant, when it has their form.
bool is_text_type(std::string_view type) {
  return type == "String" || type == "Email" || type == "Url" || type == "Ip";
}

}  // namespace

std::optional<std::string> default_of(const SchemaType& type, const Place& value) {
  const std::string_view text = value.scalar();
  if (value.kind() == Document::Kind::Null || value.is_list() || value.is_object()) return std::nullopt;
  if (type.name == "Bool") {
    if (text == "true" || text == "True") return "true";
    if (text == "false" || text == "False") return "false";
    return std::nullopt;
  }
  if (type.name == "Int") return int_constant(text);
  if (type.name == "Float") return float_constant(text);
  if (!type.values.empty()) {
    const auto found = std::ranges::find(type.values, text);
    if (found == type.values.end() || grammar::is_keyword(*found)) return std::nullopt;
    return *found;
  }
  if (!is_text_type(type.name) || text.size() > kLongestDefault) return std::nullopt;
  if (const auto own = builtin_type(type.name); *own != kStringType && !text_mistake(*own, text).empty())
    return std::nullopt;
  return quoted(text);
}

std::optional<std::string> fixed_value(const Place& value, int depth) {
  if (depth > kDeepestValue) return std::nullopt;
  switch (value.kind()) {
    case Document::Kind::Null: return "null";
    case Document::Kind::Bool: return std::string(value.scalar());
    case Document::Kind::Text: return quoted(value.text());
    case Document::Kind::Number: {
      if (const auto whole = int_constant(value.scalar())) return whole;
      return float_constant(value.scalar());
    }
    default: break;
  }
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto item = fixed_value(value.item(i), depth + 1);
    if (!item) return std::nullopt;
    out += (i == 0 ? "" : ", ") + (value.is_object() ? entry_key(value.name(i)) + ": " : "") + *item;
    if (out.size() > kLongestDefault) return std::nullopt;
  }
  if (value.is_list()) return "[" + out + "]";
  return out.empty() ? "{}" : "{ " + out + " }";
}

}  // namespace flow::importer
