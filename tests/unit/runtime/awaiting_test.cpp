// `await`: the answer of a call is how that ended which it began.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes.hpp"
#include "live.hpp"
#include "parallel_module.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// await isolate(machineId) within `within_us`; then its status is logged.
Module awaiting_flow(std::int64_t within_us = 0) {
  Assembler a;
  a.emit(Op::EnterBody).emit(Op::Unwrap, 4, kMachineId).load_text(5, "why").call(6, kIsolate, 4);
  a.load_text(7, "it ended").emit(Op::Log, 7).emit(Op::Finish);
  a.flow().call_sites[0].options = CallOptions{.is_awaited = true, .await_within_us = within_us};
  without_quotas(a);
  return std::move(a.module);
}

std::string action(const std::string& status) {
  return fmt::format(R"({{"id":"2e0d9b74-a381-49aa-8c15-f7b01c526d3e","machineTags":[],"status":"{}"}})",
                     status);
}

// A world in which an isolation takes so long.
void let_it_take(Live& live, std::int64_t duration_us) {
  const std::int64_t over_us = live.bench.clock.now + duration_us;
  live.bench.world.progress_of = [&live, over_us](const OperationCall&, const std::string&) -> Outcome {
    return Returned{action(live.bench.clock.now >= over_us ? "Succeeded" : "Pending")};
  };
}

std::vector<EntryKind> kinds(Live& live) {
  std::vector<EntryKind> all;
  for (const RunStep& step : live.bench.history(live.only_run().id).steps) all.push_back(step.kind);
  return all;
}

TEST(Awaiting, TheAnswerIsThatOfTheEnd) {
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now);
  let_it_take(live, 10 * kMinuteUs);
  ASSERT_TRUE(live.boot(awaiting_flow()));
  ASSERT_TRUE(live.pass(9 * kMinuteUs));
  EXPECT_EQ(live.only_run().state, RunState::Running);
  ASSERT_TRUE(live.pass(3 * kMinuteUs));
  EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
  EXPECT_THAT(live.logs(), ElementsAre("it ended"));
  EXPECT_EQ(live.bench.world.count("defender.isolate"), 1u);
  EXPECT_LT(live.bench.world.progress_asked, 30u) << "it is asked less often the longer it takes";
  EXPECT_THAT(kinds(live),
              ElementsAre(EntryKind::Started, EntryKind::Entered, EntryKind::Intent, EntryKind::Begun,
                          EntryKind::Answered, EntryKind::Log, EntryKind::Ended));
}

TEST(Awaiting, WhatDoesNotEndInTimeIsATimeout) {
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now);
  let_it_take(live, 60 * kMinuteUs);
  ASSERT_TRUE(live.boot(awaiting_flow(30 * kMinuteUs)));
  ASSERT_TRUE(live.pass(31 * kMinuteUs));
  EXPECT_EQ(live.only_run().state, RunState::Failed);
  EXPECT_EQ(live.only_run().fault, "Timeout");
  EXPECT_THAT(live.only_run().reason, HasSubstr("had not ended within 30m"));
  EXPECT_EQ(live.only_run().ended_us, live.only_run().created_us + 30 * kMinuteUs);
}

TEST(Awaiting, ARestartAsksOnAndMakesNoSecondCall) {
  const Module module = awaiting_flow(30 * kMinuteUs);
  RuntimeOptions options;
  options.poll_interval_us = 60 * kMinuteUs;
  for (const bool is_written : {true, false}) {
    std::uint64_t n = 1;
    for (bool has_died = true; has_died; ++n) {
      SCOPED_TRACE(testing::Message() << "death at commit " << n << (is_written ? ", written" : ""));
      Live live;
      live.bench.world.add_alert("da1", live.bench.clock.now);
      let_it_take(live, 5 * kMinuteUs);
      FailingStore store(*live.bench.store, n, is_written);
      has_died = !live.boot(module, &store, options) || !live.pass(10 * kMinuteUs);
      ASSERT_TRUE(live.boot(module, nullptr, options));
      ASSERT_TRUE(live.pass(10 * kMinuteUs));
      EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
      EXPECT_EQ(live.bench.world.count("defender.isolate"), 1u);
      ASSERT_FALSE(testing::Test::HasFailure());
    }
    EXPECT_GT(n, 5u);
  }
}

TEST(Awaiting, TheDeadlineHoldsAcrossARestart) {
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now);
  let_it_take(live, 600 * kMinuteUs);
  const Module module = awaiting_flow(30 * kMinuteUs);
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.pass(10 * kMinuteUs));
  live.runtime.reset();
  live.bench.clock.now += 25 * kMinuteUs;
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.runtime->run_until_idle());
  EXPECT_EQ(live.only_run().fault, "Timeout");
}

TEST(Awaiting, FaultsThatPassAreOutlivedAndOthersEndIt) {
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now);
  std::uint32_t asked = 0;
  live.bench.world.progress_of = [&](const OperationCall&, const std::string&) -> Outcome {
    return ++asked < 6 ? Outcome(fault_of(FaultKind::Unavailable)) : Outcome(fault_of(FaultKind::NotFound));
  };
  ASSERT_TRUE(live.boot(awaiting_flow()));
  ASSERT_TRUE(live.pass(30 * kMinuteUs));
  EXPECT_EQ(asked, 8u) << "a fault that stays is believed the third time";
  EXPECT_EQ(live.only_run().fault, "NotFound");
}

TEST(Awaiting, AnAnswerThatIsNoActionIsAskedForAgain) {
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now);
  std::uint32_t asked = 0;
  live.bench.world.progress_of = [&](const OperationCall&, const std::string&) -> Outcome {
    constexpr std::array kAnswers = {"not json", "[]", "{}", R"({"status":7})"};
    return Returned{asked < kAnswers.size() ? kAnswers[asked++] : action("Failed")};
  };
  ASSERT_TRUE(live.boot(awaiting_flow()));
  ASSERT_TRUE(live.pass(30 * kMinuteUs));
  EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
}

}  // namespace
}  // namespace flow::test
