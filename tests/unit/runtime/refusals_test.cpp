// What a flow's own `protect` refuses is in the trail, whatever the flow does with the error.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flows.hpp"
#include "live.hpp"
#include "runtime/json_text.hpp"

namespace flow::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr const char* kFlows = R"(
  flow caught on manual (device: MachineId) protect ("{now()}" == "never" or device == device)
  do { try { isolate(device) } catch e: Protected { log e.message } }
  flow handled on manual (device: MachineId) protect (device == device)
  do isolate(device)
  on error { log "went on" }
  flow branches on manual (device: MachineId) protect (device == device)
  do { for _ in range(3) at most 3 at once { try { isolate(device) } catch e { log e.message } } }
  flow several on manual (users: List<UserId>) protect (users.length() > 0)
  do { attempt confirm_compromised(users) }
  flow within_function on manual (device: MachineId) protect (device == device) do { attempt cut(device) }
  fn cut(device: MachineId) { isolate(device) }
)";
const std::string kDevice = "1111111111111111111111111111111111111111";

struct Refused : testing::Test {
  Live live;
  int keys = 0;

  RunRow start(const std::string& flow, const std::string& event = {}) {
    std::string run;
    live.runtime->start({.tenant = "contoso",
                         .name = flow,
                         .event = event.empty() ? fmt::format(R"({{"device":"{}"}})", kDevice) : event,
                         .key = fmt::format("k{}", ++keys)},
                        [&](const StartAnswer& answer) {
                          EXPECT_EQ(answer.problem, "");
                          run = answer.run;
                        });
    EXPECT_TRUE(live.pass(kMinuteUs));
    for (const RunRow& row : live.bench.runs())
      if (row.id == run) return row;
    return {};
  }
  std::vector<std::string> refusals() {
    std::vector<std::string> lines;
    const auto all = live.bench.store->audit(0, 1000);
    EXPECT_TRUE(all);
    for (const AuditLine& each : *all)
      if (json_member(each.line, "kind") == "\"policy\"") lines.push_back(each.line);
    return lines;
  }
};

TEST_F(Refused, WhatIsCaughtIsInTheTrail) {
  ASSERT_TRUE(live.boot(compiled(kFlows)));
  EXPECT_EQ(start("caught").state, RunState::Finished);
  ASSERT_THAT(refusals(), SizeIs(1));
  EXPECT_THAT(
      refusals().front(),
      AllOf(HasSubstr(R"("operation":"defender.isolate")"), HasSubstr("\"target\":\"" + kDevice),
            HasSubstr(R"("result":"protect","fault":"Protected")"), HasSubstr(R"("detail":"`protect )")));
  EXPECT_EQ(live.bench.world.count("defender.isolate"), 0u);
}

TEST_F(Refused, SoIsWhatOnErrorHandles) {
  ASSERT_TRUE(live.boot(compiled(kFlows)));
  start("handled");
  EXPECT_THAT(refusals(), SizeIs(1));
}

TEST_F(Refused, EachBranchHasItsRow) {
  ASSERT_TRUE(live.boot(compiled(kFlows)));
  EXPECT_EQ(start("branches").state, RunState::Finished);
  EXPECT_THAT(refusals(), SizeIs(3));
  EXPECT_EQ(live.bench.world.count("defender.isolate"), 0u);
}

TEST_F(Refused, AllTargetsOfOneActAreNamed) {
  ASSERT_TRUE(live.boot(compiled(kFlows)));
  start("several", R"({"users":["a@contoso.com","b@contoso.com"]})");
  ASSERT_THAT(refusals(), SizeIs(1));
  EXPECT_THAT(refusals().front(), AllOf(HasSubstr("a@contoso.com"), HasSubstr("b@contoso.com"),
                                        HasSubstr("graph.confirm_compromised")));
}

TEST_F(Refused, FunctionsAreNoWayRound) {
  ASSERT_TRUE(live.boot(compiled(kFlows)));
  start("within_function");
  ASSERT_THAT(refusals(), SizeIs(1));
  EXPECT_THAT(refusals().front(), HasSubstr(kDevice));
}

// A refusal is answered in the commit that notes it, so no crash lies between the two.
TEST_F(Refused, IsNotedOnceHoweverOftenTheProcessBeginsAnew) {
  ASSERT_TRUE(live.boot(compiled(kFlows)));
  start("caught");
  live.runtime.reset();
  ASSERT_TRUE(live.boot(compiled(kFlows)));
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_THAT(refusals(), SizeIs(1));
}

}  // namespace
}  // namespace flow::test
