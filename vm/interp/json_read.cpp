#include "vm/interp/json_read.hpp"

#include <fmt/format.h>
#include <simdjson.h>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/text.hpp"
#include "vm/interp/json_scalar.hpp"

namespace flow {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr int kMaxDepth = 64;                   // of values; types may be recursive
constexpr std::size_t kKeptBytes = 1u << 20;    // a parser that grew beyond this is not kept
constexpr std::uint32_t kNotSeen = 0xffffffff;  // marks a field of a record that no member has filled yet

// What went wrong, built from the inside out: `place` grows at its front while the calls return.
struct Mistake {
  enum class Kind : std::uint8_t { Wrong, OutOfMemory, NotJson };
  Kind kind = Kind::Wrong;
  std::string place;
  std::string what;
};
using MaybeMistake = std::optional<Mistake>;

Mistake mistake(std::string what) {
  return {.what = std::move(what)};
}
Mistake out_of_memory() {
  return {.kind = Mistake::Kind::OutOfMemory};
}
Mistake not_json(simdjson::error_code error) {
  return {.kind = Mistake::Kind::NotJson, .what = simdjson::error_message(error)};
}

// The text of a scalar; of a list or object its first character. Looking does not go on in the text.
std::string_view token_of(ondemand::value& json) {
  return without_blanks_after(json.raw_json_token());
}

class ValueReader {
 public:
  ValueReader(const TypeTable& types, Heap& heap) : types_(types), heap_(heap) {}

  MaybeMistake read(ondemand::value json, TypeId type, Slot& value, int depth = 0);

 private:
  MaybeMistake read_null(TypeId type, Slot& value);
  MaybeMistake read_scalar(ondemand::value& json, TypeId type, Slot& value);
  MaybeMistake read_int(ondemand::value& json, Slot& value);
  MaybeMistake read_float(ondemand::value& json, Slot& value);
  MaybeMistake read_text(std::string_view text, TypeId type, Slot& value);
  MaybeMistake read_enum(std::string_view text, TypeId type, Slot& value);
  MaybeMistake read_list(ondemand::value& json, TypeId type, Slot& value, int depth);
  MaybeMistake read_map(ondemand::value& json, TypeId type, Slot& value, int depth);
  MaybeMistake read_record(ondemand::value& json, TypeId type, Slot& value, int depth);
  MaybeMistake read_raw(ondemand::value& json, Slot& value);
  MaybeMistake keep(Slot::Tag tag, std::string_view text, Form form, Slot& value);
  // The place in `fields` of the field that `member` is; their number when there is none.
  std::size_t field_of(ondemand::field& member, const std::vector<RecordField>& fields);
  Mistake unexpected(ondemand::value& json, TypeId type) const {
    const auto kind = json_kind(token_of(json));
    if (!kind) return not_json(simdjson::TAPE_ERROR);
    return mistake(fmt::format("is {} where {} was expected", *kind, types_.name(type)));
  }

  const TypeTable& types_;
  Heap& heap_;
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
    value = Slot::with_items(Slot::Tag::Map, nullptr, 0);
  else if (kind == TypeKind::Json)
    return keep(Slot::Tag::Json, "null", Form::Plain, value);
  else if (kind != TypeKind::Optional && types_.storage(type) != Storage::None)
    return mistake(fmt::format("is null where {} was expected", types_.name(type)));
  return {};
}

MaybeMistake ValueReader::read_int(ondemand::value& json, Slot& value) {
  const std::string_view token = token_of(json);
  if (const auto number = plain_int(token)) {
    value = Slot::integer(*number);
    return {};
  }
  if (json_kind(token) != "a number") return unexpected(json, kIntType);
  ondemand::number number;
  if (const auto failed = json.get_number().get(number)) return not_json(failed);
  if (number.is_int64()) {
    value = Slot::integer(number.get_int64());
    return {};
  }
  constexpr double kExact = 9007199254740992.0;  // 2^53: every integer up to here has its own double
  const double real = number.is_double() ? number.get_double() : 2 * kExact;
  if (std::trunc(real) != real || std::abs(real) > kExact)
    return mistake("is a number that is no 64-bit integer");
  value = Slot::integer(static_cast<std::int64_t>(real));
  return {};
}

MaybeMistake ValueReader::read_float(ondemand::value& json, Slot& value) {
  const std::string_view token = token_of(json);
  if (const auto plain = plain_float(token)) {
    value = Slot::floating(*plain);
    return {};
  }
  if (json_kind(token) != "a number") return unexpected(json, kFloatType);
  double real = 0;
  if (const auto failed = json.get_double().get(real)) return not_json(failed);
  value = Slot::floating(real);
  return {};
}

// Texts, and the moments and durations that JSON spells as texts.
MaybeMistake ValueReader::read_text(std::string_view text, TypeId type, Slot& value) {
  if (type == kSecretType) return mistake("is a text where no secret can come from");
  if (type != kTimeType && type != kDurationType) return keep(Slot::Tag::Text, text, form_of(type), value);
  const auto number = type == kTimeType ? parse_time_us(text) : parse_duration_us(text);
  if (!number)
    return mistake(fmt::format("is {}, which is no {}", json_quoted(text.substr(0, 80)), types_.name(type)));
  value = Slot::integer(*number, form_of(type));
  return {};
}

MaybeMistake ValueReader::read_enum(std::string_view text, TypeId type, Slot& value) {
  if (const auto known = types_.enumeration(type).value(text)) {
    value = Slot::enumeration(type, *known);
    return {};
  }
  return keep(Slot::Tag::UnknownEnum, text, Form::Plain, value);
}

MaybeMistake ValueReader::read_list(ondemand::value& json, TypeId type, Slot& value, int depth) {
  if (token_of(json).front() != '[') return unexpected(json, type);
  ondemand::array array;
  std::size_t count = 0;
  if (const auto failed = json.get_array().get(array)) return not_json(failed);
  if (const auto failed = array.count_elements().get(count)) return not_json(failed);
  Slot* items = heap_.allocate_slots(count);
  if (items == nullptr) return out_of_memory();
  std::size_t index = 0;
  for (auto element : array) {
    ondemand::value item;
    if (const auto failed = element.get(item)) return not_json(failed);
    if (index == count) return not_json(simdjson::TAPE_ERROR);
    if (auto wrong = read(item, types_[type].element, items[index], depth + 1)) {
      wrong->place.insert(0, fmt::format("[{}]", index));
      return wrong;
    }
    ++index;
  }
  if (index != count) return not_json(simdjson::TAPE_ERROR);
  value = Slot::with_items(Slot::Tag::List, items, count);
  return {};
}

MaybeMistake ValueReader::read_map(ondemand::value& json, TypeId type, Slot& value, int depth) {
  if (token_of(json).front() != '{') return unexpected(json, type);
  ondemand::object object;
  std::size_t count = 0;
  if (const auto failed = json.get_object().get(object)) return not_json(failed);
  if (const auto failed = object.count_fields().get(count)) return not_json(failed);
  Slot* items = heap_.allocate_slots(2 * count);
  if (items == nullptr) return out_of_memory();
  Slot* next = items;
  for (auto member : object) {
    std::string_view key;
    ondemand::value item;
    if (const auto failed = member.unescaped_key().get(key)) return not_json(failed);
    if (const auto failed = member.value().get(item)) return not_json(failed);
    if (next == items + 2 * count) return not_json(simdjson::TAPE_ERROR);
    if (auto wrong = keep(Slot::Tag::Text, key, Form::Plain, *next++)) return wrong;
    if (auto wrong = read(item, types_[type].element, *next++, depth + 1)) {
      wrong->place.insert(0, fmt::format("[{}]", json_quoted(key)));
      return wrong;
    }
  }
  if (next != items + 2 * count) return not_json(simdjson::TAPE_ERROR);
  value = Slot::with_items(Slot::Tag::Map, items, 2 * count);
  return {};
}

std::size_t ValueReader::field_of(ondemand::field& member, const std::vector<RecordField>& fields) {
  const char* key = member.key().raw();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const KeyMatch match = match_key(key, fields[i].wire);
    if (match == KeyMatch::Equal) return i;
    if (match == KeyMatch::Different) continue;
    std::string_view unescaped;
    if (member.unescaped_key().get(unescaped) != simdjson::SUCCESS) break;  // the name of nothing
    for (i = 0; i < fields.size() && fields[i].wire != unescaped;) ++i;
    return i;
  }
  return fields.size();
}

MaybeMistake ValueReader::read_record(ondemand::value& json, TypeId type, Slot& value, int depth) {
  if (token_of(json).front() != '{') return unexpected(json, type);
  ondemand::object object;
  if (const auto failed = json.get_object().get(object)) return not_json(failed);
  const auto& fields = types_.record(type).fields;
  Slot* slots = heap_.allocate_slots(fields.size());
  if (slots == nullptr) return out_of_memory();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    slots[i] = Slot::null();
    slots[i].size = kNotSeen;
  }
  const auto is_seen = [&](std::size_t i) {
    return slots[i].tag != Slot::Tag::Null || slots[i].size != kNotSeen;
  };
  const auto at_field = [&](Mistake wrong, std::size_t i) {
    wrong.place.insert(0, "." + fields[i].name);
    return wrong;
  };
  for (auto found : object) {
    ondemand::field member;
    if (const auto failed = std::move(found).get(member)) return not_json(failed);
    const std::size_t i = field_of(member, fields);
    if (i == fields.size() || is_seen(i)) continue;
    if (auto wrong = read(member.value(), fields[i].type, slots[i], depth + 1))
      return at_field(std::move(*wrong), i);
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (is_seen(i)) continue;
    slots[i] = Slot::null();
    if (!types_.is_optional(fields[i].type) && types_.storage(fields[i].type) != Storage::None)
      return at_field(mistake("is missing"), i);
  }
  value = Slot::with_items(Slot::Tag::Record, slots, fields.size());
  return {};
}

// Sent on as it is, so it is checked to the last character, and spelled as the parser's tree spells it.
MaybeMistake ValueReader::read_raw(ondemand::value& json, Slot& value) {
  std::string_view text = token_of(json);
  if (text.front() == '{') {
    ondemand::object object;
    if (const auto failed = json.get_object().get(object)) return not_json(failed);
    if (const auto failed = object.raw_json().get(text)) return not_json(failed);
  } else if (text.front() == '[') {
    ondemand::array array;
    if (const auto failed = json.get_array().get(array)) return not_json(failed);
    if (const auto failed = array.raw_json().get(text)) return not_json(failed);
  }
  simdjson::dom::parser tree;
  simdjson::dom::element root;
  if (const auto failed = tree.parse(text.data(), text.size()).get(root)) return not_json(failed);
  return keep(Slot::Tag::Json, simdjson::minify(root), Form::Plain, value);
}

MaybeMistake ValueReader::read_scalar(ondemand::value& json, TypeId type, Slot& value) {
  const Storage storage = types_.storage(type);
  const std::string_view token = token_of(json);
  switch (storage) {
    case Storage::Bool:
      if (token != "true" && token != "false") return unexpected(json, type);
      value = Slot::boolean(token == "true");
      return {};
    case Storage::Int:
      if (type == kIntType) return read_int(json, value);
      break;
    case Storage::Float: return read_float(json, value);
    case Storage::Text:
    case Storage::Enum: break;
    case Storage::Json: return read_raw(json, value);
    default: value = Slot::null(); return {};  // Nothing: whatever came is of no interest
  }
  if (token.front() != '"') return unexpected(json, type);
  std::string_view text;
  if (const auto plain = plain_text(token))
    text = *plain;
  else if (const auto failed = json.get_string().get(text))
    return not_json(failed);
  return storage == Storage::Enum ? read_enum(text, type, value) : read_text(text, type, value);
}

MaybeMistake ValueReader::read(ondemand::value json, TypeId declared, Slot& value, int depth) {
  if (depth > kMaxDepth) return mistake("is nested too deeply");
  const std::string_view token = token_of(json);
  if (token.empty()) return not_json(simdjson::TAPE_ERROR);
  if (token == "null") return read_null(declared, value);
  const TypeId type = types_.without_null(declared);
  switch (types_.storage(type)) {
    case Storage::List: return read_list(json, type, value, depth);
    case Storage::Map: return read_map(json, type, value, depth);
    case Storage::Record: return read_record(json, type, value, depth);
    default: return read_scalar(json, type, value);
  }
}

// A parser and its buffers, kept from one text to the next: machines that wait for an answer need none. The
// text is copied as the only item of a list, because a document that is a scalar has rules of its own.
class Document {
 public:
  MaybeMistake read(std::string_view json, ValueReader& reader, TypeId type, Slot& value) {
    Kept& kept = kept_();
    const std::size_t size = json.size() + 2;
    if (kept.text.size() < size + simdjson::SIMDJSON_PADDING)
      kept.text.resize(size + simdjson::SIMDJSON_PADDING);
    kept.text[0] = '[';
    if (!json.empty()) std::memcpy(kept.text.data() + 1, json.data(), json.size());
    kept.text[size - 1] = ']';
    std::memset(kept.text.data() + size, 0, simdjson::SIMDJSON_PADDING);
    ondemand::document document;
    ondemand::array whole;
    if (const auto failed = kept.parser.iterate(kept.text.data(), size, kept.text.size()).get(document))
      return not_json(failed);
    if (const auto failed = document.get_array().get(whole)) return not_json(failed);
    bool is_read = false;
    for (auto element : whole) {
      ondemand::value item;
      if (const auto failed = element.get(item)) return not_json(failed);
      if (is_read) return not_json(simdjson::TRAILING_CONTENT);
      if (auto wrong = reader.read(item, type, value)) return wrong;
      is_read = true;
    }
    if (!is_read) return not_json(simdjson::EMPTY);
    const char* behind = nullptr;
    if (document.current_location().get(behind) == simdjson::SUCCESS)
      return not_json(simdjson::TRAILING_CONTENT);
    return {};
  }
  ~Document() {
    if (kept_().text.size() > kKeptBytes) kept_() = Kept();
  }

 private:
  struct Kept {
    ondemand::parser parser;
    std::vector<char> text;
  };
  static Kept& kept_() {
    thread_local Kept kept;
    return kept;
  }
};

}  // namespace

std::optional<JsonProblem> read_json(std::string_view json, const TypeTable& types, TypeId type,
                                     std::string_view root, Heap& heap, Slot& value) {
  Document document;
  ValueReader reader(types, heap);
  const auto wrong = document.read(json, reader, type, value);
  if (!wrong) return {};
  if (wrong->kind == Mistake::Kind::OutOfMemory) return JsonProblem{.is_out_of_memory = true, .message = {}};
  if (wrong->kind == Mistake::Kind::NotJson)
    return JsonProblem{.message = fmt::format("`{}` is not JSON: {}", root, wrong->what)};
  return JsonProblem{.message = fmt::format("`{}{}` {}", root, wrong->place, wrong->what)};
}

}  // namespace flow
