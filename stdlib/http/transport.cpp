#include "stdlib/http/transport.hpp"

#include "base/text.hpp"

namespace flow {

std::string_view HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (equals_ignoring_case(key, name)) return value;
  return {};
}

}  // namespace flow
