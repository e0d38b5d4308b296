// Whose call started a run: the key of its trigger is that call's own, so that a replay of the caller finds
// the run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/store.hpp"

namespace flow {

inline constexpr std::string_view kCalledTrigger = "call";

struct Caller {
  std::string run;
  std::uint32_t call = 0;
};
// Nothing when something else started it.
std::optional<Caller> caller_of(const RunRow& row);

}  // namespace flow
