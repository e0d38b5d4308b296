// Instructions on texts and on foreign data: what must be escaped before it joins what, and what may be said
// to be something else.
#include <fmt/format.h>

#include "base/error_type.hpp"
#include "vm/bytecode/code_verifier.hpp"

namespace flow {

bool CodeVerifier::apply_join_texts(Instruction i) {
  if (!want_list(i.b) || !want_text(i.c)) return false;
  const TypeId item = types_[now_[i.b]].element;
  const bool is_plain = types_.storage(item) == Storage::Text && !types_.is_optional(item) &&
                        item != kSecretType && item != kHtmlType && item != kKqlType;
  if (!is_plain || now_[i.c] != kStringType)
    return refuse(fmt::format("`{}` and `{}` cannot be joined", name(now_[i.b]), name(now_[i.c])));
  return write(i.a, kStringType);
}

namespace {

bool is_printable(Storage storage) {
  return storage != Storage::None && storage != Storage::Json && storage < Storage::List;
}
static_assert(Storage::Enum < Storage::List && Storage::Map > Storage::List &&
              Storage::Record > Storage::List);

}  // namespace

bool CodeVerifier::apply_to_text(Instruction i) {
  if (!read(i.b)) return false;
  const TypeId type = types_.without_null(now_[i.b]);
  if (type == kSecretType) return refuse(fmt::format("r{} is a secret", i.b));
  if (type != kNullType && type != kJsonType && !is_printable(types_.storage(type)))
    return refuse(fmt::format("`{}` has no text", name(type)));
  return write(i.a, kStringType);
}

// Html and Kql may only grow by their own kind: everything else must be escaped first.
bool CodeVerifier::apply_concat(Instruction i) {
  if (i.c == 0) return refuse("there is nothing to join");
  for (unsigned part = i.b; part < unsigned{i.b} + i.c; ++part)
    if (!want_text(part)) return false;
  const TypeId type = now_[i.b];
  if (type != kStringType && type != kHtmlType && type != kKqlType)
    return refuse(fmt::format("`{}` cannot be joined to", name(type)));
  for (unsigned part = i.b; part < unsigned{i.b} + i.c; ++part)
    if (type != kStringType && now_[part] != type)
      return refuse(fmt::format("r{} is `{}`, which must be escaped before it joins `{}`", part,
                                name(now_[part]), name(type)));
  return write(i.a, type);
}

bool CodeVerifier::apply_quote_kql(Instruction i) {
  if (!read(i.b)) return false;
  TypeId type = now_[i.b];
  if (types_.is(type, TypeKind::List)) type = types_.without_null(types_[type].element);
  if (types_.is_optional(type) || !is_printable(types_.storage(type)) || type == kSecretType)
    return refuse(fmt::format("`{}` has no KQL literal", name(now_[i.b])));
  return write(i.a, kKqlType);
}

// --- errors, foreign data, results ---

bool CodeVerifier::apply_caught(Instruction i) {
  return is_error_type(types_, i.index())
             ? write(i.a, i.index())
             : refuse(fmt::format("`{}` is not the record Error", name(i.index())));
}

bool CodeVerifier::apply_throw(Instruction i) {
  return want(i.a, Storage::Record) && (is_error_type(types_, now_[i.a]) ||
                                        refuse(fmt::format("`{}` is not the record Error", name(now_[i.a]))));
}

bool CodeVerifier::apply_json_part(Instruction i) {
  if (!read(i.b)) return false;
  if (now_[i.b] != kNullType && types_.without_null(now_[i.b]) != kJsonType)
    return refuse(fmt::format("r{} is `{}`, not Json", i.b, name(now_[i.b])));
  if (i.op == Op::JsonMember && module_.constants[i.index()].type != kStringType)
    return refuse(fmt::format("`{}` names no member", name(module_.constants[i.index()].type)));
  if (i.op == Op::JsonItem && (!read(i.c) || (now_[i.c] != kStringType && !want_int(i.c)))) return false;
  const TypeId maybe = finder_.join(kJsonType, kNullType);
  return maybe == kUnset ? refuse("the module has no type `Json?`") : write(i.a, maybe);
}

bool CodeVerifier::apply_json_to(Instruction i) {
  if (!read(i.b)) return false;
  if (now_[i.b] != kNullType && types_.without_null(now_[i.b]) != kJsonType)
    return refuse(fmt::format("r{} is `{}`, not Json", i.b, name(now_[i.b])));
  const TypeId type = types_.without_null(i.index());
  if (type == kNullType || type == kNothingType || types_.is(type, TypeKind::Union) ||
      !finder_.is_foreign(type))
    return refuse(fmt::format("no Json becomes `{}`", name(i.index())));
  return write(i.a, i.index());
}

bool CodeVerifier::apply_to_json(Instruction i) {
  const TypeId type = types_.without_null(i.index());
  if (types_.is(type, TypeKind::Union) || types_.is(type, TypeKind::Error))
    return refuse(fmt::format("values are no `{}`", name(i.index())));
  if (!want_type(i.b, i.index())) return false;
  if (finder_.holds_secret(i.index())) return refuse(fmt::format("`{}` holds a secret", name(i.index())));
  return write(i.a, kJsonType);
}

bool CodeVerifier::apply_check_text(Instruction i) {
  if (!want_text(i.b)) return false;
  const TypeId type = i.index();
  const Storage storage = types_.storage(type);
  if (types_.is_optional(type) || !finder_.is_foreign(type) ||
      (storage != Storage::Text && storage != Storage::Enum))
    return refuse(fmt::format("no text becomes `{}`", name(type)));
  if (!finder_.is_foreign(now_[i.b]))
    return refuse(fmt::format("r{} is `{}`, which stays what it is", i.b, name(now_[i.b])));
  return write(i.a, type);
}

bool CodeVerifier::apply_finish_with(Instruction i) {
  if (flow_ == nullptr) return refuse("a function cannot do this");
  if (!want_type(i.a, flow_->result)) return false;
  return !finder_.holds_secret(flow_->result) ||
         refuse(fmt::format("`{}` holds a secret", name(flow_->result)));
}

}  // namespace flow
