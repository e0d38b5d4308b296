#include "vm/bytecode/type_finder.hpp"

namespace flow {

TypeFinder::TypeFinder(const TypeTable& types)
    : types_(types), optional_of_(types.size(), kUnset), list_of_(types.size(), kUnset) {
  for (TypeId id = 0; id < types.size(); ++id) {
    if (types.is(id, TypeKind::Optional)) optional_of_[types[id].element] = id;
    if (types.is(id, TypeKind::List)) list_of_[types[id].element] = id;
  }
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
