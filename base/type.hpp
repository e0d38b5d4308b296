// Types, as the checker, the module and the verifier see them. A TypeTable owns the types of one compilation
// or of one module; a TypeId is an index into it and means nothing without it. Parameterless types
// (base/types.def) have the same id in every table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flow {

enum class TypeKind : std::uint8_t {
#define FLOW_TYPE(name, spelling, storage, meaning) name,
#include "base/types.def"
#undef FLOW_TYPE
  // Types with parameters: `element` and, for records and enums, `decl` of Type say which.
  Optional,  // element or null
  List,      // list of element
  Map,       // key to element
  Record,    // records[decl]
  Enum,      // enums[decl]
  Union,     // unions[decl]; only an operation's parameter has this type
  Error,     // unknown because of a mistake already reported; accepts and is accepted by everything
};

// What a register of the machine holds for a type.
enum class Storage : std::uint8_t { None, Bool, Int, Float, Text, Json, Enum, List, Map, Record };

using TypeId = std::uint32_t;

#define FLOW_TYPE(name, spelling, storage, meaning) \
  inline constexpr TypeId k##name##Type = static_cast<TypeId>(TypeKind::name);
#include "base/types.def"
#undef FLOW_TYPE
inline constexpr TypeId kFirstCompoundType = static_cast<TypeId>(TypeKind::Optional);

struct Type {
  TypeKind kind = TypeKind::Null;
  TypeId element = 0;      // Optional, List, Map
  TypeId key = 0;          // Map: String, Int, Bool, an enum, or a type kept as text
  std::uint32_t decl = 0;  // Record, Enum, Union
};

struct RecordField {
  std::string name;  // as flows write it: `tags`
  std::string wire;  // as JSON spells it: `machineTags`
  TypeId type = 0;
  std::string doc;
  std::string default_json = {};  // what a missing member is in JSON; empty when it must be there, or is null
  std::vector<std::string> also = {};  // how else JSON may spell it
};
struct RecordType {
  std::string name;  // empty for a record written in place
  std::vector<RecordField> fields;
  std::string doc;

  std::optional<std::uint32_t> field(std::string_view field_name) const;
};
struct EnumType {
  std::string name;
  std::vector<std::string> values;  // in their order, lowest first, where `is_ordered`
  bool is_ordered = false;
  std::string doc;

  // Exact spelling first, then without regard to ASCII case (APIs disagree with themselves).
  std::optional<std::uint32_t> value(std::string_view name) const;
};

class TypeTable {
 public:
  TypeTable();  // holds the parameterless types

  const Type& operator[](TypeId id) const { return types_[id]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(types_.size()); }
  bool contains(TypeId id) const { return id < types_.size(); }

  // Each gives the one id of that type, making it when it is new. optional(T?) is T?.
  TypeId optional(TypeId element);
  TypeId list(TypeId element);
  TypeId map(TypeId key, TypeId element);
  TypeId map(TypeId element) { return map(kStringType, element); }
  TypeId union_of(std::vector<TypeId> members);
  TypeId add_record(RecordType record);  // each call makes a distinct type
  TypeId add_enum(EnumType type);
  TypeId error() const { return error_; }

  const RecordType& record(TypeId id) const { return records_[types_[id].decl]; }
  RecordType& mutable_record(TypeId id) { return records_[types_[id].decl]; }  // only while declarations load
  const EnumType& enumeration(TypeId id) const { return enums_[types_[id].decl]; }
  const std::vector<TypeId>& members(TypeId id) const { return unions_[types_[id].decl]; }

  bool is(TypeId id, TypeKind kind) const { return types_[id].kind == kind; }
  bool is_optional(TypeId id) const { return is(id, TypeKind::Optional); }
  // T of T?, otherwise the type itself.
  TypeId without_null(TypeId id) const { return is_optional(id) ? types_[id].element : id; }
  Storage storage(TypeId id) const;   // of T? it is that of T
  std::string name(TypeId id) const;  // as a user writes it: `List<MachineId?>`
  bool is_map_key(TypeId id) const;   // whether maps can have such keys
  bool is_equatable(
      TypeId id) const;  // whether `==` is defined for values of this type, which is not optional
  bool is_orderable(TypeId id) const;  // whether lists of it can be sorted

  // Whether a value of type `from` may stand where `to` is wanted without changing its representation:
  // equal types, null or T to T?, List<T> to List<T?>, a member to its union, error to and from anything.
  // (Int to Float converts.) A Map<K, V> is taken by no other map.
  bool accepts(TypeId to, TypeId from) const;

 private:
  TypeId intern(Type type);

  std::vector<Type> types_;
  std::vector<RecordType> records_;
  std::vector<EnumType> enums_;
  std::vector<std::vector<TypeId>> unions_;
  TypeId error_ = 0;
};

// The parameterless type with this spelling, as `String`.
std::optional<TypeId> builtin_type(std::string_view spelling);
std::string_view spelling(TypeKind kind);

}  // namespace flow
