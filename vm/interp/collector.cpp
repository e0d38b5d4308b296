#include "vm/interp/collector.hpp"

#include <cstring>

#include "vm/interp/marking.hpp"

namespace flow {
namespace {

class Mover {
 public:
  Mover(Marking& marking, char* target) : marking_(marking), target_(target) {}

  void move_all() {
    marking_.each_run([&](const char* memory, std::size_t granules, std::size_t ordinal, bool are_slots) {
      char* to = target_ + ordinal * kGranule;
      if (to != memory) std::memmove(to, memory, granules * kGranule);
      if (are_slots) correct({reinterpret_cast<Slot*>(to), granules * kGranule / sizeof(Slot)});
    });
  }
  void correct(std::span<Slot> slots) {
    for (Slot& slot : slots) correct(slot);
  }

 private:
  void correct(Slot& slot) {
    switch (slot.tag) {
      case Slot::Tag::Null:
      case Slot::Tag::Bool:
      case Slot::Tag::Int:
      case Slot::Tag::Float:
      case Slot::Tag::Enum: return;
      case Slot::Tag::Text:
      case Slot::Tag::Json:
      case Slot::Tag::UnknownEnum: slot.bytes = slot.size == 0 ? "" : moved(slot.bytes); return;
      case Slot::Tag::List:
      case Slot::Tag::Record:
        slot.items = slot.size == 0
                         ? nullptr
                         : reinterpret_cast<const Slot*>(moved(reinterpret_cast<const char*>(slot.items)));
        return;
      case Slot::Tag::Map:
        if (slot.table != nullptr)
          slot.table = reinterpret_cast<const MapTable*>(moved(reinterpret_cast<const char*>(slot.table)));
        return;
    }
  }
  const char* moved(const char* bytes) {
    const std::size_t granule = marking_.granule_of(bytes);
    if (granule == Marking::kOutside) return bytes;
    return target_ + marking_.ordinal(granule) * kGranule + Marking::offset_in_granule(bytes);
  }

  Marking& marking_;
  char* const target_;  // where the first live granule goes
};

}  // namespace

Collected collect(Heap& heap, std::span<const std::span<Slot>> roots) {
  Marking marking(heap);
  for (const std::span<Slot> root : roots) marking.add_roots(root);
  marking.number();
  const std::size_t live = marking.live_bytes();
  const char* growing = heap.end_of_last_buffer();
  const bool is_growing = growing != nullptr && marking.is_last_live(growing - 1);
  const std::size_t unused = is_growing ? kGranule - 1 - Marking::offset_in_granule(growing - 1) : 0;
  char* target = heap.slide_target(live);
  Memory memory;
  if (target == nullptr) {
    memory = take_memory(heap.size_for(live));
    target = memory.get();
  }
  Mover mover(marking, target);
  mover.move_all();
  for (const std::span<Slot> root : roots) mover.correct(root);
  if (memory)
    heap.replace(std::move(memory), heap.size_for(live), live);
  else
    heap.keep_slid(live, is_growing, unused);
  return {.live_bytes = live, .fuel = marking.fuel()};
}

}  // namespace flow
