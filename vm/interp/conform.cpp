#include "vm/interp/conform.hpp"

#include <algorithm>
#include <cmath>

#include "vm/interp/maps.hpp"

namespace flow {
namespace {

constexpr std::size_t kGranuleBytes = 8;

}  // namespace

std::size_t Conformity::granule_of(const void* pointer) const {
  return static_cast<std::size_t>(static_cast<const char*>(pointer) - begin_) / kGranuleBytes;
}

std::vector<std::uint64_t>& Conformity::seen(TypeId type, bool are_fields) {
  for (Seen& seen : seen_)
    if (seen.type == type && seen.are_fields == are_fields) return seen.granules;
  seen_.push_back({.type = type, .are_fields = are_fields, .granules = {}});
  seen_.back().granules.resize(granules_ / 64 + 1);
  return seen_.back().granules;
}

// Those of the slots that were not looked at as values of this type before.
void Conformity::put_off(const Slot* slots, std::size_t count, TypeId type) {
  if (count == 0) return;
  std::vector<std::uint64_t>& bits = seen(type, false);
  const Slot* begin = slots;
  const auto flush = [&](const Slot* end) {
    if (begin != end) pending_.push_back({.begin = begin, .end = end, .type = type});
    begin = end + 1;
  };
  std::size_t granule = granule_of(slots);
  for (const Slot* slot = slots; slot != slots + count; ++slot, granule += sizeof(Slot) / kGranuleBytes) {
    const std::uint64_t bit = std::uint64_t{1} << granule % 64;
    if ((bits[granule / 64] & bit) != 0) flush(slot);
    bits[granule / 64] |= bit;
  }
  flush(slots + count);
}

bool Conformity::look_at_enum(const Slot& slot, TypeId type) {
  if (slot.tag == Slot::Tag::UnknownEnum) return true;
  return slot.tag == Slot::Tag::Enum && slot.size == type && slot.number >= 0 &&
         static_cast<std::size_t>(slot.number) < types_.enumeration(type).values.size();
}

// At once when nothing is behind it.
bool Conformity::look_at_part(const Slot& slot, TypeId type) {
  const Storage storage = types_.storage(type);
  if (storage != Storage::List && storage != Storage::Map && storage != Storage::Record)
    return look_at(slot, type);
  put_off(&slot, 1, type);
  return true;
}

bool Conformity::look_at_record(const Slot& slot, TypeId type) {
  const auto& fields = types_.record(type).fields;
  if (slot.tag != Slot::Tag::Record || slot.size != fields.size()) return false;
  if (fields.empty()) return true;
  std::vector<std::uint64_t>& bits = seen(type, true);
  const std::size_t granule = granule_of(slot.items);
  const std::uint64_t bit = std::uint64_t{1} << granule % 64;
  if ((bits[granule / 64] & bit) != 0) return true;
  bits[granule / 64] |= bit;
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (!look_at_part(slot.items[i], fields[i].type)) return false;
  return true;
}

bool Conformity::look_at_map(const Slot& slot, TypeId type) {
  if (slot.tag != Slot::Tag::Map) return false;
  if (slot.table == nullptr) return slot.size == 0;
  if (slot.size > slot.table->used) return false;
  const auto [known, is_new] = tables_.try_emplace(slot.table, type);
  if (!is_new) return known->second == type;
  for (std::uint32_t i = 0; i < slot.table->used; ++i) {
    const MapEntry& each = slot.table->entries()[i];
    if (!look_at(each.key, types_[type].key) || !look_at_part(each.value, types_[type].element)) return false;
  }
  return true;
}

bool Conformity::look_at(const Slot& slot, TypeId declared) {
  if (slot.tag == Slot::Tag::Null && types_.is_optional(declared)) return true;
  const TypeId type = types_.without_null(declared);
  const TypeKind kind = types_[type].kind;
  if (kind == TypeKind::Union || kind == TypeKind::Error) return false;  // no register has it
  switch (types_.storage(type)) {
    case Storage::None: return slot.tag == Slot::Tag::Null;
    case Storage::Bool: return slot.tag == Slot::Tag::Bool;
    case Storage::Int: return slot.tag == Slot::Tag::Int && slot.form == form_of(type);
    case Storage::Float: return slot.tag == Slot::Tag::Float && std::isfinite(slot.real);
    case Storage::Text: return slot.tag == Slot::Tag::Text && slot.form == form_of(type);
    case Storage::Json: return slot.tag == Slot::Tag::Json;
    case Storage::Enum: return look_at_enum(slot, type);
    case Storage::Record: return look_at_record(slot, type);
    case Storage::Map: return look_at_map(slot, type);
    case Storage::List:
      if (slot.tag != Slot::Tag::List) return false;
      put_off(slot.items, slot.size, types_[type].element);
      return true;
  }
  return false;
}

bool Conformity::drain() {
  while (!pending_.empty()) {
    const Items items = pending_.back();
    pending_.pop_back();
    for (const Slot* slot = items.begin; slot != items.end; ++slot)
      if (!look_at(*slot, items.type)) return false;
  }
  return true;
}

bool Conformity::has_type(const Slot& value, TypeId type) {
  return look_at(value, type) && drain();
}

}  // namespace flow
