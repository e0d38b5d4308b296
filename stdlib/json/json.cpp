#include "stdlib/json/json.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>
#include <optional>

#include "base/text.hpp"

namespace flow {
namespace {

namespace dom = simdjson::dom;
constexpr std::size_t kDeepest = 256;

JsonValue from_dom(const dom::element& element);

JsonValue from_object(const dom::object& object) {
  JsonValue value{.kind = JsonValue::Kind::Object};
  for (const auto member : object) {
    value.names.emplace_back(member.key);
    value.items.push_back(from_dom(member.value));
  }
  return value;
}

JsonValue from_list(const dom::array& list) {
  JsonValue value{.kind = JsonValue::Kind::List};
  for (const dom::element element : list) value.items.push_back(from_dom(element));
  return value;
}

// The depth is bounded by the parser, so this recursion is too.
JsonValue from_dom(const dom::element& element) {
  switch (element.type()) {
    case dom::element_type::OBJECT: return from_object(dom::object(element));
    case dom::element_type::ARRAY: return from_list(dom::array(element));
    case dom::element_type::STRING: return JsonValue::of_text(std::string(std::string_view(element)));
    case dom::element_type::BOOL: return JsonValue::of_bool(bool(element));
    case dom::element_type::INT64: return JsonValue::of_number(std::to_string(std::int64_t(element)));
    case dom::element_type::UINT64: return JsonValue::of_number(std::to_string(std::uint64_t(element)));
    case dom::element_type::DOUBLE: return JsonValue::of_number(fmt::format("{}", double(element)));
    case dom::element_type::NULL_VALUE: return {};
  }
  return {};
}

Result<std::string> minified(std::string_view text) {
  std::string out(text.size(), '\0');
  std::size_t length = 0;
  if (simdjson::minify(text.data(), text.size(), out.data(), length) != simdjson::SUCCESS)
    return error("the text is not JSON");
  out.resize(length);
  return out;
}

Result<std::string_view> slice_of(simdjson::ondemand::document& document, std::string_view member) {
  std::string_view slice;
  simdjson::ondemand::value value;
  const auto failed = document.find_field_unordered(member).get(value);
  if (failed == simdjson::NO_SUCH_FIELD) return std::string_view("null");
  if (failed != simdjson::SUCCESS || simdjson::to_json_string(value).get(slice) != simdjson::SUCCESS)
    return error("the text is not a JSON object");
  return slice;
}

// The four hexadecimal digits behind `\\u` at `at`; nothing when they are none.
std::optional<unsigned> escaped_unit(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  unsigned unit = 0;
  const auto [end, failed] = std::from_chars(text.data() + at + 2, text.data() + at + 6, unit, 16);
  if (failed != std::errc() || end != text.data() + at + 6) return std::nullopt;
  return unit;
}

// The same text with U+FFFD for what no Unicode text can hold: bytes that are not UTF-8, and escapes of one
// half of a surrogate pair, which names of files may have.
std::string repaired(std::string_view text) {
  std::string valid;
  while (const auto bad = invalid_utf8_at(text)) {
    valid.append(text.substr(0, *bad)).append("\xef\xbf\xbd");
    text.remove_prefix(*bad + 1);
  }
  valid.append(text);
  for (std::size_t at = valid.find('\\'); at != std::string::npos; at = valid.find('\\', at)) {
    const auto unit = escaped_unit(valid, at);
    if (!unit) {
      at += 2;
      continue;
    }
    const bool is_high = *unit >= 0xd800 && *unit < 0xdc00, is_low = *unit >= 0xdc00 && *unit < 0xe000;
    const auto next = is_high ? escaped_unit(valid, at + 6) : std::nullopt;
    const bool is_pair = next && *next >= 0xdc00 && *next < 0xe000;
    if ((is_high && !is_pair) || is_low) valid.replace(at + 2, 4, "fffd");
    at += is_pair ? 12 : 6;
  }
  return valid;
}

Status check(dom::parser& parser, const simdjson::padded_string& padded) {
  if (padded.size() > kLongestJson) return error("the JSON text is longer than 64 MiB");
  if (parser.allocate(padded.size(), kDeepest) != simdjson::SUCCESS)
    return error("no memory to read the JSON text");
  const auto failed = parser.parse(padded).error();
  if (failed != simdjson::SUCCESS)
    return error(std::string("the text is not JSON: ") + simdjson::error_message(failed));
  return {};
}

}  // namespace

const JsonValue* JsonValue::member(std::string_view name) const {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return &items[i];
  return nullptr;
}

const JsonValue* JsonValue::member_ignoring_case(std::string_view name) const {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (equals_ignoring_case(names[i], name)) return &items[i];
  return nullptr;
}

JsonValue JsonValue::of_text(std::string text) {
  return {.kind = Kind::Text, .text = std::move(text)};
}
JsonValue JsonValue::of_bool(bool truth) {
  return {.kind = Kind::Bool, .truth = truth};
}
JsonValue JsonValue::of_number(std::string text) {
  return {.kind = Kind::Number, .text = std::move(text)};
}

Result<JsonValue> parse_json(std::string_view text) {
  const simdjson::padded_string padded(text);
  dom::parser parser(kLongestJson);
  FLOW_TRY_STATUS(check(parser, padded));
  return from_dom(parser.parse(padded).value_unsafe());
}

void append_json(std::string& out, const JsonValue& value) {
  switch (value.kind) {
    case JsonValue::Kind::Null: out += "null"; return;
    case JsonValue::Kind::Bool: out += value.truth ? "true" : "false"; return;
    case JsonValue::Kind::Number: out += value.text; return;
    case JsonValue::Kind::Text: append_json_quoted(out, value.text); return;
    case JsonValue::Kind::List:
    case JsonValue::Kind::Object: break;
  }
  const bool is_object = value.kind == JsonValue::Kind::Object;
  out += is_object ? '{' : '[';
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    if (i != 0) out += ',';
    if (is_object) {
      append_json_quoted(out, value.names[i]);
      out += ':';
    }
    append_json(out, value.items[i]);
  }
  out += is_object ? '}' : ']';
}

std::string to_json(const JsonValue& value) {
  std::string out;
  append_json(out, value);
  return out;
}

namespace {

Result<std::string> part_of(std::string_view text, std::string_view member) {
  const simdjson::padded_string padded(text);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return error("the text is not JSON");
  FLOW_TRY(const std::string_view slice, slice_of(document, member));
  return minified(slice);
}

}  // namespace

std::string text_if_any(const JsonValue* value) {
  return value != nullptr && value->is_text() ? value->text : std::string();
}

Result<std::string> json_part(std::string_view text, std::string_view member) {
  Status sound;
  {
    const simdjson::padded_string padded(text);
    dom::parser strict(kLongestJson);  // part_of() skips over mistakes in what it passes
    sound = check(strict, padded);
  }
  if (sound) return member.empty() ? minified(text) : part_of(text, member);
  if (text.size() > kLongestJson) return tl::unexpected(sound.error());
  const std::string whole = repaired(text);
  const simdjson::padded_string padded(whole);
  dom::parser strict(kLongestJson);
  if (check(strict, padded)) return member.empty() ? minified(whole) : part_of(whole, member);
  // A number beyond 64 bits is the mistake of one element: whoever reads the list leaves that one out.
  const auto mistake = strict.parse(padded).error();
  if (member.empty() || mistake != simdjson::NUMBER_ERROR) return tl::unexpected(sound.error());
  const auto list = part_of(whole, member);
  if (!list || !list->starts_with('[')) return tl::unexpected(sound.error());
  return list;
}

}  // namespace flow
