#include "apps/library/standard_library.hpp"

#include "base/result.hpp"
#include "compiler/resolve/library_bytes.hpp"

namespace flow {

const Library& standard_library() {
  // Never destroyed: the process ends sooner without it.
  static const Library& library = *[] {
    Result<Library> read = read_library(standard_library_bytes());
    FLOW_CHECK(read.has_value(), "the standard library within the program is damaged");
    return new Library(std::move(*read));
  }();
  return library;
}

}  // namespace flow
