// Instructions that take memory or look at whole texts. Each takes what memory it needs before it changes
// anything, so that it can be executed again after a collection.
#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/text.hpp"
#include "vm/interp/print.hpp"
#include "vm/interp/state.hpp"

namespace flow {

// One instruction may look at many bytes: without a price for them fuel would bound no time.
bool Machine::State::spend(std::uint64_t units) {
  if (units > fuel) return out_of_fuel();
  fuel -= units;
  return true;
}

char* Machine::State::new_text(std::size_t size) {
  if (size > limits.text_bytes) return too_large("a text", limits.text_bytes), nullptr;
  char* memory = heap.allocate(size);
  if (memory == nullptr) out_of_memory();
  return memory;
}

bool Machine::State::keep_text(unsigned reg, std::string_view text, Form form) {
  char* kept = new_text(text.size());
  if (kept == nullptr) return false;
  std::ranges::copy(text, kept);
  r(reg) = Slot::text({kept, text.size()}, form);
  return true;
}

bool Machine::State::compare_text(Instruction i) {
  const std::string_view x = r(i.b).view(), y = r(i.c).view();
  if (!spend(std::min(x.size(), y.size()) / kBytesPerFuel)) return false;
  // Bytes of UTF-8 are in the order of the code points they spell.
  r(i.a) = Slot::boolean(i.op == Op::EqualText ? x == y : i.op == Op::LessText ? x < y : x <= y);
  return true;
}

bool Machine::State::new_record(Instruction i) {
  const std::size_t count = module.types.record(i.index()).fields.size();
  Slot* fields = heap.allocate_slots(count);
  if (fields == nullptr) return out_of_memory();
  std::copy_n(&r(i.b), count, fields);
  r(i.a) = Slot::with_items(Slot::Tag::Record, fields, count);
  return true;
}

bool Machine::State::to_text(Instruction i) {
  const Slot value = r(i.b);
  if (value.tag == Slot::Tag::Text || value.tag == Slot::Tag::Json) {
    r(i.a) = Slot::text(value.view());
    return true;
  }
  if (value.tag == Slot::Tag::Int && value.form == Form::Plain) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value.number).ptr;
    return keep_text(i.a, {digits, end}, Form::Plain);
  }
  std::string text;
  append_text(text, module.types, value);
  return keep_text(i.a, text, Form::Plain);
}

// What is added to a text again and again goes behind it where it stands.
bool Machine::State::concat(Instruction i) {
  const Slot first = r(i.b);
  std::size_t more = 0;
  for (unsigned k = 1; k < i.c; ++k) more += r(i.b + k).size;
  if (first.size + more > limits.text_bytes) return too_large("a text", limits.text_bytes);
  if (!spend(more / kBytesPerFuel)) return false;
  const std::size_t used = heap.used();
  char* joined = heap.extend(first.bytes, first.size, more);
  if (joined == nullptr) return out_of_memory();
  if (heap.used() != used && !spend(first.size / kBytesPerFuel)) return false;
  char* next = joined + first.size;
  for (unsigned k = 1; k < i.c; ++k) next = std::ranges::copy(r(i.b + k).view(), next).out;
  r(i.a) = Slot::text({joined, first.size + more}, first.form);
  return true;
}

bool Machine::State::escape_html(Instruction i) {
  const std::string_view text = r(i.b).view();
  return spend(text.size() / kBytesPerFuel) && keep_text(i.a, html_escaped(text), Form::Html);
}

bool Machine::State::quote_kql(Instruction i) {
  const Slot value = r(i.b);
  std::uint64_t size = 0;
  if (value.tag == Slot::Tag::Text) size = value.size;
  if (value.tag == Slot::Tag::List)
    for (std::uint32_t k = 0; k < value.size; ++k)
      size += kBytesPerFuel + (value.items[k].tag == Slot::Tag::Text ? value.items[k].size : 0);
  if (size > limits.text_bytes + std::uint64_t{value.size} * kBytesPerFuel)
    return too_large("a text", limits.text_bytes);
  if (!spend(size / kBytesPerFuel)) return false;
  std::string literal;
  append_kql_literal(literal, module.types, value);
  return keep_text(i.a, literal, Form::Kql);
}

namespace {

// The bytes that a native looks at, each as often as its row says.
std::uint64_t bytes_of(const NativeInfo& native, const Slot* arguments) {
  std::uint64_t size = 0, pattern = 0;
  bool has_pattern = false;
  for (unsigned k = 0; k < native.argument_count; ++k) {
    if (arguments[k].tag != Slot::Tag::Text && arguments[k].tag != Slot::Tag::Json) continue;
    size += arguments[k].size;
    if (native.arguments[k].role != NativeType::Role::Regex) continue;
    has_pattern = true;
    pattern = arguments[k].size;
  }
  // A pattern may have to be compiled, and each byte of the text may be looked at in many of its states.
  if (has_pattern) size = size * (8 + pattern / 4) + pattern * 64;
  return size * native.cost;
}

std::uint64_t bytes_given(const Slot& result) {
  if (result.tag == Slot::Tag::Text || result.tag == Slot::Tag::Json) return result.size;
  if (result.tag != Slot::Tag::List) return 0;
  std::uint64_t size = 0;
  for (std::uint32_t k = 0; k < result.size; ++k)
    size += sizeof(Slot) + (result.items[k].tag == Slot::Tag::Text ? result.items[k].size : 0);
  return size;
}

}  // namespace

bool Machine::State::native(Instruction i) {
  const auto id = static_cast<NativeId>(i.imm);
  const NativeInfo& row = *native_info(id);
  const Slot* arguments = &r(i.b);
  if (!spend(bytes_of(row, arguments) / kBytesPerFuel)) return false;
  if (!patterns) patterns = std::make_unique<Patterns>();
  NativeContext context{.heap = heap,
                        .patterns = *patterns,
                        .max_text_bytes = limits.text_bytes,
                        .max_list_items = limits.list_items,
                        .fuel = fuel,
                        .fault = {}};
  Slot result = Slot::null();
  call_native(id, context, arguments, result);
  if (!context.fault && !spend(bytes_given(result) * row.cost / kBytesPerFuel)) return false;
  if (!context.fault) {
    r(i.a) = result;
    return true;
  }
  fault = std::move(*context.fault);
  return false;
}

bool Machine::State::heavy(Instruction i) {
  switch (i.op) {
    case Op::EqualText:
    case Op::LessText:
    case Op::LessEqualText: return compare_text(i);
    case Op::NewRecord: return new_record(i);
    case Op::ToText: return to_text(i);
    case Op::Concat: return concat(i);
    case Op::EscapeHtml: return escape_html(i);
    case Op::QuoteKql: return quote_kql(i);
    case Op::Native: return native(i);
    default: return foreign(i);
  }
}

}  // namespace flow
