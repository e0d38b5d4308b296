// Runs with several calls under way, and what the runtime answers by itself, with the real machine.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes.hpp"
#include "live.hpp"
#include "parallel_module.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Branches, AreCalledForAtOnce) {
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  ASSERT_TRUE(live.boot(parallel_flow()));
  ASSERT_TRUE(live.pass(kMinuteUs - 1));
  live.bench.world.is_holding = true;
  live.bench.clock.now += kMinuteUs;
  ASSERT_TRUE(live.runtime->run_until_idle());
  live.bench.world.release();  // the poll
  ASSERT_TRUE(live.runtime->run_until_idle());
  EXPECT_EQ(live.bench.world.count("defender.isolate"), 3u);
  EXPECT_EQ(live.runtime->calls_in_flight(), 3u);
  live.bench.world.release();
  live.bench.world.is_holding = false;
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
  EXPECT_EQ(live.bench.world.count("defender.isolate"), 4u);
}

TEST(Branches, EachIsCalledForOnceWhateverCommitIsTheLast) {
  const Module module = parallel_flow();
  for (const bool is_written : {true, false}) {
    std::uint64_t n = 1;
    for (bool has_died = true; has_died; ++n) {
      SCOPED_TRACE(testing::Message() << "death at commit " << n << (is_written ? ", written" : ""));
      Live live;
      live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
      FailingStore store(*live.bench.store, n, is_written);
      has_died = !live.boot(module, &store) || !live.pass(kMinuteUs);
      ASSERT_TRUE(live.boot(module));
      ASSERT_TRUE(live.pass(kMinuteUs));
      EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
      EXPECT_EQ(live.bench.world.count("defender.isolate"), 4u);
      EXPECT_EQ(live.bench.world.most_per_key("defender.isolate"), 1u);
      ASSERT_FALSE(testing::Test::HasFailure());
    }
    EXPECT_GT(n, 6u);
  }
}

// The order of answers is the journal's, also when the second process would get them in another order.
TEST(Branches, AnswersAreReplayedInTheirOrder) {
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  std::uint32_t asked = 0;
  live.bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.isolate" || ++asked > 2) return std::nullopt;
    return Outcome(fault_of(FaultKind::Unavailable));
  };
  const Module module = parallel_flow();
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.pass(kMinuteUs + kSecondUs / 4));  // the third has its answer, the others wait
  const auto before = live.logs();
  EXPECT_THAT(before, ElementsAre("three"));
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.pass(10 * kMinuteUs));
  EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
  EXPECT_EQ(live.logs().front(), "three");
  EXPECT_EQ(live.logs().size(), 3u);
  EXPECT_EQ(live.bench.world.count("defender.isolate"), 4u);
}

TEST(Branches, TheLosersOfARaceAreNotWaitedFor) {
  Assembler a;
  const auto slow = add_system(a, "wait", {{.name = "duration", .type = kDurationType}}, kNothingType);
  const auto waiting = a.begin_function("waiting", {kMachineIdType}, kNullType);
  a.load_int(1, 3600 * kSecondUs, kDurationType);
  a.module.functions.back().call_sites = {{.operation = slow, .first_argument = 1}};
  a.emit(Op::Call, 2).emit(Op::LoadNull, 0).emit(Op::Return, 0);
  a.end_function();
  isolating_branch(a, "fast");
  a.emit(Op::EnterBody).emit(Op::Unwrap, 4, kMachineId).emit(Op::Race, 10, 4, 2, waiting).show(10);
  a.emit(Op::Finish);
  without_quotas(a);
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  ASSERT_TRUE(live.boot(a.module));
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
  EXPECT_THAT(live.logs(), ElementsAre("fast", "1"));
  ASSERT_TRUE(live.pass(2 * 3600 * kSecondUs)) << "the wait that nobody wants ends in silence";
}

// --- what the runtime answers ---

Module waiting_flow(std::int64_t duration_us) {
  Assembler a;
  const auto wait = add_system(a, "wait", {{.name = "duration", .type = kDurationType}}, kNothingType);
  a.emit(Op::EnterBody).load_int(4, duration_us, kDurationType).call(5, wait, 4);
  a.load_text(6, "waited").emit(Op::Log, 6).emit(Op::Finish);
  without_quotas(a);
  return std::move(a.module);
}

TEST(SystemCalls, AWaitGoesOnAfterARestart) {
  const Module module = waiting_flow(3600 * kSecondUs);
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.only_run().state, RunState::Running);
  const std::int64_t began_us = live.only_run().created_us;
  live.runtime.reset();
  live.bench.clock.now += 1800 * kSecondUs;
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.pass(began_us + 3600 * kSecondUs - live.bench.clock.now - 1));
  EXPECT_EQ(live.only_run().state, RunState::Running);
  ASSERT_TRUE(live.pass(1));
  EXPECT_EQ(live.only_run().state, RunState::Finished);
  EXPECT_EQ(live.only_run().ended_us, began_us + 3600 * kSecondUs);
  EXPECT_THAT(live.logs(), ElementsAre("waited"));
}

TEST(SystemCalls, AWaitThatWasOverWhileNobodyRanEndsAtOnce) {
  const Module module = waiting_flow(3600 * kSecondUs);
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.pass(kMinuteUs));
  live.runtime.reset();
  live.bench.clock.now += 7200 * kSecondUs;
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.runtime->run_until_idle());
  EXPECT_EQ(live.only_run().state, RunState::Finished);
}

TEST(SystemCalls, TimeAndChanceAreRecorded) {
  Assembler a;
  const auto now = add_system(a, "now", {}, kTimeType);
  const auto random = add_system(a, "random", {}, kFloatType);
  const auto ago = add_system(a, "ago", {{.name = "duration", .type = kDurationType}}, kTimeType);
  const auto uuid = add_system(a, "uuid", {}, kStringType);
  const auto wait = add_system(a, "wait", {{.name = "duration", .type = kDurationType}}, kNothingType);
  a.emit(Op::EnterBody).call(10, now, 4).call(11, random, 4).call(12, uuid, 4);
  a.load_int(4, kMinuteUs, kDurationType).call(13, ago, 4).call(5, wait, 4);
  a.show(10).show(11).show(12).show(13).emit(Op::Finish);
  without_quotas(a);
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  ASSERT_TRUE(live.boot(a.module));
  ASSERT_TRUE(live.pass(kMinuteUs));
  ASSERT_TRUE(live.boot(a.module));  // the rest is done with what was recorded
  ASSERT_TRUE(live.pass(2 * kMinuteUs));
  const auto logs = live.logs();
  ASSERT_EQ(logs.size(), 4u) << live.only_run().reason;
  EXPECT_EQ(logs[0], format_time_us(live.only_run().created_us));
  EXPECT_THAT(logs[1], testing::StartsWith("0."));
  EXPECT_THAT(logs[2],
              testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_EQ(logs[3], format_time_us(live.only_run().created_us - kMinuteUs));
}

TEST(SystemCalls, AKeyIsTakenOnceWithinItsTime) {
  Assembler a;
  const auto once =
      add_system(a, "once", {{.name = "key", .type = kStringType}, {.name = "window", .type = kDurationType}},
                 kBoolType);
  a.load_text(4, "the same").load_int(5, 3600 * kSecondUs, kDurationType).call(6, once, 4);
  const auto skip = a.jump(Op::JumpIfNot, 6);
  a.emit(Op::EnterBody).emit(Op::Finish);
  a.land(skip).emit(Op::Skip);
  without_quotas(a);
  Live live;
  for (const char* id : {"da1", "da2"}) live.bench.world.add_alert(id, live.bench.clock.now + kSecondUs);
  live.bench.world.add_alert("da3", live.bench.clock.now + kMinuteUs);
  live.bench.world.add_alert("da4", live.bench.clock.now + 3700 * kSecondUs);
  ASSERT_TRUE(live.boot(a.module));
  ASSERT_TRUE(live.pass(45 * kSecondUs));
  ASSERT_TRUE(live.boot(a.module));
  ASSERT_TRUE(live.pass(4000 * kSecondUs));
  std::map<std::string, RunState> states;
  for (const RunRow& run : live.bench.runs()) states[run.key] = run.state;
  EXPECT_THAT(states,
              ElementsAre(testing::Pair("da1", RunState::Finished), testing::Pair("da2", RunState::Skipped),
                          testing::Pair("da3", RunState::Skipped), testing::Pair("da4", RunState::Finished)));
}

TEST(CallOptions, TheAuthorSaysHowOftenAndHowLong) {
  Assembler a;
  a.emit(Op::EnterBody).emit(Op::Unwrap, 4, kMachineId).call(6, kGetMachine, 4).emit(Op::Finish);
  a.flow().call_sites[0].options = CallOptions{.retries = 1,
                                               .backoff_min_us = 2 * kSecondUs,
                                               .backoff_max_us = 2 * kSecondUs,
                                               .timeout_us = kSecondUs};
  without_quotas(a);
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  std::vector<std::int64_t> deadlines;
  live.bench.world.interfere = [&](const std::string& name,
                                   const OperationCall& call) -> std::optional<Outcome> {
    if (name != "defender.get_machine") return std::nullopt;
    deadlines.push_back(call.deadline_us);
    return Outcome(fault_of(FaultKind::Unavailable));
  };
  ASSERT_TRUE(live.boot(a.module));
  ASSERT_TRUE(live.pass(5 * kMinuteUs));
  EXPECT_THAT(deadlines, ElementsAre(kSecondUs, kSecondUs));
  EXPECT_EQ(live.only_run().state, RunState::Failed);
}

std::string refusal(const Module& module, std::string_view settings = "{}") {
  Live live;
  Runtime runtime(*live.bench.store, live.bench.clock, live.bench.random, live.bench.world, *live.engine);
  const auto deployed = runtime.deploy("contoso", encode(module), settings);
  return deployed ? "" : deployed.error().message;
}

TEST(Deploy, RefusesWhatItCannotServe) {
  Assembler stream;
  stream.module.triggers[0].kind = Trigger::Kind::Stream;
  stream.module.triggers[0].endpoint = "topic";
  stream.emit(Op::Finish);
  EXPECT_EQ(refusal(stream.module),
            "`isolate.flow`: this runtime cannot start flow `isolate` on `stream` yet");
  Assembler ponders;
  add_system(ponders, "ponder", {}, kStringType);
  ponders.emit(Op::Finish);
  EXPECT_EQ(refusal(ponders.module),
            "`isolate.flow`: this runtime cannot answer `flow.ponder` for flow `isolate` yet");
  Assembler leases;
  leases.emit(Op::Unwrap, 4, kMachineId).load_text(5, "why").call(6, kIsolate, 4).emit(Op::Finish);
  leases.flow().call_sites[0].options = CallOptions{.lease_us = 1};
  EXPECT_EQ(
      refusal(leases.module),
      "`isolate.flow`: this runtime cannot lease `defender.isolate`, of which the module does not say how it "
      "is undone yet");
}

TEST(Deploy, RefusesSettingsThatAreMissingOrWrong) {
  Assembler a;
  a.module.settings = {{.name = "threshold", .type = kIntType, .is_required = true}};
  a.emit(Op::Finish);
  EXPECT_EQ(refusal(a.module), "parameter `threshold`: it is required, and nothing was given");
  EXPECT_EQ(refusal(a.module, R"({"threshold":"5"})"), "parameter `threshold`: expected Int, found text");
  EXPECT_EQ(refusal(a.module, R"({"threshold":5})"), "");
}

TEST(Settings, ARunKeepsThoseItBeganWith) {
  Assembler a;
  const auto wait = add_system(a, "wait", {{.name = "duration", .type = kDurationType}}, kNothingType);
  a.module.settings = {{.name = "threshold", .type = kIntType, .default_json = "1"}};
  a.flow().inputs.push_back({.name = "threshold", .type = kIntType, .source = Input::Source::Setting});
  a.emit(Op::EnterBody).load_int(5, 2 * kMinuteUs, kDurationType).call(6, wait, 5).show(4).emit(Op::Finish);
  without_quotas(a);
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  const auto boot_with = [&](std::string_view settings) {
    live.runtime = std::make_unique<Runtime>(*live.bench.store, live.bench.clock, live.bench.random,
                                             live.bench.world, *live.engine);
    return live.runtime->deploy("contoso", encode(a.module), settings).has_value() &&
           live.runtime->recover().has_value();
  };
  ASSERT_TRUE(boot_with(R"({"threshold":7})"));
  ASSERT_TRUE(live.pass(kMinuteUs));
  ASSERT_TRUE(boot_with(R"({"threshold":8})"));
  ASSERT_TRUE(live.pass(10 * kMinuteUs));
  EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
  EXPECT_THAT(live.logs(), ElementsAre("7"));
}

}  // namespace
}  // namespace flow::test
