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

namespace {

void add_needs(const Tree& tree, const CheckedFile& checked, NodeId node, ProtectionNeeds& needs) {
  const Meaning& meaning = checked.meaning[node];
  if (meaning.kind == Meaning::Kind::Entity || meaning.kind == Meaning::Kind::EntityField)
    needs.entities.insert(meaning.index);
  if (meaning.kind == Meaning::Kind::Binding) needs.bindings.insert(meaning.index);
  if (meaning.kind == Meaning::Kind::Setting) needs.settings.insert(meaning.index);
  if (const auto invoke = checked.invokes.find(node); invoke != checked.invokes.end()) {
    const std::set<std::uint32_t>& more = checked.functions[invoke->second.function].settings;
    needs.settings.insert(more.begin(), more.end());
  }
  for (const NodeId kid : tree.kids(node)) add_needs(tree, checked, kid, needs);
}

void add_all(ProtectionNeeds& to, const ProtectionNeeds& from) {
  const auto add = [](std::set<std::uint32_t>& into, const std::set<std::uint32_t>& more) {
    into.insert(more.begin(), more.end());
  };
  add(to.bindings, from.bindings);
  add(to.entities, from.entities);
  add(to.other_bindings, from.other_bindings);
  add(to.other_entities, from.other_entities);
  add(to.subjects, from.subjects);
  add(to.settings, from.settings);
}

}  // namespace

bool is_subject(const Tree& tree, const CheckedFile& checked, const CheckedFlow& flow, std::uint32_t entity) {
  const Trigger& trigger = checked.triggers[flow.trigger];
  if (id_of(trigger, entity) == nullptr) return false;
  return std::ranges::any_of(flow.protects, [&](NodeId condition) {
    std::set<std::uint32_t> named;
    named_entities(tree, checked, trigger, condition, named);
    return named.contains(entity);
  });
}

std::uint32_t subject_binding(const Trigger& trigger, std::uint32_t entity) {
  return static_cast<std::uint32_t>(id_of(trigger, entity) - trigger.bindings.data());
}

TypeId subject_id_type(const TypeTable& types, const Trigger& trigger, std::uint32_t entity) {
  return types.without_null(id_of(trigger, entity)->type);
}

ProtectionNeeds needs_of(const Tree& tree, const CheckedFile& checked, const CheckedFlow& flow,
                         const Protection& protection) {
  ProtectionNeeds needs;
  add_needs(tree, checked, protection.condition, needs);
  needs.other_bindings = needs.bindings;
  needs.other_entities = needs.entities;
  if (!protection.subject) return needs;
  const std::uint32_t binding = subject_binding(checked.triggers[flow.trigger], *protection.subject);
  needs.other_bindings.erase(binding);
  needs.other_entities.erase(*protection.subject);
  needs.bindings.insert(binding);
  needs.entities.insert(*protection.subject);
  needs.subjects.insert(*protection.subject);
  return needs;
}

ProtectionNeeds needs_of_operations(const Tree& tree, const Library& library, const CheckedFile& checked,
                                    const CheckedFlow& flow, const std::set<std::uint32_t>& operations) {
  ProtectionNeeds all;
  for (const std::uint32_t operation : operations)
    for (const Protection& protection : protections_of(tree, checked, flow, library.operations[operation]))
      add_all(all, needs_of(tree, checked, flow, protection));
  return all;
}

std::set<std::uint32_t> needed_before(const Tree& tree, const Library& library, const CheckedFile& checked,
                                      const CheckedFlow& flow, const CheckedInvoke& invoke) {
  const Trigger& trigger = checked.triggers[flow.trigger];
  const ProtectionNeeds needs = needs_of_operations(tree, library, checked, flow,
                                                    checked.functions[invoke.function].effects.operations);
  std::set<std::uint32_t> entities = needs.other_entities;
  for (const std::uint32_t subject : needs.subjects)
    if (std::ranges::any_of(invoke.arguments, [&](NodeId argument) {
          return is_of_trigger(tree, checked, trigger, subject, argument);
        }))
      entities.insert(subject);
  return entities;
}

}  // namespace flow
