// What a person does to runs: letting one go on that failed or is parked, and ending one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes.hpp"
#include "live.hpp"
#include "parallel_module.hpp"
#include "runtime/control.hpp"
#include "runtime/trace.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Reads the machine, says so, isolates it, says so.
Module read_then_isolate() {
  Assembler a;
  a.emit(Op::EnterBody).emit(Op::Unwrap, 4, kMachineId).call(6, kGetMachine, 4);
  a.load_text(7, "read").emit(Op::Log, 7);
  a.emit(Op::Unwrap, 4, kMachineId).load_text(5, "why").call(6, kIsolate, 4);
  a.load_text(7, "isolated").emit(Op::Log, 7).emit(Op::Finish);
  without_quotas(a);
  return std::move(a.module);
}

struct Control : Live {
  Result<Batch> resume(const ResumeRequest& request = {}) {
    const RunHistory history = bench.history(only_run().id);
    const auto bytes = bench.store->module(history.run.module);
    const auto module = engine->load(**bytes);
    return plan_resume(history, **module, request, bench.clock.now);
  }
  // A service that finds the run so when it starts.
  bool go_on_with(const Result<Batch>& batch, const Module& module) {
    EXPECT_TRUE(batch) << batch.error().message;
    return batch && bench.store->commit(*batch) && boot(module) && pass(kMinuteUs);
  }
  void fail_calls(const std::string& operation, Fault fault) {
    bench.world.interfere = [operation, fault](const std::string& name,
                                               const OperationCall&) -> std::optional<Outcome> {
      if (name != operation) return std::nullopt;
      return Outcome(fault);
    };
  }
};

TEST(Resume, AFailedRunGoesOnAtTheCallThatFailed) {
  Control live;
  const Module module = read_then_isolate();
  live.bench.world.add_alert("da1", live.bench.clock.now);
  live.fail_calls("defender.isolate", fault_of(FaultKind::Forbidden));
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.pass(kMinuteUs));
  ASSERT_EQ(live.only_run().state, RunState::Failed);
  live.bench.world.interfere = nullptr;
  ASSERT_TRUE(live.go_on_with(live.resume({.by = "ana@contoso.com"}), module));
  EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
  EXPECT_THAT(live.logs(), ElementsAre("read", "isolated"));
  EXPECT_EQ(live.bench.world.count("defender.get_machine"), 1u) << "what was done is not done again";
  EXPECT_EQ(live.bench.world.count("defender.isolate"), 1u);
  const auto traced = RecordedRun::read(*live.bench.store, live.only_run().id);
  ASSERT_TRUE(traced && *traced);
  const auto steps = (*traced)->replay({}, [](const TraceStep&) {});
  EXPECT_TRUE(steps) << steps.error().message;
}

TEST(Resume, TheCallHasAllItsTriesAgain) {
  Control live;
  const Module module = read_then_isolate();
  live.bench.world.add_alert("da1", live.bench.clock.now);
  live.fail_calls("defender.get_machine", fault_of(FaultKind::Unavailable));
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.pass(10 * kMinuteUs));
  ASSERT_EQ(live.only_run().fault, "Unavailable");
  std::uint32_t asked = 0;
  live.bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.get_machine" || ++asked > 3) return std::nullopt;
    return Outcome(fault_of(FaultKind::Unavailable));
  };
  ASSERT_TRUE(live.go_on_with(live.resume(), module));
  EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
}

TEST(Resume, ARunThatFailedInItsOwnCodeWouldFailAgain) {
  Assembler a;
  a.emit(Op::EnterBody).load_text(4, "on purpose").emit(Op::Fail, 4);
  without_quotas(a);
  Control live;
  live.bench.world.add_alert("da1", live.bench.clock.now);
  ASSERT_TRUE(live.boot(a.module));
  ASSERT_TRUE(live.pass(kMinuteUs));
  ASSERT_EQ(live.only_run().state, RunState::Failed);
  const auto planned = live.resume();
  ASSERT_FALSE(planned);
  EXPECT_THAT(planned.error().message, HasSubstr("failed in its own code, not in a call"));
}

TEST(Resume, WhatEndedWellOrIsUnderWayIsLeftAlone) {
  Control live;
  const Module module = read_then_isolate();
  live.bench.world.add_alert("da1", live.bench.clock.now);
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.pass(kMinuteUs));
  ASSERT_EQ(live.only_run().state, RunState::Finished);
  EXPECT_THAT(live.resume().error().message, HasSubstr("did not fail: it is finished"));
}

TEST(Resume, APersonSaysWhatBecameOfACallThatNobodyKnows) {
  for (const auto fate : {ResumeRequest::Fate::Happened, ResumeRequest::Fate::DidNotHappen}) {
    Control live;
    const Module module = read_then_isolate();
    live.bench.world.add_alert("da1", live.bench.clock.now);
    live.fail_calls("defender.isolate", fault_of(FaultKind::Timeout, true));
    live.bench.world.interfere_settle = [](const OperationCall&) -> std::optional<Settlement> {
      return Settlement(NobodyKnows{fault_of(FaultKind::Forbidden)});
    };
    ASSERT_TRUE(live.boot(module));
    ASSERT_TRUE(live.pass(10 * kMinuteUs));
    ASSERT_EQ(live.only_run().state, RunState::Parked);
    live.bench.world.interfere = nullptr;
    const ResumeRequest request{.fate = fate, .result = kAnswer, .by = "ana@contoso.com"};
    ASSERT_TRUE(live.go_on_with(live.resume(request), module));
    EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
    EXPECT_EQ(live.bench.world.count("defender.isolate"),
              fate == ResumeRequest::Fate::DidNotHappen ? 1u : 0u);
  }
}

TEST(Cancel, EndsARunThatWaitsAndCallsNothingMore) {
  Assembler a;
  const auto wait = add_system(a, "wait", {{.name = "duration", .type = kDurationType}}, kNothingType);
  a.emit(Op::EnterBody).load_int(4, 3600 * kSecondUs, kDurationType).call(5, wait, 4);
  a.emit(Op::Unwrap, 4, kMachineId).load_text(5, "why").call(6, kIsolate, 4).emit(Op::Finish);
  without_quotas(a);
  Control live;
  live.bench.world.add_alert("da1", live.bench.clock.now);
  ASSERT_TRUE(live.boot(a.module));
  ASSERT_TRUE(live.pass(kMinuteUs));
  live.runtime.reset();
  const auto batch = plan_cancel(live.bench.history(live.only_run().id), {}, "ana@contoso.com", "a mistake",
                                 live.bench.clock.now);
  ASSERT_TRUE(live.go_on_with(batch, a.module));
  ASSERT_TRUE(live.pass(2 * 3600 * kSecondUs));
  EXPECT_EQ(live.only_run().state, RunState::Stopped);
  EXPECT_EQ(live.only_run().reason, "cancelled by ana@contoso.com: a mistake");
  EXPECT_EQ(live.bench.world.count("defender.isolate"), 0u);
  EXPECT_FALSE(plan_cancel(live.bench.history(live.only_run().id), {}, "", "", live.bench.clock.now));
  const auto traced = RecordedRun::read(*live.bench.store, live.only_run().id);
  ASSERT_TRUE(traced && *traced);
  const auto steps = (*traced)->replay({}, [](const TraceStep&) {});
  EXPECT_TRUE(steps) << steps.error().message;
}

}  // namespace
}  // namespace flow::test
