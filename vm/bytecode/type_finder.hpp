// Finds T? and List<T> in a table that may not be changed, and what two types have in common. Made once for a
// module.
#pragma once

#include <limits>
#include <vector>

#include "base/type.hpp"

namespace flow {

inline constexpr TypeId kUnset = std::numeric_limits<TypeId>::max();  // no type: a register without a value

class TypeFinder {
 public:
  explicit TypeFinder(const TypeTable& types);

  TypeId list_of(TypeId element) const { return element == kUnset ? kUnset : list_of_[element]; }
  TypeId optional_of(TypeId element) const { return element == kUnset ? kUnset : optional_of_[element]; }
  // Whether values of the type hold a Secret, which never becomes text.
  bool holds_secret(TypeId type) const;
  // Whether JSON from outside can be read as one: it holds no Secret, no Html and no Kql, which are made by
  // flows alone.
  bool is_foreign(TypeId type) const;
  // The type of what is one or the other; kUnset when there is none.
  TypeId join(TypeId a, TypeId b) const;

 private:
  const TypeTable& types_;
  std::vector<TypeId> optional_of_, list_of_;
  mutable std::vector<bool> holds_secret_, is_own_;  // made when first asked for: few modules need them
};

}  // namespace flow
