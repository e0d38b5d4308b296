#include "runtime/caller.hpp"

#include "runtime/json_text.hpp"

namespace flow {

std::optional<Caller> caller_of(const RunRow& row) {
  const std::size_t slash = row.key.find('/');
  if (row.trigger != kCalledTrigger || slash == std::string::npos) return std::nullopt;
  const auto number = json_int(std::string_view(row.key).substr(slash + 1));
  if (!number || *number < 0) return std::nullopt;
  return Caller{row.key.substr(0, slash), static_cast<std::uint32_t>(*number)};
}

}  // namespace flow
