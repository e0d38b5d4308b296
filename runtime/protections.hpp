// Global protections: what no flow may act on, whatever it says. A deployment's rules are compiled to a
// module of their own. Each is a flow on call that gets the target's ID and what is known of the target, and
// raises Protected where the rule holds; where it does not, it asks for a call that acts, which nobody makes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/type.hpp"
#include "runtime/engine.hpp"

namespace flow {

struct ProtectionRule {
  std::string name;        // `machine.domain-controllers`
  std::uint32_t flow = 0;  // of the module
  bool operator==(const ProtectionRule&) const = default;
};

// The rules about one kind of target.
struct ProtectedKind {
  TypeId id_type = kNullType;  // of the parameters that name such targets; kNullType: about every act
  std::string id;              // `machineId`, as the rules know the target
  std::string entity;          // `machine`, as they know what is fetched of it; empty: nothing is
  std::string fetch;           // `defender.get_machine`, by which it is
  std::vector<ProtectionRule> rules;
  bool operator==(const ProtectedKind&) const = default;
};

struct Protections {
  std::string module;  // encoded; empty: there are none
  std::vector<ProtectedKind> kinds;
  bool operator==(const Protections&) const = default;
};

// The targets of this kind that a call names.
std::vector<std::string> targets_of(const Module& module, const Operation& operation,
                                    std::string_view arguments, const ProtectedKind& kind);

// The event for the rules: who acts on what. `facts` is what was fetched, as JSON; may be empty.
struct ProtectedAct {
  std::string operation, flow, tenant, target;
  std::string facts;
};
std::string event_for_rules(const ProtectedKind& kind, const ProtectedAct& act);

// Why the rule refuses the act: empty when it does not. What cannot be decided is refused.
std::string refusal(Engine& engine, const Module& module, const ProtectionRule& rule, std::string_view event,
                    std::int64_t now_us);

}  // namespace flow
