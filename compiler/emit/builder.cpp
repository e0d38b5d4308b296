#include "compiler/emit/builder.hpp"

#include <algorithm>

#include "base/lease.hpp"
#include "compiler/emit/settings.hpp"
#include "vm/bytecode/summary.hpp"

namespace flow {

TypeId ModuleBuilder::type(TypeId from) {
  if (from < kFirstCompoundType) return from;
  if (const auto known = types_.find(from); known != types_.end()) return known->second;
  const Type& source = checked_.types[from];
  TypeTable& to = module_.types;
  TypeId made = to.error();
  switch (source.kind) {
    case TypeKind::Optional: made = to.optional(type(source.element)); break;
    case TypeKind::List: made = to.list(type(source.element)); break;
    case TypeKind::Map: made = to.map(type(source.key), type(source.element)); break;
    case TypeKind::Union: {
      std::vector<TypeId> members;
      for (const TypeId member : checked_.types.members(from)) members.push_back(type(member));
      made = to.union_of(std::move(members));
      break;
    }
    case TypeKind::Enum: made = to.add_enum(checked_.types.enumeration(from)); break;
    case TypeKind::Record: return record_type(from);
    default: break;
  }
  types_.emplace(from, made);
  return made;
}

TypeId ModuleBuilder::record_type(TypeId from) {
  const RecordType& source = checked_.types.record(from);
  const TypeId made = module_.types.add_record({.name = source.name, .fields = {}, .doc = source.doc});
  types_.emplace(from, made);  // before its fields: a record may hold itself
  const auto defaults = checked_.field_defaults.find(from);
  std::vector<RecordField> slim;
  for (std::uint32_t i = 0; i < source.fields.size(); ++i) {
    if (!checked_.fields_read.contains({from, i})) continue;
    fields_.emplace(std::pair(from, i), static_cast<std::uint32_t>(slim.size()));
    slim.push_back(source.fields[i]);
    slim.back().type = type(source.fields[i].type);
    if (defaults != checked_.field_defaults.end() && defaults->second[i] != kNoNode)
      slim.back().default_json = constant_json(tree_, checked_, defaults->second[i]);
  }
  module_.types.mutable_record(made).fields = std::move(slim);
  return made;
}

std::uint32_t ModuleBuilder::field(TypeId record, std::uint32_t from) {
  type(record);
  return fields_.at({record, from});
}

std::uint32_t ModuleBuilder::constant(Constant constant) {
  const auto key = std::tuple(constant.type, constant.number, constant.real, constant.text);
  const auto [at, is_new] = constants_.emplace(key, static_cast<std::uint32_t>(module_.constants.size()));
  if (is_new) module_.constants.push_back(std::move(constant));
  return at->second;
}

std::uint32_t ModuleBuilder::function(std::uint32_t index, const CheckedFlow* protected_by) {
  if (const auto known = functions_.find({index, protected_by}); known != functions_.end())
    return known->second;
  const std::uint32_t place = reserve(1);
  functions_.emplace(std::pair(index, protected_by), place);
  invoked_.push_back({.function = index, .place = place, .protected_by = protected_by});
  return place;
}

std::uint32_t ModuleBuilder::guard(const CheckedFlow& flow, const Protection& protection,
                                   const Operation& operation) {
  for (const Guard& known : guards_)
    if (known.flow == &flow && known.protection.condition == protection.condition &&
        known.protection.subject == protection.subject && known.operation == &operation)
      return known.place;
  guards_.push_back({.flow = &flow, .protection = protection, .operation = &operation, .place = reserve(1)});
  return guards_.back().place;
}

// Behind the flows of the file.
std::uint32_t ModuleBuilder::lease(std::uint32_t library_operation, NodeId call) {
  const auto known = std::ranges::find(leased_, library_operation, &Leased::operation);
  const auto place = static_cast<std::uint32_t>(checked_.flows.size() + (known - leased_.begin()));
  if (known == leased_.end()) leased_.push_back({library_operation, call});
  return place;
}

std::uint32_t ModuleBuilder::lease_trigger(const Operation& leased, const Operation& inverse) {
  Trigger trigger{.kind = Trigger::Kind::Lease, .name = "lease", .endpoint = leased.full_name()};
  const auto bind = [&](const std::string& name, TypeId type) {
    trigger.bindings.push_back({.name = name, .wire = name, .type = type, .doc = {}});
  };
  bind(std::string(kLeaseMember), kDurationType);
  for (const std::size_t i : kept_parameters(leased, inverse))
    bind(inverse.parameters[i].name, type(inverse.parameters[i].type));
  module_.triggers.push_back(std::move(trigger));
  return static_cast<std::uint32_t>(module_.triggers.size() - 1);
}

std::uint32_t ModuleBuilder::reserve(std::uint32_t count) {
  const auto first = static_cast<std::uint32_t>(module_.functions.size());
  module_.functions.resize(first + count);
  return first;
}

Input ModuleBuilder::setting(std::uint32_t index) {
  const CheckedSetting& from = checked_.settings[index];
  if (settings_.insert(index).second) module_.settings.push_back(setting_of(*this, tree_, from));
  return {.name = from.name, .type = type(from.type), .source = Input::Source::Setting, .wire = {}};
}

std::uint32_t ModuleBuilder::connector(std::uint32_t index) {
  const auto [at, is_new] = connectors_.emplace(index, static_cast<std::uint32_t>(module_.connectors.size()));
  if (is_new) module_.connectors.push_back(library_.connectors[index]);
  return at->second;
}

std::uint32_t ModuleBuilder::operation_named(const std::string& connector, const std::string& name) {
  return operation(library_.operation_names.at(connector + "." + name));
}

void ModuleBuilder::add_mail() {
  if (library_.operation_names.contains("mail.mail")) operation_named("mail", "mail");
}

std::uint32_t ModuleBuilder::operation(std::uint32_t index) {
  const auto [at, is_new] = operations_.emplace(index, static_cast<std::uint32_t>(module_.operations.size()));
  if (!is_new) return at->second;
  const std::uint32_t place = at->second;
  module_.operations.push_back(library_.operations[index]);
  Operation copy = library_.operations[index];
  for (Parameter& parameter : copy.parameters) parameter.type = type(parameter.type);
  copy.result = type(copy.result);
  for (Route& route : copy.routes) {
    route.connector = connector(route.connector);
    if (route.crash && route.crash->kind == CrashRule::Kind::Lookup)
      operation_named(copy.connector, route.crash->operation);
  }
  if (copy.completes) operation_named(copy.connector, copy.completes->operation);
  if (copy.several) operation_named(copy.connector, copy.several->operation);
  if (asks_people(copy)) add_mail();
  module_.operations[place] = std::move(copy);
  return place;
}

std::uint32_t ModuleBuilder::trigger(std::uint32_t index) {
  const auto [at, is_new] = triggers_.emplace(index, static_cast<std::uint32_t>(module_.triggers.size()));
  if (!is_new) return at->second;
  Trigger copy = checked_.triggers[index];
  if (!copy.operation.empty()) operation_named(copy.connector, copy.operation);
  for (Trigger::Binding& binding : copy.bindings) binding.type = type(binding.type);
  copy.result = type(copy.result);
  for (Trigger::Entity& entity : copy.entities) {
    entity.type = type(entity.type);
    operation_named(copy.connector, entity.operation);
  }
  module_.triggers.push_back(std::move(copy));
  return at->second;
}

}  // namespace flow
