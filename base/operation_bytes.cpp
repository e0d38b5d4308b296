#include "base/operation_bytes.hpp"

#include <fmt/format.h>

namespace flow {
namespace {

constexpr std::uint32_t kMaxTypes = 4'096;  // compound types; making them is quadratic

// Adds the next type. The table hands out ids in order, so the result differs from the next id when the same
// type stands there twice or is no type of its own, as T??.
TypeId read_type(ByteReader& in, TypeTable& types) {
  const auto known = [&](TypeId id) {
    if (!types.contains(id) || id == types.error())
      in.fail(fmt::format("type {} refers to type {}", types.size(), id));
    return in.failed() ? kNullType : id;
  };
  // A union within a union would have a name whose length doubles with each.
  const auto known_value = [&](TypeId id) {
    const TypeId type = known(id);
    if (types.is(types.without_null(type), TypeKind::Union)) in.fail("a union stands within another type");
    return type;
  };
  const auto kind = static_cast<TypeKind>(in.number<std::uint8_t>());
  switch (kind) {
    case TypeKind::Optional: return types.optional(known(in.number<TypeId>()));
    case TypeKind::List: return types.list(known_value(in.number<TypeId>()));
    case TypeKind::Map: {
      const TypeId key = known_value(in.number<TypeId>());
      return types.map(key, known_value(in.number<TypeId>()));
    }
    case TypeKind::Record: {
      RecordType record;
      in(record);
      return types.add_record(std::move(record));
    }
    case TypeKind::Enum: {
      EnumType type;
      in(type);
      return types.add_enum(std::move(type));
    }
    case TypeKind::Union: {
      std::vector<TypeId> members;
      in(members);
      for (TypeId& member : members) member = known_value(member);
      return types.union_of(std::move(members));
    }
    default: in.fail("unknown kind of type"); return kNullType;
  }
}

}  // namespace

void write_types(ByteWriter& out, const TypeTable& types) {
  const TypeId first = types.error() + 1;
  out.number(types.size() - first);
  for (TypeId id = first; id < types.size(); ++id) {
    out.number(static_cast<std::uint8_t>(types[id].kind));
    switch (types[id].kind) {
      case TypeKind::Record: out(types.record(id)); break;
      case TypeKind::Enum: out(types.enumeration(id)); break;
      case TypeKind::Union: out(types.members(id)); break;
      case TypeKind::Map: out(types[id].key, types[id].element); break;
      default: out.number(types[id].element);  // Optional, List
    }
  }
}

void read_types(ByteReader& in, TypeTable& types) {
  for (std::uint32_t left = in.count(kMaxTypes); left > 0 && !in.failed(); --left) {
    const TypeId expected = types.size();
    const TypeId made = read_type(in, types);
    if (made != expected && !in.failed()) in.fail(fmt::format("type {} repeats type {}", expected, made));
  }
  // Only fields of records may refer to types that come later.
  for (TypeId id = types.error() + 1; id < types.size() && !in.failed(); ++id) {
    if (!types.is(id, TypeKind::Record)) continue;
    for (const RecordField& field : types.record(id).fields)
      if (!types.contains(field.type)) in.fail(fmt::format("field `{}` has an unknown type", field.name));
  }
}

}  // namespace flow
