#include "vm/interp/print.hpp"

#include <charconv>

#include "base/text.hpp"
#include "vm/interp/maps.hpp"

namespace flow {
namespace {

constexpr int kMaxDepth = 64;

template <class Number>
void append_number(std::string& out, Number value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

std::string_view spelling_of(const TypeTable& types, Slot value) {
  if (value.tag == Slot::Tag::UnknownEnum) return value.view();
  return types.enumeration(value.size).values[static_cast<std::size_t>(value.number)];
}

std::string int_text(Slot value) {
  if (value.form == Form::Time) return format_time_us(value.number);
  if (value.form == Form::Duration) return format_duration_us(value.number);
  std::string text;
  append_number(text, value.number);
  return text;
}

// A double-quoted KQL string, in which a backslash escapes.
void append_kql_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

// Kusto counts time spans in ticks of 100 ns.
void append_kql_int(std::string& out, Slot value) {
  switch (value.form) {
    case Form::Time: out += "datetime(" + format_time_us(value.number) + ")"; break;
    case Form::Duration:
      out += "(1microsecond*long(";
      append_number(out, value.number);
      out += "))";
      break;
    default:
      out += "long(";
      append_number(out, value.number);
      out += ")";
  }
}

void append_kql_list(std::string& out, const TypeTable& types, Slot list) {
  out += "dynamic([";
  for (std::uint32_t i = 0; i < list.size; ++i) {
    const Slot item = list.items[i];
    if (i > 0) out += ", ";
    switch (item.tag) {
      case Slot::Tag::Bool: out += item.number != 0 ? "true" : "false"; break;
      case Slot::Tag::Float: append_number(out, item.real); break;
      case Slot::Tag::Text: append_kql_string(out, item.view()); break;
      case Slot::Tag::Enum:
      case Slot::Tag::UnknownEnum: append_kql_string(out, spelling_of(types, item)); break;
      case Slot::Tag::Int:
        if (item.form == Form::Plain)
          append_number(out, item.number);
        else
          append_kql_string(out, int_text(item));
        break;
      default: out += "null";
    }
  }
  out += "])";
}

// The member of a union that a value belongs to.
TypeId member_for(const TypeTable& types, TypeId union_type, Slot value) {
  const auto fits = [&](TypeId member) {
    switch (types.storage(member)) {
      case Storage::None: return value.tag == Slot::Tag::Null;
      case Storage::Bool: return value.tag == Slot::Tag::Bool;
      case Storage::Int: return value.tag == Slot::Tag::Int;
      case Storage::Float: return value.tag == Slot::Tag::Float;
      case Storage::Text: return value.tag == Slot::Tag::Text;
      case Storage::Json: return value.tag == Slot::Tag::Json;
      case Storage::Enum: return value.tag == Slot::Tag::Enum || value.tag == Slot::Tag::UnknownEnum;
      case Storage::List: return value.tag == Slot::Tag::List;
      case Storage::Map: return value.tag == Slot::Tag::Map;
      case Storage::Record: return value.tag == Slot::Tag::Record;
    }
    return false;
  };
  for (const TypeId member : types.members(union_type))
    if (fits(member)) return member;
  return types.members(union_type).front();
}

class JsonWriter {
 public:
  JsonWriter(std::string& out, const TypeTable& types, std::size_t max_bytes)
      : out_(out), types_(types), max_bytes_(max_bytes) {}

  // Why `write` gave false.
  JsonWritten result() const {
    return out_.size() > max_bytes_ ? JsonWritten::TooLarge : JsonWritten::TooDeep;
  }

  bool write(TypeId declared, Slot value, bool is_in_union, int depth) {
    if (depth > kMaxDepth || out_.size() > max_bytes_) return false;
    TypeId type = types_.without_null(declared);
    if (types_.is(type, TypeKind::Union)) {
      type = types_.without_null(member_for(types_, type, value));
      is_in_union = true;
    }
    switch (value.tag) {
      case Slot::Tag::Null: out_ += "null"; return true;
      case Slot::Tag::Bool: out_ += value.number != 0 ? "true" : "false"; return true;
      case Slot::Tag::Int:
        if (value.form == Form::Plain)
          append_number(out_, value.number);
        else
          append_json_quoted(out_, int_text(value));
        return true;
      case Slot::Tag::Float: append_number(out_, value.real); return true;
      case Slot::Tag::Text: write_text(value, is_in_union); return true;
      case Slot::Tag::Json: out_ += value.view(); return true;
      case Slot::Tag::Enum:
      case Slot::Tag::UnknownEnum: append_json_quoted(out_, spelling_of(types_, value)); return true;
      case Slot::Tag::List: return write_list(type, value, is_in_union, depth);
      case Slot::Tag::Map: return write_map(type, value, depth);
      case Slot::Tag::Record: return write_record(type, value, depth);
    }
    return false;
  }

 private:
  void write_text(Slot value, bool is_in_union) {
    const char* mark = value.form == Form::Secret ? "$secret"
                       : !is_in_union             ? nullptr
                       : value.form == Form::Html ? "$html"
                       : value.form == Form::Kql  ? "$kql"
                                                  : nullptr;
    if (mark != nullptr) out_ += std::string("{\"") + mark + "\":";
    append_json_quoted(out_, value.view());
    if (mark != nullptr) out_ += '}';
  }
  bool write_list(TypeId type, Slot value, bool is_in_union, int depth) {
    out_ += '[';
    for (std::uint32_t i = 0; i < value.size; ++i) {
      if (i > 0) out_ += ',';
      if (!write(types_[type].element, value.items[i], is_in_union, depth + 1)) return false;
    }
    out_ += ']';
    return true;
  }
  bool write_map(TypeId type, Slot value, int depth) {
    out_ += '{';
    for (std::uint32_t i = 0; i < value.size; ++i) {
      const MapEntry& entry = map_entry(value, i);
      if (i > 0) out_ += ',';
      std::string key;
      append_text(key, types_, entry.key);
      append_json_quoted(out_, key);
      out_ += ':';
      if (!write(types_[type].element, entry.value, false, depth + 1)) return false;
    }
    out_ += '}';
    return true;
  }
  bool write_record(TypeId type, Slot value, int depth) {
    const auto& fields = types_.record(type).fields;
    out_ += '{';
    for (std::uint32_t i = 0; i < value.size; ++i) {
      if (i > 0) out_ += ',';
      append_json_quoted(out_, fields[i].wire);
      out_ += ':';
      if (!write(fields[i].type, value.items[i], false, depth + 1)) return false;
    }
    out_ += '}';
    return true;
  }

  std::string& out_;
  const TypeTable& types_;
  const std::size_t max_bytes_;
};

}  // namespace

void append_text(std::string& out, const TypeTable& types, Slot value) {
  switch (value.tag) {
    case Slot::Tag::Bool: out += value.number != 0 ? "true" : "false"; break;
    case Slot::Tag::Int: out += int_text(value); break;
    case Slot::Tag::Float: append_number(out, value.real); break;
    case Slot::Tag::Text:
    case Slot::Tag::Json: out += value.view(); break;
    case Slot::Tag::Enum:
    case Slot::Tag::UnknownEnum: out += spelling_of(types, value); break;
    default: out += "(unknown)";
  }
}

void append_kql_literal(std::string& out, const TypeTable& types, Slot value) {
  switch (value.tag) {
    case Slot::Tag::Bool: out += value.number != 0 ? "true" : "false"; break;
    case Slot::Tag::Int: append_kql_int(out, value); break;
    case Slot::Tag::Float:
      out += "real(";
      append_number(out, value.real);
      out += ')';
      break;
    case Slot::Tag::List: append_kql_list(out, types, value); break;
    default: append_kql_string(out, value.tag == Slot::Tag::Text ? value.view() : spelling_of(types, value));
  }
}

JsonWritten append_json(std::string& out, const TypeTable& types, TypeId type, Slot value,
                        std::size_t max_bytes) {
  JsonWriter writer(out, types, max_bytes);
  if (!writer.write(type, value, false, 0)) return writer.result();
  return out.size() > max_bytes ? JsonWritten::TooLarge : JsonWritten::Whole;
}

}  // namespace flow
