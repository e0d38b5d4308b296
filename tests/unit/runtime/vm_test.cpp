// The runtime with the real machine: encoded, stored, verified, run, killed and replayed.
#include <gtest/gtest.h>

#include "fakes.hpp"
#include "isolate_module.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow::test {
namespace {

TEST(RealMachine, RunsAndReplaysAtEveryCommit) {
  const std::string bytes = encode(isolate_by_hand());
  const auto engine = vm_engine();
  std::uint64_t n = 1;
  for (bool has_died = true; has_died; ++n) {
    SCOPED_TRACE(testing::Message() << "death after commit " << n);
    Bench bench;
    bench.world.add_alert("da1", bench.clock.now + kSecondUs);
    bench.world.add_alert("da2", bench.clock.now + kSecondUs, "Low");
    FailingStore store(*bench.store, n, true);
    const auto live = [&](Store& on) {
      Runtime runtime(on, bench.clock, bench.random, bench.world, *engine);
      if (!runtime.deploy("contoso", bytes) || !runtime.recover() || !runtime.run_until_idle()) return false;
      bench.clock.now += kMinuteUs;
      return runtime.run_until_idle().has_value();
    };
    has_died = !live(store);
    ASSERT_TRUE(live(*bench.store));
    ASSERT_EQ(bench.runs().size(), 1u);
    EXPECT_EQ(bench.runs().at(0).state, RunState::Finished) << bench.runs().at(0).reason;
    EXPECT_EQ(bench.world.count("defender.isolate"), 1u);
  }
  EXPECT_GE(n, 6u);
}

TEST(RealMachine, OneAlertStartsTheRunsOfSeveralModules) {
  Bench bench;
  const auto engine = vm_engine();
  Runtime runtime(*bench.store, bench.clock, bench.random, bench.world, *engine);
  for (const char* name : {"first", "second", "third"}) {
    Module module = isolate_by_hand();
    module.flows[0].name = name;
    ASSERT_TRUE(runtime.deploy("contoso", encode(module)));
  }
  ASSERT_TRUE(runtime.recover());
  for (int i = 0; i < 4; ++i)
    bench.world.add_alert("da" + std::to_string(i), bench.clock.now + kSecondUs, i % 2 == 0 ? "High" : "Low");
  ASSERT_TRUE(runtime.run_until_idle());
  bench.clock.now += kMinuteUs;
  ASSERT_TRUE(runtime.run_until_idle());
  EXPECT_EQ(runtime.counters().skipped_at_once, 6u);
  ASSERT_EQ(bench.runs().size(), 6u);
  for (const RunRow& run : bench.runs()) EXPECT_EQ(run.state, RunState::Finished) << run.flow << run.reason;
}

TEST(RealMachine, AModuleThatIsNoneIsRefusedAtDeployment) {
  Bench bench;
  const auto engine = vm_engine();
  Runtime runtime(*bench.store, bench.clock, bench.random, bench.world, *engine);
  EXPECT_FALSE(runtime.deploy("contoso", "not a module"));
}

}  // namespace
}  // namespace flow::test
