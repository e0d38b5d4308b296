// What the functions of vm/interp/natives give, and how they make it: each takes a context and plain values,
// and gives a plain value. One that can be null, or that has set the context's fault, gives nothing. Texts
// that they take are well-formed UTF-8, and so are those that they give.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vm/interp/natives.hpp"

namespace flow::natives {

using Text = std::optional<std::string_view>;
struct Items {
  const Slot* items;
  std::size_t count;
};
using List = std::optional<Items>;

// Each sets the fault and gives nothing.
std::nullopt_t out_of_memory(NativeContext& context);
std::nullopt_t text_too_large(NativeContext& context);
std::nullopt_t list_too_large(NativeContext& context);
std::nullopt_t invalid(NativeContext& context, std::string message);
std::nullopt_t overflow(NativeContext& context);

// Takes fuel for looking at so many bytes; false, with the fault set, when it is not there.
bool spend(NativeContext& context, std::uint64_t bytes);

// Room in the heap for a text, to be written to; nullptr with the fault set.
char* new_text(NativeContext& context, std::size_t size);
// The text in the heap.
Text keep(NativeContext& context, std::string_view text);
// The same of bytes that are well-formed UTF-8; otherwise nothing.
Text kept_text(NativeContext& context, const std::optional<std::string>& bytes);

// Puts a list together. What is added must lie in the heap or in the arguments.
class ListMaker {
 public:
  explicit ListMaker(NativeContext& context) : context_(context) {}
  // False, with the fault set, when the list is too large.
  bool add(Slot item);
  bool add(std::string_view text) { return add(Slot::text(text)); }
  bool add_copy(std::string_view text);
  List made();

 private:
  NativeContext& context_;
  std::vector<Slot> items_;
};

}  // namespace flow::natives
