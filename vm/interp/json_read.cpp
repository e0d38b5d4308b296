#include "vm/interp/json_read.hpp"

#include <fmt/format.h>
#include <simdjson.h>
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "base/text_forms.hpp"
#include "vm/interp/maps.hpp"

namespace flow {
namespace {

namespace dom = simdjson::dom;

constexpr int kMaxDepth = 64;                   // of values; types may be recursive
constexpr std::size_t kKeptBytes = 1u << 20;    // a parser that grew beyond this is not kept
constexpr std::uint32_t kNotSeen = 0xffffffff;  // marks a field of a record that no member has filled yet

// What went wrong, built from the inside out: `place` grows at its front while the calls return.
struct Mistake {
  bool is_out_of_memory = false;
  std::string place;
  std::string what;
  std::string expected;  // with `found`: this and no more is wrong
  std::string_view found;
};
using MaybeMistake = std::optional<Mistake>;

Mistake mistake(std::string what) {
  return {.what = std::move(what)};
}
Mistake out_of_memory() {
  return {.is_out_of_memory = true};
}

std::string_view kind_name(dom::element json) {
  switch (json.type()) {
    case dom::element_type::ARRAY: return "a list";
    case dom::element_type::OBJECT: return "an object";
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE: return "a number";
    case dom::element_type::STRING: return "a text";
    case dom::element_type::BOOL: return "a truth value";
    case dom::element_type::NULL_VALUE: return "null";
  }
  return "something else";
}

enum class Reading : std::uint8_t { Lenient, Strict };

class ValueReader {
 public:
  ValueReader(const TypeTable& types, Heap& heap, Reading reading)
      : types_(types), heap_(heap), is_strict_(reading == Reading::Strict) {}

  MaybeMistake read(dom::element json, TypeId type, Slot& value, int depth = 0);

 private:
  // Of all members of `object` those that the record has; `value` becomes the record.
  MaybeMistake read_record(dom::object object, TypeId type, Slot& value, int depth);
  // Of a field that no member has filled.
  MaybeMistake read_default(const RecordField& field, Slot& value, int depth);
  MaybeMistake read_null(TypeId type, Slot& value);
  MaybeMistake read_scalar(dom::element json, TypeId type, Slot& value);
  MaybeMistake read_int(dom::element json, TypeId type, Slot& value);
  MaybeMistake read_text(dom::element json, TypeId type, Slot& value);
  MaybeMistake read_enum(dom::element json, TypeId type, Slot& value);
  MaybeMistake read_list(dom::element json, TypeId type, Slot& value, int depth);
  MaybeMistake read_map(dom::element json, TypeId type, Slot& value, int depth);
  MaybeMistake read_raw(dom::element json, Slot& value);
  MaybeMistake keep(Slot::Tag tag, std::string_view text, Form form, Slot& value);
  // Whether `key` may be another spelling of the field: a declared one, or from an API one of other case.
  bool is_spelling(std::string_view key, const RecordField& field) const {
    if (std::ranges::find(field.also, key) != field.also.end()) return true;
    return !is_strict_ && key.size() == field.wire.size() && equals_ignoring_case(key, field.wire);
  }
  Mistake unexpected(dom::element json, TypeId type) const {
    return {.place = {},
            .what = fmt::format("is {} where {} was expected", kind_name(json), types_.name(type)),
            .expected = types_.name(type),
            .found = kind_name(json)};
  }

  const TypeTable& types_;
  Heap& heap_;
  const bool is_strict_;
  // Each default is parsed once, for it may be missing in each of many records.
  std::map<const RecordField*, std::unique_ptr<dom::parser>> defaults_;
  bool is_in_default_ = false;
};

MaybeMistake ValueReader::keep(Slot::Tag tag, std::string_view text, Form form, Slot& value) {
  const std::string_view kept = heap_.copy(text);
  if (kept.data() == nullptr) return out_of_memory();
  value = Slot::with_bytes(tag, kept, form);
  return {};
}

MaybeMistake ValueReader::read_null(TypeId type, Slot& value) {
  value = Slot::null();
  const TypeKind kind = types_[type].kind;
  if (kind == TypeKind::List)
    value = Slot::with_items(Slot::Tag::List, nullptr, 0);
  else if (kind == TypeKind::Map)
    value = empty_map();
  else if (kind == TypeKind::Json)
    return keep(Slot::Tag::Json, "null", Form::Plain, value);
  else if (kind != TypeKind::Optional && types_.storage(type) != Storage::None)
    return Mistake{.place = {},
                   .what = fmt::format("is null where {} was expected", types_.name(type)),
                   .expected = types_.name(type),
                   .found = "null"};
  return {};
}

MaybeMistake ValueReader::read_int(dom::element json, TypeId type, Slot& value) {
  if (type != kIntType) return read_text(json, type, value);
  std::int64_t number = 0;
  if (json.get_int64().get(number) == simdjson::SUCCESS) {
    value = Slot::integer(number);
    return {};
  }
  double real = 0;
  constexpr double kExact = 9007199254740992.0;  // 2^53: every integer up to here has its own double
  if (json.type() != dom::element_type::DOUBLE || json.get_double().get(real) != simdjson::SUCCESS ||
      std::trunc(real) != real || std::abs(real) > kExact) {
    if (kind_name(json) == "a number") return mistake("is a number that is no 64-bit integer");
    return unexpected(json, type);
  }
  value = Slot::integer(static_cast<std::int64_t>(real));
  return {};
}

// Texts, and the moments and durations that JSON spells as texts.
MaybeMistake ValueReader::read_text(dom::element json, TypeId type, Slot& value) {
  std::string_view text;
  if (json.get_string().get(text) != simdjson::SUCCESS) return unexpected(json, type);
  if (type == kSecretType) return mistake("is a text where no secret can come from");
  if (type == kBytesType) {
    const auto bytes = bytes_of_base64(text);
    if (!bytes) return mistake(fmt::format("is {}, which is no Base64", json_quoted(beginning_of(text, 80))));
    return keep(Slot::Tag::Text, base64_of(*bytes), form_of(type), value);
  }
  if (is_strict_ && types_.storage(type) == Storage::Text && type != kStringType) {
    if (const std::string wrong = text_mistake(type, text); !wrong.empty())
      return mistake(fmt::format("is {}, which is no {}: {}", json_quoted(beginning_of(text, 80)),
                                 types_.name(type), wrong));
  }
  if (type != kTimeType && type != kDurationType) return keep(Slot::Tag::Text, text, form_of(type), value);
  const auto number = type == kTimeType ? parse_time_us(text) : parse_duration_us(text);
  if (!number)
    return mistake(
        fmt::format("is {}, which is no {}", json_quoted(beginning_of(text, 80)), types_.name(type)));
  value = Slot::integer(*number, form_of(type));
  return {};
}

MaybeMistake ValueReader::read_enum(dom::element json, TypeId type, Slot& value) {
  std::string_view text;
  if (json.get_string().get(text) != simdjson::SUCCESS) return unexpected(json, type);
  if (const auto known = types_.enumeration(type).value(text)) {
    value = Slot::enumeration(type, *known);
    return {};
  }
  if (is_strict_)
    return mistake(
        fmt::format("is {}, which is no {}", json_quoted(beginning_of(text, 80)), types_.name(type)));
  if (text.size() > kMostSpelling)
    return mistake(fmt::format("is a text of {} bytes, too long for {}", text.size(), types_.name(type)));
  return keep(Slot::Tag::UnknownEnum, text, Form::Plain, value);
}

MaybeMistake ValueReader::read_list(dom::element json, TypeId type, Slot& value, int depth) {
  dom::array array;
  if (json.get_array().get(array) != simdjson::SUCCESS) return unexpected(json, type);
  // size() stops counting at 2^24 - 1.
  std::size_t count = 0;
  for (dom::element item : array) (void)item, ++count;
  Slot* items = heap_.allocate_slots(count);
  if (items == nullptr) return out_of_memory();
  std::size_t index = 0;
  for (dom::element item : array) {
    if (auto wrong = read(item, types_[type].element, items[index], depth + 1)) {
      wrong->place.insert(0, fmt::format("[{}]", index));
      return wrong;
    }
    ++index;
  }
  value = Slot::with_items(Slot::Tag::List, items, count);
  return {};
}

// A member given twice counts with its last value, as in records.
MaybeMistake ValueReader::read_map(dom::element json, TypeId type, Slot& value, int depth) {
  dom::object object;
  if (json.get_object().get(object) != simdjson::SUCCESS || types_.storage(types_[type].key) != Storage::Text)
    return unexpected(json, type);
  std::size_t count = 0;
  for (dom::key_value_pair member : object) (void)member, ++count;
  Slot map;
  if (!make_map(heap_, count, map)) return out_of_memory();
  for (dom::key_value_pair member : object) {
    Slot key, item;
    if (auto wrong = keep(Slot::Tag::Text, member.key, form_of(types_[type].key), key)) return wrong;
    if (auto wrong = read(member.value, types_[type].element, item, depth + 1)) {
      wrong->place.insert(0, fmt::format("[{}]", json_quoted(member.key)));
      return wrong;
    }
    map = map_set(heap_, map, key, item).map;  // there is room for each
  }
  value = map;
  return {};
}

// A member given twice counts with its last value, as in most readers.
MaybeMistake ValueReader::read_record(dom::object object, TypeId type, Slot& value, int depth) {
  const auto& fields = types_.record(type).fields;
  Slot* slots = heap_.allocate_slots(fields.size());
  if (slots == nullptr) return out_of_memory();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    slots[i] = Slot::null();
    slots[i].size = kNotSeen;
  }
  const auto at_field = [&](Mistake wrong, std::size_t i) {
    wrong.place.insert(0, "." + (is_strict_ ? fields[i].wire : fields[i].name));
    return wrong;
  };
  const auto is_filled = [&](std::size_t i) {
    return slots[i].tag != Slot::Tag::Null || slots[i].size != kNotSeen;
  };
  for (dom::key_value_pair member : object) {
    bool is_known = false;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (member.key != fields[i].wire) continue;
      is_known = true;
      if (auto wrong = read(member.value, fields[i].type, slots[i], depth + 1)) {
        return at_field(std::move(*wrong), i);
      }
    }
    // APIs disagree with their documentation about names. The right spelling counts wherever it stands.
    for (std::size_t i = 0; i < fields.size() && !is_known; ++i) {
      if (is_filled(i) || !is_spelling(member.key, fields[i])) continue;
      is_known = true;
      if (auto wrong = read(member.value, fields[i].type, slots[i], depth + 1)) {
        return at_field(std::move(*wrong), i);
      }
    }
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (is_filled(i)) continue;
    slots[i] = Slot::null();
    if (!fields[i].default_json.empty()) {
      if (auto wrong = read_default(fields[i], slots[i], depth + 1)) return at_field(std::move(*wrong), i);
    } else if (!types_.is_optional(fields[i].type) && types_.storage(fields[i].type) != Storage::None) {
      return at_field(mistake("is missing"), i);
    }
  }
  value = Slot::with_items(Slot::Tag::Record, slots, fields.size());
  return {};
}

// A default holds no record that needs a default itself: the compiler makes none, and here it ends.
MaybeMistake ValueReader::read_default(const RecordField& field, Slot& value, int depth) {
  if (is_in_default_) return mistake("is missing");
  std::unique_ptr<dom::parser>& kept = defaults_[&field];
  if (kept == nullptr) {
    kept = std::make_unique<dom::parser>();
    if (kept->parse(field.default_json).error() != simdjson::SUCCESS) {
      kept.reset();
      return mistake("has a default that is no JSON");
    }
  }
  is_in_default_ = true;
  MaybeMistake wrong = read(kept->doc.root(), field.type, value, depth);
  is_in_default_ = false;
  return wrong;
}

MaybeMistake ValueReader::read_raw(dom::element json, Slot& value) {
  return keep(Slot::Tag::Json, simdjson::minify(json), Form::Plain, value);
}

MaybeMistake ValueReader::read_scalar(dom::element json, TypeId type, Slot& value) {
  switch (types_.storage(type)) {
    case Storage::Bool: {
      bool truth = false;
      if (json.get_bool().get(truth) != simdjson::SUCCESS) return unexpected(json, type);
      value = Slot::boolean(truth);
      return {};
    }
    case Storage::Int: return read_int(json, type, value);
    case Storage::Float: {
      double real = 0;
      if (json.get_double().get(real) != simdjson::SUCCESS) return unexpected(json, type);
      value = Slot::floating(real);
      return {};
    }
    case Storage::Text: return read_text(json, type, value);
    case Storage::Enum: return read_enum(json, type, value);
    case Storage::Json: return read_raw(json, value);
    default: value = Slot::null(); return {};  // Nothing: whatever came is of no interest
  }
}

MaybeMistake ValueReader::read(dom::element json, TypeId declared, Slot& value, int depth) {
  if (depth > kMaxDepth) return mistake("is nested too deeply");
  if (json.is_null()) return read_null(declared, value);
  const TypeId type = types_.without_null(declared);
  switch (types_.storage(type)) {
    case Storage::List: return read_list(json, type, value, depth);
    case Storage::Map: return read_map(json, type, value, depth);
    case Storage::Record: {
      dom::object object;
      if (json.get_object().get(object) != simdjson::SUCCESS) return unexpected(json, type);
      return read_record(object, type, value, depth);
    }
    default: return read_scalar(json, type, value);
  }
}

std::optional<JsonProblem> problem(const Mistake& wrong, std::string_view root) {
  if (wrong.is_out_of_memory) return JsonProblem{.is_out_of_memory = true};
  return JsonProblem{.message = fmt::format("`{}{}` {}", root, wrong.place, wrong.what)};
}

// A parser and its buffers, kept from one text to the next: machines that wait for an answer need none.
class Document {
 public:
  // Not so large that it could not be kept when everything in it is read.
  std::optional<JsonProblem> parse(std::string_view json, std::string_view root) {
    const auto failure = parser().parse(json.data(), json.size()).get(root_);
    if (failure == simdjson::SUCCESS) return {};
    return JsonProblem{.message =
                           fmt::format("`{}` is not JSON: {}", root, simdjson::error_message(failure))};
  }
  dom::element root() const { return root_; }
  ~Document() {
    if (parser().capacity() > kKeptBytes) parser() = dom::parser();
  }

 private:
  static dom::parser& parser() {
    thread_local dom::parser kept;
    return kept;
  }
  dom::element root_;
};

}  // namespace

std::optional<JsonProblem> read_json(std::string_view json, const TypeTable& types, TypeId type,
                                     std::string_view root, Heap& heap, Slot& value) {
  Document document;
  if (auto failed = document.parse(json, root)) return failed;
  if (const auto wrong = ValueReader(types, heap, Reading::Lenient).read(document.root(), type, value))
    return problem(*wrong, root);
  return {};
}

std::optional<JsonProblem> convert_json(std::string_view json, const TypeTable& types, TypeId type,
                                        Heap& heap, Slot& value) {
  Document document;
  if (auto failed = document.parse(json, "json")) return failed;
  const auto wrong = ValueReader(types, heap, Reading::Strict).read(document.root(), type, value);
  if (!wrong) return {};
  if (wrong->is_out_of_memory) return JsonProblem{.is_out_of_memory = true, .message = {}};
  const std::string place = wrong->place.empty() ? "" : "at " + wrong->place + ": ";
  if (wrong->found.empty())
    return JsonProblem{.message = place + (wrong->place.empty() ? "the value " : "it ") + wrong->what};
  std::string_view found = wrong->found;
  for (const std::string_view article : {"a ", "an "})
    if (found.starts_with(article)) found.remove_prefix(article.size());
  return JsonProblem{.message = fmt::format("{}expected {}, found {}", place, wrong->expected, found)};
}

std::optional<JsonProblem> json_parse(std::string_view text, Heap& heap, Slot& value) {
  Document document;
  const auto failure = document.parse(text, "text");
  if (failure) return failure;
  const std::string minified = simdjson::minify(document.root());
  const std::string_view kept = heap.copy(minified);
  if (kept.data() == nullptr) return JsonProblem{.is_out_of_memory = true, .message = {}};
  value = Slot::with_bytes(Slot::Tag::Json, kept);
  return {};
}

}  // namespace flow
