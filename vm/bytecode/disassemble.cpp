#include "vm/bytecode/disassemble.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <iterator>
#include <set>

#include "base/text.hpp"
#include "vm/bytecode/item_at.hpp"
#include "vm/bytecode/op_table.hpp"
#include "vm/bytecode/policy_text.hpp"

namespace flow {
namespace {

// Modules may be printed before they are verified: every index is looked up with care.
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

// --- disassembly ---

void print_template(std::string& out, const Template& node) {
  switch (node.kind) {
    case Template::Kind::Text: out += node.text; break;
    case Template::Kind::Param: out += "{" + node.text + "}"; break;
    case Template::Kind::Setting: out += "{setting " + node.text + "}"; break;
    case Template::Kind::CallKey: out += "{key}"; break;
    case Template::Kind::Join: print_template(out, node.children.at(0)); break;
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
                     : route.protocol == Protocol::Egress  ? "EGRESS"
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
  for (const CodeRange& range : routine.cleanups)
    fmt::format_to(std::back_inserter(out), "  {} to {} clean up\n", range.begin, range.end);
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
