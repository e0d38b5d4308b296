#include "compiler/check/literals.hpp"

#include <re2/re2.h>

namespace flow {
std::string regex_mistake(std::string_view pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  const RE2 regex(re2::StringPiece(pattern.data(), pattern.size()), options);
  return regex.ok() ? std::string() : regex.error();
}

}  // namespace flow
