// How fast sources are read and checked: build/release/bench_compiler. `bytes_per_second` is the figure to
// watch.
#include <benchmark/benchmark.h>

#include "compiler/compile.hpp"
#include "compiler/parse/parse.hpp"
#include "stdlib/declarations/declarations.hpp"
#include "vm/bytecode/verify.hpp"

namespace flow {
namespace {

constexpr const char* kOneLine =
    "on alert.new when severity == High do isolate(machineId); mail(\"soc@contoso.com\", \"Isolated "
    "{machine.name}\", \"{title}\")\n";

// A flow as teams write them; the number makes names differ.
std::string team_flow(int number) {
  const std::string n = std::to_string(number);
  return "/// Isolates the device behind a severe alert and tells the team " + n + ".\nflow isolate_" + n +
         R"( on alert.new
when severity >= Medium
 and category in [Ransomware, CredentialAccess, LateralMovement]
 and not machine.tags.any(t => t.lower() == "vip)" +
         n + R"(")
do {
    // Whoever reads the mail wants to see what this was about.
    let host = machine.name ?? "an unknown device"
    let who = relatedUser?.userName ?? "nobody"
    if severity == High and machine.risk != null {
        let action = isolate(machineId, comment: "Flow )" +
         n + R"(: {title}", type: Full)
        log "isolated {host}, action {action.id} is {action.status}"
        mail(
            to: ["soc@contoso.com", "lead)" +
         n + R"(@contoso.com"],
            subject: "Isolated {host}",
            body: html"<h1>{title}</h1><p>User <b>{who}</b>, risk {machine.risk}.</p>",
            importance: High,
        )
    } else if machine.tags.length() * 2 + )" +
         n + R"( > 7 {
        update_alert(alertId, status: InProgress, comment: "Looked at by Flow: {host}")
    } else {
        stop "{host} has no tags"
    }
}
on error e {
    mail("soc@contoso.com", "Could not isolate {machineId}", "{e.message}")
}

)";
}

std::string many_flows(std::size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) text += team_flow(i);
  return text;
}

Declarations load() {
  std::vector<NamedText> texts;
  for (const Declaration& declaration : declarations())
    texts.push_back({std::string(declaration.name), std::string(declaration.text)});
  return load_declarations(texts);
}

void parse_many_flows(benchmark::State& state) {
  const auto source =
      std::make_shared<const SourceFile>("many.flow", many_flows(static_cast<std::size_t>(state.range(0))));
  for (auto _ : state) {
    Diagnostics diagnostics;
    benchmark::DoNotOptimize(parse(source, 0, diagnostics));
    if (diagnostics.has_errors()) state.SkipWithError("the flows have mistakes");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * source->text().size()));
}
BENCHMARK(parse_many_flows)->Arg(1 << 16)->Arg(1 << 20)->Arg(1 << 21)->Unit(benchmark::kMillisecond);

void check_many_flows(benchmark::State& state) {
  const Declarations library = load();
  const std::string text = many_flows(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    const Compilation compilation = compile({"many.flow", text}, library.library);
    if (!compilation.module) state.SkipWithError("the flows have mistakes");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(check_many_flows)->Arg(1 << 16)->Arg(1 << 20)->Arg(1 << 21)->Unit(benchmark::kMillisecond);

// The analysis alone, of 1, 10 and 100 times the text: the time for a byte must not grow.
void analyse_many_flows(benchmark::State& state) {
  const Declarations library = load();
  const std::string text = many_flows(static_cast<std::size_t>(state.range(0)));
  const Compilation compiled = compile({"many.flow", text}, library.library);
  if (!compiled.module) state.SkipWithError("the flows have mistakes");
  for (auto _ : state) {
    Diagnostics diagnostics;
    benchmark::DoNotOptimize(
        analyse(compiled.tree, library.library, compiled.checked, compiled.plans, {}, diagnostics));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(analyse_many_flows)->Arg(20'000)->Arg(200'000)->Arg(2'000'000)->Unit(benchmark::kMillisecond);

void load_declarations_and_compile_one_line(benchmark::State& state) {
  for (auto _ : state) {
    const Declarations library = load();
    const Compilation compilation = compile({"one_line.flow", kOneLine}, library.library);
    if (!compilation.module || !verify(*compilation.module)) state.SkipWithError("the flow does not compile");
  }
}
BENCHMARK(load_declarations_and_compile_one_line)->Unit(benchmark::kMicrosecond);

void compile_one_line(benchmark::State& state) {
  const Declarations library = load();
  for (auto _ : state) benchmark::DoNotOptimize(compile({"one_line.flow", kOneLine}, library.library));
}
BENCHMARK(compile_one_line)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace flow

BENCHMARK_MAIN();
