// What a backtest is fed with, and what it tells.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/cli/source.hpp"
#include "apps/server/backtest_events.hpp"
#include "apps/server/backtest_executor.hpp"
#include "apps/server/backtest_report.hpp"
#include "base/text.hpp"
#include "runtime/json_text.hpp"

namespace flow {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::vector<PastSource> alerts() {
  return {{.operation = "defender.list_alerts",
           .cursor_field = "alertCreationTime",
           .page_size = 2,
           .events = {}}};
}

TEST(BacktestEvents, AreAListOrLinesAndComeByTime) {
  auto sources = alerts();
  ASSERT_TRUE(add_events(R"([{"id":"b","alertCreationTime":"2026-05-02T00:00:00Z"},
                             {"id":"a","alertCreationTime":"2026-05-01T00:00:00Z"}])",
                         sources));
  ASSERT_THAT(sources[0].events, SizeIs(2));
  EXPECT_THAT(sources[0].events[0].json, HasSubstr("\"a\""));
  sources = alerts();
  ASSERT_TRUE(
      add_events("{\"alertCreationTime\":\"2026-05-01T00:00:00Z\"}\n\n{\"alertCreationTime\":\"2026-05-01T00:"
                 "00:00Z\"}\r\n",
                 sources));
  EXPECT_THAT(sources[0].events, SizeIs(2));
  sources = alerts();
  ASSERT_TRUE(add_events("[]", sources));
  EXPECT_THAT(sources[0].events, SizeIs(0));
}

TEST(BacktestEvents, ThatAreNoneSayWhere) {
  const auto problem = [](const std::string& text) {
    auto sources = alerts();
    const Status added = add_events(text, sources);
    return added ? std::string() : added.error().message;
  };
  EXPECT_EQ(problem("{\"alertCreationTime\":\"2026-05-01T00:00:00Z\"}\n{oops"),
            "line 2 is not one well-formed JSON object; events are a JSON array, or one object a line");
  EXPECT_EQ(problem("[{\"id\":\"a\"}]"),
            "event 1 has no time that the flows' triggers go by: `alertCreationTime`");
  EXPECT_EQ(problem("[{\"alertCreationTime\":\"yesterday\"}]"),
            "event 1 has no time that the flows' triggers go by: `alertCreationTime`");
}

TEST(BacktestAnswers, FitByTheirArguments) {
  const auto answers = read_answers(
      R"({"defender.get_machine":[{"arguments":{"machine":"m1"},"answer":{"id":"m1"}},{"answer":{"id":"x"}}],
          "defender.list_machines":[{"id":"m2"}]})");
  ASSERT_TRUE(answers);
  EXPECT_THAT(answers->at("defender.get_machine"), SizeIs(2));
  EXPECT_EQ(answers->at("defender.list_machines").at(0).answer, R"([{"id":"m2"}])");
  EXPECT_FALSE(read_answers("[1]"));
}

struct Executed : testing::Test {
  Module module;
  PastClock clock;

  void SetUp() override {
    for (const char* name : {"list_alerts", "get_machine"}) {
      Operation operation;
      operation.connector = "defender";
      operation.name = name;
      operation.result = kNullType;
      module.operations.push_back(operation);
    }
    Operation act = module.operations[1];
    act.name = "isolate";
    act.effect = Effect::Act;
    module.operations.push_back(act);
  }
  std::string perform(BacktestExecutor& executor, std::uint32_t operation, const std::string& arguments,
                      const std::string& key = {}) {
    std::string json;
    executor.perform(
        {.tenant = "t", .module = &module, .operation = operation, .arguments = arguments, .key = key},
        [&](const Outcome& outcome) { json = std::get<Returned>(outcome).json; });
    return json;
  }
};

// Fails the test when it is asked for anything but a read.
struct OnlyReads final : Executor {
  void perform(OperationCall call, std::function<void(Outcome)> done) override {
    EXPECT_EQ(call.module->operations[call.operation].effect, Effect::Read);
    ++reads;
    done(Returned{"{}"});
  }
  void progress(OperationCall, std::string, std::function<void(Outcome)>) override { ADD_FAILURE(); }
  void settle(OperationCall, std::function<void(Settlement)>) override { ADD_FAILURE(); }
  int reads = 0;
};

TEST_F(Executed, PollsBringWhatHasHappenedEachOnce) {
  auto sources = alerts();
  for (const std::int64_t us : {10, 20, 20, 30}) sources[0].events.push_back({us, std::to_string(us)});
  BacktestExecutor executor(nullptr, clock, sources, {});
  const std::string poll = R"({"filter":"alertCreationTime ge 2026-01-01T00:00:00Z","top":2,"skip":0})";
  EXPECT_EQ(executor.first_us(), 10);
  EXPECT_EQ(executor.last_us(), 30);
  EXPECT_EQ(executor.next_event_us(0), 10);
  EXPECT_EQ(perform(executor, 0, poll), "[]");
  clock.now = 25;
  EXPECT_EQ(perform(executor, 0, poll), "[10,20]");
  EXPECT_EQ(executor.next_event_us(25), 25) << "one is left whose time has come";
  EXPECT_EQ(
      perform(executor, 0, R"({"filter":"alertCreationTime ge 2026-01-01T00:00:00Z","top":2,"skip":2})"),
      "[20]");
  EXPECT_EQ(executor.next_event_us(25), 30);
  clock.now = 40;
  EXPECT_EQ(perform(executor, 0, poll), "[30]");
  EXPECT_EQ(executor.next_event_us(40), kNever);
}

TEST_F(Executed, NothingThatActsLeaves) {
  OnlyReads world;
  BacktestExecutor executor(&world, clock, {}, {});
  perform(executor, 2, R"({"machine":"m"})", "run/1");
  EXPECT_EQ(world.reads, 0);
  perform(executor, 1, R"({"machine":"m"})", "run/2");
  perform(executor, 1, R"({"machine":"m"})", "run/3");
  EXPECT_EQ(world.reads, 1) << "the same is asked once";
}

TEST_F(Executed, WhatIsGivenIsAnswered) {
  const auto answers =
      read_answers(R"({"defender.get_machine":[{"arguments":{"machine":"m1"},"answer":{"id":"one"}}]})");
  BacktestExecutor executor(nullptr, clock, {}, *answers);
  EXPECT_EQ(perform(executor, 1, R"({"machine":"m1"})", "k"), R"({"id":"one"})");
  EXPECT_EQ(perform(executor, 1, R"({"machine":"m2"})", "k"), "null") << "a stand-in";
}

}  // namespace
}  // namespace flow
