// Three ways to hold a value in a register. Each has the same functions, so that one interpreter serves all:
// with `is_int` and the like for machines that must ask, and without a question for those that need not.
#pragma once

#include <cstdint>

namespace flow::design {

// What a list value points to where the value itself has no room for a size.
template <class Value>
struct ListHeader {
  std::uint32_t size = 0;
  const Value* items = nullptr;
};

// 16 bytes: what it is, how long, and the payload. It can be printed, copied and collected with nothing else
// at hand.
// Without `HasWholeHeader` two bytes of the first word are a hole that nobody writes, so that the word takes
// two narrower stores, and a load of all of it must wait for them.
template <bool HasWholeHeader>
struct TaggedValue {
  static constexpr bool kHasTypes = true;
  enum class Tag : std::uint8_t { Bool, Int, List };

  Tag tag;
  std::uint8_t form;
  std::uint16_t hole;
  std::uint32_t size;
  union {
    std::int64_t number;
    const TaggedValue* items;
  };

  static bool can_hold(std::int64_t) { return true; }
  static TaggedValue integer(std::int64_t value) { return with_number(Tag::Int, value); }
  static TaggedValue boolean(bool value) { return with_number(Tag::Bool, value); }
  static TaggedValue list(const ListHeader<TaggedValue>& header) {
    TaggedValue value;
    value.tag = Tag::List;
    value.form = 0;
    if constexpr (HasWholeHeader) value.hole = 0;
    value.size = header.size;
    value.items = header.items;
    return value;
  }
  // For a register that holds an Int already: its tag is written.
  void renew(std::int64_t value) { number = value; }
  bool is_int() const { return tag == Tag::Int; }
  bool is_bool() const { return tag == Tag::Bool; }
  bool is_list() const { return tag == Tag::List; }
  std::int64_t as_int() const { return number; }
  bool as_bool() const { return number != 0; }
  std::uint32_t list_size() const { return size; }
  const TaggedValue* list_items() const { return items; }

 private:
  static TaggedValue with_number(Tag tag, std::int64_t number) {
    TaggedValue value;
    value.tag = tag;
    value.form = 0;
    if constexpr (HasWholeHeader) value.hole = 0;
    value.size = 0;
    value.number = number;
    return value;
  }
};
using Tagged = TaggedValue<true>;
using TaggedWithHole = TaggedValue<false>;
static_assert(sizeof(Tagged) == 16);

// 8 bytes: a Float as it is, everything else as 48 bits in what would be no number. An Int beyond 48 bits
// would have to go to the heap; here it ends the run, which costs the same question.
struct NanBoxed {
  static constexpr bool kHasTypes = true;
  static constexpr std::uint64_t kInt = 0xfffa, kBool = 0xfffb, kList = 0xfffc;
  static constexpr std::uint64_t kPayload = (std::uint64_t{1} << 48) - 1;

  std::uint64_t bits;

  static bool can_hold(std::int64_t value) {
    return sign_extended(static_cast<std::uint64_t>(value)) == value;
  }
  static NanBoxed integer(std::int64_t value) {
    return {kInt << 48 | (static_cast<std::uint64_t>(value) & kPayload)};
  }
  static NanBoxed boolean(bool value) { return {kBool << 48 | static_cast<std::uint64_t>(value)}; }
  static NanBoxed list(const ListHeader<NanBoxed>& header) {
    return {kList << 48 | reinterpret_cast<std::uintptr_t>(&header)};
  }
  void renew(std::int64_t value) { *this = integer(value); }
  bool is_int() const { return bits >> 48 == kInt; }
  bool is_bool() const { return bits >> 48 == kBool; }
  bool is_list() const { return bits >> 48 == kList; }
  std::int64_t as_int() const { return sign_extended(bits); }
  bool as_bool() const { return bits & 1; }
  std::uint32_t list_size() const { return header()->size; }
  const NanBoxed* list_items() const { return header()->items; }

 private:
  static std::int64_t sign_extended(std::uint64_t bits) {
    return static_cast<std::int64_t>(bits << 16) >> 16;
  }
  const ListHeader<NanBoxed>* header() const {
    return reinterpret_cast<const ListHeader<NanBoxed>*>(bits & kPayload);
  }
};
static_assert(sizeof(NanBoxed) == 8);

// 8 bytes that say nothing of themselves: only for typed instructions, and whoever prints, saves or collects
// values needs a map of the types in each register at each instruction.
struct Untagged {
  static constexpr bool kHasTypes = false;

  union {
    std::int64_t number;
    const ListHeader<Untagged>* header;
  };

  static bool can_hold(std::int64_t) { return true; }
  static Untagged integer(std::int64_t value) {
    Untagged untagged;
    untagged.number = value;
    return untagged;
  }
  static Untagged boolean(bool value) { return integer(value); }
  static Untagged list(const ListHeader<Untagged>& header) {
    Untagged untagged;
    untagged.header = &header;
    return untagged;
  }
  void renew(std::int64_t value) { number = value; }
  bool is_int() const { return true; }
  bool is_bool() const { return true; }
  bool is_list() const { return true; }
  std::int64_t as_int() const { return number; }
  bool as_bool() const { return number != 0; }
  std::uint32_t list_size() const { return header->size; }
  const Untagged* list_items() const { return header->items; }
};
static_assert(sizeof(Untagged) == 8);

}  // namespace flow::design
