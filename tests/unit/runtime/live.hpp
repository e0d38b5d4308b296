// The runtime with the real machine in the pretend world, and modules that call what the runtime answers.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fakes.hpp"
#include "tests/unit/vm/assembler.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow::test {

// An operation of the runtime's own; its index.
inline std::uint32_t add_system(Assembler& a, std::string name, std::vector<Parameter> parameters,
                                TypeId result) {
  Operation operation;
  operation.connector = "flow";
  operation.name = std::move(name);
  operation.parameters = std::move(parameters);
  operation.result = result;
  operation.routes = {{.protocol = Protocol::Runtime}};
  a.module.operations.push_back(std::move(operation));
  const auto index = static_cast<std::uint32_t>(a.module.operations.size() - 1);
  a.flow().manifest.calls.push_back({.operation = index, .at_most = 1, .line = 4});
  return index;
}

// The pretend world of Bench with the real machine.
struct Live {
  Bench bench;
  std::unique_ptr<Engine> engine = vm_engine();
  std::unique_ptr<Runtime> runtime;

  // A new process on the store: deploys, recovers. False when the store failed.
  bool boot(const Module& module, Store* store = nullptr, RuntimeOptions options = {},
            std::string_view settings = "{}") {
    options.settle_after_us = bench.settle_after_us;
    runtime = std::make_unique<Runtime>(store != nullptr ? *store : *bench.store, bench.clock, bench.random,
                                        bench.world, *engine, options, &bench.observer);
    return runtime->deploy("contoso", encode(module), settings).has_value() && runtime->recover().has_value();
  }
  // Lets simulated time pass, with everything that happens meanwhile.
  bool pass(std::int64_t duration_us) {
    const std::int64_t end = bench.clock.now + duration_us;
    for (;;) {
      if (!runtime->run_until_idle()) return false;
      const std::int64_t next = runtime->next_wake_us();
      if (next > end) break;
      bench.clock.now = std::max(bench.clock.now, next);
    }
    bench.clock.now = end;
    return true;
  }
  RunRow only_run() {
    const auto runs = bench.runs();
    EXPECT_EQ(runs.size(), 1u);
    return runs.empty() ? RunRow() : runs.front();
  }
  std::vector<std::string> logs() {
    std::vector<std::string> texts;
    for (const RunStep& step : bench.history(only_run().id).steps)
      if (step.kind == EntryKind::Log) texts.push_back(step.text);
    return texts;
  }
};

}  // namespace flow::test
