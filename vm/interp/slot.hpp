// A value of the machine: 16 bytes, and for texts, lists and records a pointer to bytes that never change,
// for maps to a table (maps.hpp). They lie in the run's heap or in the module. A slot knows enough of its
// type to be printed (Form, enum), not more.
#pragma once

#include <cstdint>
#include <string_view>

#include "vm/bytecode/op_table.hpp"

namespace flow {

struct MapTable;  // maps.hpp

struct Slot {
  enum class Tag : std::uint8_t { Null, Bool, Int, Float, Text, Json, Enum, UnknownEnum, List, Map, Record };

  Tag tag;
  Form form;           // of Int and Text
  std::uint16_t zero;  // named, so that a compiler can write what stands before the payload at once
  std::uint32_t size;  // bytes of a text, items of a list, fields of a record, visible entries of a map
  union {
    std::int64_t number;  // Bool, Int; of Enum the index of its value, with the enum's TypeId in `size`
    double real;
    const char* bytes;      // Text, Json, and the spelling of UnknownEnum
    const Slot* items;      // List, Record
    const MapTable* table;  // Map; nullptr when it has no entries and no room for any
  };

  static Slot null() { return with_number(Tag::Null, 0); }
  static Slot boolean(bool value) { return with_number(Tag::Bool, value ? 1 : 0); }
  static Slot integer(std::int64_t value, Form form = Form::Plain) {
    return with_number(Tag::Int, value, form);
  }
  static Slot floating(double value) {
    Slot slot = null();
    slot.tag = Tag::Float;
    slot.real = value;
    return slot;
  }
  static Slot enumeration(TypeId type, std::uint32_t value) {
    Slot slot = with_number(Tag::Enum, value);
    slot.size = type;
    return slot;
  }
  static Slot text(std::string_view bytes, Form form = Form::Plain) {
    return with_bytes(Tag::Text, bytes, form);
  }
  static Slot with_bytes(Tag tag, std::string_view bytes, Form form = Form::Plain) {
    Slot slot = with_number(tag, 0, form);
    slot.size = static_cast<std::uint32_t>(bytes.size());
    slot.bytes = bytes.data();
    return slot;
  }
  static Slot with_items(Tag tag, const Slot* items, std::size_t size) {
    Slot slot = with_number(tag, 0);
    slot.size = static_cast<std::uint32_t>(size);
    slot.items = items;
    return slot;
  }
  static Slot map(const MapTable* table, std::uint32_t count) {
    Slot slot = with_number(Tag::Map, 0);
    slot.size = count;
    slot.table = table;
    return slot;
  }

  bool is_null() const { return tag == Tag::Null; }
  std::string_view view() const { return {bytes, size}; }

 private:
  static Slot with_number(Tag tag, std::int64_t number, Form form = Form::Plain) {
    Slot slot;
    slot.tag = tag;
    slot.form = form;
    slot.zero = 0;
    slot.size = 0;
    slot.number = number;
    return slot;
  }
};
static_assert(sizeof(Slot) == 16);

}  // namespace flow
