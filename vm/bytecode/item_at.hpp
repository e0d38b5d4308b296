// Looking up an index of a module that need not be verified.
#pragma once

#include <cstddef>
#include <vector>

namespace flow {

// nullptr where there is none.
template <class T>
const T* at(const std::vector<T>& list, std::size_t index) {
  return index < list.size() ? &list[index] : nullptr;
}

}  // namespace flow
