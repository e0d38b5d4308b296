#include <fmt/format.h>
#include <algorithm>
#include <cstring>

#include "base/text.hpp"
#include "vm/interp/json_read.hpp"
#include "vm/interp/print.hpp"
#include "vm/interp/state.hpp"

namespace flow {
namespace {

constexpr std::uint64_t kBytesPerFuel = 64;

bool equal(const Slot& a, const Slot& b) {
  if (a.tag != b.tag) return false;
  switch (a.tag) {
    case Slot::Tag::Float: return a.real == b.real;
    case Slot::Tag::Text:
    case Slot::Tag::UnknownEnum: return a.view() == b.view();
    default: return a.number == b.number;  // Bool, Int, Enum
  }
}

}  // namespace

bool Machine::State::raise(FaultKind kind, std::string message) {
  fault = Fault{.kind = kind, .message = std::move(message)};
  return false;
}

// One instruction may look at many bytes: without a price for them fuel would bound no time.
bool Machine::State::spend(std::uint64_t bytes) {
  const std::uint64_t price = bytes / kBytesPerFuel;
  if (price <= limits.fuel - fuel_used) {
    fuel_used += price;
    return true;
  }
  fuel_used = limits.fuel;
  return raise(FaultKind::OutOfFuel, "the run used up its instructions");
}

Slot Machine::State::constant(std::uint16_t index) const {
  const Constant& constant = module.constants[index];
  switch (module.types.storage(constant.type)) {
    case Storage::Bool: return Slot::boolean(constant.number != 0);
    case Storage::Int: return Slot::integer(constant.number, form_of(constant.type));
    case Storage::Float: return Slot::floating(constant.real);
    case Storage::Text: return Slot::text(constant.text, form_of(constant.type));
    case Storage::Enum: return Slot::enumeration(constant.type, static_cast<std::uint32_t>(constant.number));
    default: return Slot::null();
  }
}

bool Machine::State::keep_text(unsigned reg, std::string_view text, Form form) {
  const std::string_view kept = heap.copy(text);
  if (kept.data() == nullptr) return out_of_memory();
  registers[reg] = Slot::text(kept, form);
  return true;
}

bool Machine::State::compare_text(Instruction i) {
  const std::string_view x = registers[i.b].view(), y = registers[i.c].view();
  if (!spend(std::min(x.size(), y.size()))) return false;
  // Bytes of UTF-8 are in the order of the code points they spell.
  registers[i.a] = Slot::boolean(i.op == Op::EqualText ? x == y : i.op == Op::LessText ? x < y : x <= y);
  return true;
}

bool Machine::State::new_record(Instruction i) {
  const std::size_t count = module.types.record(module.constants[i.c].type).fields.size();
  Slot* fields = heap.allocate_slots(count);
  if (fields == nullptr) return out_of_memory();
  std::copy_n(&registers[i.b], count, fields);
  registers[i.a] = Slot::with_items(Slot::Tag::Record, fields, count);
  return true;
}

bool Machine::State::new_list(Instruction i) {
  Slot* items = heap.allocate_slots(i.c);
  if (items == nullptr) return out_of_memory();
  std::copy_n(&registers[i.b], i.c, items);
  registers[i.a] = Slot::with_items(Slot::Tag::List, items, i.c);
  return true;
}

bool Machine::State::contains(Instruction i) {
  const Slot list = registers[i.b], wanted = registers[i.c];
  bool is_found = false;
  for (std::uint32_t k = 0; k < list.size && !is_found; ++k) {
    const Slot& item = list.items[k];
    if (!spend(kBytesPerFuel + (item.tag == Slot::Tag::Text ? std::min(item.size, wanted.size) : 0)))
      return false;
    is_found = equal(item, wanted);
  }
  registers[i.a] = Slot::boolean(is_found);
  return true;
}

bool Machine::State::to_text(Instruction i) {
  if (registers[i.b].tag == Slot::Tag::Text) {
    registers[i.a] = Slot::text(registers[i.b].view());
    return true;
  }
  std::string text;
  append_text(text, module.types, registers[i.b]);
  return keep_text(i.a, text, Form::Plain);
}

bool Machine::State::concat(Instruction i) {
  std::size_t size = 0;
  for (unsigned k = 0; k < i.c; ++k) size += registers[i.b + k].size;
  if (!spend(size)) return false;
  char* joined = heap.allocate(size);
  if (joined == nullptr) return out_of_memory();
  char* next = joined;
  for (unsigned k = 0; k < i.c; ++k) next = std::ranges::copy(registers[i.b + k].view(), next).out;
  registers[i.a] = Slot::text({joined, size}, registers[i.b].form);
  return true;
}

bool Machine::State::escape_html(Instruction i) {
  const std::string_view text = registers[i.b].view();
  return spend(text.size()) && keep_text(i.a, html_escaped(text), Form::Html);
}

bool Machine::State::quote_kql(Instruction i) {
  const Slot value = registers[i.b];
  std::uint64_t size = 0;
  if (value.tag == Slot::Tag::Text) size = value.size;
  if (value.tag == Slot::Tag::List)
    for (std::uint32_t k = 0; k < value.size; ++k)
      size += kBytesPerFuel + (value.items[k].tag == Slot::Tag::Text ? value.items[k].size : 0);
  if (!spend(size)) return false;
  std::string literal;
  append_kql_literal(literal, module.types, value);
  return keep_text(i.a, literal, Form::Kql);
}

bool Machine::State::native(Instruction i) {
  const auto id = static_cast<NativeId>(i.c);
  const Slot* arguments = &registers[i.b];
  std::uint64_t size = 0;
  for (unsigned k = 0; k < native_info(id)->argument_count; ++k)
    if (arguments[k].tag == Slot::Tag::Text) size += arguments[k].size;
  if (!spend(id == NativeId::matches ? 8 * size : size)) return false;
  if (!patterns) patterns = std::make_unique<Patterns>();
  NativeContext context{.heap = heap, .patterns = *patterns, .fault = {}};
  call_native(id, context, arguments, registers[i.a]);
  if (!context.fault) return true;
  fault = std::move(*context.fault);
  return false;
}

bool Machine::State::heavy(Instruction i) {
  switch (i.op) {
    case Op::EqualText:
    case Op::LessText:
    case Op::LessEqualText: return compare_text(i);
    case Op::NewRecord: return new_record(i);
    case Op::NewList: return new_list(i);
    case Op::Contains: return contains(i);
    case Op::ToText: return to_text(i);
    case Op::Concat: return concat(i);
    case Op::EscapeHtml: return escape_html(i);
    case Op::QuoteKql: return quote_kql(i);
    default: return native(i);
  }
}

// --- calls ---

bool Machine::State::prepare_call(Instruction i, Call& call) {
  const CallSite& site = code.call_sites[i.wide()];
  const Operation& operation = module.operations[site.operation];
  std::string json = "{";
  for (std::size_t k = 0; k < operation.parameters.size(); ++k) {
    const Parameter& parameter = operation.parameters[k];
    if (k > 0) json += ',';
    append_json_quoted(json, parameter.name);
    json += ':';
    const Slot value = registers[site.first_argument + k];
    const JsonWritten written = append_json(json, module.types, parameter.type, value, limits.heap_bytes);
    if (written == JsonWritten::TooLarge) return out_of_memory();
    if (written == JsonWritten::TooDeep)
      return raise(FaultKind::InvalidValue, fmt::format("argument `{}` of {} is nested too deeply",
                                                        parameter.name, operation.full_name()));
  }
  json += '}';
  call = Call{.number = calls++,
              .operation = site.operation,
              .is_fetch = site.is_fetch,
              .arguments = std::move(json),
              .line = line()};
  return true;
}

// `machine` for the record Machine: how an answer is called in messages.
std::string answer_name(const TypeTable& types, TypeId result) {
  const TypeId type = types.without_null(result);
  std::string name = types.is(type, TypeKind::Record) ? types.record(type).name : "";
  if (name.empty()) return "answer";
  if (name[0] >= 'A' && name[0] <= 'Z') name[0] = static_cast<char>(name[0] - 'A' + 'a');
  return name;
}

bool Machine::State::accept_result(const Outcome& outcome) {
  if (const auto* failed = std::get_if<Fault>(&outcome)) {
    fault = *failed;
    return false;
  }
  if (waiting == Waiting::ForLog) return true;
  const Instruction i = code.code[pc];
  const Operation& operation = module.operations[code.call_sites[i.wide()].operation];
  if (operation.result == kNothingType) {
    registers[i.a] = Slot::null();
    return true;
  }
  Slot value = Slot::null();
  const auto problem = read_json(std::get<Returned>(outcome).json, module.types, operation.result,
                                 answer_name(module.types, operation.result), heap, value);
  if (problem && problem->is_out_of_memory) return out_of_memory();
  if (problem)
    return raise(FaultKind::InvalidResponse,
                 fmt::format("{} gave an unexpected answer: {}", operation.full_name(), problem->message));
  registers[i.a] = value;
  return true;
}

}  // namespace flow
