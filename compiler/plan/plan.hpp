// Decides what the author did not have to say: where entities are fetched, in which order a condition is
// decided, what the poll may leave out, and how often each operation can be called. Nothing here depends on
// instructions.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "compiler/check/checked.hpp"
#include "compiler/plan/bounds.hpp"
#include "compiler/plan/recipients.hpp"

namespace flow {

struct PlannedFetch {
  std::uint32_t entity = 0;  // index into the trigger's entities
  NodeId first_use = kNoNode;
  std::uint32_t line = 0;
  enum class Place : std::uint8_t { Condition, Body, Handler };
  Place place = Place::Body;
  bool is_conditional = false;  // on some paths only
};

struct FlowPlan {
  std::set<std::uint32_t> bindings;  // of the trigger, that the code needs
  std::set<std::uint32_t> entities;
  // Before the value of this node is taken, these entities must be there (unless an earlier path has fetched
  // them).
  std::map<NodeId, std::vector<std::uint32_t>> ensure_before;
  std::vector<PlannedFetch> fetches;
  // Operands of the condition's outermost `and`, those that need no call first. Empty: as written.
  std::vector<NodeId> condition_order;
  CallBounds calls;  // by operation, without fetches
  std::map<std::uint32_t, NodeId> first_call;
  std::map<std::pair<std::uint32_t, bool>, NodeId> flows;  // that it calls or (true) starts; the first place
  std::map<std::uint32_t, NodeId> leases;                  // operations that it leases; the first such call
  std::vector<std::pair<std::string, std::set<std::string>>> reads;  // entity, fields as written
  std::vector<PlannedRecipients> recipients;
  std::string poll_filter;
  std::vector<std::string> poll_expand;
};

// Of each flow of the file, in their order.
std::vector<FlowPlan> plan(const Tree& tree, const Library& library, const CheckedFile& checked);

// What is set at deployment, as `flow check --plan` prints it; empty when nothing is.
std::string print_settings(const Tree& tree, const CheckedFile& checked);

// What `flow check --plan` prints for one flow.
std::string print_plan(const Tree& tree, const Library& library, const CheckedFile& checked,
                       const CheckedFlow& flow, const FlowPlan& plan);

}  // namespace flow
