// Values without addresses, for snapshots: the live granules of a heap as pieces in order, and slots that
// name bytes by their place among them, or by the constant of the module they are part of.
//
//   image    pieces, each granules << 2 | kind (of a table: capacity << 2 | kind); then their contents
//   bytes    as they are
//   slots    one after the other
//   table    entries used, whether it is shared, then the slots of the entries; the index is built again
//   slot     tag | form << 4, then what the tag needs. Places are given as the distance from where the bytes
//            of the slot before ended, as that is mostly 0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vm/interp/byte_stream.hpp"
#include "vm/interp/heap.hpp"
#include "vm/interp/marking.hpp"

namespace flow {

class ImageWriter {
 public:
  // `constants` are those of the program that the heap's run belongs to, and hold all texts outside the heap.
  ImageWriter(ByteWriter& out, Marking& marking, std::span<const Slot> constants)
      : out_(out), marking_(marking), constants_(constants) {}

  void write_image();
  void write_slot(const Slot& slot);

 private:
  struct ConstantText {
    std::uintptr_t begin;
    std::uint32_t size;
    std::uint32_t index;
  };
  void write_place(const void* begin, std::size_t size);
  void write_place_in_constant(const void* begin);
  void write_slots(const Slot* slots, std::size_t count);

  ByteWriter& out_;
  Marking& marking_;
  std::span<const Slot> constants_;
  std::vector<ConstantText> constant_texts_;  // by address; made when the first is needed
  std::uint64_t expected_ = 0;
};

// Reads into a heap what an ImageWriter wrote, or what claims to be it: afterwards every slot can be followed
// (its bytes are there, and are bytes, slots or a table as its tag says), whatever the input was. Whether it
// has the type it should have is left to conform.hpp.
class ImageReader {
 public:
  ImageReader(ByteReader& in, std::span<const Slot> constants) : in_(in), constants_(constants) {}

  // Replaces what is in `heap`. False when the image is none or has more than `most_bytes`.
  bool read_image(Heap& heap, std::size_t most_bytes);
  // Nothing when what follows is no slot of this image.
  std::optional<Slot> read_slot();

  const char* begin() const { return begin_; }
  std::size_t granules() const { return granules_; }

 private:
  struct Piece {
    std::size_t begin;  // in bytes of the image
    std::size_t size;
    Marking::Kind kind;
    std::uint32_t capacity;  // of a table
  };
  bool read_directory(std::size_t most_bytes);
  bool read_contents(const Piece& piece);
  bool read_slots(Slot* to, std::size_t count);
  bool read_text(Slot& slot);
  bool read_items(Slot& slot);
  bool read_map(Slot& slot);
  // The piece of this kind that holds [place, place + size), where place is read next; or nullptr.
  const Piece* read_place(Marking::Kind kind, std::int64_t distance, std::size_t size, std::size_t& place);

  ByteReader& in_;
  std::span<const Slot> constants_;
  std::vector<Piece> pieces_;
  char* begin_ = nullptr;
  std::size_t granules_ = 0;
  std::uint64_t expected_ = 0;
};

}  // namespace flow
