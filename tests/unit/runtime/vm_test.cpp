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

TEST(RealMachine, AModuleThatIsNoneIsRefusedAtDeployment) {
  Bench bench;
  const auto engine = vm_engine();
  Runtime runtime(*bench.store, bench.clock, bench.random, bench.world, *engine);
  EXPECT_FALSE(runtime.deploy("contoso", "not a module"));
}

}  // namespace
}  // namespace flow::test
