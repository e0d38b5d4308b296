// Instructions on records, lists and maps.
#include <fmt/format.h>

#include "vm/bytecode/code_verifier.hpp"

namespace flow {

bool CodeVerifier::apply_get_field(Instruction i) {
  if (!want(i.b, Storage::Record)) return false;
  const RecordType& record = types_.record(now_[i.b]);
  if (i.c >= record.fields.size()) return refuse(fmt::format("`{}` has no field {}", name(now_[i.b]), i.c));
  return write(i.a, record.fields[i.c].type);
}

bool CodeVerifier::apply_new_record(Instruction i) {
  const TypeId type = i.index();
  const auto& fields = types_.record(type).fields;
  for (std::size_t field = 0; field < fields.size(); ++field)
    if (!want_type(static_cast<unsigned>(i.b + field), fields[field].type)) return false;
  return write(i.a, type);
}

bool CodeVerifier::apply_new_list(Instruction i) {
  const TypeId type = i.index();
  if (!types_.is(type, TypeKind::List)) return refuse(fmt::format("`{}` is no list", name(type)));
  for (unsigned item = 0; item < i.c; ++item)
    if (!want_type(i.b + item, types_[type].element)) return false;
  return write(i.a, type);
}

bool CodeVerifier::apply_append(Instruction i) {
  return want_list(i.a) && want_type(i.b, types_[now_[i.a]].element);
}

bool CodeVerifier::apply_join_lists(Instruction i) {
  if (!want_list(i.b) || !want_list(i.c)) return false;
  if (now_[i.b] != now_[i.c])
    return refuse(fmt::format("`{}` and `{}` are different lists", name(now_[i.b]), name(now_[i.c])));
  return write(i.a, now_[i.b]);
}

bool CodeVerifier::apply_slice(Instruction i) {
  return want_list(i.b) && want_int(i.c) && want_int(i.c + 1u) && write(i.a, now_[i.b]);
}

// Keys are Ints, Floats, texts or values of an ordered enum.
bool CodeVerifier::apply_sort(Instruction i) {
  if (!want_list(i.b) || !want_list(i.c)) return false;
  const TypeId key = types_[now_[i.c]].element;
  const Storage storage = types_.storage(key);
  const bool has_order = storage == Storage::Int || storage == Storage::Float || storage == Storage::Text ||
                         (storage == Storage::Enum && types_.enumeration(key).is_ordered);
  if (types_.is_optional(key) || key == kSecretType || !has_order)
    return refuse(fmt::format("items of `{}` have no order", name(now_[i.c])));
  return write(i.a, now_[i.b]);
}

bool CodeVerifier::apply_distinct(Instruction i) {
  if (!want_list(i.b)) return false;
  const TypeId item = types_[now_[i.b]].element;
  const Storage storage = types_.storage(item);
  if (types_.is_optional(item) || item == kSecretType || storage == Storage::None ||
      storage == Storage::Json || storage >= Storage::List)
    return refuse(fmt::format("items of `{}` cannot be compared", name(now_[i.b])));
  return write(i.a, now_[i.b]);
}

bool CodeVerifier::apply_contains(Instruction i) {
  if (!want_list(i.b)) return false;
  const TypeId element = types_.without_null(types_[now_[i.b]].element);
  const Storage storage = types_.storage(element);
  if (element == kSecretType) return refuse("the list holds secrets");
  if (storage == Storage::None || storage == Storage::Json || storage >= Storage::List)
    return refuse(fmt::format("items of `{}` cannot be compared", name(now_[i.b])));
  if (storage == Storage::Text ? !want_text(i.c) : !want(i.c, storage)) return false;
  if (storage == Storage::Enum && now_[i.c] != element)
    return refuse(fmt::format("`{}` and `{}` are different enums", name(element), name(now_[i.c])));
  return write(i.a, kBoolType);
}

bool CodeVerifier::apply_range(Instruction i) {
  if (!want_int(i.b) || !want_int(i.c)) return false;
  const TypeId list = finder_.list_of(kIntType);
  return list == kUnset ? refuse("the module has no type `List<Int>`") : write(i.a, list);
}

// --- maps ---

bool CodeVerifier::apply_new_map(Instruction i) {
  if (!types_.is(i.index(), TypeKind::Map)) return refuse(fmt::format("`{}` is no map", name(i.index())));
  return write(i.a, i.index());
}

bool CodeVerifier::apply_get_key(Instruction i) {
  if (!want(i.b, Storage::Map) || !want_type(i.c, key_of(now_[i.b]))) return false;
  if (i.op == Op::HasKey) return write(i.a, kBoolType);
  const TypeId value = types_[now_[i.b]].element;
  const TypeId maybe = finder_.join(value, kNullType);
  return maybe == kUnset ? refuse(fmt::format("the module has no type `{}?`", name(value)))
                         : write(i.a, maybe);
}

bool CodeVerifier::apply_set_key(Instruction i) {
  return want(i.a, Storage::Map) && want_type(i.b, key_of(now_[i.a])) &&
         want_type(i.c, types_[now_[i.a]].element);
}

bool CodeVerifier::apply_entries(Instruction i) {
  if (!want(i.b, Storage::Map)) return false;
  const TypeId item = i.op == Op::Keys ? key_of(now_[i.b]) : types_[now_[i.b]].element;
  if (!types_.is(i.index(), TypeKind::List) || types_[i.index()].element != item)
    return refuse(fmt::format("`{}` is no list of `{}`", name(i.index()), name(item)));
  return write(i.a, i.index());
}

bool CodeVerifier::apply_group_by(Instruction i) {
  if (!want_list(i.b) || !want_list(i.c)) return false;
  const bool is_map = types_.is(i.index(), TypeKind::Map);
  if (!is_map || types_[i.index()].key != types_[now_[i.c]].element ||
      !types_.is(types_[i.index()].element, TypeKind::List) || types_[i.index()].element != now_[i.b])
    return refuse(fmt::format("`{}` is no map of `{}` by the items of `{}`", name(i.index()), name(now_[i.b]),
                              name(now_[i.c])));
  return write(i.a, i.index());
}

}  // namespace flow
