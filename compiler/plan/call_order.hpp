// Which functions and flows a part of the text calls, and all of them in an order in which each stands behind
// those that it calls: what is known of those need not be found out again.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/check/checked.hpp"

namespace flow {

struct Callee {
  bool is_flow = false;
  std::uint32_t index = 0;  // into CheckedFile::functions or ::flows

  bool operator==(const Callee&) const = default;
};

struct CallOrder {
  std::vector<Callee> callees;
  std::vector<bool> is_circular;  // by function: whether it can come back to itself
};

// Of all functions and flows.
CallOrder call_order(const Tree& tree, const CheckedFile& checked);
// Only those that a flow leads to, without itself; by functions alone, or also by the flows that it runs.
enum class Through : std::uint8_t { Functions, Flows };
CallOrder calls_of(const Tree& tree, const CheckedFile& checked, const CheckedFlow& flow, Through through);

}  // namespace flow
