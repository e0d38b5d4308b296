// Memory for the heap's chunks. Large pieces ask the system for large pages: touching them for the first time
// and finding one's way in them costs a fraction.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace flow {

struct FreeBytes {
  void operator()(char* bytes) const { std::free(bytes); }
};
using Memory = std::unique_ptr<char[], FreeBytes>;

// Not initialised, aligned for any value. Throws std::bad_alloc when the system has none.
Memory take_memory(std::size_t size);

}  // namespace flow
