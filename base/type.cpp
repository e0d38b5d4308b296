#include "base/type.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace flow {
namespace {

struct BuiltinType {
  TypeKind kind;
  std::string_view spelling;
  Storage storage;
};

constexpr BuiltinType kBuiltins[] = {
#define FLOW_TYPE(name, spelling, storage, meaning) {TypeKind::name, spelling, Storage::storage},
#include "base/types.def"
#undef FLOW_TYPE
};

}  // namespace

std::optional<std::uint32_t> RecordType::field(std::string_view field_name) const {
  const auto found = std::ranges::find(fields, field_name, &RecordField::name);
  if (found == fields.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - fields.begin());
}

std::optional<std::uint32_t> EnumType::value(std::string_view wanted) const {
  auto found = std::ranges::find(values, wanted);
  if (found == values.end())
    found =
        std::ranges::find_if(values, [&](const std::string& v) { return equals_ignoring_case(v, wanted); });
  if (found == values.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - values.begin());
}

TypeTable::TypeTable() {
  for (const BuiltinType& builtin : kBuiltins) types_.push_back(Type{.kind = builtin.kind});
  error_ = intern(Type{.kind = TypeKind::Error});
}

TypeId TypeTable::intern(Type type) {
  for (TypeId id = kFirstCompoundType; id < types_.size(); ++id) {
    const Type& known = types_[id];
    if (known.kind == type.kind && known.element == type.element && known.key == type.key &&
        known.decl == type.decl)
      return id;
  }
  types_.push_back(type);
  return static_cast<TypeId>(types_.size() - 1);
}

TypeId TypeTable::optional(TypeId element) {
  if (is_optional(element) || element == kNullType || element == error_) return element;
  return intern(Type{.kind = TypeKind::Optional, .element = element});
}
TypeId TypeTable::list(TypeId element) {
  return intern(Type{.kind = TypeKind::List, .element = element});
}
TypeId TypeTable::map(TypeId key, TypeId element) {
  return intern(Type{.kind = TypeKind::Map, .element = element, .key = key});
}

TypeId TypeTable::union_of(std::vector<TypeId> members) {
  for (std::uint32_t i = 0; i < unions_.size(); ++i)
    if (unions_[i] == members) return intern(Type{.kind = TypeKind::Union, .decl = i});
  unions_.push_back(std::move(members));
  return intern(Type{.kind = TypeKind::Union, .decl = static_cast<std::uint32_t>(unions_.size() - 1)});
}

TypeId TypeTable::add_record(RecordType record) {
  records_.push_back(std::move(record));
  return intern(Type{.kind = TypeKind::Record, .decl = static_cast<std::uint32_t>(records_.size() - 1)});
}

TypeId TypeTable::add_enum(EnumType type) {
  enums_.push_back(std::move(type));
  return intern(Type{.kind = TypeKind::Enum, .decl = static_cast<std::uint32_t>(enums_.size() - 1)});
}

Storage TypeTable::storage(TypeId id) const {
  const Type& type = types_[without_null(id)];
  switch (type.kind) {
#define FLOW_TYPE(name, spelling, storage, meaning) \
  case TypeKind::name:                              \
    return Storage::storage;
#include "base/types.def"
#undef FLOW_TYPE
    case TypeKind::List: return Storage::List;
    case TypeKind::Map: return Storage::Map;
    case TypeKind::Record: return Storage::Record;
    case TypeKind::Enum: return Storage::Enum;
    case TypeKind::Optional:
    case TypeKind::Union:
    case TypeKind::Error: return Storage::None;
  }
  return Storage::None;
}

std::string TypeTable::name(TypeId id) const {
  const Type& type = types_[id];
  switch (type.kind) {
    case TypeKind::Optional: return name(type.element) + "?";
    case TypeKind::List: return "List<" + name(type.element) + ">";
    case TypeKind::Map: return "Map<" + name(type.key) + ", " + name(type.element) + ">";
    case TypeKind::Record: return records_[type.decl].name.empty() ? "record" : records_[type.decl].name;
    case TypeKind::Enum: return enums_[type.decl].name;
    case TypeKind::Union: {
      std::string text;
      for (TypeId member : unions_[type.decl]) text += (text.empty() ? "" : " or ") + name(member);
      return text;
    }
    case TypeKind::Error: return "unknown";
    default: return std::string(spelling(type.kind));
  }
}

bool TypeTable::accepts(TypeId to, TypeId from) const {
  if (to == from || to == error_ || from == error_) return true;
  const Type& wanted = types_[to];
  if (wanted.kind == TypeKind::Optional)
    return from == kNullType || accepts(wanted.element, without_null(from));
  if (wanted.kind == TypeKind::Union)
    return std::ranges::any_of(unions_[wanted.decl], [&](TypeId member) { return accepts(member, from); });
  if (wanted.kind == TypeKind::List && is(from, TypeKind::List))
    return accepts(wanted.element, types_[from].element);
  // Maps share tables that SetKey writes to: one that also took null would put it where the other has none.
  if (wanted.kind == TypeKind::Map && is(from, TypeKind::Map))
    return wanted.key == types_[from].key && accepts(wanted.element, types_[from].element) &&
           accepts(types_[from].element, wanted.element);
  return false;
}

bool TypeTable::is_equatable(TypeId id) const {
  if (is_optional(id) || id == kSecretType) return false;
  const Storage kept = storage(id);
  return kept == Storage::Bool || kept == Storage::Int || kept == Storage::Float || kept == Storage::Text ||
         kept == Storage::Enum;
}

bool TypeTable::is_map_key(TypeId id) const {
  return is_equatable(id) && id != kFloatType && id != kHtmlType && id != kKqlType && id != kBytesType &&
         id != kTimeType && id != kDurationType;
}

bool TypeTable::is_orderable(TypeId id) const {
  if (is(id, TypeKind::Enum)) return enumeration(id).is_ordered;
  return is_equatable(id) && id != kBoolType && id != kHtmlType && id != kKqlType && id != kBytesType;
}

std::optional<TypeId> builtin_type(std::string_view wanted) {
  for (const BuiltinType& builtin : kBuiltins)
    if (builtin.spelling == wanted) return static_cast<TypeId>(builtin.kind);
  return std::nullopt;
}

std::string_view spelling(TypeKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  return index < std::size(kBuiltins) ? kBuiltins[index].spelling : std::string_view("?");
}

}  // namespace flow
