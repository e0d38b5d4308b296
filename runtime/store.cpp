#include "runtime/store.hpp"

#include <array>

namespace flow {
namespace {

constexpr std::array<std::string_view, 6> kStateNames = {"running",  "parked",  "skipped",
                                                         "finished", "stopped", "failed"};
static_assert(kStateNames.size() == static_cast<std::size_t>(kLastRunState) + 1, "one name a state");

}  // namespace

std::string_view run_state_name(RunState state) {
  return kStateNames[static_cast<std::size_t>(state)];
}

std::optional<RunState> run_state_named(std::string_view name) {
  for (std::size_t i = 0; i < kStateNames.size(); ++i)
    if (kStateNames[i] == name) return static_cast<RunState>(i);
  return std::nullopt;
}

}  // namespace flow
