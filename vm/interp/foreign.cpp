// Instructions on foreign data and on errors: parts of Json, conversions to and from it, texts that are said
// to be more than texts, and faults as values. As all that take memory, they can be executed again.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/base64.hpp"
#include "base/error_type.hpp"
#include "base/text.hpp"
#include "base/text_forms.hpp"
#include "vm/interp/json_read.hpp"
#include "vm/interp/json_scan.hpp"
#include "vm/interp/print.hpp"
#include "vm/interp/state.hpp"

namespace flow {
namespace {

constexpr std::size_t kShownBytes = 80;  // of a text in a message

std::string shown(std::string_view text) {
  const bool is_cut = text.size() > kShownBytes;
  return json_quoted(beginning_of(text, kShownBytes)) + (is_cut ? "…" : "");
}

}  // namespace

// --- Json ---

// A part of a text is a pointer into it.
bool Machine::State::json_part(Instruction i) {
  const Slot json = r(i.b);
  if (json.is_null()) {
    r(i.a) = Slot::null();
    return true;
  }
  if (!spend(json.size / kBytesPerFuel)) return false;
  std::optional<std::string_view> part;
  if (i.op == Op::JsonMember)
    part = scan_member(json.view(), program.constants()[i.index()].view());
  else if (r(i.c).tag == Slot::Tag::Text)
    part = scan_member(json.view(), r(i.c).view());
  else
    part = scan_item(json.view(), r(i.c).number);
  r(i.a) = part && *part != "null" ? Slot::with_bytes(Slot::Tag::Json, *part) : Slot::null();
  return true;
}

bool Machine::State::json_to(Instruction i) {
  const std::string_view json = r(i.b).is_null() ? "null" : r(i.b).view();
  if (!spend(json.size() / kBytesPerFuel)) return false;
  Slot value = Slot::null();
  const auto problem = convert_json(json, module.types, i.index(), heap, value);
  if (problem && problem->is_out_of_memory) return out_of_memory();
  if (problem) return raise(FaultKind::InvalidValue, problem->message);
  r(i.a) = value;
  return true;
}

bool Machine::State::to_json(Instruction i) {
  std::string json;
  if (!write_json(i.index(), r(i.b), json)) return false;
  char* kept = new_text(json.size());
  if (kept == nullptr) return false;
  std::ranges::copy(json, kept);
  r(i.a) = Slot::with_bytes(Slot::Tag::Json, {kept, json.size()});
  return true;
}

bool Machine::State::write_json(TypeId type, Slot value, std::string& json) {
  switch (append_json(json, module.types, type, value, limits.text_bytes)) {
    case JsonWritten::Whole: return spend(json.size() / kBytesPerFuel);
    case JsonWritten::TooDeep:
      return raise(FaultKind::InvalidValue, "the value is nested too deeply for JSON");
    case JsonWritten::TooLarge: return too_large("a text", limits.text_bytes);
  }
  return false;
}

// --- texts that are more than texts ---

bool Machine::State::check_text(Instruction i) {
  const std::string_view text = r(i.b).view();
  const TypeId type = i.index();
  if (!spend(text.size() / kBytesPerFuel)) return false;
  if (module.types.storage(type) == Storage::Enum) {
    const EnumType& values = module.types.enumeration(type);
    if (const auto known = values.value(text)) {
      r(i.a) = Slot::enumeration(type, *known);
      return true;
    }
    std::string names;
    for (const std::string& value : values.values) names += (names.empty() ? "" : ", ") + value;
    return raise(FaultKind::InvalidValue, fmt::format("{} is no {}; its values are {}", shown(text),
                                                      module.types.name(type), beginning_of(names, 400)));
  }
  if (type == kBytesType) {
    const auto bytes = bytes_of_base64(text);
    if (!bytes) return raise(FaultKind::InvalidValue, fmt::format("{} is no Base64", shown(text)));
    const std::string_view kept = heap.copy(base64_of(*bytes));
    if (kept.data() == nullptr) return out_of_memory();
    r(i.a) = Slot::text(kept);
    return true;
  }
  const std::string wrong = type == kStringType ? "" : text_mistake(type, text);
  if (!wrong.empty())
    return raise(FaultKind::InvalidValue,
                 fmt::format("{} is no {}: {}", shown(text), module.types.name(type), wrong));
  r(i.a) = Slot::text(text);
  return true;
}

// --- faults as values ---

std::uint32_t Machine::State::line_of_handled() const {
  if (handled.line != 0 || handled_trace.empty()) return handled.line;
  return handled_trace.front().line;
}

bool Machine::State::caught(Instruction i) {
  const RecordType& record = module.types.record(i.index());
  const TypeId kinds = record.fields[static_cast<std::size_t>(ErrorField::Kind)].type;
  const auto kind = static_cast<std::uint32_t>(handled.kind);
  std::array<Slot, kErrorFields> fields;
  fields.fill(Slot::null());
  const auto keep = [&](ErrorField field, Slot::Tag tag, std::string_view text) {
    const std::string_view kept = heap.copy(text);
    fields[static_cast<std::size_t>(field)] = Slot::with_bytes(tag, kept);
    return kept.data() != nullptr;
  };
  if (!keep(ErrorField::Message, Slot::Tag::Text, beginning_of(handled.message, limits.text_bytes)))
    return out_of_memory();
  if (!handled.operation.empty() && !keep(ErrorField::Operation, Slot::Tag::Text, handled.operation))
    return out_of_memory();
  // A module may be older than the fault.
  if (kind < module.types.enumeration(kinds).values.size())
    fields[static_cast<std::size_t>(ErrorField::Kind)] = Slot::enumeration(kinds, kind);
  else if (!keep(ErrorField::Kind, Slot::Tag::UnknownEnum, fault_name(handled.kind)))
    return out_of_memory();
  fields[static_cast<std::size_t>(ErrorField::Line)] = Slot::integer(line_of_handled());
  Slot* kept = heap.allocate_slots(kErrorFields);
  if (kept == nullptr) return out_of_memory();
  std::ranges::copy(fields, kept);
  r(i.a) = Slot::with_items(Slot::Tag::Record, kept, kErrorFields);
  return true;
}

// What was just handled is raised as it was, with its trace. OutOfFuel and OutOfMemory are the machine's to
// say.
void Machine::State::throw_error(Instruction i) {
  const Slot* fields = r(i.a).items;
  const auto field = [&](ErrorField which) { return fields[static_cast<std::size_t>(which)]; };
  FaultKind kind = FaultKind::Failed;
  if (const Slot named = field(ErrorField::Kind); named.tag == Slot::Tag::Enum)
    kind = static_cast<FaultKind>(named.number);
  else if (const auto known = fault_named(named.view()))
    kind = *known;
  if (kind == FaultKind::OutOfFuel || kind == FaultKind::OutOfMemory) kind = FaultKind::Failed;
  const std::string_view message = field(ErrorField::Message).view();
  const Slot operation = field(ErrorField::Operation);
  const std::int64_t line = field(ErrorField::Line).number;
  const std::string_view of = operation.is_null() ? std::string_view() : operation.view();
  if (!handled_trace.empty() && kind == handled.kind && of == handled.operation &&
      line == line_of_handled() && message == beginning_of(handled.message, limits.text_bytes)) {
    fault = handled;
    fault_trace = handled_trace;
    return;
  }
  raise(kind, std::string(message));
  fault.operation = of;
  fault.line = line > 0 && line <= 0xffff'ffff ? static_cast<std::uint32_t>(line) : 0;
}

bool Machine::State::finish_with(Instruction i, Step& said) {
  std::string result;
  if (!write_json(flow.result, r(i.a), result)) return false;
  end(said, Ended::How::Finished);
  std::get<Ended>(said).result = std::move(result);
  return true;
}

bool Machine::State::foreign(Instruction i) {
  switch (i.op) {
    case Op::JsonMember:
    case Op::JsonItem: return json_part(i);
    case Op::JsonTo: return json_to(i);
    case Op::ToJson: return to_json(i);
    case Op::CheckText: return check_text(i);
    default: return caught(i);
  }
}

}  // namespace flow
