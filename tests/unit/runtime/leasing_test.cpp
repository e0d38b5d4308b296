// `lease`: what was done is undone, whatever becomes of the run that did it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "flows.hpp"
#include "live.hpp"
#include "runtime/control.hpp"
#include "runtime/leases.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr std::int64_t kHourUs = 60 * kMinuteUs;
constexpr const char* kLease = "lease.defender.isolate";
const std::string kDevice = "1111111111111111111111111111111111111111";

constexpr const char* kFlows = R"(
  flow cut on manual (device: MachineId) do isolate(device) lease 4h
  flow cut_for_a_day on manual (device: MachineId) do isolate(device) lease 1d
  flow cut_and_fail on manual (device: MachineId) do { isolate(device) lease 4h  fail "no luck" }
  flow cut_for_good on manual (device: MachineId) do isolate(device)
  flow release on manual (device: MachineId) do unisolate(device)
  flow cut_in_a_race on manual (device: MachineId) do {
      parallel any { isolate(device) lease 4h  wait 500ms }
      wait 1h
  }
  flow cut_awaited on manual (device: MachineId) do {
      let action = await isolate(device) lease 4h within 2h
      log "{action.id}"
  }
  flow recorded on manual (device: MachineId) dry run do isolate(device) lease 4h
  flow limited on manual (device: MachineId) limit unisolate to 1 per 1d do { isolate(device) lease 4h  unisolate(device) }
  flow tagged on manual (device: MachineId) do { add_tag(device, "a") lease 1h  add_tag(device, "b") lease 2h }
  flow late on manual (device: MachineId) within 10s do isolate(device) lease 4h
  flow told on run.failed do log "{run.flow}: {error.kind}"
)";

struct Leases : testing::Test {
  Live live;
  Module module = compiled(kFlows);
  int keys = 0;

  bool start(const std::string& flow, const std::string& device = kDevice) {
    live.runtime->start({.tenant = "contoso",
                         .name = flow,
                         .event = fmt::format(R"({{"device":"{}"}})", device),
                         .key = fmt::format("k{}", ++keys)},
                        [](const StartAnswer& answer) { EXPECT_EQ(answer.problem, ""); });
    return live.pass(kSecondUs);
  }
  std::vector<RunRow> runs_of(const std::string& flow) {
    std::vector<RunRow> rows = live.bench.runs();
    std::erase_if(rows, [&](const RunRow& row) { return row.flow != flow; });
    std::ranges::reverse(rows);
    return rows;
  }
  std::uint64_t count(const std::string& operation) {
    return live.bench.world.count("defender." + operation);
  }
  bool reboot(Store* store = nullptr) { return live.boot(module, store); }
  // Whether the isolation gets this answer in place of what it does.
  void answer_isolate(std::optional<Outcome> outcome) {
    live.bench.world.interfere = [outcome](const std::string& name, const OperationCall&) {
      return name == "defender.isolate" ? outcome : std::nullopt;
    };
  }
};

TEST_F(Leases, EndByTheInverseAfterTheirTime) {
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut"));
  EXPECT_EQ(runs_of("cut").at(0).state, RunState::Finished);
  ASSERT_THAT(runs_of(kLease), SizeIs(1));
  const RunRow lease = runs_of(kLease)[0];
  EXPECT_EQ(lease.state, RunState::Running);
  EXPECT_EQ(lease.trigger, "lease");
  EXPECT_EQ(holder_of(lease)->run, runs_of("cut")[0].id);
  ASSERT_TRUE(live.pass(4 * kHourUs - 2 * kSecondUs));
  EXPECT_EQ(count("unisolate"), 0u);
  ASSERT_TRUE(live.pass(2 * kSecondUs));
  EXPECT_EQ(count("unisolate"), 1u);
  EXPECT_EQ(runs_of(kLease)[0].state, RunState::Finished);
  const auto steps = live.bench.history(lease.id).steps;
  const auto call = std::ranges::find(steps, "defender.unisolate", &RunStep::operation);
  ASSERT_NE(call, steps.end());
  EXPECT_THAT(call->arguments, HasSubstr(kDevice));
  EXPECT_THAT(call->arguments, HasSubstr("Released by Flow")) << "what has a default keeps it";
  ASSERT_TRUE(live.pass(10 * kHourUs));
  EXPECT_EQ(count("unisolate"), 1u);
}

TEST_F(Leases, SleepMeanwhile) {
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut"));
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.runtime->runs_in_memory(), 0u);
}

TEST_F(Leases, EndAlsoWhenTheRunFailed) {
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut_and_fail"));
  EXPECT_EQ(runs_of("cut_and_fail").at(0).state, RunState::Failed);
  ASSERT_TRUE(live.pass(5 * kHourUs));
  EXPECT_EQ(count("unisolate"), 1u);
}

TEST_F(Leases, EndOnceWhateverCommitIsTheLast) {
  for (const bool is_written : {true, false}) {
    std::uint64_t n = 1;
    for (bool has_died = true; has_died; ++n) {
      SCOPED_TRACE(testing::Message() << "death at commit " << n << (is_written ? ", written" : ""));
      Live fresh;
      std::swap(live.bench.store, fresh.bench.store);
      live.bench.world.carried_out.clear();
      ASSERT_TRUE(reboot());
      FailingStore store(*live.bench.store, n, is_written);
      has_died = !reboot(&store) || !start("cut") || !live.pass(5 * kHourUs);
      ASSERT_TRUE(reboot());
      if (runs_of("cut").empty()) {
        ASSERT_TRUE(start("cut"));
      }
      ASSERT_TRUE(live.pass(6 * kHourUs));
      EXPECT_EQ(count("isolate"), 1u);
      EXPECT_EQ(count("unisolate"), 1u);
      ASSERT_THAT(runs_of(kLease), SizeIs(1));
      EXPECT_EQ(runs_of(kLease)[0].state, RunState::Finished) << runs_of(kLease)[0].reason;
      live.runtime.reset();
      std::swap(live.bench.store, fresh.bench.store);
      ASSERT_FALSE(HasFailure());
    }
    EXPECT_GT(n, 6u);
  }
}

TEST_F(Leases, OfACallThatDidNotHappenUndoNothing) {
  answer_isolate(Outcome(fault_of(FaultKind::Conflict)));
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut"));
  ASSERT_THAT(runs_of(kLease), SizeIs(1));
  EXPECT_EQ(runs_of(kLease)[0].state, RunState::Stopped) << "at once, not after four hours";
  EXPECT_THAT(runs_of(kLease)[0].reason, HasSubstr("the call did not happen"));
  ASSERT_TRUE(live.pass(5 * kHourUs));
  EXPECT_EQ(count("unisolate"), 0u);
}

TEST_F(Leases, CountFromWhenTheCallHappened) {
  int asked = 0;
  live.bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.isolate" || ++asked > 1) return std::nullopt;
    return Outcome(fault_of(FaultKind::Throttled, false, 30 * kMinuteUs));
  };
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut"));
  ASSERT_TRUE(live.pass(4 * kHourUs + 10 * kMinuteUs));
  EXPECT_EQ(count("isolate"), 1u);
  EXPECT_EQ(count("unisolate"), 0u);
  ASSERT_TRUE(live.pass(25 * kMinuteUs));
  EXPECT_EQ(count("unisolate"), 1u);
  EXPECT_THAT(runs_of(kLease), SizeIs(1));
}

TEST_F(Leases, EndWhenTheBranchThatTookThemWasEnded) {
  live.bench.world.is_holding = true;
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut_in_a_race"));
  live.bench.world.release();
  live.bench.world.is_holding = false;
  EXPECT_EQ(count("isolate"), 1u) << "its answer came to nobody";
  ASSERT_TRUE(live.pass(5 * kHourUs));
  EXPECT_EQ(count("unisolate"), 1u);
}

TEST_F(Leases, EndWhenTheirRunWasCancelledWhileTheCallWasOut) {
  live.bench.world.is_holding = true;
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut"));
  live.runtime.reset();  // the process dies; nobody knows of the call
  live.bench.world.is_holding = false;
  const auto batch =
      plan_cancel(live.bench.history(runs_of("cut").at(0).id), {}, "ana", "a test", live.bench.clock.now);
  ASSERT_TRUE(batch);
  ASSERT_TRUE(live.bench.store->commit(*batch));
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(live.pass(5 * kHourUs));
  EXPECT_EQ(count("unisolate"), 1u);
}

TEST_F(Leases, EndWhenTheDeadlineCameWhileTheCallWasOut) {
  live.bench.world.is_holding = true;
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("late"));
  ASSERT_TRUE(live.pass(20 * kSecondUs));
  EXPECT_EQ(runs_of("late").at(0).state, RunState::Failed);
  live.bench.world.release();
  live.bench.world.is_holding = false;
  ASSERT_TRUE(live.pass(5 * kHourUs));
  EXPECT_EQ(count("unisolate"), 1u);
}

TEST_F(Leases, OfAnAwaitedCallCountFromItsBeginning) {
  live.bench.world.progress_of = [&](const OperationCall&, const std::string&) {
    return Outcome(Returned{R"({"status":"Pending"})"});
  };
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut_awaited"));
  ASSERT_TRUE(live.pass(3 * kHourUs));
  EXPECT_EQ(runs_of("cut_awaited").at(0).fault, "Timeout");
  ASSERT_TRUE(live.pass(kHourUs));
  EXPECT_EQ(count("unisolate"), 1u);
}

TEST_F(Leases, OfADryRunAreNone) {
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("recorded"));
  EXPECT_THAT(runs_of(kLease), SizeIs(0));
}

TEST_F(Leases, DoNotCountUnderTheLimitsOfTheFlow) {
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("limited"));  // uses up its limit, and ends its own lease
  EXPECT_EQ(runs_of(kLease).at(0).state, RunState::Stopped);
  ASSERT_TRUE(start("cut"));
  ASSERT_TRUE(live.pass(5 * kHourUs));
  EXPECT_EQ(count("unisolate"), 2u);
}

// ---- Several on one target

TEST_F(Leases, OfOneTargetTheLastToEndUndoes) {
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut_for_a_day"));
  ASSERT_TRUE(start("cut"));
  ASSERT_TRUE(live.pass(5 * kHourUs));
  EXPECT_EQ(count("unisolate"), 0u);
  EXPECT_EQ(runs_of(kLease).at(1).state, RunState::Stopped);
  EXPECT_THAT(runs_of(kLease)[1].reason, HasSubstr("holds it until"));
  ASSERT_TRUE(live.pass(20 * kHourUs));
  EXPECT_EQ(count("unisolate"), 1u);
}

TEST_F(Leases, ThatEndTogetherUndoOnce) {
  ASSERT_TRUE(reboot());
  for (int i = 0; i < 3; ++i)
    live.runtime->start({.tenant = "contoso",
                         .name = "cut",
                         .event = fmt::format(R"({{"device":"{}"}})", kDevice),
                         .key = fmt::format("same{}", i)},
                        [](const StartAnswer&) {});
  ASSERT_TRUE(live.pass(5 * kHourUs));
  EXPECT_EQ(count("isolate"), 3u);
  EXPECT_EQ(count("unisolate"), 1u);
}

TEST_F(Leases, OfOtherTargetsAreOnTheirOwn) {
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut"));
  ASSERT_TRUE(start("cut", "2222222222222222222222222222222222222222"));
  ASSERT_TRUE(start("tagged"));
  ASSERT_TRUE(live.pass(90 * kMinuteUs));
  EXPECT_EQ(count("remove_tag"), 1u) << "one tag of the device, not the other";
  ASSERT_TRUE(live.pass(5 * kHourUs));
  EXPECT_EQ(count("remove_tag"), 2u);
  EXPECT_EQ(count("unisolate"), 2u);
}

// A run whose call fails holds nothing: the other must not have left the release to it.
TEST_F(Leases, AreNotHeldByACallThatFails) {
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut"));
  ASSERT_TRUE(live.pass(4 * kHourUs - 3 * kSecondUs));
  live.bench.world.is_holding = true;
  answer_isolate(Outcome(fault_of(FaultKind::Conflict)));
  ASSERT_TRUE(start("cut"));
  ASSERT_TRUE(live.pass(4 * kSecondUs));
  EXPECT_EQ(runs_of(kLease).at(0).state, RunState::Running) << "it waits for how the other call ends";
  live.bench.world.release();
  live.bench.world.is_holding = false;
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(count("unisolate"), 1u);
}

TEST_F(Leases, AreKeptByACallWithoutALease) {
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut"));
  ASSERT_TRUE(live.pass(kHourUs));
  ASSERT_TRUE(start("cut_for_good"));
  EXPECT_EQ(runs_of(kLease).at(0).state, RunState::Stopped);
  EXPECT_THAT(runs_of(kLease)[0].reason, HasSubstr("without a lease"));
  ASSERT_TRUE(live.pass(5 * kHourUs));
  EXPECT_EQ(count("unisolate"), 0u);
}

TEST_F(Leases, EndEarlyWhenAFlowUndoesThem) {
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut"));
  ASSERT_TRUE(live.pass(kHourUs));
  ASSERT_TRUE(start("release"));
  EXPECT_EQ(runs_of(kLease).at(0).state, RunState::Stopped);
  ASSERT_TRUE(live.pass(5 * kHourUs));
  EXPECT_EQ(count("unisolate"), 1u);
}

// Of two calls that are out at once nobody knows which came first (simulate --seed 121).
TEST_F(Leases, AreNotEndedByAnUndoingCallThatWasOutWhenTheirsWasSent) {
  live.bench.world.is_holding = true;
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("release"));
  ASSERT_TRUE(start("cut"));
  live.bench.world.is_holding = false;
  live.bench.world.release();
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(runs_of("release").at(0).state, RunState::Finished);
  EXPECT_EQ(runs_of("cut").at(0).state, RunState::Finished);
  EXPECT_EQ(runs_of(kLease).at(0).state, RunState::Running);
  EXPECT_EQ(count("unisolate"), 1u);
  ASSERT_TRUE(live.pass(5 * kHourUs));
  EXPECT_EQ(count("unisolate"), 2u) << "undone by the lease";
}

TEST_F(Leases, AreKeptForGoodWhenAPersonCancelsThem) {
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut"));
  live.runtime.reset();
  const auto batch =
      plan_cancel(live.bench.history(runs_of(kLease).at(0).id), {}, "ana", "keep it", live.bench.clock.now);
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_TRUE(live.bench.store->commit(*batch));
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(live.pass(10 * kHourUs));
  EXPECT_EQ(count("unisolate"), 0u);
}

// ---- When it does not work

TEST_F(Leases, AreTriedForDaysAndSaySo) {
  bool is_down = true;
  live.bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.unisolate" || !is_down) return std::nullopt;
    return Outcome(fault_of(FaultKind::Unavailable));
  };
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut"));
  ASSERT_TRUE(live.pass(3 * 24 * kHourUs));
  EXPECT_EQ(runs_of(kLease).at(0).state, RunState::Running);
  EXPECT_GT(live.bench.observer.count(HealthEvent::Kind::LeaseOverdue), 10u);
  is_down = false;
  ASSERT_TRUE(live.pass(2 * kHourUs));
  EXPECT_EQ(count("unisolate"), 1u);
  EXPECT_EQ(runs_of(kLease)[0].state, RunState::Finished);
}

TEST_F(Leases, WhoseAnswerIsLostAreAskedAboutForDays) {
  bool is_down = true;
  live.bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.unisolate" || !is_down) return std::nullopt;
    return Outcome(fault_of(FaultKind::Timeout, true));
  };
  live.bench.world.interfere_settle = [&](const OperationCall&) -> std::optional<Settlement> {
    if (!is_down) return std::nullopt;
    return NobodyKnows{fault_of(FaultKind::Unavailable)};
  };
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut"));
  ASSERT_TRUE(live.pass(2 * 24 * kHourUs));
  EXPECT_EQ(runs_of(kLease).at(0).state, RunState::Running) << "not parked";
  is_down = false;
  ASSERT_TRUE(live.pass(2 * kHourUs));
  EXPECT_EQ(count("unisolate"), 1u);
}

TEST_F(Leases, ThatCannotBeEndedFailAndAreResumed) {
  live.bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.unisolate") return std::nullopt;
    return Outcome(fault_of(FaultKind::Forbidden));
  };
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut"));
  ASSERT_TRUE(live.pass(5 * kHourUs));
  EXPECT_EQ(runs_of(kLease).at(0).state, RunState::Failed);
  EXPECT_EQ(live.bench.observer.count(HealthEvent::Kind::LeaseOverdue), 1u);
  ASSERT_THAT(runs_of("told"), SizeIs(1)) << "flows on run.failed learn of it";
  live.runtime.reset();
  live.bench.world.interfere = nullptr;
  const auto batch =
      plan_resume(live.bench.history(runs_of(kLease)[0].id), module, {.by = "ana"}, live.bench.clock.now);
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_TRUE(live.bench.store->commit(*batch));
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(count("unisolate"), 1u);
}

TEST_F(Leases, OfACallThatAPersonLetsBeMadeAgainAreNew) {
  answer_isolate(Outcome(fault_of(FaultKind::Forbidden)));
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(start("cut"));
  live.runtime.reset();
  live.bench.world.interfere = nullptr;
  const auto batch =
      plan_resume(live.bench.history(runs_of("cut").at(0).id), module, {.by = "ana"}, live.bench.clock.now);
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_TRUE(live.bench.store->commit(*batch));
  ASSERT_TRUE(reboot());
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(count("isolate"), 1u);
  ASSERT_THAT(runs_of(kLease), SizeIs(2));
  ASSERT_TRUE(live.pass(5 * kHourUs));
  EXPECT_EQ(count("unisolate"), 1u);
}

TEST(LeaseEnd, IsNothingThatAFlowWaitsFor) {
  Live live;
  ASSERT_TRUE(live.boot(compiled("flow a on manual () do { let why = leaseEnd(1h)  log \"{why}\" }")));
  live.runtime->start({.tenant = "contoso", .name = "a", .event = "{}", .key = "k"},
                      [](const StartAnswer&) {});
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.only_run().fault, "BadRequest");
}

}  // namespace
}  // namespace flow::test
