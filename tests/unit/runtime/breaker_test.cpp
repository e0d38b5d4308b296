// Hosts that fail rest, and what is to go there waits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "fakes.hpp"
#include "runtime/breaker.hpp"

namespace flow::test {
namespace {

using ::testing::HasSubstr;
using Sign = Breaker::Sign;

// One outage, from now for so long.
void fail_for(Bench& bench, std::int64_t duration_us, FaultKind kind = FaultKind::Unavailable,
              const std::string& tenant = {}) {
  const std::int64_t until_us = bench.clock.now + duration_us;
  bench.world.interfere = [&bench, until_us, kind, tenant](
                              const std::string& name, const OperationCall& call) -> std::optional<Outcome> {
    const bool is_hit = name.starts_with("defender.") && (tenant.empty() || call.tenant == tenant);
    if (!is_hit || bench.clock.now >= until_us) return std::nullopt;
    return fault_of(kind);
  };
}

std::vector<std::string> told(Bench& bench, HealthEvent::Kind kind) {
  std::vector<std::string> texts;
  for (const HealthEvent& event : bench.observer.events)
    if (event.kind == kind) texts.push_back(event.tenant + " " + event.subject + ": " + event.message);
  return texts;
}

TEST(Breaker, OpensAfterSoManyInARowAndLetsOneTry) {
  Breaker breaker({.failures = 3, .first_rest_us = 10, .longest_rest_us = 25});
  EXPECT_FALSE(breaker.note_back("h", 1, Sign::Failed, 0).rests_us);
  EXPECT_FALSE(breaker.note_back("h", 2, Sign::Failed, 0).rests_us);
  breaker.note_back("h", 3, Sign::Answered, 0);
  for (std::uint64_t ticket = 4; ticket < 6; ++ticket)
    EXPECT_FALSE(breaker.note_back("h", ticket, Sign::Failed, 0).rests_us) << "not in a row";
  EXPECT_EQ(breaker.note_back("h", 6, Sign::Failed, 100).rests_us, 10);
  EXPECT_EQ(breaker.open_at("h"), 110);
  EXPECT_EQ(breaker.open_at("other"), 0);
  EXPECT_FALSE(breaker.note_back("h", 7, Sign::Failed, 105).rests_us) << "it was out before";
  EXPECT_EQ(breaker.open_at("h"), 110);
  breaker.note_sent("h", 8, 110);
  EXPECT_EQ(breaker.open_at("h"), kNever);
  EXPECT_FALSE(breaker.note_back("h", 8, Sign::Failed, 112).rests_us) << "told once";
  EXPECT_EQ(breaker.open_at("h"), 132) << "twice as long";
  breaker.note_sent("h", 9, 132);
  breaker.note_back("h", 9, Sign::Failed, 132);
  EXPECT_EQ(breaker.open_at("h"), 157) << "no longer than the longest";
  breaker.note_sent("h", 10, 157);
  breaker.note_back("h", 10, Sign::Nothing, 158);
  EXPECT_LE(breaker.open_at("h"), 158) << "who learnt nothing leaves the try to the next";
  breaker.note_sent("h", 11, 158);
  EXPECT_TRUE(breaker.note_back("h", 11, Sign::Answered, 159).is_back);
  EXPECT_EQ(breaker.open_at("h"), 0);
}

TEST(Breaker, WithoutANumberItNeverOpens) {
  Breaker breaker({.failures = 0});
  for (std::uint64_t ticket = 0; ticket < 100; ++ticket) breaker.note_back("h", ticket, Sign::Failed, 0);
  EXPECT_EQ(breaker.open_at("h"), 0);
}

TEST(Breaker, AClockThatIsSetBackMakesNoRestLonger) {
  Breaker breaker({.failures = 1, .first_rest_us = 10, .longest_rest_us = 10});
  breaker.note_back("h", 1, Sign::Failed, 1000);
  breaker.set_back(500);
  EXPECT_EQ(breaker.open_at("h"), 510);
}

// 100 runs and an outage of 10 minutes: who is asked is asked rarely, nobody fails, everybody ends.
TEST(Breaker, AnOutageIsOutlivedInLine) {
  for (const FaultKind kind : {FaultKind::Unavailable, FaultKind::Timeout}) {
    Bench bench;
    RuntimeOptions options;
    options.calls_in_flight = 4;
    for (int i = 0; i < 100; ++i) bench.world.add_alert("a" + std::to_string(i), bench.clock.now);
    bench.boot(options);
    ASSERT_TRUE(bench.runtime->step());
    fail_for(bench, 10 * kMinuteUs, kind);
    const std::size_t before = bench.world.call_times.size();
    bench.pass(10 * kMinuteUs - 1);
    EXPECT_LT(bench.world.call_times.size() - before, 40u);
    EXPECT_EQ(told(bench, HealthEvent::Kind::HostRests).size(), 1u);
    EXPECT_TRUE(told(bench, HealthEvent::Kind::HostIsBack).empty());
    bench.pass(5 * kMinuteUs);
    EXPECT_EQ(told(bench, HealthEvent::Kind::HostIsBack).size(), 1u);
    std::size_t failed = 0;
    for (const RunRow& run : bench.runs()) failed += run.state != RunState::Finished;
    EXPECT_LE(failed, 1u) << "only one that was the try each time could use up its own";
    EXPECT_EQ(bench.runs().size(), 100u);
  }
}

TEST(Breaker, PollsWaitAsWell) {
  Bench bench;
  fail_for(bench, 10 * kMinuteUs);
  bench.boot();
  bench.pass(10 * kMinuteUs);
  EXPECT_LT(bench.world.call_times.size(), 15u);
  bench.world.add_alert("a", bench.clock.now);
  bench.pass(10 * kMinuteUs);
  EXPECT_EQ(bench.runs().at(0).state, RunState::Finished);
}

TEST(Breaker, OtherTenantsAndOtherHostsGoOn) {
  Bench bench;
  fail_for(bench, 60 * kMinuteUs, FaultKind::Unavailable, "contoso");
  bench.boot();
  ASSERT_TRUE(bench.runtime->deploy("fabrikam", "isolate"));
  bench.pass(10 * kMinuteUs);
  ASSERT_EQ(told(bench, HealthEvent::Kind::HostRests).size(), 1u);
  EXPECT_THAT(told(bench, HealthEvent::Kind::HostRests)[0],
              HasSubstr("contoso defender: 5 calls in a row failed (Unavailable: told to)"));
  bench.world.add_alert("a", bench.clock.now);
  bench.pass(kMinuteUs);
  EXPECT_EQ(bench.runs().at(0).tenant, "fabrikam");
  EXPECT_EQ(bench.runs().at(0).state, RunState::Finished);
}

// What the host says about a call is an answer.
TEST(Breaker, RefusalsAreNoOutage) {
  Bench bench;
  for (int i = 0; i < 20; ++i) bench.world.add_alert("a" + std::to_string(i), bench.clock.now);
  bench.world.interfere = [](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.isolate") return std::nullopt;
    return fault_of(FaultKind::Forbidden);
  };
  bench.boot();
  bench.pass(kMinuteUs);
  EXPECT_EQ(bench.runs().size(), 20u);
  EXPECT_TRUE(told(bench, HealthEvent::Kind::HostRests).empty());
}

// `within` ends what waits in line for a host that rests.
TEST(Breaker, WhoHasADeadlineIsToldWhenItIsOver) {
  Bench bench;
  bench.engine.policies.within_us = 3 * kMinuteUs;
  bench.world.add_alert("a", bench.clock.now);
  bench.boot();
  ASSERT_TRUE(bench.runtime->step());
  fail_for(bench, 600 * kMinuteUs);
  bench.pass(10 * kMinuteUs);
  ASSERT_EQ(bench.runs().size(), 1u);
  EXPECT_EQ(bench.runs()[0].state, RunState::Failed);
  EXPECT_LE(bench.runs()[0].ended_us, bench.runs()[0].created_us + 3 * kMinuteUs);
}

}  // namespace
}  // namespace flow::test
