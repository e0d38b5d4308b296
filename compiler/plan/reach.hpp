// Where the calls of a function, or of a flow that others run, lead to: beside how often (bounds.hpp), where
// each operation is called first, and who is told something. Made once for each, of what those that it calls
// reach; so a flow's plan needs not look at them again.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "compiler/check/checked.hpp"
#include "compiler/plan/recipients.hpp"

namespace flow {

struct Reach {
  std::map<std::uint32_t, NodeId> first_calls;  // by operation
  std::map<std::pair<std::uint32_t, bool>, NodeId>
      flows;                               // that it calls or (true) starts, itself or by functions
  std::map<std::uint32_t, NodeId> leases;  // operations that it leases, the same
  std::vector<PlannedRecipients> recipients;
};

// By index, of what stands before in the call order; empty for the others.
struct Reaches {
  std::vector<Reach> functions, flows;
};

Reach reach_of_function(const Tree& tree, const Library& library, const CheckedFile& checked,
                        const CheckedFunction& function, const Reaches& known);
Reach reach_of_flow(const Tree& tree, const Library& library, const CheckedFile& checked,
                    const CheckedFlow& flow, const Reaches& known);

}  // namespace flow
