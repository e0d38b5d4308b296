// Protections of the deployment: nothing that a flow says gets a call past them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flows.hpp"
#include "live.hpp"

namespace flow::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr const char* kRules = R"(
  flow facts_of_machine on call (id: MachineId) do { let facts = get_machine(id)  log "{facts.id}" }
  flow tier on call (operation: String, flowName: String, machineId: MachineId, machine: Machine)
  protect (machine.tags.any(tag => tag == "Tier0") and operation != "defender.add_tag")
  do isolate("0000000000000000000000000000000000000000")
  flow listed on call (operation: String, flowName: String, machineId: MachineId, machine: Machine)
  protect (machineId == "9999999999999999999999999999999999999999")
  do isolate("0000000000000000000000000000000000000000")
  flow users on call (userId: UserId) protect (userId == "root@contoso.com")
  do isolate("0000000000000000000000000000000000000000")
  flow frozen on call (operation: String, tenant: String) protect (now() > "2099-01-01")
  do isolate("0000000000000000000000000000000000000000")
)";

constexpr const char* kFlows = R"(
  flow cut on manual (device: MachineId) do isolate(device)
  flow cut_leased on manual (device: MachineId) do isolate(device) lease 1h
  flow tag on manual (device: MachineId) do add_tag(device, "a")
  flow cut_many on manual (device: MachineId) do { for _ in range(5) at most 5 at once { isolate(device) } }
  flow cut_dry on manual (device: MachineId) dry run do isolate(device)
  flow cut_limited on manual (device: MachineId) limit isolate to 1 per 1d do isolate(device)
  flow handled on manual (device: MachineId) do {
      try { isolate(device) } catch e: Protected { log e.message }
  }
  flow lock on manual (users: List<UserId>) do confirm_compromised(users)
)";

const std::string kDevice = "1111111111111111111111111111111111111111";

struct Protected : testing::Test {
  Live live;
  Module module = compiled(kFlows);
  RuntimeOptions options;
  int keys = 0;

  Protected() {
    const Module rules = compiled(kRules);
    options.protections = {
        .module = encode(rules),
        .kinds = {{.id_type = kMachineIdType,
                   .id = "machineId",
                   .entity = "machine",
                   .fetch = "defender.get_machine",
                   .rules = {{.name = "machine.tier", .flow = 1}, {.name = "machine.listed", .flow = 2}}},
                  {.id_type = kUserIdType,
                   .id = "userId",
                   .entity = {},
                   .fetch = {},
                   .rules = {{.name = "user.root", .flow = 3}}},
                  {.id_type = kNullType,
                   .id = {},
                   .entity = {},
                   .fetch = {},
                   .rules = {{.name = "act.frozen", .flow = 4}}}}};
  }
  void tags(const std::string& list) {
    live.bench.world.interfere = [list](const std::string& name,
                                        const OperationCall&) -> std::optional<Outcome> {
      if (name != "defender.get_machine") return std::nullopt;
      return Outcome(Returned{fmt::format(R"({{"id":"x","machineTags":[{}]}})", list)});
    };
  }
  RunRow start(const std::string& flow, const std::string& device = kDevice, const std::string& event = {}) {
    std::string run;
    live.runtime->start({.tenant = "contoso",
                         .name = flow,
                         .event = event.empty() ? fmt::format(R"({{"device":"{}"}})", device) : event,
                         .key = fmt::format("k{}", ++keys)},
                        [&](const StartAnswer& answer) {
                          EXPECT_EQ(answer.problem, "");
                          run = answer.run;
                        });
    EXPECT_TRUE(live.pass(kMinuteUs / 2));
    for (const RunRow& row : live.bench.runs())
      if (row.id == run) return row;
    return {};
  }
  std::uint64_t isolated() { return live.bench.world.count("defender.isolate"); }
};

TEST_F(Protected, TargetsAreNotActedOnAndTheRuleIsNamed) {
  tags(R"("a","Tier0")");
  ASSERT_TRUE(live.boot(module, nullptr, options));
  const RunRow run = start("cut");
  EXPECT_EQ(run.fault, "Protected");
  EXPECT_THAT(run.reason, HasSubstr("the protection `machine.tier`"));
  EXPECT_EQ(isolated(), 0u);
  const auto steps = live.bench.history(run.id).steps;
  const auto answer = std::ranges::find(steps, EntryKind::Answered, &RunStep::kind);
  ASSERT_NE(answer, steps.end());
  EXPECT_EQ(answered_by_name(answer->by), "protection");
}

TEST_F(Protected, OthersAreActedOn) {
  tags(R"("a")");
  ASSERT_TRUE(live.boot(module, nullptr, options));
  EXPECT_EQ(start("cut").state, RunState::Finished);
  EXPECT_EQ(isolated(), 1u);
}

TEST_F(Protected, WhatARuleLeavesOutIsDone) {
  tags(R"("Tier0")");
  ASSERT_TRUE(live.boot(module, nullptr, options));
  EXPECT_EQ(start("tag").state, RunState::Finished);
}

TEST_F(Protected, EveryRuleIsAsked) {
  tags("");
  ASSERT_TRUE(live.boot(module, nullptr, options));
  EXPECT_THAT(start("cut", "9999999999999999999999999999999999999999").reason, HasSubstr("machine.listed"));
}

TEST_F(Protected, EachOfSeveralTargetsIsAskedAbout) {
  ASSERT_TRUE(live.boot(module, nullptr, options));
  EXPECT_EQ(start("lock", {}, R"({"users":["a@contoso.com"]})").state, RunState::Finished);
  EXPECT_EQ(start("lock", {}, R"({"users":["a@contoso.com","root@contoso.com"]})").fault, "Protected");
  EXPECT_EQ(live.bench.world.count("graph.confirm_compromised"), 1u);
}

TEST_F(Protected, ATargetOfWhichNothingCanBeLearntIsProtected) {
  live.bench.world.interfere = [](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.get_machine") return std::nullopt;
    return Outcome(fault_of(FaultKind::Forbidden));
  };
  ASSERT_TRUE(live.boot(module, nullptr, options));
  const RunRow run = start("cut");
  EXPECT_EQ(run.fault, "Protected");
  EXPECT_THAT(run.reason, HasSubstr("nothing can be learnt of machine " + kDevice));
  EXPECT_EQ(isolated(), 0u);
}

TEST_F(Protected, ARuleThatCannotBeDecidedRefuses) {
  live.bench.world.interfere = [](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.get_machine") return std::nullopt;
    return Outcome(Returned{R"({"id":"x","machineTags":7})"});
  };
  ASSERT_TRUE(live.boot(module, nullptr, options));
  EXPECT_THAT(start("cut").reason, AllOf(HasSubstr("machine.tier"), HasSubstr("cannot be decided")));
}

TEST_F(Protected, AFaultThatPassesIsOutlived) {
  int asked = 0;
  live.bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.get_machine" || ++asked > 2) return std::nullopt;
    return Outcome(fault_of(FaultKind::Unavailable));
  };
  ASSERT_TRUE(live.boot(module, nullptr, options));
  EXPECT_EQ(start("cut").state, RunState::Finished);
  EXPECT_EQ(asked, 3);
}

TEST_F(Protected, CallsThatComeTogetherAskOnce) {
  ASSERT_TRUE(live.boot(module, nullptr, options));
  EXPECT_EQ(start("cut_many").state, RunState::Finished);
  EXPECT_EQ(isolated(), 5u);
  EXPECT_EQ(live.bench.world.count("defender.get_machine"), 1u);
  ASSERT_TRUE(live.pass(2 * kMinuteUs));
  start("cut");
  EXPECT_EQ(live.bench.world.count("defender.get_machine"), 2u) << "after a minute it is asked again";
}

TEST_F(Protected, ADryRunShowsThem) {
  tags(R"("Tier0")");
  ASSERT_TRUE(live.boot(module, nullptr, options));
  EXPECT_EQ(start("cut_dry").fault, "Protected");
}

TEST_F(Protected, CallsUseNoPlaceUnderALimit) {
  tags(R"("Tier0")");
  ASSERT_TRUE(live.boot(module, nullptr, options));
  EXPECT_EQ(start("cut_limited").fault, "Protected");
  live.bench.world.interfere = nullptr;
  ASSERT_TRUE(live.pass(2 * kMinuteUs));
  EXPECT_EQ(start("cut_limited").state, RunState::Finished);
}

TEST_F(Protected, FlowsCanHandleTheError) {
  tags(R"("Tier0")");
  ASSERT_TRUE(live.boot(module, nullptr, options));
  EXPECT_EQ(start("handled").state, RunState::Finished);
}

TEST_F(Protected, DoNotKeepALeaseFromEnding) {
  tags("");
  ASSERT_TRUE(live.boot(module, nullptr, options));
  EXPECT_EQ(start("cut_leased").state, RunState::Finished);
  tags(R"("Tier0")");
  ASSERT_TRUE(live.pass(61 * kMinuteUs));
  EXPECT_EQ(live.bench.world.count("defender.unisolate"), 1u);
}

TEST_F(Protected, RulesMayAskForTheTime) {
  live.bench.clock.now = *parse_time_us("2100-05-01T00:00:00Z");
  ASSERT_TRUE(live.boot(module, nullptr, options));
  EXPECT_THAT(start("cut").reason, HasSubstr("act.frozen"));
}

TEST_F(Protected, HeldCallsAreAskedForAfterARestart) {
  live.bench.world.is_holding = true;
  ASSERT_TRUE(live.boot(module, nullptr, options));
  EXPECT_EQ(start("cut").state, RunState::Running);
  live.runtime.reset();
  live.bench.world.release();
  live.bench.world.is_holding = false;
  tags(R"("Tier0")");
  ASSERT_TRUE(live.boot(module, nullptr, options));
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.only_run().fault, "Protected");
  EXPECT_EQ(isolated(), 0u);
}

}  // namespace
}  // namespace flow::test
