// Instructions on lists and maps. Each takes what memory it needs before it changes anything, so that it can
// be executed again after a collection.
#include <algorithm>
#include <bit>
#include <numeric>
#include <vector>

#include "vm/interp/maps.hpp"
#include "vm/interp/state.hpp"

namespace flow {
namespace {

bool equal(const Slot& a, const Slot& b) {
  if (a.tag != b.tag) return false;
  switch (a.tag) {
    case Slot::Tag::Float: return a.real == b.real;
    case Slot::Tag::Text:
    case Slot::Tag::UnknownEnum: return a.view() == b.view();
    default: return a.number == b.number;  // Bool, Int, Enum
  }
}

// Whether key `a` comes before `b`, of one type. Unknown values of an enum come last, all alike.
bool comes_before(const Slot& a, const Slot& b) {
  switch (a.tag) {
    case Slot::Tag::Float: return a.real < b.real;
    case Slot::Tag::Text: return a.view() < b.view();
    case Slot::Tag::UnknownEnum: return false;
    default: return b.tag == Slot::Tag::UnknownEnum || a.number < b.number;
  }
}

std::uint64_t text_bytes(const Slot& slot) {
  return slot.tag == Slot::Tag::Text || slot.tag == Slot::Tag::UnknownEnum ? slot.size : 0;
}

// As a key of a map, whose keys are no Floats: equal ones have equal bits but for the two zeros.
Slot key_for(const Slot& item) {
  if (item.tag != Slot::Tag::Float) return item;
  return Slot::integer(std::bit_cast<std::int64_t>(item.real == 0 ? 0.0 : item.real));
}

}  // namespace

Slot* Machine::State::new_items(std::size_t count) {
  if (count > limits.list_items) return too_large("a list", limits.list_items), nullptr;
  Slot* items = heap.allocate_slots(count);
  if (items == nullptr) out_of_memory();
  return items;
}

bool Machine::State::new_list(Instruction i) {
  Slot* items = new_items(i.c);
  if (items == nullptr) return false;
  std::copy_n(&r(i.b), i.c, items);
  r(i.a) = Slot::with_items(Slot::Tag::List, items, i.c);
  return true;
}

bool Machine::State::contains(Instruction i) {
  const Slot list = r(i.b), wanted = r(i.c);
  bool is_found = false;
  for (std::uint32_t k = 0; k < list.size && !is_found; ++k) {
    const Slot& item = list.items[k];
    if (!spend(1 + std::min(text_bytes(item), text_bytes(wanted)) / kBytesPerFuel)) return false;
    is_found = equal(item, wanted);
  }
  r(i.a) = Slot::boolean(is_found);
  return true;
}

bool Machine::State::append(Instruction i) {
  Slot& list = r(i.a);
  const Slot item = r(i.b);
  if (list.size >= limits.list_items) return too_large("a list", limits.list_items);
  const std::size_t used = heap.used();
  Slot* items = heap.extend_slots(list.items, list.size, 1);
  if (items == nullptr) return out_of_memory();
  if (heap.used() != used && !spend(list.size)) return false;  // it was copied
  items[list.size] = item;
  list.items = items;
  ++list.size;
  return true;
}

bool Machine::State::join_lists(Instruction i) {
  const Slot first = r(i.b), second = r(i.c);
  const std::size_t count = std::size_t{first.size} + second.size;
  if (count > limits.list_items) return too_large("a list", limits.list_items);
  if (!spend(second.size)) return false;
  const std::size_t used = heap.used();
  Slot* items = heap.extend_slots(first.items, first.size, second.size);
  if (items == nullptr) return out_of_memory();
  if (heap.used() != used && !spend(first.size)) return false;
  std::copy_n(second.items, second.size, items + first.size);
  r(i.a) = Slot::with_items(Slot::Tag::List, items, count);
  return true;
}

bool Machine::State::slice(Instruction i) {
  const Slot list = r(i.b);
  const std::int64_t size = list.size;
  const std::int64_t from = std::clamp<std::int64_t>(r(i.c).number, 0, size);
  const std::int64_t to = std::clamp<std::int64_t>(r(i.c + 1u).number, from, size);
  r(i.a) = Slot::with_items(Slot::Tag::List, list.items + from, static_cast<std::size_t>(to - from));
  return true;
}

bool Machine::State::reverse(Instruction i) {
  const Slot list = r(i.b);
  Slot* items = spend(list.size) ? new_items(list.size) : nullptr;
  if (items == nullptr) return false;
  std::reverse_copy(list.items, list.items + list.size, items);
  r(i.a) = Slot::with_items(Slot::Tag::List, items, list.size);
  return true;
}

// Sorting n keys compares about n log n times, each as long as the longest text.
bool Machine::State::sort_by(Instruction i) {
  const Slot list = r(i.b), keys = r(i.c);
  if (list.size != keys.size) return raise(FaultKind::InvalidValue, "there are not as many keys as items");
  std::uint64_t longest = 0;
  for (std::uint32_t k = 0; k < keys.size; ++k) longest = std::max(longest, text_bytes(keys.items[k]));
  const std::uint64_t rounds = static_cast<std::uint64_t>(std::bit_width(list.size)) + 1;
  if (!spend(list.size * rounds * (1 + longest / kBytesPerFuel))) return false;
  Slot* items = new_items(list.size);
  if (items == nullptr) return false;
  const Slot::Tag first = list.size == 0 ? Slot::Tag::Int : keys.items[0].tag;
  // Equal Ints and equal texts cannot be told apart; the two zeros and unknown values of an enum can.
  if (list.items == keys.items && (first == Slot::Tag::Int || first == Slot::Tag::Text)) {
    std::copy_n(list.items, list.size, items);
    if (first == Slot::Tag::Int)
      std::sort(items, items + list.size, [](const Slot& a, const Slot& b) { return a.number < b.number; });
    else
      std::sort(items, items + list.size, comes_before);
  } else {
    std::vector<std::uint32_t> order(list.size);
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return comes_before(keys.items[a], keys.items[b]);
    });
    for (std::uint32_t k = 0; k < list.size; ++k) items[k] = list.items[order[k]];
  }
  r(i.a) = Slot::with_items(Slot::Tag::List, items, list.size);
  return true;
}

// A map with the items as keys finds those that were there before.
bool Machine::State::distinct(Instruction i) {
  const Slot list = r(i.b);
  std::uint64_t bytes = 0;
  for (std::uint32_t k = 0; k < list.size; ++k) bytes += text_bytes(list.items[k]);
  if (!spend(list.size + bytes / kBytesPerFuel)) return false;
  Slot* items = new_items(list.size);
  if (items == nullptr) return false;
  std::size_t count = 0;
  Slot seen = empty_map();
  for (std::uint32_t k = 0; k < list.size; ++k) {
    const MapChange change = map_set(heap, seen, key_for(list.items[k]), Slot::null());
    if (!change.is_done) return out_of_memory();
    if (change.map.size != seen.size) items[count++] = list.items[k];
    seen = change.map;
  }
  r(i.a) = Slot::with_items(Slot::Tag::List, items, count);
  return true;
}

// First which group each item belongs to, and how large the groups are; then all items side by side, group
// after group, of which each list is a part.
bool Machine::State::group_by(Instruction i) {
  const Slot list = r(i.b), keys = r(i.c);
  if (list.size != keys.size) return raise(FaultKind::InvalidValue, "there are not as many keys as items");
  std::uint64_t bytes = 0;
  for (std::uint32_t k = 0; k < keys.size; ++k) bytes += text_bytes(keys.items[k]);
  if (!spend(3 * std::uint64_t{list.size} + bytes / kBytesPerFuel)) return false;
  Slot* items = new_items(list.size);
  if (items == nullptr) return false;
  std::vector<std::uint32_t> group_of(list.size), sizes;
  Slot map = empty_map();
  for (std::uint32_t k = 0; k < list.size; ++k) {
    const Slot key = keys.items[k];
    const Slot* known = map_find(map, key);
    group_of[k] = known != nullptr ? static_cast<std::uint32_t>(known->number)
                                   : static_cast<std::uint32_t>(sizes.size());
    if (known == nullptr) {
      sizes.push_back(0);
      const MapChange change = map_set(heap, map, key, Slot::integer(group_of[k]));
      if (!change.is_done) return out_of_memory();
      map = change.map;
    }
    ++sizes[group_of[k]];
  }
  std::vector<Slot*> next(sizes.size());
  Slot* begin = items;
  for (std::uint32_t group = 0; group < sizes.size(); begin += sizes[group++]) next[group] = begin;
  for (std::uint32_t k = 0; k < list.size; ++k) *next[group_of[k]]++ = list.items[k];
  for (std::uint32_t group = 0; group < sizes.size(); ++group) {
    const Slot part = Slot::with_items(Slot::Tag::List, next[group] - sizes[group], sizes[group]);
    const MapChange change = map_set(heap, map, map_entry(map, group).key, part);
    if (!change.is_done) return out_of_memory();
    map = change.map;
  }
  r(i.a) = map;
  return true;
}

bool Machine::State::join_texts(Instruction i) {
  const Slot list = r(i.b);
  const std::string_view between = r(i.c).view();
  if (!spend(list.size)) return false;
  std::size_t size = list.size == 0 ? 0 : between.size() * (list.size - 1);
  for (std::uint32_t k = 0; k < list.size; ++k) size += list.items[k].size;
  if (size > limits.text_bytes) return too_large("a text", limits.text_bytes);
  if (!spend(size / kBytesPerFuel)) return false;
  char* joined = new_text(size);
  if (joined == nullptr) return false;
  char* next = joined;
  for (std::uint32_t k = 0; k < list.size; ++k) {
    if (k > 0) next = std::ranges::copy(between, next).out;
    next = std::ranges::copy(list.items[k].view(), next).out;
  }
  r(i.a) = Slot::text({joined, size});
  return true;
}

bool Machine::State::range(Instruction i) {
  const std::int64_t from = r(i.b).number, to = r(i.c).number;
  const std::uint64_t count =
      to > from ? static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from) : 0;
  if (count > limits.list_items) return too_large("a list", limits.list_items);
  Slot* items = spend(count) ? new_items(count) : nullptr;
  if (items == nullptr) return false;
  for (std::uint64_t k = 0; k < count; ++k) items[k] = Slot::integer(from + static_cast<std::int64_t>(k));
  r(i.a) = Slot::with_items(Slot::Tag::List, items, count);
  return true;
}

// --- maps ---

bool Machine::State::get_key(Instruction i) {
  const Slot key = r(i.c);
  if (!spend(text_bytes(key) / kBytesPerFuel)) return false;
  const Slot* found = map_find(r(i.b), key);
  if (i.op == Op::HasKey)
    r(i.a) = Slot::boolean(found != nullptr);
  else
    r(i.a) = found == nullptr ? Slot::null() : *found;
  return true;
}

bool Machine::State::set_key(Instruction i) {
  const Slot map = r(i.a), key = r(i.b), value = r(i.c);
  if (!spend(text_bytes(key) / kBytesPerFuel)) return false;
  if (map.size >= limits.list_items && map_find(map, key) == nullptr)
    return too_large("a map", limits.list_items);
  const MapChange change = map_set(heap, map, key, value);
  if (!change.is_done) return out_of_memory();
  r(i.a) = change.map;
  return spend(change.copied);
}

bool Machine::State::entries(Instruction i) {
  const Slot map = r(i.b);
  Slot* items = spend(map.size) ? new_items(map.size) : nullptr;
  if (items == nullptr) return false;
  for (std::uint32_t k = 0; k < map.size; ++k) {
    const MapEntry& entry = map_entry(map, k);
    items[k] = i.op == Op::Keys ? entry.key : entry.value;
  }
  r(i.a) = Slot::with_items(Slot::Tag::List, items, map.size);
  return true;
}

bool Machine::State::on_lists(Instruction i) {
  switch (i.op) {
    case Op::NewList: return new_list(i);
    case Op::Contains: return contains(i);
    case Op::Append: return append(i);
    case Op::JoinLists: return join_lists(i);
    case Op::Slice: return slice(i);
    case Op::Reverse: return reverse(i);
    case Op::SortBy: return sort_by(i);
    case Op::Distinct: return distinct(i);
    case Op::GroupBy: return group_by(i);
    case Op::JoinTexts: return join_texts(i);
    case Op::Range: return range(i);
    case Op::GetKey:
    case Op::HasKey: return get_key(i);
    case Op::SetKey: return set_key(i);
    default: return entries(i);  // Keys, Values
  }
}

}  // namespace flow
