// Random values that share their parts in all the ways there are, for tests of what moves, stores or checks
// values.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "vm/interp/maps.hpp"

namespace flow::test {

inline Slot text(Heap& heap, std::string_view bytes) {
  return Slot::text(heap.copy(bytes));
}
inline Slot list(Heap& heap, const std::vector<Slot>& items, Slot::Tag tag = Slot::Tag::List) {
  Slot* memory = heap.allocate_slots(items.size());
  std::ranges::copy(items, memory);
  return Slot::with_items(tag, memory, items.size());
}
// All of a value, without a pointer: what must be the same before and after.
inline void tell(std::string& out, const Slot& value) {
  out += std::to_string(static_cast<int>(value.tag)) + "." + std::to_string(static_cast<int>(value.form));
  switch (value.tag) {
    case Slot::Tag::Text:
    case Slot::Tag::Json:
    case Slot::Tag::UnknownEnum: out += "'" + std::string(value.view()) + "'"; break;
    case Slot::Tag::List:
    case Slot::Tag::Record:
      out += '[';
      for (std::uint32_t i = 0; i < value.size; ++i) tell(out, value.items[i]);
      out += ']';
      break;
    case Slot::Tag::Map:
      out += '{';
      for (std::uint32_t i = 0; i < value.size; ++i) {
        tell(out, map_entry(value, i).key);
        tell(out, map_entry(value, i).value);
        EXPECT_EQ(map_find(value, map_entry(value, i).key), &map_entry(value, i).value);
      }
      out += '}';
      break;
    default: out += ":" + std::to_string(value.number) + ";";
  }
}
inline std::string told(const Slot& value) {
  std::string out;
  tell(out, value);
  return out;
}

// Random values that share their parts in all ways there are, between rubbish, over several chunks.
struct Graph {
  Heap heap{256u << 20};
  std::mt19937 random;
  std::vector<Slot> values;
  std::vector<std::string> constants;
  std::size_t longest;  // of what told() says of a value, so that sharing does not explode

  Graph(unsigned seed, std::size_t in_longest) : random(seed), longest(in_longest) {
    for (int i = 0; i < 5; ++i) constants.push_back("constant " + std::to_string(i));
    values.push_back(Slot::null());
  }
  std::size_t below(std::size_t end) { return random() % end; }
  Slot any() { return values[below(values.size())]; }
  Slot of(Slot::Tag tag) {
    for (int tries = 0; tries < 20; ++tries)
      if (const Slot slot = any(); slot.tag == tag) return slot;
    return Slot::null();
  }
  Slot fresh_text() { return text(heap, std::string(below(40), static_cast<char>('a' + below(26)))); }
  Slot part_of(Slot whole) {
    if (whole.size == 0) return whole;
    const std::size_t from = below(whole.size), size = below(whole.size - from + 1);
    if (whole.tag == Slot::Tag::Text) return Slot::text(whole.view().substr(from, size));
    return Slot::with_items(Slot::Tag::List, whole.items + from, size);
  }
  Slot grown(Slot value) {
    if (value.tag == Slot::Tag::List) {
      Slot* items = heap.extend_slots(value.items, value.size, 1);
      items[value.size] = any();
      return Slot::with_items(Slot::Tag::List, items, value.size + 1);
    }
    char* bytes = heap.extend(value.bytes, value.size, 3);
    std::fill_n(bytes + value.size, 3, '+');
    return Slot::text({bytes, value.size + std::size_t{3}});
  }
  Slot make() {
    switch (below(10)) {
      case 0: return Slot::integer(static_cast<std::int64_t>(random()));
      case 1: return Slot::text(constants[below(constants.size())]);
      case 2: return fresh_text();
      case 3:
        return Slot::with_bytes(below(2) == 0 ? Slot::Tag::Json : Slot::Tag::UnknownEnum,
                                fresh_text().view());
      case 4: {
        std::vector<Slot> items(below(12));
        for (Slot& item : items) item = any();
        return list(heap, items, below(2) == 0 ? Slot::Tag::List : Slot::Tag::Record);
      }
      case 5: {
        const Slot whole = of(below(2) == 0 ? Slot::Tag::List : Slot::Tag::Text);
        return whole.is_null() ? whole : part_of(whole);
      }
      case 6: {
        const Slot value = of(below(2) == 0 ? Slot::Tag::List : Slot::Tag::Text);
        return value.is_null() ? value : grown(value);
      }
      case 7: {
        Slot map = of(Slot::Tag::Map);
        if (map.is_null()) map = empty_map();
        map_share(map);
        return map_set(heap, map, fresh_text(), any()).map;
      }
      case 8: {
        Slot map = empty_map();
        for (std::size_t i = below(30); i > 0; --i)
          map = map_set(heap, map, Slot::integer(static_cast<std::int64_t>(below(40))), any()).map;
        return map;
      }
      default: heap.copy(std::string(below(3000), 'r')); return Slot::boolean(true);
    }
  }
  void add(int count) {
    for (int i = 0; i < count; ++i) {
      const Slot value = make();
      if (told(value).size() < longest) values.push_back(value);
    }
  }
};

}  // namespace flow::test
