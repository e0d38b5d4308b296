#include "vm/bytecode/disassemble.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <iterator>
#include <set>

#include "base/text.hpp"
#include "vm/bytecode/op_table.hpp"

namespace flow {
namespace {

// Modules may be printed before they are verified: every index is looked up with care.
template <class T>
const T* at(const std::vector<T>& list, std::size_t index) {
  return index < list.size() ? &list[index] : nullptr;
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator = ", ") {
  std::string text;
  for (const std::string& part : parts)
    text += (text.empty() ? std::string() : std::string(separator)) + part;
  return text;
}

std::string operation_name(const Module& module, std::uint32_t index) {
  const Operation* operation = at(module.operations, index);
  return operation == nullptr ? fmt::format("operation {}", index) : operation->full_name();
}

std::string type_name(const Module& module, TypeId type) {
  return module.types.contains(type) ? module.types.name(type) : fmt::format("type {}", type);
}

// The least privileged permission of each route of each operation the flow may call.
std::vector<std::string> permissions_of(const Module& module, const FlowCode& flow) {
  std::set<std::string> needed;
  const auto add = [&](const Operation* operation) {
    if (operation == nullptr) return;
    for (const Route& route : operation->routes)
      if (!route.permissions.empty()) needed.insert(route.permissions.front());
  };
  for (const ManifestCall& call : flow.manifest.calls) {
    const Operation* operation = at(module.operations, call.operation);
    add(operation);
    if (operation == nullptr || !operation->completes) continue;
    if (const auto poll = module.operation(operation->connector, operation->completes->operation))
      add(&module.operations[*poll]);
  }
  if (const Trigger* trigger = at(module.triggers, flow.trigger))
    if (const auto poll = module.operation(trigger->connector, trigger->operation))
      add(&module.operations[*poll]);
  return {needed.begin(), needed.end()};
}

std::string call_text(const Module& module, const ManifestCall& call) {
  const Operation* operation = at(module.operations, call.operation);
  const std::string_view effect = operation == nullptr ? "unknown" : effect_name(operation->effect);
  const std::string bound =
      call.at_most == kAnyNumber ? "any number of times" : fmt::format("at most {}", call.at_most);
  return fmt::format("{} ({}, {}, line {})", operation_name(module, call.operation), effect, bound,
                     call.line);
}

void print_row(std::string& out, std::string_view title, const std::vector<std::string>& values) {
  fmt::format_to(std::back_inserter(out), "  {:<12} {}\n", title,
                 values.empty() ? "nothing" : joined(values));
}

// `alert.new`, `cron 0 7 * * MON-FRI in Europe/Berlin`
std::string trigger_text(const Trigger& trigger) {
  const std::string_view kind = trigger_kind_name(trigger.kind);
  switch (trigger.kind) {
    case Trigger::Kind::Every: return fmt::format("{} {}", kind, format_duration_us(trigger.interval_us));
    case Trigger::Kind::Cron:
      return fmt::format("{} {} in {}", kind, trigger.cron, trigger.zone.empty() ? "UTC" : trigger.zone);
    case Trigger::Kind::Hunt:
      return fmt::format("{} every {}{}", kind, format_duration_us(trigger.interval_us),
                         trigger.is_batch ? ", batch" : "");
    case Trigger::Kind::Webhook:
    case Trigger::Kind::Stream: return fmt::format("{} {}", kind, json_quoted(trigger.endpoint));
    case Trigger::Kind::RunFailed:
      return trigger.of_flow.empty() ? std::string(kind) : fmt::format("{} of {}", kind, trigger.of_flow);
    case Trigger::Kind::Manual:
    case Trigger::Kind::Call: return std::string(kind);
    case Trigger::Kind::Poll: break;
  }
  return trigger.name;
}

std::string limit_text(const Module& module, const Policies::Limit& limit) {
  using Otherwise = Policies::Limit::Otherwise;
  const std::string otherwise = limit.otherwise == Otherwise::Skip  ? " else skip"
                                : limit.otherwise == Otherwise::Ask ? " else ask " + json_quoted(limit.ask_to)
                                                                    : "";
  return fmt::format("limit {} to {} per {}{}", operation_name(module, limit.operation), limit.count,
                     format_duration_us(limit.window_us), otherwise);
}

std::vector<std::string> policy_texts(const Module& module, const Policies& policies) {
  std::vector<std::string> texts;
  if (policies.has_once) texts.emplace_back("once");
  for (const Policies::Limit& limit : policies.limits) texts.push_back(limit_text(module, limit));
  if (policies.has_protect) texts.emplace_back("protect");
  if (policies.within_us > 0) texts.push_back("within " + format_duration_us(policies.within_us));
  if (policies.at_most > 0) texts.push_back(fmt::format("at most {} at once", policies.at_most));
  if (policies.priority != Policies::Priority::Normal)
    texts.emplace_back(policies.priority == Policies::Priority::Low ? "priority low" : "priority high");
  for (const std::string& tenant : policies.tenants) texts.push_back("in tenant " + tenant);
  if (policies.is_dry_run) texts.emplace_back("dry run");
  return texts;
}

std::vector<std::string> setting_texts(const Module& module) {
  std::vector<std::string> texts;
  for (const Setting& setting : module.settings) {
    std::string text = fmt::format("{}: {}", setting.name, type_name(module, setting.type));
    if (!setting.default_json.empty()) text += " = " + setting.default_json;
    if (setting.is_required) text += " (required)";
    texts.push_back(std::move(text));
  }
  return texts;
}

// ` retry 3 backoff 1s..1m timeout 30s`, as an author would write it
std::string options_text(const CallOptions& options) {
  std::string text;
  if (options.retries) text += fmt::format(" retry {}", *options.retries);
  if (options.backoff_max_us > 0)
    text += fmt::format(" backoff {}..{}", format_duration_us(options.backoff_min_us),
                        format_duration_us(options.backoff_max_us));
  if (options.timeout_us > 0) text += " timeout " + format_duration_us(options.timeout_us);
  if (options.lease_us > 0) text += " lease " + format_duration_us(options.lease_us);
  if (options.is_awaited) text += " awaited";
  if (options.await_within_us > 0) text += " within " + format_duration_us(options.await_within_us);
  return text;
}

void print_flow_manifest(std::string& out, const Module& module, const FlowCode& flow) {
  const Trigger* trigger = at(module.triggers, flow.trigger);
  std::vector<std::string> calls, fetches, reads;
  for (const ManifestCall& call : flow.manifest.calls)
    (call.is_fetch ? fetches : calls).push_back(call_text(module, call));
  for (const ManifestRead& read : flow.manifest.reads)
    for (const std::string& field : read.fields) reads.push_back(read.entity + "." + field);
  fmt::format_to(std::back_inserter(out), "flow {}\n", flow.name);
  print_row(out, "starts on", {trigger == nullptr ? "nothing known" : trigger_text(*trigger)});
  if (const std::vector<std::string> policies = policy_texts(module, flow.policies); !policies.empty())
    print_row(out, "holds to", policies);
  if (!module.settings.empty()) print_row(out, "set by", setting_texts(module));
  if (!flow.manifest.poll_filter.empty()) print_row(out, "polls only", {flow.manifest.poll_filter});
  if (!flow.manifest.poll_expand.empty()) print_row(out, "expands", flow.manifest.poll_expand);
  print_row(out, "reads", reads);
  print_row(out, "fetches", fetches);
  print_row(out, "calls", calls);
  print_row(out, "leaves", flow.manifest.leaves);
  print_row(out, "needs", permissions_of(module, flow));
}

// --- disassembly ---

void print_template(std::string& out, const Template& node) {
  switch (node.kind) {
    case Template::Kind::Text: out += node.text; break;
    case Template::Kind::Param: out += "{" + node.text + "}"; break;
    case Template::Kind::Setting: out += "{setting " + node.text + "}"; break;
    case Template::Kind::CallKey: out += "{key}"; break;
    case Template::Kind::Concat:
      for (const Template& child : node.children) print_template(out, child);
      break;
    default: out += "{…}";
  }
}

void print_operations(std::string& out, const Module& module) {
  for (std::size_t i = 0; i < module.operations.size(); ++i) {
    const Operation& operation = module.operations[i];
    std::vector<std::string> parameters;
    for (const Parameter& parameter : operation.parameters)
      parameters.push_back(fmt::format("{}: {}", parameter.name, type_name(module, parameter.type)));
    fmt::format_to(std::back_inserter(out), "operation {} {} {}({}) -> {}\n", i,
                   effect_name(operation.effect), operation.full_name(), joined(parameters),
                   type_name(module, operation.result));
    for (const Route& route : operation.routes) {
      std::string path;
      print_template(path, route.path);
      const Connector* connector = at(module.connectors, route.connector);
      fmt::format_to(std::back_inserter(out), "  {} {} {}{}\n", connector == nullptr ? "?" : connector->name,
                     route.protocol == Protocol::Smtp      ? "SMTP"
                     : route.protocol == Protocol::Runtime ? "RUNTIME"
                                                           : route.method,
                     path, route.name.empty() ? "" : " (route " + route.name + ")");
    }
  }
}

std::string constant_text(const Module& module, const Constant& constant) {
  if (!module.types.contains(constant.type)) return type_name(module, constant.type);
  const TypeTable& types = module.types;
  const std::string type = types.name(constant.type);
  switch (types.storage(constant.type)) {
    case Storage::Float: return fmt::format("{} {}", type, constant.real);
    case Storage::Text: return fmt::format("{} {}", type, json_quoted(constant.text));
    case Storage::Bool: return fmt::format("{} {}", type, constant.number != 0);
    case Storage::Enum: {
      if (types.is_optional(constant.type) || constant.number < 0) return type;
      const std::string* value =
          at(types.enumeration(constant.type).values, static_cast<std::size_t>(constant.number));
      return fmt::format("{}.{}", type, value == nullptr ? "?" : *value);
    }
    case Storage::Int:
      if (constant.type == kTimeType) return "Time " + format_time_us(constant.number);
      if (constant.type == kDurationType) return "Duration " + format_duration_us(constant.number);
      return fmt::format("{} {}", type, constant.number);
    default: return type;
  }
}

// What a reader would otherwise look up: constants, called operations, names of registers.
std::string comment_for(const Module& module, const Routine& routine, const std::vector<Input>& inputs,
                        std::uint32_t pc, Instruction i) {
  std::vector<std::string> notes;
  const OpInfo* info = op_info(i.op);
  if (info == nullptr) return "";
  const auto add_register = [&](Operand kind, unsigned reg) {
    if (kind != Operand::In && kind != Operand::Out && kind != Operand::Both) return;
    for (const RegisterName& name : routine.names)
      // What is written gets its name from the next instruction on.
      if (name.register_ == reg && name.end > pc && name.begin <= pc + (kind == Operand::Out ? 1 : 0))
        return notes.push_back(fmt::format("r{} = {}", reg, name.name));
    if (const Input* input = at(inputs, reg)) notes.push_back(fmt::format("r{} = {}", reg, input->name));
  };
  add_register(info->a, i.a);
  add_register(info->b, i.b);
  add_register(info->c, i.c);
  switch (info->imm) {
    case Operand::Const:
      if (const Constant* constant = at(module.constants, i.index()))
        notes.push_back(constant_text(module, *constant));
      break;
    case Operand::Type: notes.push_back(type_name(module, i.index())); break;
    case Operand::Function:
      if (const FunctionCode* function = at(module.functions, i.index())) notes.push_back(function->name);
      break;
    case Operand::Site:
      if (const CallSite* site = at(routine.call_sites, i.index()))
        notes.push_back(fmt::format("{} from r{}{}{}", operation_name(module, site->operation),
                                    site->first_argument, site->is_fetch ? ", fetch" : "",
                                    site->options ? "," + options_text(*site->options) : ""));
      break;
    default: break;
  }
  return joined(notes);
}

std::set<std::int64_t> targets_of(const Routine& routine) {
  std::set<std::int64_t> targets;
  for (const Handler& handler : routine.handlers) targets.insert(handler.target);
  for (std::uint32_t pc = 0; pc < routine.code.size(); ++pc) {
    const OpInfo* info = op_info(routine.code[pc].op);
    if (info != nullptr && info->is_jump()) targets.insert(jump_target(pc, routine.code[pc]));
  }
  return targets;
}

void print_code(std::string& out, const Module& module, const Routine& routine,
                const std::vector<Input>& inputs) {
  const std::set<std::int64_t> targets = targets_of(routine);
  std::size_t next_line = 0;
  for (std::uint32_t pc = 0; pc < routine.code.size(); ++pc) {
    for (; next_line < routine.lines.size() && routine.lines[next_line].pc <= pc; ++next_line)
      fmt::format_to(std::back_inserter(out), "  ; line {}:{}\n", routine.lines[next_line].line,
                     routine.lines[next_line].column);
    const std::string comment = comment_for(module, routine, inputs, pc, routine.code[pc]);
    const std::string text = format_instruction(pc, routine.code[pc]);
    const char* mark = targets.contains(pc) ? "@" : " ";
    if (comment.empty())
      fmt::format_to(std::back_inserter(out), "{}{:5}  {}\n", mark, pc, text);
    else
      fmt::format_to(std::back_inserter(out), "{}{:5}  {:<28} ; {}\n", mark, pc, text, comment);
  }
  for (const Handler& handler : routine.handlers)
    fmt::format_to(std::back_inserter(out), "  faults in {} to {} go to @{}, message in r{}\n", handler.begin,
                   handler.end, handler.target, handler.register_);
}

void print_function(std::string& out, const Module& module, const FunctionCode& function) {
  std::vector<std::string> parameters;
  for (const TypeId type : function.parameters) parameters.push_back(type_name(module, type));
  fmt::format_to(std::back_inserter(out), "function {}({}) -> {}, {} registers\n", function.name,
                 joined(parameters), type_name(module, function.result), function.registers);
  print_code(out, module, function, {});
}

void print_flow(std::string& out, const Module& module, const FlowCode& flow) {
  const Trigger* trigger = at(module.triggers, flow.trigger);
  fmt::format_to(std::back_inserter(out), "flow {} on {}, {} registers\n", flow.name,
                 trigger == nullptr ? "?" : trigger_text(*trigger), flow.registers);
  if (flow.result != kNullType)
    fmt::format_to(std::back_inserter(out), "  gives {}\n", type_name(module, flow.result));
  for (std::size_t i = 0; i < flow.inputs.size(); ++i) {
    static constexpr std::string_view kSources[] = {"binding", "entity", "fetched", "setting"};
    const Input& input = flow.inputs[i];
    fmt::format_to(std::back_inserter(out), "  input r{} {}: {} ({})\n", i, input.name,
                   type_name(module, input.type),
                   kSources[static_cast<std::size_t>(input.source) % std::size(kSources)]);
  }
  print_code(out, module, flow, flow.inputs);
}

}  // namespace

std::string print_manifest(const Module& module) {
  std::string out;
  for (const FlowCode& flow : module.flows) {
    if (!out.empty()) out += '\n';
    print_flow_manifest(out, module, flow);
  }
  return out;
}

std::string disassemble(const Module& module) {
  std::string out = fmt::format("module {}\n\n", module.source_name);
  print_operations(out, module);
  out += '\n';
  for (std::size_t i = 0; i < module.constants.size(); ++i)
    fmt::format_to(std::back_inserter(out), "k{} {}\n", i, constant_text(module, module.constants[i]));
  for (const FunctionCode& function : module.functions) {
    out += '\n';
    print_function(out, module, function);
  }
  for (const FlowCode& flow : module.flows) {
    out += '\n';
    print_flow(out, module, flow);
  }
  return out;
}

}  // namespace flow
