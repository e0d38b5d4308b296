#include "compiler/check/protection.hpp"

#include <algorithm>

namespace flow {
namespace {

// The entities a condition names, by themselves, by their fields or by their IDs.
void named_entities(const Tree& tree, const CheckedFile& checked, const Trigger& trigger, NodeId node,
                    std::set<std::uint32_t>& into) {
  const Meaning& meaning = checked.meaning[node];
  if (meaning.kind == Meaning::Kind::Entity || meaning.kind == Meaning::Kind::EntityField)
    into.insert(meaning.index);
  if (meaning.kind == Meaning::Kind::Binding)
    for (std::uint32_t i = 0; i < trigger.entities.size(); ++i)
      if (trigger.entities[i].argument == trigger.bindings[meaning.index].name) into.insert(i);
  for (const NodeId kid : tree.kids(node)) named_entities(tree, checked, trigger, kid, into);
}

// The binding by which the entity is fetched.
const Trigger::Binding* id_of(const Trigger& trigger, std::uint32_t entity) {
  const auto found =
      std::ranges::find(trigger.bindings, trigger.entities[entity].argument, &Trigger::Binding::name);
  return found == trigger.bindings.end() ? nullptr : &*found;
}

}  // namespace

std::optional<std::size_t> target_parameter(const Operation& operation) {
  const auto found = std::ranges::find(operation.parameters, operation.targets, &Parameter::name);
  if (operation.targets.empty() || found == operation.parameters.end()) return std::nullopt;
  return static_cast<std::size_t>(found - operation.parameters.begin());
}

std::vector<Protection> protections_of(const Tree& tree, const CheckedFile& checked, const CheckedFlow& flow,
                                       const Operation& operation) {
  std::vector<Protection> found;
  const auto target = target_parameter(operation);
  if (operation.effect != Effect::Act || !target) return found;
  const Trigger& trigger = checked.triggers[flow.trigger];
  for (const NodeId condition : flow.protects) {
    std::set<std::uint32_t> named;
    named_entities(tree, checked, trigger, condition, named);
    if (named.empty()) found.push_back({.condition = condition, .subject = {}});
    for (const std::uint32_t entity : named) {
      const Trigger::Binding* id = id_of(trigger, entity);
      if (id != nullptr && checked.types.without_null(id->type) == operation.parameters[*target].type)
        found.push_back({.condition = condition, .subject = entity});
    }
  }
  return found;
}

bool is_of_trigger(const Tree& tree, const CheckedFile& checked, const Trigger& trigger, std::uint32_t entity,
                   NodeId argument) {
  if (argument == kNoNode) return false;
  while (tree.kind(argument) == NodeKind::Paren) argument = tree.kid(argument, 0);
  const Meaning& meaning = checked.meaning[argument];
  return meaning.kind == Meaning::Kind::Binding &&
         trigger.bindings[meaning.index].name == trigger.entities[entity].argument;
}

}  // namespace flow
