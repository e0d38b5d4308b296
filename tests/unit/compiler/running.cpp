#include "tests/unit/compiler/running.hpp"

#include <fmt/format.h>

#include "tests/unit/compiler/golden.hpp"
#include "vm/interp/machine.hpp"

namespace flow::test {
namespace {

constexpr Limits kLimits = {.fuel = 2'000'000};
constexpr int kMostSteps = 300;

std::uint64_t mixed(std::uint64_t seed, std::uint64_t more) {
  std::uint64_t x = (seed + 0x9e3779b97f4a7c15 * (more + 1)) * 0xbf58476d1ce4e5b9;
  x ^= x >> 29;
  return x * 0x94d049bb133111eb ^ (x >> 32);
}

std::string sample_text(TypeId type, std::uint64_t seed) {
  const char* const texts[] = {"vip", "Suspicious file", "File", "a \\\"b\\\" <c>", "Prevented"};
  if (type == kTimeType) return fmt::format("\"2026-11-20T08:{:02}:22Z\"", seed % 60);
  if (type == kStringType) return fmt::format("\"{}\"", texts[seed % 5]);
  return fmt::format("\"{:040x}\"", seed % 3);
}

std::string sample(const TypeTable& types, TypeId type, std::uint64_t seed, int depth) {
  const Type& t = types[type];
  switch (t.kind) {
    case TypeKind::Optional:
      return seed % 3 == 0 || depth > 4 ? "null" : sample(types, t.element, mixed(seed, 1), depth);
    case TypeKind::Bool: return seed % 2 == 0 ? "true" : "false";
    case TypeKind::Int: return std::to_string(seed % 12);
    case TypeKind::Float: return fmt::format("{}.5", seed % 7);
    case TypeKind::Duration: return "\"PT5M\"";
    case TypeKind::Json: return "{}";
    case TypeKind::List: {
      std::string items;
      for (std::uint64_t i = 0; i < seed % 4 && depth < 5; ++i)
        items += (i == 0 ? "" : ",") + sample(types, t.element, mixed(seed, i), depth + 1);
      return "[" + items + "]";
    }
    case TypeKind::Map:
      return types.storage(t.key) == Storage::Text
                 ? "{\"k\":" + sample(types, t.element, mixed(seed, 3), depth + 1) + "}"
                 : "{}";
    case TypeKind::Enum: {
      const auto& values = types.enumeration(type).values;
      return fmt::format("\"{}\"", values[seed % values.size()]);
    }
    case TypeKind::Record: {
      std::string members;
      std::uint64_t at = 0;
      for (const RecordField& field : types.record(type).fields)
        members += fmt::format("{}\"{}\":{}", members.empty() ? "" : ",", field.wire,
                               sample(types, field.type, mixed(seed, 7 + at++), depth + 1));
      return "{" + members + "}";
    }
    default: return types.storage(type) == Storage::Text ? sample_text(type, seed) : "null";
  }
}

std::string told(const Ended& ended) {
  switch (ended.how) {
    case Ended::How::Skipped: return "skipped";
    case Ended::How::Finished: return "finished";
    case Ended::How::Stopped: return "stopped: " + ended.reason;
    case Ended::How::Failed: break;
  }
  return fmt::format("failed in line {}: {}", ended.line, ended.fault.message);
}

std::string run(const Program& program, std::uint32_t flow, const std::string& event, std::uint64_t seed) {
  const Module& module = program.module();
  std::string lines;
  Machine machine(program, flow, kLimits);
  Step step = machine.start(event);
  for (int steps = 0; steps < kMostSteps; ++steps) {
    if (const auto* log = std::get_if<LogLine>(&step)) {
      lines += "log " + log->text + "\n";
      step = machine.resume(Returned{"null"});
    } else if (const auto* call = std::get_if<Call>(&step)) {
      lines += fmt::format("call {}({})\n", module.operations[call->operation].full_name(), call->arguments);
      if (mixed(seed, 100 + static_cast<std::uint64_t>(steps)) % 11 == 0)
        step = machine.resume(Fault{.kind = FaultKind::NotFound, .message = "made up"});
      else
        step = machine.resume(Returned{sample_json(module.types, module.operations[call->operation].result,
                                                   mixed(seed, static_cast<std::uint64_t>(steps)))});
    } else {
      return lines + told(std::get<Ended>(step)) + "\n";
    }
  }
  return lines + "goes on\n";
}

}  // namespace

std::string sample_json(const TypeTable& types, TypeId type, std::uint64_t seed) {
  return sample(types, type, mixed(seed, 0), 0);
}

// What starts a run: a polled record, or an object of what the trigger gives.
std::string sample_event(const Module& module, const Trigger& trigger, std::uint64_t seed) {
  if (const Trigger* declared = standard_library().trigger(trigger.name))
    return sample_json(standard_library().types, declared->entities[0].type, seed);
  std::string members;
  for (const Trigger::Binding& binding : trigger.bindings)
    members += fmt::format("{}\"{}\":{}", members.empty() ? "" : ",", binding.wire,
                           sample_json(module.types, binding.type, seed));
  return "{" + members + "}";
}

std::string transcript(const Compilation& compilation, EmitOptions options, std::uint64_t seed) {
  Diagnostics diagnostics;
  Result<Program> program = Program::load(emit(compilation.tree, standard_library(), compilation.checked,
                                               compilation.plans, diagnostics, options));
  if (!program) return "does not verify: " + program.error().message;
  const Module& module = program->module();
  std::string lines;
  for (std::uint32_t i = 0; i < module.flows.size(); ++i) {
    const Trigger& trigger = module.triggers[module.flows[i].trigger];
    const std::string event = sample_event(module, trigger, seed);
    lines += module.flows[i].name + "\n" + run(*program, i, event, seed);
  }
  return lines;
}

std::string stop_reason(const std::string& source, EmitOptions options) {
  const Compilation compilation = compile({"source.flow", source}, standard_library());
  if (compilation.diagnostics.has_errors()) return rendered(compilation.diagnostics, compilation.files);
  const std::string lines = transcript(compilation, options, 1);
  static constexpr std::string_view kStopped = "\nstopped: ";
  const std::size_t at = lines.find(kStopped);
  return at == std::string::npos
             ? lines
             : lines.substr(at + kStopped.size(), lines.size() - at - kStopped.size() - 1);
}

}  // namespace flow::test
