#include "vm/bytecode/behaviour.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.hpp"
#include "vm/bytecode/item_at.hpp"
#include "vm/bytecode/known_values.hpp"
#include "vm/bytecode/op_table.hpp"
#include "vm/bytecode/policy_text.hpp"

namespace flow {
namespace {

std::string unquoted(std::string_view text) {
  const auto is_mark = [](char c) { return c == '`' || c == '"'; };
  while (!text.empty() && is_mark(text.front())) text.remove_prefix(1);
  // A condition may end with a quote of its own, behind which stands the mark.
  if (text.ends_with("`\"")) text.remove_suffix(2);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {  // as json_quoted wrote it
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) ++i;
    out += text[i];
  }
  return out;
}

class BehaviourReader {
 public:
  BehaviourReader(const Module& module, const FlowCode& flow) : module_(module), flow_(flow) {}

  Behaviour run() {
    for (const Input& input : flow_.inputs) {
      fmt::format_to(std::back_inserter(out_.code), "{} {} {} {}\n", input.name, type_name(input.type),
                     static_cast<int>(input.source), input.wire);
      const Setting* const setting =
          input.source == Input::Source::Setting ? module_.setting(input.name) : nullptr;
      if (setting != nullptr)
        out_.settings[setting->name] =
            type_name(setting->type) + (setting->default_json.empty() ? "" : " = " + setting->default_json);
    }
    if (const Trigger* const trigger = at(module_.triggers, flow_.trigger))
      out_.code += trigger_text(*trigger) + "\n" + trigger->query + "\n";
    routine(flow_, flow_.inputs, true);
    static const std::vector<Input> none;
    for (std::size_t next = 0; next < reached_.size(); ++next) {
      const FunctionCode* const function = at(module_.functions, reached_[next]);
      if (function == nullptr) continue;
      out_.code += "fn\n";
      routine(*function, none, false);
    }
    return std::move(out_);
  }

 private:
  std::string type_name(TypeId type) const {
    return module_.types.contains(type) ? module_.types.name(type) : "?";
  }

  std::string function_number(std::uint32_t index) {
    const auto found = std::ranges::find(reached_, index);
    const auto number = found - reached_.begin();
    if (found == reached_.end()) reached_.push_back(index);
    return fmt::format("fn {}", number);
  }

  void routine(const Routine& code, const std::vector<Input>& inputs, bool is_flow) {
    KnownValues values(module_, code, inputs);
    const auto entered = std::ranges::find(code.code, Op::EnterBody, &Instruction::op);
    const auto body = is_flow ? static_cast<std::uint32_t>(entered - code.code.begin()) : 0;
    std::vector<std::pair<std::uint32_t, std::int64_t>> asked;  // of the conditions: where, where to
    values.each([&](std::uint32_t pc) {
      const Instruction i = code.code[pc];
      const OpInfo& info = *op_info(i.op);
      if (i.op == Op::Call) call(code, i, values);
      if (pc < body && info.is_jump() && i.op != Op::Jump) condition(code, pc, values, asked);
      std::string imm = values.immediate(i);
      if (info.imm == Operand::Function) {
        imm = function_number(i.index());
        if (i.op == Op::Parallel || i.op == Op::Race)
          for (std::uint32_t k = 1; k < i.c; ++k) imm += ", " + function_number(i.index() + k);
      }
      if (const CallSite* const site = info.imm == Operand::Site ? at(code.call_sites, i.index()) : nullptr) {
        imm += fmt::format(" from {}", site->first_argument);
        if (site->options) imm += options(*site->options);
      }
      fmt::format_to(std::back_inserter(out_.code), "{} {} {} {} {}\n", info.name, i.a, i.b,
                     i.op == Op::GetField ? values.field_name(i) : std::to_string(i.c), imm);
    });
    for (const Handler& handler : code.handlers)
      fmt::format_to(std::back_inserter(out_.code), "faults {} {} {} {}\n", handler.begin, handler.end,
                     handler.target, handler.register_);
    for (const CodeRange& range : code.cleanups)
      fmt::format_to(std::back_inserter(out_.code), "cleans up {} {}\n", range.begin, range.end);
    // Where a condition leads matters when it is not the end: `a or b` asks the same as `a and b`.
    for (const auto& [pc, target] : asked) out_.all_of = out_.all_of && target < 0;
    if (out_.all_of) return;
    for (std::size_t k = 0; k < asked.size(); ++k)
      out_.conditions[k] += fmt::format(
          " to {}", asked[k].second < 0 ? -1 : std::ranges::count_if(asked, [&](const auto& other) {
            return std::int64_t{other.first} < asked[k].second;
          }));
  }

  static std::string options(const CallOptions& options) {
    return fmt::format(" {} {} {} {} {} {} {}", options.retries ? std::to_string(*options.retries) : "",
                       options.backoff_min_us, options.backoff_max_us, options.timeout_us, options.lease_us,
                       options.is_awaited, options.await_within_us);
  }

  void condition(const Routine& code, std::uint32_t pc, const KnownValues& values,
                 std::vector<std::pair<std::uint32_t, std::int64_t>>& asked) {
    const Instruction i = code.code[pc];
    const OpInfo& info = *op_info(i.op);
    const Input* const input = at(flow_.inputs, i.a);
    const bool is_fetched =
        input != nullptr && i.op == Op::JumpIfSet &&
        (input->source == Input::Source::Entity || input->source == Input::Source::Fetched);
    if (is_fetched || values.value(i.a).starts_with("(flow.once(")) return;
    std::string text = fmt::format("{} {}", info.name, values.value(i.a));
    if (info.b == Operand::In) text += " " + values.value(i.b);
    if (info.b == Operand::Short) text += fmt::format(" {}", i.short_number());
    const std::int64_t target = jump_target(pc, i);
    const Instruction* const there = target < 0 ? nullptr : at(code.code, static_cast<std::size_t>(target));
    out_.conditions.push_back(std::move(text));
    asked.emplace_back(pc, there != nullptr && there->op == Op::Skip ? -1 : target);
  }

  void call(const Routine& code, Instruction i, const KnownValues& values) {
    const CallSite* const site = at(code.call_sites, i.index());
    const Operation* const operation = site == nullptr ? nullptr : at(module_.operations, site->operation);
    if (operation == nullptr) return;
    const auto argument = [&](std::size_t index) -> std::string {
      const std::size_t reg = site->first_argument + index;
      return index < operation->parameters.size() && reg < 256 ? values.value(static_cast<std::uint8_t>(reg))
                                                               : "?";
    };
    const std::string name = operation->full_name();
    if (name == "flow.once")
      out_.onces.push_back({.key = argument(0), .window_us = parse_duration_us(argument(1)).value_or(0)});
    if (name == "flow.refuse")
      out_.protects.insert(KnownValues::is_shown(argument(2)) ? unquoted(argument(2))
                                                              : "protect " + argument(2));
    if (operation->effect != Effect::Act) return;
    for (std::size_t k = 0; k < operation->parameters.size(); ++k)
      out_.arguments[name][operation->parameters[k].name].insert(argument(k));
    out_.leases[name].insert(site->options ? site->options->lease_us : 0);
  }

  const Module& module_;
  const FlowCode& flow_;
  Behaviour out_;
  std::vector<std::uint32_t> reached_;  // functions, in the order in which the code names them
};

}  // namespace

Behaviour behaviour_of(const Module& module, const FlowCode& flow) {
  return BehaviourReader(module, flow).run();
}

}  // namespace flow
