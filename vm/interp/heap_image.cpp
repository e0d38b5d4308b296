#include "vm/interp/heap_image.hpp"

#include <algorithm>
#include <functional>

#include "base/result.hpp"
#include "vm/interp/maps.hpp"

namespace flow {
namespace {

std::uintptr_t address(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

bool holds_text(const Slot& slot) {
  return slot.tag == Slot::Tag::Text || slot.tag == Slot::Tag::Json || slot.tag == Slot::Tag::UnknownEnum;
}

// The bytes of one value begin where those before ended, at the next granule.
std::uint64_t after(std::uint64_t place, std::size_t size) {
  return (place + size + kGranule - 1) / kGranule * kGranule;
}

}  // namespace

// --- writing ---

void ImageWriter::write_image() {
  struct Piece {
    Marking::Kind kind;
    const char* memory;
    std::size_t granules;
  };
  std::vector<Piece> pieces;
  std::vector<std::uint64_t> directory;  // joins what only the end of a chunk kept apart
  marking_.each_piece([&](Marking::Kind kind, const char* memory, std::size_t granules) {
    const bool is_table = kind == Marking::Kind::Table;
    if (!is_table && !pieces.empty() && pieces.back().kind == kind)
      directory.back() += granules << 2;
    else
      directory.push_back((is_table ? reinterpret_cast<const MapTable*>(memory)->capacity : granules) << 2 |
                          static_cast<std::uint64_t>(kind));
    pieces.push_back({.kind = kind, .memory = memory, .granules = granules});
  });
  out_.number(directory.size());
  for (const std::uint64_t entry : directory) out_.number(entry);
  for (const Piece& piece : pieces) {
    switch (piece.kind) {
      case Marking::Kind::Bytes: out_.bytes({piece.memory, piece.granules * kGranule}); break;
      case Marking::Kind::Slots:
        write_slots(reinterpret_cast<const Slot*>(piece.memory), piece.granules * kGranule / sizeof(Slot));
        break;
      case Marking::Kind::Table: {
        const auto* table = reinterpret_cast<const MapTable*>(piece.memory);
        out_.number(std::uint64_t{table->used} << 1 | table->is_shared);
        write_slots(&table->entries()->key, 2 * std::size_t{table->used});
        break;
      }
    }
  }
}

void ImageWriter::write_slots(const Slot* slots, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) write_slot(slots[i]);
}

void ImageWriter::write_slot(const Slot& slot) {
  const auto tag = static_cast<unsigned>(slot.tag);
  out_.byte(static_cast<std::uint8_t>(
      tag | (slot.tag == Slot::Tag::Bool ? static_cast<unsigned>(slot.number != 0)
             : slot.tag == Slot::Tag::Int || slot.tag == Slot::Tag::Text ? static_cast<unsigned>(slot.form)
                                                                         : 0u)
                << 4));
  switch (slot.tag) {
    case Slot::Tag::Null:
    case Slot::Tag::Bool: return;
    case Slot::Tag::Int: return out_.signed_number(slot.number);
    case Slot::Tag::Float: return out_.fixed64(std::bit_cast<std::uint64_t>(slot.real));
    case Slot::Tag::Enum: out_.number(slot.size); return out_.number(static_cast<std::uint64_t>(slot.number));
    case Slot::Tag::Text:
    case Slot::Tag::Json:
    case Slot::Tag::UnknownEnum:
      out_.number(slot.size);
      if (slot.size > 0) write_place(slot.bytes, slot.size);
      return;
    case Slot::Tag::List:
    case Slot::Tag::Record:
      out_.number(slot.size);
      if (slot.size > 0) write_place(slot.items, slot.size * sizeof(Slot));
      return;
    case Slot::Tag::Map:
      out_.number(std::uint64_t{slot.size} << 1 | (slot.table != nullptr ? 1u : 0u));
      if (slot.table != nullptr) write_place(slot.table, slot.table->bytes());
      return;
  }
}

void ImageWriter::write_place(const void* begin, std::size_t size) {
  const std::size_t granule = marking_.granule_of(begin);
  if (granule == Marking::kOutside) return write_place_in_constant(begin);
  const std::uint64_t place = marking_.ordinal(granule) * kGranule + Marking::offset_in_granule(begin);
  const auto distance = static_cast<std::int64_t>(place - expected_);
  out_.number(((static_cast<std::uint64_t>(distance) << 1) ^ static_cast<std::uint64_t>(distance >> 63))
              << 1);
  expected_ = after(place, size);
}

void ImageWriter::write_place_in_constant(const void* begin) {
  if (constant_texts_.empty()) {
    for (std::uint32_t i = 0; i < constants_.size(); ++i)
      if (holds_text(constants_[i]) && constants_[i].size > 0)
        constant_texts_.push_back(
            {.begin = address(constants_[i].bytes), .size = constants_[i].size, .index = i});
    std::ranges::sort(constant_texts_, std::less<>(), &ConstantText::begin);
  }
  const auto behind =
      std::ranges::upper_bound(constant_texts_, address(begin), std::less<>(), &ConstantText::begin);
  FLOW_CHECK(behind != constant_texts_.begin(), "what is outside the heap is a constant");
  const ConstantText& constant = *std::prev(behind);
  const std::uintptr_t offset = address(begin) - constant.begin;
  FLOW_CHECK(offset < constant.size, "what is outside the heap is a constant");
  out_.number(std::uint64_t{constant.index} << 1 | 1);
  out_.number(offset);
}

// --- reading ---

bool ImageReader::read_directory(std::size_t most_bytes) {
  const std::size_t count = in_.number_up_to(in_.left());
  std::size_t place = 0, least_input = 0;
  for (std::size_t i = 0; i < count && in_.is_good(); ++i) {
    const std::uint64_t value = in_.number();
    const unsigned kind = value & 3;
    const std::uint64_t size = value >> 2;
    if (kind > static_cast<unsigned>(Marking::Kind::Table) || size == 0 || size > most_bytes / kGranule)
      return false;
    Piece piece{
        .begin = place, .size = size * kGranule, .kind = static_cast<Marking::Kind>(kind), .capacity = 0};
    switch (piece.kind) {
      case Marking::Kind::Bytes: least_input += piece.size; break;
      case Marking::Kind::Slots:
        if (piece.size % sizeof(Slot) != 0) return false;
        least_input += piece.size / sizeof(Slot);
        break;
      case Marking::Kind::Table:
        piece.capacity = static_cast<std::uint32_t>(size);
        piece.size = MapTable::bytes_for(piece.capacity);
        break;
    }
    if (piece.size > most_bytes - place || least_input > in_.left()) return false;
    place += piece.size;
    pieces_.push_back(piece);
  }
  granules_ = place / kGranule;
  return in_.is_good();
}

bool ImageReader::read_image(Heap& heap, std::size_t most_bytes) {
  if (!read_directory(most_bytes)) return false;
  const std::size_t live = granules_ * kGranule;
  const std::size_t size = live + 1024;  // most runs that waited end soon
  Memory memory = take_memory(size);
  begin_ = memory.get();
  for (const Piece& piece : pieces_)
    if (!read_contents(piece)) return false;
  // Keys are looked at when all texts are there.
  for (const Piece& piece : pieces_)
    if (piece.kind == Marking::Kind::Table &&
        !rebuild_index(*reinterpret_cast<MapTable*>(begin_ + piece.begin)))
      return false;
  heap.replace(std::move(memory), size, live);
  return true;
}

bool ImageReader::read_contents(const Piece& piece) {
  char* to = begin_ + piece.begin;
  switch (piece.kind) {
    case Marking::Kind::Bytes: {
      const std::string_view bytes = in_.bytes(piece.size);
      if (!in_.is_good()) return false;
      std::memcpy(to, bytes.data(), bytes.size());
      return true;
    }
    case Marking::Kind::Slots: return read_slots(reinterpret_cast<Slot*>(to), piece.size / sizeof(Slot));
    case Marking::Kind::Table: {
      auto* table = reinterpret_cast<MapTable*>(to);
      const std::uint64_t head = in_.number_up_to(std::uint64_t{piece.capacity} << 1 | 1);
      *table = {.capacity = piece.capacity,
                .used = static_cast<std::uint32_t>(head >> 1),
                .index_size = 0,
                .is_shared = static_cast<std::uint32_t>(head & 1)};
      return read_slots(&table->entries()->key, 2 * std::size_t{table->used});
    }
  }
  return false;
}

bool ImageReader::read_slots(Slot* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::optional<Slot> slot = read_slot();
    if (!slot) return false;
    to[i] = *slot;
  }
  return true;
}

std::optional<Slot> ImageReader::read_slot() {
  const std::uint8_t head = in_.byte();
  const unsigned form = head >> 4;
  if (!in_.is_good() || (head & 15) > static_cast<unsigned>(Slot::Tag::Record) ||
      form > static_cast<unsigned>(Form::Secret))
    return {};
  Slot slot = Slot::null();
  slot.tag = static_cast<Slot::Tag>(head & 15);
  bool is_right = form == 0;
  switch (slot.tag) {
    case Slot::Tag::Null: break;
    case Slot::Tag::Bool:
      is_right = form <= 1;
      slot.number = form;
      break;
    case Slot::Tag::Int:
      is_right = true;
      slot = Slot::integer(in_.signed_number(), static_cast<Form>(form));
      break;
    case Slot::Tag::Float: slot.real = std::bit_cast<double>(in_.fixed64()); break;
    case Slot::Tag::Enum:
      slot.size = static_cast<std::uint32_t>(in_.number_up_to(0xffff'ffff));
      slot.number = static_cast<std::int64_t>(in_.number_up_to(0xffff'ffff));
      break;
    case Slot::Tag::Text:
      slot.form = static_cast<Form>(form);
      is_right = read_text(slot);
      break;
    case Slot::Tag::Json:
    case Slot::Tag::UnknownEnum: is_right = is_right && read_text(slot); break;
    case Slot::Tag::List:
    case Slot::Tag::Record: is_right = is_right && read_items(slot); break;
    case Slot::Tag::Map: is_right = is_right && read_map(slot); break;
  }
  if (!is_right || !in_.is_good()) return {};
  return slot;
}

const ImageReader::Piece* ImageReader::read_place(Marking::Kind kind, std::int64_t distance, std::size_t size,
                                                  std::size_t& place) {
  place = expected_ + static_cast<std::uint64_t>(distance);
  if (place >= granules_ * kGranule) return nullptr;
  const auto behind = std::ranges::upper_bound(pieces_, place, std::less<>(), &Piece::begin);
  const Piece& piece = *std::prev(behind);  // the first begins at 0
  if (piece.kind != kind || size > piece.size - (place - piece.begin)) return nullptr;
  expected_ = after(place, size);
  return &piece;
}

namespace {

std::int64_t distance_of(std::uint64_t place) {
  return static_cast<std::int64_t>((place >> 2) ^ (0 - (place >> 1 & 1)));
}

}  // namespace

bool ImageReader::read_text(Slot& slot) {
  slot.size = static_cast<std::uint32_t>(in_.number_up_to(0xffff'ffff));
  slot.bytes = "";
  if (slot.size == 0) return true;
  const std::uint64_t where = in_.number();
  if ((where & 1) == 0) {
    std::size_t place = 0;
    if (read_place(Marking::Kind::Bytes, distance_of(where), slot.size, place) == nullptr) return false;
    slot.bytes = begin_ + place;
    return true;
  }
  const std::uint64_t offset = in_.number();
  if (where >> 1 >= constants_.size()) return false;
  const Slot& constant = constants_[where >> 1];
  if (!holds_text(constant) || offset > constant.size || slot.size > constant.size - offset) return false;
  slot.bytes = constant.bytes + offset;
  return true;
}

bool ImageReader::read_items(Slot& slot) {
  slot.size = static_cast<std::uint32_t>(in_.number_up_to(0xffff'ffff));
  slot.items = nullptr;
  if (slot.size == 0) return true;
  std::size_t place = 0;
  const std::uint64_t where = in_.number();
  if ((where & 1) != 0) return false;
  const Piece* piece = read_place(Marking::Kind::Slots, distance_of(where), slot.size * sizeof(Slot), place);
  if (piece == nullptr || (place - piece->begin) % sizeof(Slot) != 0) return false;
  slot.items = reinterpret_cast<const Slot*>(begin_ + place);
  return true;
}

// How many entries the table has is not known before it was read: conform.hpp compares.
bool ImageReader::read_map(Slot& slot) {
  const std::uint64_t head = in_.number_up_to(0x1'ffff'ffff);
  slot = Slot::map(nullptr, static_cast<std::uint32_t>(head >> 1));
  if ((head & 1) == 0) return slot.size == 0;
  std::size_t place = 0;
  const std::uint64_t where = in_.number();
  if ((where & 1) != 0) return false;
  const auto distance = distance_of(where);
  const Piece* piece = read_place(Marking::Kind::Table, distance, sizeof(MapTable), place);
  if (piece == nullptr || place != piece->begin || slot.size > piece->capacity) return false;
  expected_ = piece->begin + piece->size;
  slot.table = reinterpret_cast<const MapTable*>(begin_ + place);
  return true;
}

}  // namespace flow
