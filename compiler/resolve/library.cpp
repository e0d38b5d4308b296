#include "compiler/resolve/library.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "base/error_type.hpp"
#include "base/text.hpp"
#include "compiler/resolve/not_yet.hpp"
#include "compiler/resolve/template.hpp"
#include "compiler/resolve/type_syntax.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

// Declarations are read in three rounds, so that order and file do not matter: names of connectors and types,
// then fields and signatures, then what refers to operations (lookups, polling, triggers).
class LibraryBuilder {
 public:
  LibraryBuilder(Library base, std::span<const Tree> trees, Diagnostics& diagnostics)
      : trees_(trees), diagnostics_(diagnostics), library_(std::move(base)) {}

  Library build() {
    library_.error_type = add_error_type(library_.types);
    library_.type_names.emplace("Error", library_.error_type);
    library_.type_names.emplace("ErrorKind", library_.types.record(library_.error_type).fields[0].type);
    for (const Tree& tree : trees_) each_connector(tree, [&](NodeId node) { declare_names(tree, node); });
    for (const Tree& tree : trees_) declare_types_of_functions(tree);
    for (const Tree& tree : trees_) each_connector(tree, [&](NodeId node) { declare_members(tree, node); });
    for (const Tree& tree : trees_) declare_functions(tree);
    for (const auto& pending : pending_) resolve_references(pending);
    for (const Tree& tree : trees_)
      each_connector(tree, [&](NodeId node) {
        for (const NodeId member : tree.kids(node))
          if (tree.kind(member) == NodeKind::Trigger) declare_trigger(tree, name_of(tree, node), member);
      });
    for (const Tree& tree : trees_) report_not_yet_declared(tree, diagnostics_);
    return std::move(library_);
  }

 private:
  struct Pending {  // clauses that name other operations
    const Tree* tree;
    NodeId node;
    std::uint32_t operation;
    std::uint32_t route;
  };

  template <class Fn>
  void each_connector(const Tree& tree, Fn fn) {
    for (const NodeId kid : tree.kids(tree.root))
      if (tree.kind(kid) == NodeKind::Connector && !repeated_.contains({&tree, kid})) fn(kid);
  }

  static std::string name_of(const Tree& tree, NodeId node) {
    return std::string(tree.text(tree.kid(node, 0)));
  }
  std::string constant(const Tree& tree, NodeId clause) {
    return plain_text(tree, tree.kid(clause, 0), diagnostics_);
  }

  void report(const Tree& tree, NodeId node, Code code, std::string message) {
    diagnostics_.report(code, tree.file, tree.span(node), std::move(message));
  }
  // The same, for a name: with the known one that was likely meant.
  void unknown(const Tree& tree, NodeId node, Code code, std::string message,
               const std::vector<std::string>& known) {
    Diagnostic& d = diagnostics_.report(code, tree.file, tree.span(node), std::move(message));
    if (const auto near = nearest_name(tree.text(node), known))
      d.fix(tree.span(node), *near, fmt::format("did you mean `{}`?", *near));
    else if (!known.empty() && known.size() <= 24)
      d.note(fmt::format("known are {}", fmt::join(known, ", ")));
  }
  template <class Items, class Name>
  static std::vector<std::string> names_of(const Items& items, Name name) {
    std::vector<std::string> names;
    for (const auto& item : items) names.push_back(std::invoke(name, item));
    return names;
  }

  std::uint32_t connector_index(const Tree& tree, NodeId name) {
    const auto found = std::ranges::find(library_.connectors, tree.text(name), &Connector::name);
    if (found != library_.connectors.end())
      return static_cast<std::uint32_t>(found - library_.connectors.begin());
    unknown(tree, name, Code::UnknownName, fmt::format("there is no connector `{}`", tree.text(name)),
            names_of(library_.connectors, &Connector::name));
    return 0;
  }

  // ---- Round one
  void declare_names(const Tree& tree, NodeId node) {
    const std::string name = name_of(tree, node);
    auto connector = std::ranges::find(library_.connectors, name, &Connector::name);
    if (says_where(tree, node) && !located_.insert(name).second) {
      repeated_.insert({&tree, node});
      diagnostics_
          .report(Code::DuplicateName, tree.file, tree.span(tree.kid(node, 0)),
                  fmt::format("connector `{}` is declared twice", name))
          .note("to go on with a connector in another file, leave out its base and auth");
      return;
    }
    if (connector == library_.connectors.end())
      connector = library_.connectors.insert(connector, {.name = name, .base = {}, .scope = {}});
    for (const NodeId member : tree.kids(node)) {
      switch (tree.kind(member)) {
        case NodeKind::Base: connector->base = constant(tree, member); break;
        case NodeKind::Auth: connector->scope = scope_of(tree, member); break;
        case NodeKind::EnumDecl: declare_enum(tree, member); break;
        case NodeKind::RecordDecl: {
          const TypeId made = library_.types.add_record(
              {.name = name_of(tree, member), .fields = {}, .doc = tree.doc_above(member)});
          records_.emplace(std::pair(&tree, member), made);
          declare_type(tree, member, made);
          break;
        }
        case NodeKind::Quota: quotas_[name] = quota_of(tree, member, name); break;
        default: break;
      }
    }
  }

  static bool says_where(const Tree& tree, NodeId connector) {
    return tree.find(connector, NodeKind::Base) != kNoNode || tree.find(connector, NodeKind::Auth) != kNoNode;
  }

  void declare_type_of(const Tree& tree, NodeId node) {
    if (tree.kind(node) == NodeKind::EnumDecl) declare_enum(tree, node);
    if (tree.kind(node) != NodeKind::RecordDecl) return;
    const TypeId made =
        library_.types.add_record({.name = name_of(tree, node), .fields = {}, .doc = tree.doc_above(node)});
    records_.emplace(std::pair(&tree, node), made);
    declare_type(tree, node, made);
  }

  std::string scope_of(const Tree& tree, NodeId auth) {
    for (const NodeId entry : tree.kids(auth).subspan(1))
      if (tree.text(tree.kid(entry, 0)) == "scope") return plain_text(tree, tree.kid(entry, 1), diagnostics_);
    return {};
  }

  void declare_type(const Tree& tree, NodeId node, TypeId id) {
    const auto [at, is_new] = library_.type_names.emplace(name_of(tree, node), id);
    if (!is_new || builtin_type(at->first))
      report(tree, tree.kid(node, 0), Code::DuplicateName,
             fmt::format("type `{}` is declared twice", at->first));
  }

  void declare_enum(const Tree& tree, NodeId node) {
    EnumType type{.name = name_of(tree, node),
                  .values = {},
                  .is_ordered = tree.text(node).starts_with("ordered"),
                  .doc = tree.doc_above(node)};
    for (const NodeId value : tree.kids(node).subspan(1)) {
      if (std::ranges::find(type.values, tree.text(value)) != type.values.end())
        report(tree, value, Code::DuplicateName,
               fmt::format("value `{}` is declared twice", tree.text(value)));
      type.values.emplace_back(tree.text(value));
    }
    declare_type(tree, node, library_.types.add_enum(std::move(type)));
  }

  // Types that stand beside connectors are those of the standard functions.
  void declare_types_of_functions(const Tree& tree) {
    for (const NodeId kid : tree.kids(tree.root)) declare_type_of(tree, kid);
  }

  // ---- Round two
  void declare_functions(const Tree& tree) {
    for (const NodeId kid : tree.kids(tree.root)) {
      if (tree.kind(kid) == NodeKind::RecordDecl) declare_fields(tree, kid);
      if (tree.kind(kid) != NodeKind::NativeFunction) continue;
      StandardFunction function = read_function(tree, kid, library_.type_names, library_.types, diagnostics_);
      const bool is_repeated = std::ranges::any_of(
          library_.functions, [&](const StandardFunction& other) { return other.key == function.key; });
      if (is_repeated)
        report(tree, tree.kid(kid, 0), Code::DuplicateName,
               fmt::format("function `{}` is declared twice", function.key));
      library_.function_names[function.name].push_back(static_cast<std::uint32_t>(library_.functions.size()));
      library_.functions.push_back(std::move(function));
    }
  }

  void declare_members(const Tree& tree, NodeId node) {
    const std::string connector = name_of(tree, node);
    const auto quota = quotas_.find(connector);
    const Quota* const fallback = quota == quotas_.end() ? nullptr : &quota->second;
    for (const NodeId member : tree.kids(node)) {
      if (tree.kind(member) == NodeKind::RecordDecl) declare_fields(tree, member);
      if (tree.kind(member) == NodeKind::Operation) declare_operation(tree, node, member, fallback);
    }
  }

  TypeId type_of(const Tree& tree, NodeId node) {
    const TypeId type = resolve_type(tree, node, library_.type_names, library_.types, diagnostics_);
    if (has_key_beside_text(type))
      report(tree, node, Code::InvalidDeclaration,
             "in JSON the keys of a map are texts: write Map<String, T>");
    return type;
  }

  bool has_key_beside_text(TypeId id) const {
    const Type& type = library_.types[id];
    if (type.kind == TypeKind::Map && type.key != kStringType) return true;
    if (type.kind == TypeKind::Union)
      return std::ranges::any_of(library_.types.members(id),
                                 [&](TypeId member) { return has_key_beside_text(member); });
    return (type.kind == TypeKind::Map || type.kind == TypeKind::List || type.kind == TypeKind::Optional) &&
           has_key_beside_text(type.element);
  }

  void declare_fields(const Tree& tree, NodeId node) {
    RecordType record{.name = name_of(tree, node), .fields = {}, .doc = tree.doc_above(node)};
    for (const NodeId decl : tree.kids(node).subspan(1)) {
      RecordField field{.name = name_of(tree, decl),
                        .wire = {},
                        .type = type_of(tree, tree.kid(decl, 1)),
                        .doc = tree.doc_above(decl)};
      const NodeId wire = tree.find(decl, NodeKind::Text);
      field.wire = wire != kNoNode ? plain_text(tree, wire, diagnostics_) : field.name;
      if (record.field(field.name))
        report(tree, decl, Code::DuplicateName, fmt::format("field `{}` is declared twice", field.name));
      record.fields.push_back(std::move(field));
    }
    library_.types.mutable_record(records_.at({&tree, node})) = std::move(record);
  }

  Quota quota_of(const Tree& tree, NodeId node, std::string group) {
    Quota quota{.group = std::move(group), .per_minute = 0, .per_hour = 0};
    std::int64_t count = 0;
    for (const NodeId kid : tree.kids(node)) {
      if (tree.kind(kid) == NodeKind::Ident) quota.group = tree.text(kid);
      if (tree.kind(kid) == NodeKind::Int) count = int_value(tree, kid, diagnostics_);
      if (tree.kind(kid) != NodeKind::Duration) continue;
      const std::int64_t per = duration_value_us(tree, kid, diagnostics_) / 1'000'000;
      const auto calls = static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 0, 1'000'000));
      if (per == 60)
        quota.per_minute = calls;
      else if (per == 3600)
        quota.per_hour = calls;
      else
        report(tree, kid, Code::InvalidDeclaration, "a quota is per 1m or per 1h");
    }
    return quota;
  }

  void declare_operation(const Tree& tree, NodeId connector, NodeId node, const Quota* quota) {
    Operation operation;
    operation.connector = name_of(tree, connector);
    operation.name = tree.text(tree.kid(node, 1));
    operation.doc = tree.doc_above(node);
    const std::string_view effect = tree.text(tree.kid(node, 0));
    operation.effect = effect == "read" ? Effect::Read : effect == "act" ? Effect::Act : Effect::Notify;
    for (const NodeId kid : tree.kids(node))
      if (tree.kind(kid) == NodeKind::ParameterDecl) declare_parameter(tree, kid, operation);
    const auto index = static_cast<std::uint32_t>(library_.operations.size());
    Route plain;
    plain.connector = connector_index(tree, tree.kid(connector, 0));
    if (quota != nullptr) plain.quota = *quota;
    bool has_plain = false;
    for (const NodeId kid : tree.kids(node))
      has_plain = clause(tree, kid, operation, plain, index) || has_plain;
    if (has_plain) operation.routes.insert(operation.routes.begin(), std::move(plain));
    if (operation.routes.empty())
      report(tree, tree.kid(node, 1), Code::InvalidDeclaration,
             fmt::format("operation `{}` has no request", operation.name));
    for (const Route& route : operation.routes)
      if (route.protocol == Protocol::Http && route.method.empty())
        report(tree, tree.kid(node, 1), Code::InvalidDeclaration,
               fmt::format("a route of `{}` has no request", operation.name));
    register_operation(tree, node, std::move(operation));
  }

  void register_operation(const Tree& tree, NodeId node, Operation operation) {
    const auto index = static_cast<std::uint32_t>(library_.operations.size());
    if (!library_.operation_names.emplace(operation.full_name(), index).second)
      report(tree, tree.kid(node, 1), Code::DuplicateName,
             fmt::format("operation `{}` is declared twice", operation.name));
    library_.operation_names.emplace(operation.name, index);
    library_.operations.push_back(std::move(operation));
  }

  void declare_parameter(const Tree& tree, NodeId node, Operation& operation) {
    Parameter parameter{.name = name_of(tree, node),
                        .type = type_of(tree, tree.kid(node, 1)),
                        .default_json = {},
                        .doc = tree.doc_above(node)};
    if (tree.kids(node).size() > 2) {
      TemplateScope scope{tree, operation.parameters, diagnostics_, false, {}};
      parameter.default_json = constant_json(scope, tree.kid(node, 2), library_.types, parameter.type);
    }
    if (std::ranges::find(operation.parameters, parameter.name, &Parameter::name) !=
        operation.parameters.end())
      report(tree, node, Code::DuplicateName,
             fmt::format("parameter `{}` is declared twice", parameter.name));
    operation.parameters.push_back(std::move(parameter));
  }

  // Takes one clause of an operation; true when it describes the request itself (as opposed to a named
  // route).
  bool clause(const Tree& tree, NodeId node, Operation& operation, Route& plain, std::uint32_t index) {
    switch (tree.kind(node)) {
      case NodeKind::Result: operation.result = type_of(tree, tree.kid(node, 0)); return false;
      case NodeKind::Gives: operation.result_member = constant(tree, node); return false;
      case NodeKind::Targets:
        operation.targets = name_of(tree, node);
        check_parameter(tree, node, operation);
        return false;
      case NodeKind::Inverse: operation.inverse = name_of(tree, node); return false;
      case NodeKind::Source: operation.source = constant(tree, node); return false;
      case NodeKind::Retires: retires(tree, node, operation); return false;
      case NodeKind::Completes: pending_.push_back({&tree, node, index, 0}); return false;
      case NodeKind::Route: {
        Route route;
        route.name = name_of(tree, node);
        route.connector = connector_index(tree, tree.kid(node, 0));
        const auto number = static_cast<std::uint32_t>(operation.routes.size());
        for (const NodeId kid : tree.kids(node)) route_clause(tree, kid, operation, route, index, number);
        operation.routes.push_back(std::move(route));
        return false;
      }
      default: return route_clause(tree, node, operation, plain, index, 0);
    }
  }

  // `retires "2027-02-01"`, or with what takes its place: `retires "2027-02-01, graph.hunt"`.
  void retires(const Tree& tree, NodeId node, Operation& operation) {
    const std::string text = constant(tree, node);
    const std::size_t comma = text.find(',');
    operation.retires = text.substr(0, comma);
    if (comma != std::string::npos) {
      const std::size_t begin = text.find_first_not_of(' ', comma + 1);
      operation.replacement = begin == std::string::npos ? std::string() : text.substr(begin);
    }
    if (!parse_time_us(operation.retires + "T00:00:00Z"))
      report(tree, node, Code::InvalidDeclaration,
             fmt::format("`{}` is no date; write one as `2027-02-01`", operation.retires));
  }

  void check_parameter(const Tree& tree, NodeId clause, const Operation& operation) {
    const NodeId name = tree.kid(clause, 0);
    if (std::ranges::find(operation.parameters, tree.text(name), &Parameter::name) ==
        operation.parameters.end())
      unknown(tree, name, Code::UnknownName,
              fmt::format("this operation has no parameter `{}`", tree.text(name)),
              names_of(operation.parameters, &Parameter::name));
  }

  std::vector<std::pair<std::string, Template>> entries(TemplateScope& scope, NodeId node) {
    std::vector<std::pair<std::string, Template>> out;
    for (const NodeId entry : scope.tree.kids(node)) {
      std::string_view key = scope.tree.text(scope.tree.kid(entry, 0));
      if (key.starts_with('"')) key = key.substr(1, key.size() - 2);
      out.emplace_back(std::string(key), to_template(scope, scope.tree.kid(entry, 1)));
    }
    return out;
  }

  bool route_clause(const Tree& tree, NodeId node, const Operation& operation, Route& route,
                    std::uint32_t index, std::uint32_t number) {
    TemplateScope scope{tree, operation.parameters, diagnostics_, false, {}};
    switch (tree.kind(node)) {
      case NodeKind::Request:
        route.method = tree.text(tree.kid(node, 0));
        route.path = to_template(scope, tree.kid(node, 1));
        if (!tree.text(tree.kid(node, 1)).starts_with("\"/"))
          report(tree, tree.kid(node, 1), Code::InvalidDeclaration, "a path begins with `/`");
        return true;
      case NodeKind::Smtp: route.protocol = Protocol::Smtp; return true;
      case NodeKind::Runtime: route.protocol = Protocol::Runtime; return true;
      case NodeKind::Query: route.query = entries(scope, node); return true;
      case NodeKind::Headers: route.headers = entries(scope, node); return true;
      case NodeKind::Body: route.body = to_template(scope, tree.kid(node, 0)); return true;
      case NodeKind::Permission:
        for (const NodeId name : tree.kids(node)) route.permissions.emplace_back(tree.text(name));
        return true;
      case NodeKind::Quota: route.quota = quota_of(tree, node, operation.full_name()); return true;
      case NodeKind::ErrorClause: route.errors.push_back(error_rule(tree, node)); return true;
      case NodeKind::CrashRepeat: route.crash = CrashRule{.kind = CrashRule::Kind::Repeat}; return true;
      case NodeKind::CrashAsk: route.crash = CrashRule{.kind = CrashRule::Kind::Ask}; return true;
      case NodeKind::CrashLookup: pending_.push_back({&tree, node, index, number}); return true;
      default: return false;
    }
  }

  ErrorRule error_rule(const Tree& tree, NodeId node) {
    ErrorRule rule;
    rule.status =
        static_cast<int>(std::clamp<std::int64_t>(int_value(tree, tree.kid(node, 0), diagnostics_), 0, 999));
    const NodeId text = tree.find(node, NodeKind::Text);
    if (text != kNoNode) rule.code = plain_text(tree, text, diagnostics_);
    const NodeId fault = tree.kids(node).back();
    if (const auto kind = fault_named(tree.text(fault)))
      rule.kind = *kind;
    else
      unknown(tree, fault, Code::UnknownName, fmt::format("there is no error `{}`", tree.text(fault)),
              fault_names());
    return rule;
  }

  static std::vector<std::string> fault_names() {
    return {
#define FLOW_FAULT(name, may_retry, meaning) #name,
#include "base/faults.def"
#undef FLOW_FAULT
    };
  }

  // ---- Round three
  void resolve_references(const Pending& pending) {
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

  // A final value that the field's enum does not have would be waited for in vain.
  void check_final_value(const Tree& tree, NodeId field, NodeId value, TypeId type) {
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
  std::string wire_name(const Tree& tree, NodeId name, TypeId type) {
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

  void declare_trigger(const Tree& tree, const std::string& connector, NodeId node) {
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
      if (tree.kind(kid) == NodeKind::TriggerKey)
        trigger.key_field = wire_name(tree, tree.kid(kid, 0), entity);
      if (tree.kind(kid) == NodeKind::Cursor)
        trigger.cursor_field = wire_name(tree, tree.kid(kid, 0), entity);
      if (tree.kind(kid) == NodeKind::Filterable)
        for (const NodeId name : tree.kids(kid)) trigger.filterable.push_back(wire_name(tree, name, entity));
    }
    library_.triggers.push_back(std::move(trigger));
  }

  void trigger_clause(const Tree& tree, NodeId node, Trigger& trigger) {
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

  void entity_clause(const Tree& tree, NodeId node, Trigger& trigger) {
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
    if (std::ranges::find(trigger.bindings, entity.argument, &Trigger::Binding::name) ==
        trigger.bindings.end())
      unknown(tree, tree.kid(node, 3), Code::UnknownName,
              fmt::format("the trigger has no binding `{}`", entity.argument),
              names_of(trigger.bindings, &Trigger::Binding::name));
    if (!library_.types.is(entity.type, TypeKind::Record)) return;
    for (const NodeId name : tree.kids(node).subspan(4))
      entity.expand_only.push_back(wire_name(tree, name, entity.type));
    trigger.entities.push_back(std::move(entity));
  }

  std::span<const Tree> trees_;
  Diagnostics& diagnostics_;
  Library library_;
  std::vector<Pending> pending_;
  std::set<std::string, std::less<>> located_;  // connectors of which an address or a credential is declared
  std::set<std::pair<const Tree*, NodeId>> repeated_;  // … a second time: left out
  std::map<std::string, Quota, std::less<>> quotas_;   // by connector, what its operations have by default
  std::map<std::pair<const Tree*, NodeId>, TypeId> records_;  // by declaration: two may have one name
};

}  // namespace

const Operation* Library::operation(std::string_view connector, std::string_view name) const {
  const auto found = operation_names.find(fmt::format("{}.{}", connector, name));
  return found == operation_names.end() ? nullptr : &operations[found->second];
}

const Trigger* Library::trigger(std::string_view name) const {
  const auto found = std::ranges::find(triggers, name, &Trigger::name);
  return found == triggers.end() ? nullptr : &*found;
}

Library build_library(std::span<const Tree> trees, Diagnostics& diagnostics) {
  return LibraryBuilder({}, trees, diagnostics).build();
}

Library extend_library(const Library& base, std::span<const Tree> trees, Diagnostics& diagnostics) {
  return LibraryBuilder(base, trees, diagnostics).build();
}

}  // namespace flow
