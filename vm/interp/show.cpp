#include "vm/interp/show.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "vm/interp/maps.hpp"
#include "vm/interp/print.hpp"

namespace flow {
namespace {

constexpr int kDeepest = 16;
constexpr std::size_t kShortestText = 24;  // of each text something is shown

std::string_view beginning(std::string_view text, std::size_t most_bytes) {
  if (text.size() <= most_bytes) return text;
  while (most_bytes > 0 && (static_cast<unsigned char>(text[most_bytes]) & 0xc0) == 0x80) --most_bytes;
  return text.substr(0, most_bytes);
}

class Writer {
 public:
  Writer(const TypeTable& types, std::size_t most_bytes) : types_(types), most_bytes_(most_bytes) {}

  void write(std::optional<TypeId> type, Slot value, int depth) {
    if (depth > kDeepest) {
      out_ += "…";
      return;
    }
    if (type) type = types_.without_null(*type);
    switch (value.tag) {
      case Slot::Tag::Null: out_ += "null"; break;
      case Slot::Tag::Text: write_text(value); break;
      case Slot::Tag::Json: write_cut(value.view()); break;
      case Slot::Tag::UnknownEnum: write_quoted(value.view()); break;
      case Slot::Tag::List: write_list(type, value, depth); break;
      case Slot::Tag::Map: write_map(type, value, depth); break;
      case Slot::Tag::Record: write_record(type, value, depth); break;
      default: append_text(out_, types_, value);
    }
  }
  std::string take() { return std::move(out_); }

 private:
  std::size_t room() const {
    return out_.size() >= most_bytes_ ? kShortestText : std::max(kShortestText, most_bytes_ - out_.size());
  }
  void write_cut(std::string_view text) {
    const std::string_view shown = beginning(text, room());
    out_ += shown;
    if (shown.size() < text.size()) out_ += "…";
  }
  void write_quoted(std::string_view text) {
    const std::string_view shown = beginning(text, room());
    append_json_quoted(out_, shown);
    if (shown.size() < text.size()) out_ += "…";
  }
  void write_text(Slot value) {
    if (value.form == Form::Secret)
      out_ += "secret";
    else
      write_quoted(value.view());
  }
  // `write_part(i)` for each of `count` parts while there is room.
  template <class WritePart>
  void write_parts(std::uint32_t count, WritePart write_part) {
    for (std::uint32_t i = 0; i < count; ++i) {
      if (i > 0) out_ += ", ";
      if (i > 0 && out_.size() >= most_bytes_) {
        out_ += fmt::format("… {} more", count - i);
        return;
      }
      write_part(i);
    }
  }
  std::optional<TypeId> element(std::optional<TypeId> type, TypeKind kind) const {
    return type && types_.is(*type, kind) ? std::optional(types_[*type].element) : std::nullopt;
  }
  void write_list(std::optional<TypeId> type, Slot value, int depth) {
    out_ += '[';
    write_parts(value.size,
                [&](std::uint32_t i) { write(element(type, TypeKind::List), value.items[i], depth + 1); });
    out_ += ']';
  }
  void write_map(std::optional<TypeId> type, Slot value, int depth) {
    out_ += '{';
    write_parts(value.size, [&](std::uint32_t i) {
      const MapEntry& entry = map_entry(value, i);
      write(std::nullopt, entry.key, depth + 1);
      out_ += ": ";
      write(element(type, TypeKind::Map), entry.value, depth + 1);
    });
    out_ += '}';
  }
  void write_record(std::optional<TypeId> type, Slot value, int depth) {
    const RecordType* record = type && types_.is(*type, TypeKind::Record) ? &types_.record(*type) : nullptr;
    if (record != nullptr && record->fields.size() != value.size) record = nullptr;
    if (record != nullptr && !record->name.empty()) out_ += record->name + " ";
    out_ += '{';
    write_parts(value.size, [&](std::uint32_t i) {
      if (record != nullptr) out_ += record->fields[i].name + ": ";
      write(record == nullptr ? std::nullopt : std::optional(record->fields[i].type), value.items[i],
            depth + 1);
    });
    out_ += '}';
  }

  const TypeTable& types_;
  const std::size_t most_bytes_;
  std::string out_;
};

}  // namespace

std::string shown_value(const TypeTable& types, std::optional<TypeId> type, Slot value,
                        std::size_t most_bytes) {
  Writer writer(types, most_bytes);
  writer.write(type, value, 0);
  return writer.take();
}

}  // namespace flow
