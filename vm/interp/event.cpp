#include "vm/interp/event.hpp"

#include <fmt/format.h>
#include <simdjson.h>
#include <cstring>

#include "base/result.hpp"
#include "base/text.hpp"
#include "vm/interp/json_scalar.hpp"

namespace flow {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t kKeptBytes = 1u << 20;  // buffers that grew beyond this are not kept

std::string not_json(simdjson::error_code error) {
  return fmt::format("`event` is not JSON: {}", simdjson::error_message(error));
}

std::string_view kind_name(ondemand::json_type type) {
  switch (type) {
    case ondemand::json_type::array: return "a list";
    case ondemand::json_type::object: return "an object";
    case ondemand::json_type::number: return "a number";
    case ondemand::json_type::string: return "a text";
    case ondemand::json_type::boolean: return "a truth value";
    case ondemand::json_type::null: return "null";
  }
  return "something else";
}

// The parser would skip a bracket or a colon where a value should stand.
bool begins_value(char c) {
  switch (c) {
    case '{':
    case '[':
    case '"':
    case '-':
    case 't':
    case 'f':
    case 'n': return true;
    default: return c >= '0' && c <= '9';
  }
}

class Parser {
 public:
  ondemand::parser& operator*() { return kept(); }
  ~Parser() {
    if (kept().capacity() > kKeptBytes) kept() = ondemand::parser();
  }

 private:
  static ondemand::parser& kept() {
    thread_local ondemand::parser parser;
    return parser;
  }
};

}  // namespace

// --- reading ---

void ParsedEvent::read(std::string_view json, const EventFields& fields) {
  fields_ = &fields;
  size_ = json.size();
  const std::size_t needed = size_ + simdjson::SIMDJSON_PADDING;
  if (text_.size() > kKeptBytes) text_ = {};
  if (text_.size() < needed) text_.resize(needed);
  if (!json.empty()) std::memcpy(text_.data(), json.data(), size_);
  std::memset(text_.data() + size_, 0, simdjson::SIMDJSON_PADDING);
  members_.assign(fields.members().size(), {});
  values_.assign(fields.values().size(), Slot::null());
  problem_ = walk();
}

// Looks at the names of the event's own members, and skips every value, wanted or not, in the same way: what
// the walk refuses must not depend on what is wanted.
std::string ParsedEvent::walk() {
  Parser parser;
  ondemand::document document;
  ondemand::object event;
  if (const auto failed = (*parser).iterate(text_.data(), size_, text_.size()).get(document))
    return not_json(failed);
  if (const auto failed = document.get_object().get(event)) {
    ondemand::json_type type{};
    if (failed != simdjson::INCORRECT_TYPE || document.type().get(type)) return not_json(failed);
    return fmt::format("`event` is {} where an object was expected", kind_name(type));
  }
  std::uint32_t open = EventFields::kNone;  // the member whose value ends before the next key
  const char* begin = nullptr;
  for (auto each : event) {
    ondemand::field field;
    if (const auto failed = std::move(each).get(field)) return not_json(failed);
    const char* const key = field.key().raw();
    if (open != EventFields::kNone) found(open, begin, key - 1);
    const char* const value = field.value().raw_json_token().data();
    if (!begins_value(*value)) return not_json(simdjson::TAPE_ERROR);
    bool is_escaped = false;
    open = fields_->find_raw(key, is_escaped);
    if (is_escaped) {
      std::string_view name;
      if (field.unescaped_key().get(name) == simdjson::SUCCESS) open = fields_->find(std::string(name));
    }
    if (open == EventFields::kNone) continue;
    if (members_[open].data() != nullptr)
      open = EventFields::kNone;  // of members with one name the first counts
    else
      begin = value;
  }
  const char* behind = nullptr;
  if (document.current_location().get(behind) == simdjson::SUCCESS)
    return not_json(simdjson::TRAILING_CONTENT);
  if (open != EventFields::kNone) found(open, begin, text_.data() + size_);
  return {};
}

// `end` is behind the comma or the bracket that follows the value, and the blanks around that.
void ParsedEvent::found(std::uint32_t member, const char* begin, const char* end) {
  std::string_view text = without_blanks_after({begin, static_cast<std::size_t>(end - begin)});
  text.remove_suffix(1);
  text = without_blanks_after(text);
  members_[member] = text;
  for (const std::uint32_t value : fields_->members()[member].values)
    values_[value] = convert(fields_->values()[value], text);
}

Slot ParsedEvent::convert(const EventFields::Value& wanted, std::string_view token) {
  using Reading = EventFields::Reading;
  const auto form = wanted.reading == Reading::Time ? Form::Time : Form::Duration;
  switch (wanted.reading) {
    case Reading::Later: break;
    case Reading::Bool:
      if (token == "true" || token == "false") return Slot::boolean(token == "true");
      break;
    case Reading::Int:
      if (const auto number = plain_int(token)) return Slot::integer(*number);
      break;
    case Reading::Float:
      if (const auto number = plain_float(token)) return Slot::floating(*number);
      break;
    case Reading::Text:
      if (const auto text = plain_text(token)) return Slot::text(*text);
      break;
    case Reading::Time:
    case Reading::Duration: {
      const auto text = plain_text(token);
      if (!text) break;
      const auto number = form == Form::Time ? parse_time_us(*text) : parse_duration_us(*text);
      if (number) return Slot::integer(*number, form);
      break;
    }
    case Reading::Enum: {
      const auto text = plain_text(token);
      if (!text) break;
      if (const auto known = wanted.enumeration.value(*text)) return Slot::enumeration(0, *known);
      if (text->size() > kMostSpelling) break;
      return Slot::with_bytes(Slot::Tag::UnknownEnum, *text);
    }
  }
  return Slot::null();
}

// --- filling ---

// The common case: false for what has to be read from the member's text, or is not there, or is wrong.
inline bool ParsedEvent::copy(const Place& place, Heap& heap, Slot& slot) const {
  const Slot& value = values_[place.value];
  switch (value.tag) {
    case Slot::Tag::Null: return false;
    case Slot::Tag::Enum:
      slot = Slot::enumeration(place.enum_type, static_cast<std::uint32_t>(value.number));
      return true;
    case Slot::Tag::Text:
    case Slot::Tag::UnknownEnum: {
      const std::string_view text = heap.copy(value.view());
      slot = Slot::with_bytes(value.tag, text, place.form);
      return text.data() != nullptr;
    }
    default: slot = value; return true;
  }
}

// An event that lacks a field only leaves the entity to be fetched.
std::optional<JsonProblem> ParsedEvent::fill_entity(const TypeTable& types, const Input& input,
                                                    const Place* places, std::size_t count, Heap& heap,
                                                    Slot& slot) const {
  Slot* const fields = heap.allocate_slots(count);
  if (fields == nullptr) return JsonProblem{.is_out_of_memory = true, .message = {}};
  bool is_complete = true;
  for (std::size_t i = 0; i < count; ++i) {
    const Place& place = places[i];
    if (copy(place, heap, fields[i])) continue;
    fields[i] = Slot::null();
    const std::string_view text = members_[place.member];
    if (text.data() == nullptr) {
      is_complete &= place.may_be_absent;
      continue;
    }
    const RecordField& field = types.record(types.without_null(input.type)).fields[i];
    if (place.is_optional && text == "null") continue;
    if (auto wrong = read_json(text, types, place.type, input.name + "." + field.name, heap, fields[i]))
      return wrong;
  }
  slot = is_complete ? Slot::with_items(Slot::Tag::Record, fields, count) : Slot::null();
  return {};
}

std::optional<JsonProblem> ParsedEvent::fill(const TypeTable& types, const FlowCode& flow, Heap& heap,
                                             Slot* registers) const {
  if (!problem_.empty()) return JsonProblem{.message = problem_};
  if (flow.inputs.empty()) return {};
  const EventFields::Plan* const plan = fields_->plan(flow);
  FLOW_CHECK(plan != nullptr, "an event is read for the flows that start from it");
  const Place* place = plan->places.data();
  for (std::size_t i = 0; i < flow.inputs.size(); place += plan->per_input[i], ++i) {
    const Input& input = flow.inputs[i];
    if (input.source == Input::Source::Entity) {
      if (auto wrong = fill_entity(types, input, place, plan->per_input[i], heap, registers[i])) return wrong;
      continue;
    }
    if (input.source == Input::Source::Binding && copy(*place, heap, registers[i])) continue;
    registers[i] = Slot::null();
    if (input.source == Input::Source::Fetched || input.source == Input::Source::Setting) continue;
    const std::string_view text = members_[place->member];
    if (text.data() == nullptr) {
      if (place->may_be_absent) continue;
      return JsonProblem{.message = fmt::format("`{}` is missing", input.wire)};
    }
    if (place->is_optional && text == "null") continue;
    if (auto wrong = read_json(text, types, place->type, input.wire, heap, registers[i])) return wrong;
  }
  return {};
}

}  // namespace flow
