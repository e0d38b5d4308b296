// How far several awaited calls are is asked by one call, and no run is worse off for it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "fakes.hpp"
#include "live.hpp"
#include "parallel_module.hpp"
#include "runtime/progress_groups.hpp"

namespace flow::test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint32_t kAtOnce = 40;

// await isolate(machineId); of how far it is a list tells for 40 at once.
Module awaiting_flow(Quota of_list = {}) {
  Assembler a;
  a.emit(Op::EnterBody).emit(Op::Unwrap, 4, kMachineId).load_text(5, "why").call(6, kIsolate, 4);
  a.emit(Op::Finish);
  a.flow().call_sites[0].options = CallOptions{.is_awaited = true};
  without_quotas(a);
  Operation& one = a.module.operations[*a.module.operation("defender", "find_actions")];
  Operation list = one;
  list.name = "list_actions";
  for (Operation* const each : {&one, &list}) each->routes[0].quota.group = "defender";
  if (!of_list.group.empty()) list.routes[0].quota = of_list;
  Template arguments{.kind = Template::Kind::Object, .names = {"machine"}, .children = {{}}};
  arguments.children[0] = {.kind = Template::Kind::Param, .text = "machine"};
  one.several =
      Several{.operation = "list_actions", .arguments = arguments, .at_most = kAtOnce, .field = "id"};
  a.module.operations.push_back(std::move(list));
  return std::move(a.module);
}

std::string action(const std::string& status) {
  return fmt::format(R"({{"id":"2e0d9b74-a381-49aa-8c15-f7b01c526d3e","machineTags":[],"status":"{}"}})",
                     status);
}

// A world with so many alerts at once, each on its own machine, whose isolations take so long.
void burst(Live& live, int count, std::int64_t duration_us) {
  for (int i = 0; i < count; ++i) live.bench.world.add_alert("a" + std::to_string(i), live.bench.clock.now);
  const std::int64_t over_us = live.bench.clock.now + duration_us;
  live.bench.world.progress_of = [&live, over_us](const OperationCall&, const std::string&) -> Outcome {
    return Returned{action(live.bench.clock.now >= over_us ? "Succeeded" : "Pending")};
  };
}

std::uint64_t finished(Live& live) {
  return static_cast<std::uint64_t>(
      std::ranges::count(live.bench.runs(), RunState::Finished, &RunRow::state));
}

std::uint64_t rows_asked(const FakeWorld& world) {
  return std::accumulate(world.lists_asked.begin(), world.lists_asked.end(), std::uint64_t{0});
}

std::vector<EntryKind> kinds(Live& live, const std::string& run) {
  std::vector<EntryKind> all;
  for (const RunStep& step : live.bench.history(run).steps) all.push_back(step.kind);
  return all;
}

TEST(AskingTogether, FiftyIsolationsCostTwoListsARoundInPlaceOfFiftyGets) {
  Live live;
  burst(live, 50, 10 * kMinuteUs);
  ASSERT_TRUE(live.boot(awaiting_flow()));
  ASSERT_TRUE(live.pass(15 * kMinuteUs));
  EXPECT_EQ(finished(live), 50u);
  EXPECT_EQ(live.bench.world.count("defender.isolate"), 50u);
  EXPECT_EQ(live.bench.world.progress_asked, 0u);
  EXPECT_THAT(live.bench.world.lists_asked, Each(::testing::AnyOf(kAtOnce, 50 - kAtOnce)));
  EXPECT_LE(live.bench.world.lists_asked.size(), 60u) << "alone, each is asked about some 25 times";
  EXPECT_GT(live.runtime->counters().questions_shared, 1000u);
  for (const RunRow& run : live.bench.runs())
    EXPECT_THAT(kinds(live, run.id), ElementsAre(EntryKind::Started, EntryKind::Entered, EntryKind::Intent,
                                                 EntryKind::Begun, EntryKind::Answered, EntryKind::Ended))
        << "as of one that asked alone";
}

TEST(AskingTogether, OneAloneIsAskedAsBefore) {
  Live live;
  burst(live, 1, 10 * kMinuteUs);
  ASSERT_TRUE(live.boot(awaiting_flow()));
  ASSERT_TRUE(live.pass(15 * kMinuteUs));
  EXPECT_EQ(finished(live), 1u);
  EXPECT_THAT(live.bench.world.lists_asked, IsEmpty());
}

TEST(AskingTogether, WhoBeganAtOtherTimesComesTogetherAndNobodyIsLate) {
  Live live;
  std::map<std::string, std::int64_t> began, told;
  live.bench.world.progress_of = [&](const OperationCall& call, const std::string&) -> Outcome {
    const std::int64_t now_us = live.bench.clock.now;
    const std::int64_t taken_us = now_us - began.at(call.key);
    if (taken_us < 5 * kMinuteUs) return Returned{action("Pending")};
    told.emplace(call.key, taken_us);
    return Returned{action("Succeeded")};
  };
  live.bench.world.interfere = [&](const std::string& name,
                                   const OperationCall& call) -> std::optional<Outcome> {
    if (name == "defender.isolate") began.emplace(call.key, live.bench.clock.now);
    return std::nullopt;
  };
  RuntimeOptions options;
  options.poll_interval_us = kSecondUs;
  ASSERT_TRUE(live.boot(awaiting_flow(), nullptr, options));
  for (int i = 0; i < 20; ++i) {
    live.bench.world.add_alert("a" + std::to_string(i), live.bench.clock.now);
    ASSERT_TRUE(live.pass(7 * kSecondUs));
  }
  ASSERT_TRUE(live.pass(10 * kMinuteUs));
  EXPECT_EQ(finished(live), 20u);
  for (const auto& [key, taken_us] : told) EXPECT_LE(taken_us, 5 * kMinuteUs * 5 / 4 + kSecondUs) << key;
  EXPECT_THAT(told, SizeIs(20));
  const std::uint64_t calls = live.bench.world.progress_asked + live.bench.world.lists_asked.size();
  EXPECT_LT(calls * 4, live.bench.world.progress_asked + rows_asked(live.bench.world));
}

TEST(AskingTogether, WhatTheListDoesNotTellIsAskedAlone) {
  Live live;
  burst(live, 10, 10 * kMinuteUs);
  std::set<std::string> missing;  // the first three that are asked about
  live.bench.world.progress_of_all = [&](const std::vector<BegunCall>& calls) -> Outcome {
    std::string rows;
    for (const BegunCall& each : calls) {
      if (missing.size() < 3) missing.insert(each.call.key);
      const Outcome one = live.bench.world.progress_of(each.call, each.result);
      rows += (rows.empty() ? "" : ",") +
              (missing.contains(each.call.key) ? "null" : std::get<Returned>(one).json);
    }
    return Returned{"[" + rows + "]"};
  };
  ASSERT_TRUE(live.boot(awaiting_flow()));
  ASSERT_TRUE(live.pass(15 * kMinuteUs));
  EXPECT_EQ(finished(live), 10u);
  EXPECT_EQ(missing.size(), 3u);
  EXPECT_GT(live.bench.world.progress_asked, 30u);
  EXPECT_LT(live.bench.world.progress_asked, 100u);
  EXPECT_EQ(std::ranges::count(live.bench.world.lists_asked, 10u), 3)
      << "after three misses they are left out";
  EXPECT_GT(std::ranges::count(live.bench.world.lists_asked, 7u), 10);
}

TEST(AskingTogether, AListThatIsRefusedIsNotTriedAgainForAnHour) {
  for (const Outcome& answer : {Outcome(fault_of(FaultKind::BadRequest)), Outcome(Returned{"{}"}),
                                Outcome(Returned{"[]"}), Outcome(Returned{"no json"})}) {
    Live live;
    burst(live, 10, 90 * kMinuteUs);
    live.bench.world.progress_of_all = [&](const std::vector<BegunCall>&) { return answer; };
    ASSERT_TRUE(live.boot(awaiting_flow()));
    ASSERT_TRUE(live.pass(59 * kMinuteUs));
    EXPECT_THAT(live.bench.world.lists_asked, ElementsAre(10));
    EXPECT_GT(live.bench.world.progress_asked, 500u);
    ASSERT_TRUE(live.pass(40 * kMinuteUs));
    EXPECT_THAT(live.bench.world.lists_asked, SizeIs(2));
    EXPECT_EQ(finished(live), 10u);
  }
}

TEST(AskingTogether, AListThatFailsTwiceIsLeftForAWhile) {
  Live live;
  burst(live, 10, 9 * kMinuteUs);
  live.bench.world.progress_of_all = [](const std::vector<BegunCall>&) -> Outcome {
    return fault_of(FaultKind::Timeout);
  };
  ASSERT_TRUE(live.boot(awaiting_flow()));
  ASSERT_TRUE(live.pass(20 * kMinuteUs));
  EXPECT_THAT(live.bench.world.lists_asked, ElementsAre(10, 10));
  EXPECT_GT(live.bench.world.progress_asked, 100u);
  EXPECT_EQ(finished(live), 10u);
}

TEST(AskingTogether, AThrottledListRestsLikeEachCallAndIsNotBlamed) {
  Live live;
  burst(live, 10, 2 * kMinuteUs);
  std::uint32_t throttled = 0;
  live.bench.world.progress_of_all = [&](const std::vector<BegunCall>& calls) -> Outcome {
    if (++throttled <= 4) return fault_of(FaultKind::Throttled, false, 20 * kSecondUs);
    live.bench.world.lists_asked.pop_back();
    live.bench.world.progress_of_all = nullptr;
    Outcome outcome;
    live.bench.world.progress_of_several(calls, [&](Outcome told) { outcome = std::move(told); });
    return outcome;
  };
  ASSERT_TRUE(live.boot(awaiting_flow()));
  ASSERT_TRUE(live.pass(10 * kMinuteUs));
  EXPECT_EQ(finished(live), 10u);
  EXPECT_EQ(live.bench.world.progress_asked, 0u);
}

// The quota lets one call out a minute: whose turn it is takes all along that stand in line.
TEST(AskingTogether, AnUsedUpQuotaIsSharedByAll) {
  Live live;
  burst(live, 30, 3 * kMinuteUs);
  const Quota quota{.group = "defender", .per_minute = 40, .per_hour = 0};
  Module module = awaiting_flow();
  for (Operation& operation : module.operations)
    if (operation.connector == "defender") operation.routes[0].quota = quota;
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.pass(10 * kMinuteUs));
  EXPECT_EQ(finished(live), 30u);
  EXPECT_EQ(live.bench.world.progress_asked, 0u);
}

TEST(AskingTogether, AListWithAQuotaOfItsOwnIsNotUsed) {
  Live live;
  burst(live, 5, 2 * kMinuteUs);
  ASSERT_TRUE(live.boot(awaiting_flow({.group = "lists", .per_minute = 1, .per_hour = 0})));
  ASSERT_TRUE(live.pass(10 * kMinuteUs));
  EXPECT_EQ(finished(live), 5u);
  EXPECT_THAT(live.bench.world.lists_asked, IsEmpty());
}

TEST(AskingTogether, ARestartAsksOnAndMakesNoSecondCall) {
  const Module module = awaiting_flow();
  RuntimeOptions options;
  options.poll_interval_us = 60 * kMinuteUs;
  for (const bool is_written : {true, false}) {
    std::uint64_t n = 1;
    for (bool has_died = true; has_died; ++n) {
      SCOPED_TRACE(testing::Message() << "death at commit " << n << (is_written ? ", written" : ""));
      Live live;
      burst(live, 5, 5 * kMinuteUs);
      FailingStore store(*live.bench.store, n, is_written);
      has_died = !live.boot(module, &store, options) || !live.pass(10 * kMinuteUs);
      ASSERT_TRUE(live.boot(module, nullptr, options));
      ASSERT_TRUE(live.pass(10 * kMinuteUs));
      EXPECT_EQ(finished(live), 5u);
      EXPECT_EQ(live.bench.world.count("defender.isolate"), 5u);
      EXPECT_EQ(live.bench.world.most_per_key("defender.isolate"), 1u);
      ASSERT_FALSE(testing::Test::HasFailure());
    }
    EXPECT_GT(n, 5u);
  }
}

// While the list is out the process dies, or one of the runs does not want it any more.
TEST(AskingTogether, AnAnswerThatComesTooLateIsNobodys) {
  Live live;
  burst(live, 5, 0);
  ASSERT_TRUE(live.boot(awaiting_flow()));
  ASSERT_TRUE(live.runtime->run_until_idle());
  live.bench.world.is_holding = true;
  ASSERT_TRUE(live.pass(6 * kSecondUs));
  EXPECT_THAT(live.bench.world.lists_asked, ElementsAre(5));
  live.runtime->control({.what = ControlRequest::What::Cancel, .run = live.bench.runs().front().id},
                        [](const ControlReply&) {});
  ASSERT_TRUE(live.runtime->run_until_idle());
  live.bench.world.is_holding = false;
  live.bench.world.release();
  ASSERT_TRUE(live.runtime->run_until_idle());
  EXPECT_EQ(finished(live), 4u);
  EXPECT_EQ(live.runtime->counters().questions_shared, 4u);
}

ProgressGroups::Question question(const std::string& run, std::uint64_t ticket = 0) {
  return {.run = run, .life = 1, .number = 1, .ticket = ticket};
}

std::vector<std::string> runs_of(const std::vector<ProgressGroups::Question>& questions) {
  std::vector<std::string> runs;
  for (const auto& each : questions) runs.push_back(each.run);
  return runs;
}

TEST(ProgressGroups, WhoStandsInLineGoesBeforeWhoRestsAndNobodyTwice) {
  ProgressGroups groups;
  const auto late = groups.rest("g", question("late"), 0, 100);
  const auto soon = groups.rest("g", question("soon"), 0, 50);
  const auto fresh = groups.rest("g", question("fresh"), 40, 140);
  groups.rest("h", question("other"), 0, 50);
  groups.note_in_line("g", question("second", 9));
  groups.note_in_line("g", question("first", 7));
  EXPECT_THAT(runs_of(groups.take_along("g", 3, 50)), ElementsAre("first", "second", "soon"));
  EXPECT_THAT(runs_of(groups.take_along("g", 3, 50)), ElementsAre("late"));
  EXPECT_FALSE(groups.wake(late));
  EXPECT_FALSE(groups.wake(soon));
  ASSERT_TRUE(groups.wake(fresh));
  EXPECT_FALSE(groups.wake(fresh));
  EXPECT_THAT(groups.take_along("g", 3, 1000), IsEmpty());
}

TEST(ProgressGroups, AloneForAsLongAsTheAnswerSays) {
  using Answer = ProgressGroups::Answer;
  ProgressGroups groups;
  groups.note_in_line("g", question("a", 1));
  groups.note("g", Answer::Failed, 100);
  groups.note("g", Answer::Told, 100);
  groups.note("g", Answer::ToldNothing, 100);
  EXPECT_THAT(groups.take_along("g", 3, 100), SizeIs(1));
  groups.note_in_line("g", question("a", 2));
  groups.note("g", Answer::Failed, 100);
  EXPECT_THAT(groups.take_along("g", 3, 99 + ProgressGroups::kAloneWhenFailingUs), IsEmpty());
  EXPECT_THAT(groups.take_along("g", 3, 100 + ProgressGroups::kAloneWhenFailingUs), SizeIs(1));
  groups.note_in_line("g", question("a", 3));
  groups.note("g", Answer::Refused, 100);
  EXPECT_THAT(groups.take_along("g", 3, 99 + ProgressGroups::kAloneWhenRefusedUs), IsEmpty());
  EXPECT_THAT(groups.take_along("g", 3, 50), SizeIs(1)) << "the clock was set back";
}

}  // namespace
}  // namespace flow::test
