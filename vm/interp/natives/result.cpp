#include "vm/interp/natives/result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace flow::natives {
namespace {

constexpr std::uint64_t kBytesPerFuel = 64;  // as the machine counts

std::nullopt_t raise(NativeContext& context, FaultKind kind, std::string message) {
  context.fault = Fault{.kind = kind, .message = std::move(message)};
  return std::nullopt;
}

}  // namespace

std::nullopt_t out_of_memory(NativeContext& context) {
  return raise(context, FaultKind::OutOfMemory, "the run used up its heap");
}
std::nullopt_t text_too_large(NativeContext& context) {
  return raise(context, FaultKind::TooLarge,
               fmt::format("a text of more than {} is too large", context.max_text_bytes));
}
std::nullopt_t list_too_large(NativeContext& context) {
  return raise(context, FaultKind::TooLarge,
               fmt::format("a list of more than {} is too large", context.max_list_items));
}
std::nullopt_t invalid(NativeContext& context, std::string message) {
  return raise(context, FaultKind::InvalidValue, std::move(message));
}
std::nullopt_t overflow(NativeContext& context) {
  return raise(context, FaultKind::Overflow, "the result of a calculation does not fit its type");
}

bool spend(NativeContext& context, std::uint64_t bytes) {
  const std::uint64_t units = bytes / kBytesPerFuel;
  if (units <= context.fuel) {
    context.fuel -= units;
    return true;
  }
  context.fuel = 0;
  raise(context, FaultKind::OutOfFuel, "the run used up its instructions");
  return false;
}

char* new_text(NativeContext& context, std::size_t size) {
  if (size > context.max_text_bytes) return text_too_large(context), nullptr;
  char* const memory = context.heap.allocate(size);
  if (memory == nullptr) out_of_memory(context);
  return memory;
}

Text keep(NativeContext& context, std::string_view text) {
  char* const kept = new_text(context, text.size());
  if (kept == nullptr) return std::nullopt;
  std::ranges::copy(text, kept);
  return std::string_view(kept, text.size());
}

Text kept_text(NativeContext& context, const std::optional<std::string>& bytes) {
  if (!bytes || invalid_utf8_at(*bytes)) return std::nullopt;
  return keep(context, *bytes);
}

bool ListMaker::add(Slot item) {
  if (items_.size() >= context_.max_list_items) return list_too_large(context_), false;
  items_.push_back(item);
  return true;
}

bool ListMaker::add_copy(std::string_view text) {
  const Text kept = keep(context_, text);
  return kept && add(*kept);
}

List ListMaker::made() {
  Slot* const items = context_.heap.allocate_slots(items_.size());
  if (items == nullptr) return out_of_memory(context_);
  std::ranges::copy(items_, items);
  return Items{.items = items, .count = items_.size()};
}

}  // namespace flow::natives
