// A new configuration between two turns: it holds for the next call of every run, whatever that run was
// doing.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flows.hpp"
#include "live.hpp"

namespace flow::test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kRules = R"(
  flow listed on call (operation: String, machineId: MachineId)
  protect ("{machineId}" endsWith "1") do isolate("0000000000000000000000000000000000000000")
)";
constexpr const char* kRulesThatAsk = R"(
  flow facts_of_machine on call (id: MachineId) do { let facts = get_machine(id)  log "{facts.id}" }
  flow tier on call (operation: String, machineId: MachineId, machine: Machine)
  protect (machine.tags.any(tag => tag == "Tier0")) do isolate("0000000000000000000000000000000000000000")
)";
constexpr const char* kFlows = R"(
  flow cut on manual (device: MachineId) do isolate(device)
  flow cut_later on manual (device: MachineId) do { wait(10m)  isolate(device) }
  flow cut_soon on manual (device: MachineId) do { wait(3s)  isolate(device) }
)";
const std::string kDevice = "1111111111111111111111111111111111111111";

Protections rules(const char* text, const std::string& name, std::uint32_t flow, const std::string& fetch) {
  return {.module = encode(compiled(text)),
          .kinds = {{.id_type = kMachineIdType,
                     .id = "machineId",
                     .entity = fetch.empty() ? "" : "machine",
                     .fetch = fetch,
                     .rules = {{.name = name, .flow = flow}}}}};
}

struct Reconfigured : testing::Test {
  Live live;
  Module module = compiled(kFlows);
  int keys = 0;
  std::vector<ReconfigureReply> replies;

  std::string start(const std::string& flow) {
    std::string run;
    live.runtime->start({.tenant = "contoso",
                         .name = flow,
                         .event = fmt::format(R"({{"device":"{}"}})", kDevice),
                         .key = fmt::format("k{}", ++keys)},
                        [&](const StartAnswer& answer) {
                          EXPECT_EQ(answer.problem, "");
                          run = answer.run;
                        });
    EXPECT_TRUE(live.pass(kSecondUs));
    return run;
  }
  RunRow row(const std::string& id) {
    for (const RunRow& run : live.bench.runs())
      if (run.id == id) return run;
    return {};
  }
  void reload(Protections protections, std::function<void()> apply = {}) {
    Reconfiguration wanted;
    wanted.protections = std::move(protections);
    wanted.apply = std::move(apply);
    wanted.keys = {"protect.machine.listed", "limits.reuse_reads"};
    wanted.by = "ann";
    wanted.via = "api";
    live.runtime->reconfigure(std::move(wanted),
                              [this](const ReconfigureReply& reply) { replies.push_back(reply); });
  }
  void protect() { reload(rules(kRules, "machine.listed", 0, {})); }
  std::uint64_t isolated() { return live.bench.world.count("defender.isolate"); }
  std::vector<std::string> trail(const std::string& kind) {
    std::vector<std::string> lines;
    const auto all = live.bench.store->audit(0, 1000);
    EXPECT_TRUE(all);
    for (const AuditLine& each : *all)
      if (each.line.find("\"kind\":\"" + kind + "\"") != std::string::npos) lines.push_back(each.line);
    return lines;
  }
};

TEST_F(Reconfigured, ARuleHoldsForTheNextActOfARunThatSleeps) {
  ASSERT_TRUE(live.boot(module));
  const std::string run = start("cut_later");
  protect();
  ASSERT_TRUE(live.pass(11 * kMinuteUs));
  EXPECT_EQ(row(run).fault, "Protected");
  EXPECT_THAT(row(run).reason, HasSubstr("machine.listed"));
  EXPECT_EQ(isolated(), 0u);
}

TEST_F(Reconfigured, ARuleHoldsForACallThatRestsBeforeItIsTriedAgain) {
  ASSERT_TRUE(live.boot(module));
  bool is_first = true;
  live.bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.isolate" || !std::exchange(is_first, false)) return std::nullopt;
    Fault fault = fault_of(FaultKind::Throttled);
    fault.retry_after_us = 20 * kSecondUs;
    return Outcome(fault);
  };
  const std::string run = start("cut");
  EXPECT_EQ(row(run).state, RunState::Running);
  protect();
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(row(run).fault, "Protected");
  EXPECT_EQ(isolated(), 0u);
}

// It was found unprotected, and waits for a place under the number of calls that may be out.
TEST_F(Reconfigured, ARuleHoldsForACallThatStandsInLine) {
  RuntimeOptions options;
  options.calls_in_flight = 1;
  ASSERT_TRUE(live.boot(module, nullptr, options));
  live.bench.world.is_holding = true;
  const std::string first = start("cut"), second = start("cut");
  protect();
  ASSERT_TRUE(live.pass(kSecondUs));
  live.bench.world.is_holding = false;
  live.bench.world.release();
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(row(first).state, RunState::Finished) << "what is out ends as it began";
  EXPECT_EQ(row(second).fault, "Protected");
  EXPECT_EQ(isolated(), 1u);
}

// What the rules of before wanted to know comes too late to decide anything.
TEST_F(Reconfigured, ACallThatIsHeldIsAskedAboutByTheNewRules) {
  RuntimeOptions options;
  options.protections = rules(kRulesThatAsk, "machine.tier", 1, "defender.get_machine");
  ASSERT_TRUE(live.boot(module, nullptr, options));
  live.bench.world.is_holding = true;
  const std::string run = start("cut");
  protect();
  ASSERT_TRUE(live.pass(kSecondUs));
  EXPECT_EQ(row(run).fault, "Protected");
  live.bench.world.is_holding = false;
  live.bench.world.release();
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(isolated(), 0u);
}

TEST_F(Reconfigured, ARuleThatIsLiftedHoldsNoLonger) {
  RuntimeOptions options;
  options.protections = rules(kRules, "machine.listed", 0, {});
  ASSERT_TRUE(live.boot(module, nullptr, options));
  EXPECT_EQ(row(start("cut")).fault, "Protected");
  reload({});
  EXPECT_EQ(row(start("cut")).state, RunState::Finished);
  EXPECT_EQ(isolated(), 1u);
}

TEST_F(Reconfigured, RulesThatCannotBeLoadedChangeNothing) {
  ASSERT_TRUE(live.boot(module));
  bool is_applied = false;
  Protections broken = rules(kRules, "machine.listed", 0, {});
  broken.module.resize(broken.module.size() / 2);
  reload(std::move(broken), [&] { is_applied = true; });
  EXPECT_EQ(row(start("cut")).state, RunState::Finished);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies.front().how, ReconfigureReply::How::Refused);
  EXPECT_FALSE(is_applied);
  EXPECT_TRUE(trail("reloaded").empty());
}

TEST_F(Reconfigured, IsToldWhenItIsDurableAndInTheTrail) {
  ASSERT_TRUE(live.boot(module));
  std::size_t rows_when_applied = 0;
  reload({}, [&] { rows_when_applied = trail("reloaded").size(); });
  EXPECT_TRUE(replies.empty());
  ASSERT_TRUE(live.pass(kSecondUs));
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies.front().how, ReconfigureReply::How::Done);
  EXPECT_EQ(rows_when_applied, 1u) << "it is written before anything goes by it";
  EXPECT_THAT(trail("reloaded").front(), HasSubstr("protect.machine.listed, limits.reuse_reads"));
  EXPECT_THAT(trail("reloaded").front(), HasSubstr(R"("by":"ann","via":"api")"));
}

TEST_F(Reconfigured, ManyKeysAreSeveralRowsOfWhichNoneIsCut) {
  ASSERT_TRUE(live.boot(module));
  Reconfiguration wanted;
  for (int i = 0; i < 40; ++i)
    wanted.keys.push_back(fmt::format("tenants.contoso.connectors.tickets{}.base", i));
  live.runtime->reconfigure(wanted, [](const ReconfigureReply&) {});
  ASSERT_TRUE(live.pass(kSecondUs));
  std::string all;
  for (const std::string& line : trail("reloaded")) all += line;
  for (const std::string& key : wanted.keys) EXPECT_THAT(all, HasSubstr(key));
}

TEST_F(Reconfigured, WhoAsksAServiceThatStopsIsTold) {
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.runtime->drain(live.bench.clock.now));
  protect();
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies.front().how, ReconfigureReply::How::Stopping);
}

}  // namespace
}  // namespace flow::test
