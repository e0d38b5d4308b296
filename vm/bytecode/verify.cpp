// What a module says about itself, checked from the ground up: types, constants, operations, triggers, then
// each flow's tables and at last its code (verify_code.cpp), which may rely on all of them.
#include "vm/bytecode/verify.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>

#include "base/escape.hpp"
#include "base/text.hpp"
#include "base/text_forms.hpp"
#include "vm/bytecode/op_table.hpp"
#include "vm/bytecode/verify_code.hpp"

namespace flow {
namespace {

constexpr int kMaxTypeNesting = 32;  // of Optional, List and Map; code that walks a type is recursive

constexpr std::size_t kMaxHandlers = 256;  // of a routine
constexpr std::size_t kMaxUnionMembers = 32;
constexpr std::uint64_t kMaxReach = 64'000'000;  // instructions that check_reach looks at, of all flows

class ModuleVerifier {
 public:
  explicit ModuleVerifier(const Module& module) : module_(module), types_(module.types) {}
  Status run();

 private:
  Status check_types();
  Status check_type(TypeId id);
  Status check_union(TypeId id);
  Status check_constant(const Constant& constant) const;
  Status check_operation(const Operation& operation) const;
  Status check_route(const Operation& operation, const Route& route) const;
  Status check_template(const Template& node, const Operation& operation, bool has_item,
                        bool has_result) const;
  Status check_completion(const Operation& operation, const Completion& completion) const;
  Status check_several(const Operation& operation, const Several& several) const;
  Status check_crash_rule(const Operation& operation, const CrashRule& rule) const;
  Status check_reads(const std::string& connector, const std::string& name) const;
  Status check_trigger(const Trigger& trigger) const;
  Status check_flow(const FlowCode& flow) const;
  Status check_inputs(const FlowCode& flow, const Trigger& trigger) const;
  Status check_function(const FunctionCode& function) const;
  Status check_routine(const Routine& routine) const;
  Status check_setting(const Setting& setting) const;
  Status check_trigger_kind(const Trigger& trigger) const;
  Status check_lease(const Trigger& trigger) const;
  Status check_steps(const Operation& operation, const Route& route) const;
  Status check_call_sites(const Routine& routine) const;
  Status check_options(const Operation& operation, const CallOptions& options) const;
  Status check_policies(const Policies& policies) const;
  Status check_handlers(const Routine& routine) const;
  Status check_names(const Routine& routine) const;
  Status check_manifest(const FlowCode& flow, const Trigger& trigger) const;
  bool may_be_run(std::uint32_t flow) const;
  Status check_reach(const FlowCode& flow);

  // A type that values have: neither a union nor unknown.
  bool is_value_type(TypeId id) const {
    return types_.contains(id) && id != types_.error() &&
           !types_.is(types_.without_null(id), TypeKind::Union);
  }
  bool is_parameter_type(TypeId id) const { return types_.contains(id) && id != types_.error(); }

  const Module& module_;
  const TypeTable& types_;
  std::vector<int> nesting_;  // per type
  std::uint64_t reach_left_ = kMaxReach;
};

// Errors below are prefixed with what they speak of.
Status within(const std::string& place, Status status) {
  if (status) return status;
  return error(place + ": " + status.error().message);
}

// --- types and constants ---

// A value does not say which list, map or record of a union it is, and writing it as JSON must know.
Status ModuleVerifier::check_union(TypeId id) {
  const std::vector<TypeId>& members = types_.members(id);
  if (members.empty()) return error("a union of nothing");
  if (members.size() > kMaxUnionMembers)
    return error(fmt::format("a union of more than {} types", kMaxUnionMembers));
  unsigned found = 0;  // a bit for each storage
  for (const TypeId member : members) {
    if (member >= id || !is_value_type(member)) return error("a member of the union has no type of values");
    nesting_[id] = std::max(nesting_[id], nesting_[member] + 1);
    const Storage storage = types_.storage(member);
    if (storage < Storage::List) continue;
    const unsigned bit = 1u << static_cast<unsigned>(storage);
    if ((found & bit) != 0) return error("a union of types that cannot be told apart");
    found |= bit;
  }
  return nesting_[id] <= kMaxTypeNesting ? Status{} : error("it is nested too deeply");
}

Status ModuleVerifier::check_type(TypeId id) {
  const Type& type = types_[id];
  const auto nest = [&](TypeId inner) { nesting_[id] = std::max(nesting_[id], nesting_[inner] + 1); };
  switch (type.kind) {
    case TypeKind::Optional:
      if (type.element >= id) return error("it refers to a later type");
      nest(type.element);
      break;
    case TypeKind::Map:
      if (type.key >= id || !types_.is_map_key(type.key)) return error("its keys have no type of keys");
      [[fallthrough]];
    case TypeKind::List:
      if (type.element >= id || !is_value_type(type.element))
        return error("its items have no type of values");
      nest(type.element);
      break;
    case TypeKind::Union: return check_union(id);
    case TypeKind::Record:
      for (const RecordField& field : types_.record(id).fields)
        if (!is_value_type(field.type))
          return error(fmt::format("field `{}` has no type of values", field.name));
      break;
    default: break;
  }
  return nesting_[id] <= kMaxTypeNesting ? Status{} : error("it is nested too deeply");
}

Status ModuleVerifier::check_types() {
  nesting_.assign(types_.size(), 0);
  for (TypeId id = kFirstCompoundType; id < types_.size(); ++id)
    FLOW_TRY_STATUS(within(fmt::format("type {}", id), check_type(id)));
  return {};
}

Status ModuleVerifier::check_constant(const Constant& constant) const {
  if (!is_value_type(constant.type) || types_.is_optional(constant.type))
    return error("it has no type of values");
  switch (types_.storage(constant.type)) {
    case Storage::None:
    case Storage::Int: return {};
    case Storage::Bool:
      return constant.number == 0 || constant.number == 1 ? Status{} : error("a Bool is 0 or 1");
    case Storage::Float:
      return std::isfinite(constant.real) ? Status{} : error("a Float must be a finite number");
    case Storage::Text:
      if (constant.type == kBytesType && !text_mistake(kBytesType, constant.text).empty())
        return error("its bytes are not in Base64");
      return invalid_utf8_at(constant.text) ? error("its text is not UTF-8") : Status{};
    case Storage::Enum: {
      const auto& values = types_.enumeration(constant.type).values;
      if (constant.number >= 0 && static_cast<std::uint64_t>(constant.number) < values.size()) return {};
      return error(fmt::format("`{}` has no value {}", types_.name(constant.type), constant.number));
    }
    case Storage::Json:
    case Storage::List:
    case Storage::Map:
    case Storage::Record: break;
  }
  return error(fmt::format("`{}` has no constants", types_.name(constant.type)));
}

// --- operations ---

bool has_parameter(const Operation& operation, std::string_view name) {
  return std::ranges::find(operation.parameters, name, &Parameter::name) != operation.parameters.end();
}

struct TemplateShape {
  std::size_t fewest, most;  // children
};
TemplateShape shape_of(Template::Kind kind) {
  constexpr std::size_t kAny = static_cast<std::size_t>(-1);
  switch (kind) {
    case Template::Kind::Null:
    case Template::Kind::Bool:
    case Template::Kind::Int:
    case Template::Kind::Float:
    case Template::Kind::Text:
    case Template::Kind::Param:
    case Template::Kind::Item:
    case Template::Kind::Setting:
    case Template::Kind::CallKey:
    case Template::Kind::IsType: return {0, 0};
    case Template::Kind::Written: return {1, 1};
    case Template::Kind::Object:
    case Template::Kind::List:
    case Template::Kind::Concat: return {0, kAny};
    case Template::Kind::Join: return {1, 1};
    case Template::Kind::ForEach: return {2, 2};
    case Template::Kind::If: return {3, 3};
    case Template::Kind::CamelCase: return {1, 1};
  }
  return {1, 0};
}

// `result` (and `result.id`) stand for what a long-running action gave when it began.
bool is_result(std::string_view text) {
  return text == "result" || text.starts_with("result.");
}

Status ModuleVerifier::check_template(const Template& node, const Operation& operation, bool has_item,
                                      bool has_result) const {
  const TemplateShape shape = shape_of(node.kind);
  if (node.children.size() < shape.fewest || node.children.size() > shape.most)
    return error("a template has a wrong number of parts");
  const bool names_parameter = node.kind == Template::Kind::Param || node.kind == Template::Kind::IsType;
  if (names_parameter && !has_parameter(operation, node.text) && !(has_result && is_result(node.text)))
    return error(fmt::format("a template speaks of a parameter `{}`, which there is none of", node.text));
  if (node.kind == Template::Kind::IsType && node.type != kHtmlType && node.type != kKqlType &&
      node.type != kStringType)
    return error("a template can only ask for Html, Kql or String");
  if (node.kind == Template::Kind::Item && !has_item)
    return error("a template has an item outside of a list");
  if (node.kind == Template::Kind::Written && !escape_named(node.text))
    return error(fmt::format("a template is written for `{}`, which is nothing known", node.text));
  if (node.kind == Template::Kind::Setting && node.text.empty()) return error("a template names no setting");
  if (node.kind == Template::Kind::Float && !std::isfinite(node.real))
    return error("a template has no finite number");
  if (node.kind == Template::Kind::Object && node.names.size() != node.children.size())
    return error("a template has not as many names as members");
  for (std::size_t k = 0; k < node.children.size(); ++k) {
    const bool is_element = node.kind == Template::Kind::ForEach && k == 1;
    FLOW_TRY_STATUS(check_template(node.children[k], operation, has_item || is_element, has_result));
  }
  return {};
}

// What is called behind the flow's back may only read.
Status ModuleVerifier::check_reads(const std::string& connector, const std::string& name) const {
  const auto found = module_.operation(connector, name);
  if (!found) return error(fmt::format("the module lacks operation `{}.{}`", connector, name));
  if (module_.operations[*found].effect != Effect::Read)
    return error(fmt::format("`{}.{}` does more than read", connector, name));
  return {};
}

Status ModuleVerifier::check_crash_rule(const Operation& operation, const CrashRule& rule) const {
  if (rule.kind != CrashRule::Kind::Lookup) return {};
  FLOW_TRY_STATUS(check_reads(operation.connector, rule.operation));
  if (rule.arguments.kind != Template::Kind::Object)
    return error("the arguments of its lookup are no object");
  return check_template(rule.arguments, operation, false, false);
}

Status ModuleVerifier::check_completion(const Operation& operation, const Completion& completion) const {
  FLOW_TRY_STATUS(check_reads(operation.connector, completion.operation));
  if (completion.arguments.kind != Template::Kind::Object)
    return error("the arguments of its poll are no object");
  if (completion.field.empty() || completion.final_values.empty()) return error("its poll never ends");
  return check_template(completion.arguments, operation, false, true);
}

Status ModuleVerifier::check_several(const Operation& operation, const Several& several) const {
  if (operation.effect != Effect::Read || operation.parameters.size() != 1)
    return error("a list stands for it, and it is no read of one thing");
  FLOW_TRY_STATUS(check_reads(operation.connector, several.operation));
  if (several.arguments.kind != Template::Kind::Object)
    return error("the arguments of its list are no object");
  if (several.at_most < 2 || several.field.empty()) return error("its list does not tell several apart");
  return check_template(several.arguments, operation, false, false);
}

bool is_method(std::string_view method) {
  static constexpr std::string_view kMethods[] = {"GET", "POST", "PATCH", "PUT", "DELETE"};
  return std::ranges::find(kMethods, method) != std::end(kMethods);
}

bool begins_with_slash(const Template& path) {
  if (path.kind == Template::Kind::Text) return path.text.starts_with('/');
  return path.kind == Template::Kind::Concat && !path.children.empty() &&
         path.children[0].kind == Template::Kind::Text && path.children[0].text.starts_with('/');
}

// What goes out beside the first request, and what of its arguments is held to the configuration.
Status ModuleVerifier::check_steps(const Operation& operation, const Route& route) const {
  const bool is_http = route.protocol == Protocol::Http;
  if ((route.then || route.upload) && !is_http) return error("a second request follows none");
  if (route.then) {
    if (!is_method(route.then->method)) return error(fmt::format("`{}` is no method", route.then->method));
    if (!begins_with_slash(route.then->path)) return error("its second path does not begin with `/`");
    FLOW_TRY_STATUS(check_template(route.then->path, operation, false, true));
  }
  if (route.upload) {
    if (!has_parameter(operation, route.upload->list)) return error("it uploads what is no parameter");
    if (!begins_with_slash(route.upload->path)) return error("its upload's path does not begin with `/`");
    FLOW_TRY_STATUS(check_template(route.upload->path, operation, true, true));
    FLOW_TRY_STATUS(check_template(route.upload->body, operation, true, true));
    if (!begins_with_slash(route.upload->discard)) return error("it discards no path");
    FLOW_TRY_STATUS(check_template(route.upload->discard, operation, false, true));
  }
  for (const AllowRule& rule : route.allowed)
    if (!has_parameter(operation, rule.parameter) || rule.one.empty() || rule.many.empty())
      return error("it allows values of what is no parameter");
  if (!route.quota.by.empty() && !has_parameter(operation, route.quota.by))
    return error("its quota is by what is no parameter");
  return {};
}

Status ModuleVerifier::check_route(const Operation& operation, const Route& route) const {
  if (route.connector >= module_.connectors.size())
    return error(fmt::format("there is no connector {}", route.connector));
  if (route.protocol == Protocol::Http) {
    if (!is_method(route.method)) return error(fmt::format("`{}` is no method", route.method));
    if (!begins_with_slash(route.path)) return error("its path does not begin with `/`");
  } else if (route.protocol == Protocol::Smtp) {
    if (!route.method.empty() || !route.body) return error("mail has a body and no method");
  } else if (!route.method.empty() || route.body || route.path.kind != Template::Kind::Null ||
             !route.query.empty() || !route.headers.empty() || operation.routes.size() != 1) {
    return error("what is no request by itself has one route, and nothing is sent");
  }
  const bool is_form = route.body_form == BodyForm::Form || route.body_form == BodyForm::Multipart;
  const bool is_plain = route.body_form == BodyForm::Text || route.body_form == BodyForm::Bytes;
  if (is_plain && (route.protocol != Protocol::Http || !route.body || route.content_type.empty()))
    return error("its body has no content type");
  if (is_form &&
      (route.protocol != Protocol::Http || !route.body || route.body->kind != Template::Kind::Object))
    return error("its form has no members");
  if (route.pages.kind != Paging::Kind::None) {
    if (route.protocol != Protocol::Http || operation.effect != Effect::Read ||
        !module_.types.is(operation.result, TypeKind::List))
      return error("only a list that is read comes in pages");
    if (route.pages.name.empty() || route.pages.limit == 0 ||
        (route.pages.kind == Paging::Kind::Skip && route.pages.page_size == 0))
      return error("its pages never end");
  } else if (route.pages.limit != 1) {
    return error("a call without pages is one request");
  }
  if (route.protocol == Protocol::Egress)
    for (const char* const needed : {"method", "url", "auth", "headers", "secrets"})
      if (!has_parameter(operation, needed))
        return error(fmt::format("a request to any address has no `{}`", needed));
  if (route.is_mail && (route.protocol != Protocol::Http || !route.body))
    return error("a mail is the body of a request");
  FLOW_TRY_STATUS(check_steps(operation, route));
  FLOW_TRY_STATUS(check_template(route.path, operation, false, false));
  for (const auto& [name, value] : route.query)
    FLOW_TRY_STATUS(check_template(value, operation, false, false));
  for (const auto& [name, value] : route.headers)
    FLOW_TRY_STATUS(check_template(value, operation, false, false));
  if (route.body) FLOW_TRY_STATUS(check_template(*route.body, operation, false, false));
  if (route.crash) FLOW_TRY_STATUS(check_crash_rule(operation, *route.crash));
  return {};
}

Status ModuleVerifier::check_operation(const Operation& operation) const {
  if (operation.connector.empty() || operation.name.empty()) return error("it has no name");
  if (operation.routes.empty()) return error("nothing says how to carry it out");
  if (!is_value_type(operation.result)) return error("its result has no type of values");
  for (const Parameter& parameter : operation.parameters)
    if (!is_parameter_type(parameter.type))
      return error(fmt::format("parameter `{}` has no type", parameter.name));
  if (!operation.targets.empty() && !has_parameter(operation, operation.targets))
    return error(fmt::format("it targets `{}`, which is no parameter", operation.targets));
  for (const Route& route : operation.routes) FLOW_TRY_STATUS(check_route(operation, route));
  if (operation.completes) FLOW_TRY_STATUS(check_completion(operation, *operation.completes));
  if (operation.several) FLOW_TRY_STATUS(check_several(operation, *operation.several));
  return {};
}

// --- triggers ---

bool binds(const Trigger& trigger, std::string_view name) {
  return std::ranges::find(trigger.bindings, name, &Trigger::Binding::name) != trigger.bindings.end();
}
bool has_entity(const Trigger& trigger, std::string_view name) {
  return std::ranges::find(trigger.entities, name, &Trigger::Entity::name) != trigger.entities.end();
}

constexpr std::int64_t kLongestUs = std::int64_t{100} * 366 * 24 * 3600 * 1'000'000;  // of any time to wait

bool is_time_span(std::int64_t us) {
  return us >= 0 && us <= kLongestUs;
}

Status ModuleVerifier::check_trigger_kind(const Trigger& trigger) const {
  if (!is_value_type(trigger.result) || (trigger.result != kNullType && trigger.kind != Trigger::Kind::Call))
    return error("it gives nothing to anyone");
  switch (trigger.kind) {
    case Trigger::Kind::Every: return trigger.interval_us > 0 ? Status{} : error("it says not how often");
    case Trigger::Kind::Cron: return !trigger.cron.empty() ? Status{} : error("it says not when");
    case Trigger::Kind::Hunt:
      if (trigger.interval_us <= 0) return error("it says not how often");
      return !trigger.query.empty() ? Status{} : error("it has no query");
    case Trigger::Kind::Webhook:
    case Trigger::Kind::Stream: return !trigger.endpoint.empty() ? Status{} : error("it names no endpoint");
    case Trigger::Kind::Lease: return check_lease(trigger);
    case Trigger::Kind::Digest:
      return module_.operation("mail", "mail") ? Status{} : error("it sends a mail, and the module has none");
    case Trigger::Kind::Poll:
    case Trigger::Kind::Manual:
    case Trigger::Kind::Call:
    case Trigger::Kind::RunFailed: return {};
  }
  return error("it is of no kind");
}

// What is undone must be something that can be.
Status ModuleVerifier::check_lease(const Trigger& trigger) const {
  const auto leased = std::ranges::find(module_.operations, trigger.endpoint, &Operation::full_name);
  if (leased == module_.operations.end() || leased->inverse.empty())
    return error(fmt::format("nothing undoes `{}`", trigger.endpoint));
  return {};
}

Status ModuleVerifier::check_trigger(const Trigger& trigger) const {
  if (trigger.name.empty()) return error("it has no name");
  FLOW_TRY_STATUS(check_trigger_kind(trigger));
  if (!trigger.operation.empty()) FLOW_TRY_STATUS(check_reads(trigger.connector, trigger.operation));
  if (trigger.page_size == 0 || !is_time_span(trigger.interval_us) || !is_time_span(trigger.overlap_us))
    return error("its page size or times are out of range");
  for (const Trigger::Binding& binding : trigger.bindings)
    if (binding.name.empty() || binding.wire.empty() || !is_value_type(binding.type))
      return error(fmt::format("binding `{}` is incomplete", binding.name));
  for (const Trigger::Entity& entity : trigger.entities) {
    if (entity.name.empty() || !is_value_type(entity.type) ||
        !types_.is(types_.without_null(entity.type), TypeKind::Record))
      return error(fmt::format("entity `{}` is no record", entity.name));
    if (!entity.argument.empty() && !binds(trigger, entity.argument))
      return error(
          fmt::format("entity `{}` is fetched by `{}`, which is no binding", entity.name, entity.argument));
  }
  return {};
}

// --- flows ---

Status ModuleVerifier::check_setting(const Setting& setting) const {
  if (setting.name.empty()) return error("it has no name");
  if (module_.setting(setting.name) != &setting) return error("there is another one of that name");
  if (!is_value_type(setting.type)) return error("it has no type of values");
  if (setting.is_secret != (types_.without_null(setting.type) == kSecretType))
    return error("what is of type Secret is a secret, and nothing else is");
  if (setting.is_required && (!setting.default_json.empty() || types_.is_optional(setting.type)))
    return error("it is required, and can do without");
  return {};
}

Status ModuleVerifier::check_inputs(const FlowCode& flow, const Trigger& trigger) const {
  if (flow.inputs.size() > flow.registers) return error("it has more inputs than registers");
  for (const Input& input : flow.inputs) {
    const auto refuse = [&](std::string_view why) {
      return error(fmt::format("input `{}` {}", input.name, why));
    };
    if (!types_.contains(input.type) || !is_value_type(input.type) ||
        (types_.without_null(input.type) == kSecretType && input.source != Input::Source::Setting))
      return refuse("has no type of values");
    switch (input.source) {
      case Input::Source::Binding:
        if (!binds(trigger, input.name)) return refuse("is no binding of its trigger");
        if (input.wire.empty()) return refuse("names no member of the event");
        break;
      case Input::Source::Entity:
      case Input::Source::Fetched:
        if (!has_entity(trigger, input.name)) return refuse("is no entity of its trigger");
        if (!types_.is_optional(input.type) || !types_.is(types_[input.type].element, TypeKind::Record))
          return refuse("must be a record or null");
        break;
      case Input::Source::Setting: {
        const Setting* setting = module_.setting(input.name);
        if (setting == nullptr) return refuse("is no setting of the module");
        if (setting->type != input.type) return refuse("has another type than the setting");
      }
    }
  }
  return {};
}

Status ModuleVerifier::check_call_sites(const Routine& routine) const {
  for (const CallSite& site : routine.call_sites) {
    if (site.operation >= module_.operations.size())
      return error(fmt::format("there is no operation {}", site.operation));
    const Operation& operation = module_.operations[site.operation];
    if (site.first_argument + operation.parameters.size() > routine.registers)
      return error(fmt::format("the arguments of {} are beyond the registers", operation.full_name()));
    if (site.is_fetch && operation.effect != Effect::Read)
      return error(fmt::format("{} is fetched, but does more than read", operation.full_name()));
    if (site.options) FLOW_TRY_STATUS(within(operation.full_name(), check_options(operation, *site.options)));
  }
  return {};
}

Status ModuleVerifier::check_options(const Operation& operation, const CallOptions& options) const {
  constexpr std::uint32_t kMostRetries = 1000;
  if (options.retries.value_or(0) > kMostRetries)
    return error(fmt::format("more than {} retries", kMostRetries));
  for (const std::int64_t us : {options.backoff_min_us, options.backoff_max_us, options.timeout_us,
                                options.lease_us, options.await_within_us})
    if (!is_time_span(us)) return error("a time of its call is out of range");
  if (options.backoff_min_us > options.backoff_max_us) return error("its shortest backoff is the longest");
  if (options.is_awaited && !operation.completes) return error("it is awaited, and is done when it answers");
  const bool is_runtimes = std::ranges::any_of(
      operation.routes, [](const Route& route) { return route.protocol == Protocol::Runtime; });
  if (options.await_within_us > 0 && !options.is_awaited && !is_runtimes) return error("nobody awaits it");
  if (options.lease_us > 0 && operation.inverse.empty()) return error("it is leased, and nothing undoes it");
  return {};
}

Status ModuleVerifier::check_policies(const Policies& policies) const {
  for (const Policies::Limit& limit : policies.limits) {
    if (limit.operation >= module_.operations.size())
      return error(fmt::format("it limits operation {}", limit.operation));
    if (limit.window_us == 0 || !is_time_span(limit.window_us)) return error("a limit is for no time");
    if ((limit.otherwise == Policies::Limit::Otherwise::Ask) == limit.ask_to.empty())
      return error("a limit does not say who is asked, or says so in vain");
  }
  return is_time_span(policies.within_us) ? Status{} : error("its deadline is out of range");
}

Status ModuleVerifier::check_handlers(const Routine& routine) const {
  if (routine.handlers.size() > kMaxHandlers)
    return error(fmt::format("more than {} handlers", kMaxHandlers));
  for (const Handler& handler : routine.handlers) {
    if (handler.begin >= handler.end || handler.end > routine.code.size() ||
        handler.target >= routine.code.size())
      return error("a handler covers no code of it");
    // A fault never goes back: a loop would cost no fuel.
    if (handler.target < handler.end) return error("a handler does not stand behind the code it covers");
    if (handler.register_ >= routine.registers) return error("a handler's register is beyond the registers");
  }
  if (routine.cleanups.size() > kMaxHandlers)
    return error(fmt::format("more than {} parts that clean up", kMaxHandlers));
  for (const CodeRange& range : routine.cleanups)
    if (range.begin >= range.end || range.end > routine.code.size())
      return error("a part that cleans up covers no code of it");
  return {};
}

Status ModuleVerifier::check_names(const Routine& routine) const {
  for (std::size_t i = 0; i < routine.lines.size(); ++i) {
    if (routine.lines[i].pc >= routine.code.size() || routine.lines[i].line == 0)
      return error("a line stands for no code");
    if (i > 0 && routine.lines[i - 1].pc >= routine.lines[i].pc) return error("the lines are not in order");
  }
  for (const RegisterName& name : routine.names)
    if (name.begin > name.end || name.end > routine.code.size() || name.register_ >= routine.registers)
      return error(fmt::format("the name `{}` stands for no register", name.name));
  return {};
}

// By a call of a flow, by a lease, or for a digest.
bool ModuleVerifier::may_be_run(std::uint32_t flow) const {
  if (flow >= module_.flows.size() || module_.flows[flow].trigger >= module_.triggers.size()) return false;
  const Trigger::Kind kind = module_.triggers[module_.flows[flow].trigger].kind;
  return kind == Trigger::Kind::Call || kind == Trigger::Kind::Lease || kind == Trigger::Kind::Digest;
}

Status ModuleVerifier::check_manifest(const FlowCode& flow, const Trigger& trigger) const {
  for (const ManifestCall& call : flow.manifest.calls)
    if (call.operation >= module_.operations.size())
      return error(fmt::format("its manifest speaks of operation {}", call.operation));
  for (const ManifestRecipients& recipients : flow.manifest.recipients)
    if (recipients.operation >= module_.operations.size())
      return error(fmt::format("its manifest speaks of operation {}", recipients.operation));
  for (const ManifestRead& read : flow.manifest.reads)
    if (!has_entity(trigger, read.entity))
      return error(fmt::format("its manifest reads `{}`, which its trigger does not have", read.entity));
  for (const ManifestFlow& run : flow.manifest.flows)
    if (!may_be_run(run.flow))
      return error(fmt::format("its manifest runs flow {}, which is none that can be called", run.flow));
  return {};
}

Status ModuleVerifier::check_routine(const Routine& routine) const {
  if (routine.name.empty()) return error("it has no name");
  if (routine.code.empty()) return error("it has no code");
  if (routine.code.size() > kMaxCodeSize)
    return error(fmt::format("more than {} instructions", kMaxCodeSize));
  FLOW_TRY_STATUS(check_call_sites(routine));
  FLOW_TRY_STATUS(check_handlers(routine));
  return check_names(routine);
}

Status ModuleVerifier::check_function(const FunctionCode& function) const {
  if (function.registers == 0) return error("it has no register for its result");
  if (function.parameters.size() > function.registers) return error("it has more parameters than registers");
  for (const TypeId type : function.parameters)
    if (!types_.contains(type) || !is_value_type(type)) return error("a parameter has no type of values");
  if (!types_.contains(function.result) || !is_value_type(function.result))
    return error("its result has no type of values");
  return check_routine(function);
}

Status ModuleVerifier::check_flow(const FlowCode& flow) const {
  if (flow.trigger >= module_.triggers.size())
    return error(fmt::format("there is no trigger {}", flow.trigger));
  const Trigger& trigger = module_.triggers[flow.trigger];
  FLOW_TRY_STATUS(check_inputs(flow, trigger));
  if (!is_value_type(flow.result)) return error("its result has no type of values");
  FLOW_TRY_STATUS(check_policies(flow.policies));
  for (const Handler& handler : flow.handlers)
    if (handler.register_ < flow.inputs.size()) return error("a handler's register is an input");
  FLOW_TRY_STATUS(check_routine(flow));
  return check_manifest(flow, trigger);
}

// What may be called from a flow, in it or in a function it invokes, stands in its manifest. Many flows may
// reach many functions, so that together they are looked at more than a fixed number of times per
// instruction.
Status ModuleVerifier::check_reach(const FlowCode& flow) {
  std::vector<bool> is_listed(module_.operations.size());
  for (const ManifestCall& call : flow.manifest.calls) is_listed[call.operation] = true;
  std::vector<bool> is_reached(module_.functions.size());
  reach_left_ -= std::min<std::uint64_t>(reach_left_, (is_listed.size() + is_reached.size()) / 64);
  std::vector<const Routine*> waiting{&flow};
  while (!waiting.empty()) {
    const Routine& routine = *waiting.back();
    waiting.pop_back();
    const std::uint64_t price = routine.code.size() + routine.call_sites.size();
    if (price > reach_left_) return error("the flows of the module reach too many functions to verify");
    reach_left_ -= price;
    for (const CallSite& site : routine.call_sites)
      if (!is_listed[site.operation])
        return error(
            fmt::format("the manifest keeps {} secret", module_.operations[site.operation].full_name()));
    for (const Instruction i : routine.code) {
      if (op_info(i.op)->imm != Operand::Function) continue;
      const std::uint32_t count = i.op == Op::Parallel || i.op == Op::Race ? i.c : 1;
      for (std::uint32_t function = i.index(); function < i.index() + count; ++function) {
        if (is_reached[function]) continue;
        is_reached[function] = true;
        waiting.push_back(&module_.functions[function]);
      }
    }
  }
  return {};
}

Status ModuleVerifier::run() {
  FLOW_TRY_STATUS(check_types());
  for (std::size_t i = 0; i < module_.constants.size(); ++i)
    FLOW_TRY_STATUS(within(fmt::format("constant {}", i), check_constant(module_.constants[i])));
  for (const Connector& connector : module_.connectors)
    if (const std::string problem = auth_problem(connector.auth); !problem.empty())
      return error(fmt::format("connector `{}`: {}", connector.name, problem));
  for (const Operation& operation : module_.operations)
    FLOW_TRY_STATUS(within(fmt::format("operation `{}`", operation.full_name()), check_operation(operation)));
  for (const Trigger& trigger : module_.triggers)
    FLOW_TRY_STATUS(within(fmt::format("trigger `{}`", trigger.name), check_trigger(trigger)));
  for (const Setting& setting : module_.settings)
    FLOW_TRY_STATUS(within(fmt::format("setting `{}`", setting.name), check_setting(setting)));
  for (const FunctionCode& function : module_.functions)
    FLOW_TRY_STATUS(within(fmt::format("function `{}`", function.name), check_function(function)));
  for (const FlowCode& flow : module_.flows)
    FLOW_TRY_STATUS(within(fmt::format("flow `{}`", flow.name), check_flow(flow)));
  const TypeFinder finder(types_);
  for (const Setting& setting : module_.settings)
    if (!setting.is_secret && !finder.is_foreign(setting.type))
      return error(fmt::format("setting `{}`: `{}` cannot be read", setting.name, types_.name(setting.type)));
  for (const FunctionCode& function : module_.functions)
    FLOW_TRY_STATUS(verify_function(module_, finder, function));
  for (const FlowCode& flow : module_.flows) {
    FLOW_TRY_STATUS(verify_flow(module_, finder, flow));
    FLOW_TRY_STATUS(within(fmt::format("flow `{}`", flow.name), check_reach(flow)));
  }
  return {};
}

}  // namespace

Status verify(const Module& module) {
  return ModuleVerifier(module).run();
}

}  // namespace flow
