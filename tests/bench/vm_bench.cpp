// What the machine costs: per instruction, per run, per condition, per module.
//   build/release/bench_vm --benchmark_min_time=1
#include <benchmark/benchmark.h>

#include <fstream>
#include <iterator>

#include "base/result.hpp"
#include "compiler/compile.hpp"
#include "stdlib/declarations/declarations.hpp"
#include "tests/unit/vm/assembler.hpp"
#include "vm/bytecode/encode.hpp"
#include "vm/bytecode/verify.hpp"
#include "vm/interp/event.hpp"
#include "vm/interp/machine.hpp"

namespace flow::test {
namespace {

// An alert as Defender's API writes it, of some 40 members, most of which no flow reads.
std::string typical_event() {
  std::string event =
      R"({"id":"da637472900382838869_1364969609","incidentId":1126093,"machineId":"111e6dd8c833c8a052ea231ec1b19adaf497b625",)"
      R"("severity":"High","status":"New","title":"Suspected credential theft activity",)"
      R"("alertCreationTime":"2026-11-20T08:14:22.1043315Z")";
  for (int i = 0; i < 32; ++i)
    event += R"(,"member)" + std::to_string(i) + R"(":"some text of a usual length, as descriptions have")";
  return event + R"(,"evidence":[{"entityType":"Process","sha1":"9a2f","detectionStatus":"Detected"}]})";
}

Program load(Module module) {
  auto program = Program::load(std::move(module));
  FLOW_CHECK(program, "the benchmark's module is right");
  return std::move(*program);
}

void emit_condition(Assembler& a) {
  const auto known = a.jump(Op::JumpIfSet, kAlert);
  a.emit(Op::Skip)
      .land(known)
      .emit(Op::GetField, 4, kAlert, 1)
      .load_severity(5, 3)
      .emit(Op::EqualEnum, 6, 4, 5);
  const auto no = a.jump(Op::JumpIfNot, 6);
  a.emit(Op::EnterBody).emit(Op::Finish).land(no).emit(Op::Skip);
}

void adds(benchmark::State& state) {
  Assembler a;
  a.load_int(4, 0).load_int(5, 100'000);
  const auto top = a.here();
  for (int i = 0; i < 8; ++i) a.emit(Op::AddInt, 7, 4, 4);
  a.aim(a.jump(Op::NextInRange, 4), top).emit(Op::Finish);
  const Program program = load(std::move(a.module));
  Machine machine(program, 0);
  for (auto _ : state) machine.start(kEvent);
  state.SetItemsProcessed(static_cast<std::int64_t>(machine.fuel_used()) * state.iterations());
}
BENCHMARK(adds)->Unit(benchmark::kMillisecond);

void empty_run_in_a_new_machine(benchmark::State& state) {
  Assembler a;
  a.flow().inputs.clear();
  a.emit(Op::Finish);
  const Program program = load(std::move(a.module));
  for (auto _ : state) benchmark::DoNotOptimize(Machine(program, 0).start("{}"));
}
BENCHMARK(empty_run_in_a_new_machine);

void empty_run_in_a_kept_machine(benchmark::State& state) {
  Assembler a;
  a.flow().inputs.clear();
  a.emit(Op::Finish);
  const Program program = load(std::move(a.module));
  Machine machine(program, 0);
  for (auto _ : state) benchmark::DoNotOptimize(machine.start("{}"));
}
BENCHMARK(empty_run_in_a_kept_machine);

void condition_with_its_event(benchmark::State& state) {
  Assembler a;
  emit_condition(a);
  const Program program = load(std::move(a.module));
  Machine machine(program, 0);
  const std::string event = typical_event();
  for (auto _ : state) benchmark::DoNotOptimize(machine.start(event));
  state.SetBytesProcessed(static_cast<std::int64_t>(event.size()) * state.iterations());
}
BENCHMARK(condition_with_its_event);

// Once per alert, for all the flows that decide about it.
void parse_event_needed_fields(benchmark::State& state) {
  Assembler a;
  EventFields fields;
  fields.add(a.module.types, a.flow());
  ParsedEvent event;
  const std::string text = typical_event();
  for (auto _ : state) {
    event.read(text, fields);
    benchmark::DoNotOptimize(event);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
}
BENCHMARK(parse_event_needed_fields);

// Once per flow and alert: `severity == High`, which ends as Skipped or enters the body.
void decide_on(benchmark::State& state, const std::string& text) {
  Assembler a;
  emit_condition(a);
  const Program program = load(std::move(a.module));
  EventFields fields;
  fields.add(program.module().types, program.module().flows[0]);
  ParsedEvent event;
  event.read(text, fields);
  Machine machine(program, 0);
  for (auto _ : state) benchmark::DoNotOptimize(machine.start(event));
}
void decide_when_on_parsed_event_true(benchmark::State& state) {
  decide_on(state, typical_event());
}
void decide_when_on_parsed_event_false(benchmark::State& state) {
  std::string text = typical_event();
  text.replace(text.find("High"), 4, "Low");
  decide_on(state, text);
}
BENCHMARK(decide_when_on_parsed_event_true);
BENCHMARK(decide_when_on_parsed_event_false);

// One alert that comes to 20 flows, each of a module of its own.
void one_alert_for_20_flows(benchmark::State& state) {
  std::vector<Program> programs;
  for (int i = 0; i < 20; ++i) {
    Assembler a;
    emit_condition(a);
    programs.push_back(load(std::move(a.module)));
  }
  EventFields fields;
  std::vector<Machine> machines;
  for (const Program& program : programs) {
    fields.add(program.module().types, program.module().flows[0]);
    machines.emplace_back(program, 0);
  }
  ParsedEvent event;
  const std::string text = typical_event();
  for (auto _ : state) {
    event.read(text, fields);
    for (Machine& machine : machines) benchmark::DoNotOptimize(machine.start(event));
  }
  state.SetItemsProcessed(20 * state.iterations());
}
BENCHMARK(one_alert_for_20_flows);

// The condition again and again over one event, less the loop around it (see `loop_alone`).
void loop_of(benchmark::State& state, bool has_condition) {
  Assembler a;
  a.emit(Op::Unwrap, 10, kAlert).load_int(11, 0).load_int(12, 10'000);
  const auto top = a.here();
  if (has_condition) {
    a.emit(Op::GetField, 4, 10, 1).load_severity(5, 3).emit(Op::EqualEnum, 6, 4, 5);
    a.land(a.jump(Op::JumpIfNot, 6));
  }
  a.aim(a.jump(Op::NextInRange, 11), top).emit(Op::Finish);
  const Program program = load(std::move(a.module));
  Machine machine(program, 0);
  for (auto _ : state) machine.start(kEvent);
  state.SetItemsProcessed(10'000 * state.iterations());
}
void condition_in_a_loop(benchmark::State& state) {
  loop_of(state, true);
}
void loop_alone(benchmark::State& state) {
  loop_of(state, false);
}
BENCHMARK(condition_in_a_loop)->Unit(benchmark::kMicrosecond);
BENCHMARK(loop_alone)->Unit(benchmark::kMicrosecond);

// Five operations, twelve compound types and some 200 instructions.
Module typical_module() {
  Assembler a;
  emit_condition(a);
  const auto handler_from = a.here();
  for (int i = 0; i < 20; ++i) {
    a.emit(Op::Unwrap, 10, kMachineId).call(kMachine, kGetMachine, 10, true).emit(Op::Unwrap, 12, kMachine);
    a.emit(Op::GetField, 13, 12, 1)
        .load_text(14, "Isolated ")
        .emit(Op::ToText, 15, 13)
        .emit(Op::Concat, 11, 14, 2);
    a.call(16, kIsolate, 10).emit(Op::Log, 11);
  }
  a.emit(Op::Finish);
  const auto handler = a.here();
  a.emit(Op::Fail, 20);
  a.flow().handlers = {{.begin = handler_from, .end = handler, .target = handler, .register_ = 20}};
  return std::move(a.module);
}

void decode_module(benchmark::State& state) {
  const std::string bytes = encode(typical_module());
  for (auto _ : state) benchmark::DoNotOptimize(decode(bytes));
  state.counters["bytes"] = static_cast<double>(bytes.size());
}
BENCHMARK(decode_module)->Unit(benchmark::kMicrosecond);

void verify_module(benchmark::State& state) {
  const Module module = typical_module();
  for (auto _ : state) benchmark::DoNotOptimize(verify(module));
  state.counters["instructions"] = static_cast<double>(module.flows[0].code.size());
}
BENCHMARK(verify_module)->Unit(benchmark::kMicrosecond);

// All that stands between the bytes of a file and its first run.
void decode_verify_and_load_module(benchmark::State& state) {
  const std::string bytes = encode(typical_module());
  for (auto _ : state) benchmark::DoNotOptimize(Program::load(std::move(*decode(bytes))));
}
BENCHMARK(decode_verify_and_load_module)->Unit(benchmark::kMicrosecond);

// The first example, as it waits for its isolation.
Program first_example() {
  std::vector<NamedText> texts;
  for (const Declaration& declaration : declarations())
    texts.push_back({std::string(declaration.name), std::string(declaration.text)});
  std::ifstream file(FLOW_SOURCE_DIR "/examples/isolate-high.flow");
  const std::string source{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  Compilation compiled = compile({"isolate-high.flow", source}, load_declarations(texts).library);
  FLOW_CHECK(compiled.module, "the example compiles");
  return load(std::move(*compiled.module));
}

Machine waiting_machine(const Program& program) {
  Machine machine(program, 0);
  const Step step = machine.start(typical_event());
  FLOW_CHECK(std::holds_alternative<Call>(step), "the example calls");
  return machine;
}

void snapshot_first_example(benchmark::State& state) {
  const Program program = first_example();
  const Machine machine = waiting_machine(program);
  std::string bytes;
  for (auto _ : state) benchmark::DoNotOptimize(bytes = machine.snapshot());
  state.counters["bytes"] = static_cast<double>(bytes.size());
}
BENCHMARK(snapshot_first_example);

void restore_first_example(benchmark::State& state) {
  const Program program = first_example();
  const std::string bytes = waiting_machine(program).snapshot();
  for (auto _ : state) benchmark::DoNotOptimize(Machine::restore(program, 0, {}, bytes));
}
BENCHMARK(restore_first_example);

}  // namespace
}  // namespace flow::test

BENCHMARK_MAIN();
