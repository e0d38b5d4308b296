#include "base/result.hpp"

#include <cstdio>
#include <cstdlib>

namespace flow {

void check_failed(const char* file, int line, const char* condition, const char* message) {
  std::fprintf(stderr, "flow: internal error at %s:%d: %s (%s)\n", file, line, message, condition);
  std::abort();
}

}  // namespace flow
