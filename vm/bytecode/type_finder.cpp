#include "vm/bytecode/type_finder.hpp"

namespace flow {
namespace {

// The types that are one of `seeds` or have one within, each type looked at once for each place it stands in.
std::vector<bool> types_with(const TypeTable& types, std::vector<TypeId> seeds) {
  std::vector<std::vector<TypeId>> users(types.size());
  for (TypeId id = kFirstCompoundType; id < types.size(); ++id) {
    const auto uses = [&](TypeId part) {
      if (types.contains(part)) users[part].push_back(id);
    };
    switch (types[id].kind) {
      case TypeKind::Map: uses(types[id].key); [[fallthrough]];
      case TypeKind::Optional:
      case TypeKind::List: uses(types[id].element); break;
      case TypeKind::Record:
        for (const RecordField& field : types.record(id).fields) uses(field.type);
        break;
      case TypeKind::Union:
        for (const TypeId member : types.members(id)) uses(member);
        break;
      default: break;
    }
  }
  std::vector<bool> has(types.size());
  for (const TypeId seed : seeds) has[seed] = true;
  while (!seeds.empty()) {
    const TypeId type = seeds.back();
    seeds.pop_back();
    for (const TypeId user : users[type]) {
      if (has[user]) continue;
      has[user] = true;
      seeds.push_back(user);
    }
  }
  return has;
}

}  // namespace

TypeFinder::TypeFinder(const TypeTable& types)
    : types_(types), optional_of_(types.size(), kUnset), list_of_(types.size(), kUnset) {
  for (TypeId id = 0; id < types.size(); ++id) {
    if (types.is(id, TypeKind::Optional)) optional_of_[types[id].element] = id;
    if (types.is(id, TypeKind::List)) list_of_[types[id].element] = id;
  }
}

bool TypeFinder::holds_secret(TypeId type) const {
  if (holds_secret_.empty()) holds_secret_ = types_with(types_, {kSecretType});
  return holds_secret_[type];
}

bool TypeFinder::is_foreign(TypeId type) const {
  if (is_own_.empty()) is_own_ = types_with(types_, {kSecretType, kHtmlType, kKqlType, types_.error()});
  return !is_own_[type];
}

TypeId TypeFinder::join(TypeId a, TypeId b) const {
  if (a == b) return a;
  if (a == kUnset || b == kUnset) return kUnset;
  if (types_.accepts(a, b)) return a;
  if (types_.accepts(b, a)) return b;
  if (a == kNullType) return optional_of_[b];
  if (b == kNullType) return optional_of_[a];
  if (!types_.is_optional(a) && !types_.is_optional(b)) return kUnset;
  const TypeId core = join(types_.without_null(a), types_.without_null(b));
  return core == kUnset ? kUnset : optional_of_[core];
}

}  // namespace flow
