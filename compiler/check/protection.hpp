// What a `protect` of a flow speaks of, and so which calls it is asked about: those whose target is of the
// kind that its condition names, as a device; all that have a target when it names none.
#pragma once

#include <optional>
#include <set>

#include "compiler/check/checked.hpp"

namespace flow {

struct Protection {
  NodeId condition = kNoNode;
  // The entity of the trigger in whose place the call's target comes; none: the condition is asked as it is.
  std::optional<std::uint32_t> subject;
};

// What a condition needs of its flow, besides the target of the call.
struct ProtectionNeeds {
  std::set<std::uint32_t> bindings, entities;  // all that it names, and what its subject is known by
  std::set<std::uint32_t> other_bindings, other_entities;  // without its subject
  std::set<std::uint32_t> subjects;
  std::set<std::uint32_t> settings;
};
ProtectionNeeds needs_of(const Tree& tree, const CheckedFile& checked, const CheckedFlow& flow,
                         const Protection& protection);
// Of all that hold for calls of these operations.
ProtectionNeeds needs_of_operations(const Tree& tree, const Library& library, const CheckedFile& checked,
                                    const CheckedFlow& flow, const std::set<std::uint32_t>& operations);
// Whether a condition of the flow speaks of the entity.
bool is_subject(const Tree& tree, const CheckedFile& checked, const CheckedFlow& flow, std::uint32_t entity);
// The entities that must be there before a function is called which acts: what the conditions need besides
// what the function acts on, and that as well when the call names it as what the trigger brought.
std::set<std::uint32_t> needed_before(const Tree& tree, const Library& library, const CheckedFile& checked,
                                      const CheckedFlow& flow, const CheckedInvoke& invoke);
// The binding by which an entity is fetched, and the type of what stands there.
std::uint32_t subject_binding(const Trigger& trigger, std::uint32_t entity);
TypeId subject_id_type(const TypeTable& types, const Trigger& trigger, std::uint32_t entity);

// Those that hold for a call of the operation, in the order of the text.
std::vector<Protection> protections_of(const Tree& tree, const CheckedFile& checked, const CheckedFlow& flow,
                                       const Operation& operation);
// The parameter that names the target; nothing when there is none.
std::optional<std::size_t> target_parameter(const Operation& operation);
// Whether the argument is the ID of that entity of the trigger itself.
bool is_of_trigger(const Tree& tree, const CheckedFile& checked, const Trigger& trigger, std::uint32_t entity,
                   NodeId argument);

}  // namespace flow
