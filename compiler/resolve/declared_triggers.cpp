// What refers to operations: lookups and completions of other operations, lists in their place, and triggers.
#include "compiler/resolve/library_builder.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {

void LibraryBuilder::resolve_references(const Pending& pending) {
  const Tree& tree = *pending.tree;
  Operation& operation = library_.operations[pending.operation];
  const NodeId call = tree.kid(pending.node, 0);
  const bool is_completion = tree.kind(pending.node) == NodeKind::Completes;
  if (tree.kind(call) != NodeKind::Call)
    return report(tree, call, Code::InvalidDeclaration, "expected a call of a read operation");
  const std::string callee(tree.text(tree.kid(call, 0)));
  const Operation* target = library_.operation(operation.connector, callee);
  if (target == nullptr || target->effect != Effect::Read)
    return report(tree, call, Code::UnknownOperation,
                  fmt::format("this connector has no read operation `{}`", callee));
  TemplateScope scope{tree, operation.parameters, diagnostics_, is_completion, {}};
  Template arguments = call_arguments(scope, call, target->parameters);
  const auto kids = tree.kids(pending.node);
  if (tree.kind(pending.node) == NodeKind::Several) {
    operation.several = several_of(tree, pending.node, operation, *target, std::move(arguments));
    return;
  }
  const std::string field = kids.size() > 1 ? wire_name(tree, kids[1], target->result) : std::string();
  if (is_completion) {
    Completion completion{
        .operation = callee, .arguments = std::move(arguments), .field = field, .final_values = {}};
    for (const NodeId value : kids.subspan(2)) {
      check_final_value(tree, kids[1], value, target->result);
      completion.final_values.emplace_back(tree.text(value));
    }
    operation.completes = std::move(completion);
  } else if (pending.route < operation.routes.size()) {
    operation.routes[pending.route].crash = CrashRule{.kind = CrashRule::Kind::Lookup,
                                                      .operation = callee,
                                                      .arguments = std::move(arguments),
                                                      .field = field};
  }
}

// `several by list(filter: …) of 40 where id`
Several LibraryBuilder::several_of(const Tree& tree, NodeId node, const Operation& one, const Operation& list,
                                   Template arguments) {
  constexpr std::int64_t kMostAtOnce = 1'000;
  const auto kids = tree.kids(node);
  if (one.effect != Effect::Read || one.parameters.size() != 1)
    report(tree, node, Code::InvalidDeclaration, "`several` is for a read operation with one parameter");
  if (!library_.types.is(list.result, TypeKind::List) || library_.types[list.result].element != one.result)
    report(tree, kids[0], Code::InvalidDeclaration,
           fmt::format("`{}` must give a list of `{}`", list.name, library_.types.name(one.result)));
  const std::int64_t at_most = int_value(tree, kids[1], diagnostics_);
  if (at_most < 2 || at_most > kMostAtOnce)
    report(tree, kids[1], Code::InvalidDeclaration, fmt::format("one call asks for 2 to {}", kMostAtOnce));
  return {.operation = list.name,
          .arguments = std::move(arguments),
          .at_most = static_cast<std::uint32_t>(std::clamp<std::int64_t>(at_most, 2, kMostAtOnce)),
          .field = wire_name(tree, kids[2], one.result)};
}

// A final value that the field's enum does not have would be waited for in vain.
void LibraryBuilder::check_final_value(const Tree& tree, NodeId field, NodeId value, TypeId type) {
  if (!library_.types.is(type, TypeKind::Record)) return;
  const RecordType& record = library_.types.record(type);
  const auto index = record.field(tree.text(field));
  if (!index) return;
  const TypeId of = library_.types.without_null(record.fields[*index].type);
  if (!library_.types.is(of, TypeKind::Enum) || library_.types.enumeration(of).value(tree.text(value)))
    return;
  unknown(tree, value, Code::UnknownEnumValue,
          fmt::format("`{}` has no value `{}`", tree.text(field), tree.text(value)),
          library_.types.enumeration(of).values);
}

// The JSON spelling of a field of `type`, or of the record in its list.
std::string LibraryBuilder::wire_name(const Tree& tree, NodeId name, TypeId type) {
  if (library_.types.is(type, TypeKind::List)) type = library_.types[type].element;
  if (library_.types.is(type, TypeKind::Record)) {
    const RecordType& record = library_.types.record(type);
    if (const auto index = record.field(tree.text(name))) return record.fields[*index].wire;
    unknown(tree, name, Code::UnknownField,
            fmt::format("`{}` has no field `{}`", record.name, tree.text(name)),
            names_of(record.fields, &RecordField::name));
    return {};
  }
  report(tree, name, Code::UnknownField,
         fmt::format("`{}` has no field `{}`", library_.types.name(type), tree.text(name)));
  return {};
}

void LibraryBuilder::declare_trigger(const Tree& tree, const std::string& connector, NodeId node) {
  Trigger trigger;
  trigger.connector = connector;
  trigger.name = name_of(tree, node);
  trigger.doc = tree.doc_above(node);
  for (const NodeId kid : tree.kids(node)) trigger_clause(tree, kid, trigger);
  if (trigger.entities.empty() || trigger.operation.empty() || trigger.key_field.empty() ||
      trigger.cursor_field.empty())
    return report(tree, node, Code::InvalidDeclaration, "a trigger needs an entity, poll, key and cursor");
  const TypeId entity = trigger.entities.front().type;
  for (const NodeId kid : tree.kids(node)) {
    if (tree.kind(kid) == NodeKind::TriggerKey) trigger.key_field = wire_name(tree, tree.kid(kid, 0), entity);
    if (tree.kind(kid) == NodeKind::Cursor) trigger.cursor_field = wire_name(tree, tree.kid(kid, 0), entity);
    if (tree.kind(kid) == NodeKind::Filterable)
      for (const NodeId name : tree.kids(kid)) trigger.filterable.push_back(wire_name(tree, name, entity));
  }
  library_.triggers.push_back(std::move(trigger));
}

void LibraryBuilder::trigger_clause(const Tree& tree, NodeId node, Trigger& trigger) {
  switch (tree.kind(node)) {
    case NodeKind::Binding:
      trigger.bindings.push_back({.name = name_of(tree, node),
                                  .wire = std::string(tree.text(tree.kid(node, 2))),
                                  .type = type_of(tree, tree.kid(node, 1)),
                                  .doc = tree.doc_above(node)});
      return;
    case NodeKind::Entity: return entity_clause(tree, node, trigger);
    case NodeKind::Poll:
      trigger.operation = name_of(tree, node);
      if (library_.operation(trigger.connector, trigger.operation) == nullptr)
        report(tree, tree.kid(node, 0), Code::UnknownOperation,
               fmt::format("this connector has no operation `{}`", trigger.operation));
      trigger.page_size = static_cast<std::uint32_t>(
          std::clamp<std::int64_t>(int_value(tree, tree.kid(node, 1), diagnostics_), 1, 10'000));
      trigger.interval_us = duration_value_us(tree, tree.kid(node, 2), diagnostics_);
      trigger.overlap_us = duration_value_us(tree, tree.kid(node, 3), diagnostics_);
      return;
    case NodeKind::TriggerKey: trigger.key_field = name_of(tree, node); return;
    case NodeKind::Cursor: trigger.cursor_field = name_of(tree, node); return;
    default: return;
  }
}

void LibraryBuilder::entity_clause(const Tree& tree, NodeId node, Trigger& trigger) {
  Trigger::Entity entity{.name = name_of(tree, node),
                         .type = type_of(tree, tree.kid(node, 1)),
                         .operation = std::string(tree.text(tree.kid(node, 2))),
                         .argument = std::string(tree.text(tree.kid(node, 3))),
                         .expand_only = {}};
  const Operation* fetch = library_.operation(trigger.connector, entity.operation);
  if (fetch == nullptr || fetch->effect != Effect::Read || fetch->parameters.size() != 1 ||
      fetch->result != entity.type)
    report(tree, tree.kid(node, 2), Code::InvalidDeclaration,
           fmt::format("`{}` must be a read operation with one parameter that gives `{}`", entity.operation,
                       library_.types.name(entity.type)));
  if (std::ranges::find(trigger.bindings, entity.argument, &Trigger::Binding::name) == trigger.bindings.end())
    unknown(tree, tree.kid(node, 3), Code::UnknownName,
            fmt::format("the trigger has no binding `{}`", entity.argument),
            names_of(trigger.bindings, &Trigger::Binding::name));
  if (!library_.types.is(entity.type, TypeKind::Record)) return;
  for (const NodeId name : tree.kids(node).subspan(4))
    entity.expand_only.push_back(wire_name(tree, name, entity.type));
  trigger.entities.push_back(std::move(entity));
}

}  // namespace flow
