// What a service counts, and the text that Prometheus reads; and what the loop makes of it.
#include "runtime/metrics.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes.hpp"

namespace flow::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, AreTextForPrometheus) {
  Metrics metrics;
  EXPECT_EQ(metrics.text(), "");
  metrics.add(Metric::RunsStarted, {"contoso", "isolate"});
  metrics.add(Metric::RunsStarted, {"contoso", "isolate"}, 2);
  metrics.set(Metric::CallsInFlight, {}, 7);
  metrics.set(Metric::CallsInFlight, {}, 0.5);
  EXPECT_EQ(metrics.text(),
            "# HELP flow_runs_started_total runs that began\n"
            "# TYPE flow_runs_started_total counter\n"
            "flow_runs_started_total{tenant=\"contoso\",flow=\"isolate\"} 3\n"
            "# HELP flow_calls_in_flight calls that are out\n"
            "# TYPE flow_calls_in_flight gauge\n"
            "flow_calls_in_flight 0.5\n");
  metrics.forget(Metric::CallsInFlight);
  EXPECT_THAT(metrics.text(), Not(HasSubstr("in_flight")));
}

TEST(Metrics, HistogramsCountWhatIsAtMostTheirBound) {
  Metrics metrics;
  for (const std::int64_t us : {100, 101, 1'000'000, 40'000'000, -5})
    metrics.observe_us(Metric::CallSeconds, {"mail.mail"}, us);
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("# TYPE flow_call_seconds histogram\n"));
  EXPECT_THAT(text, HasSubstr("flow_call_seconds_bucket{operation=\"mail.mail\",le=\"0.0001\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("flow_call_seconds_bucket{operation=\"mail.mail\",le=\"0.00025\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("flow_call_seconds_bucket{operation=\"mail.mail\",le=\"1\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("flow_call_seconds_bucket{operation=\"mail.mail\",le=\"30\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("flow_call_seconds_bucket{operation=\"mail.mail\",le=\"+Inf\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("flow_call_seconds_count{operation=\"mail.mail\"} 5\n"));
  metrics.observe(Metric::CommitEntries, 0);
  metrics.observe(Metric::CommitEntries, 3);
  EXPECT_THAT(metrics.text(), HasSubstr("flow_commit_entries_bucket{le=\"1\"} 1\n"));
  EXPECT_THAT(metrics.text(), HasSubstr("flow_commit_entries_sum 3\n"));
}

TEST(Metrics, LabelsCannotBreakOutOfTheirQuotes) {
  Metrics metrics;
  metrics.add(Metric::RunsStarted, {"a\"b\\c\nd", ""});
  EXPECT_THAT(metrics.text(), HasSubstr("flow_runs_started_total{tenant=\"a\\\"b\\\\c\\nd\",flow=\"\"} 1\n"));
}

TEST(Metrics, AreBoundedWhateverTheLabels) {
  Metrics metrics;
  for (std::size_t i = 0; i < Metrics::kMaxSeries + 10; ++i)
    metrics.add(Metric::RunsStarted, {"contoso", fmt::format("flow{}", i)});
  EXPECT_THAT(metrics.text(), HasSubstr("flow_runs_started_total{tenant=\"other\",flow=\"other\"} 10\n"));
}

std::string metrics_of(Bench& bench) {
  std::string told;
  bench.runtime->metrics([&](std::string text) { told = std::move(text); });
  EXPECT_TRUE(bench.runtime->run_until_idle());
  return told;
}

TEST(RuntimeMetrics, TellWhatTheLoopDid) {
  Bench bench;
  bench.world.add_alert("da1", bench.clock.now);
  bench.world.add_alert("da2", bench.clock.now, "Low");
  ASSERT_TRUE(bench.boot());
  bench.idle();
  const std::string text = metrics_of(bench);
  for (const char* line :
       {"flow_runs_started_total{tenant=\"contoso\",flow=\"isolate\"} 1\n",
        "flow_runs_ended_total{tenant=\"contoso\",flow=\"isolate\",state=\"finished\"} 1\n",
        "flow_conditions_false_total 1\n",
        "flow_calls_total{operation=\"defender.isolate\",outcome=\"ok\"} 1\n",
        "flow_call_seconds_count{operation=\"defender.isolate\"} 1\n", "flow_runs_in_memory 0\n",
        "flow_polls_total{tenant=\"contoso\",trigger=\"defender.alert.new\",outcome=\"ok\"} 1\n",
        "flow_events_total{tenant=\"contoso\",trigger=\"defender.alert.new\"} 2\n",
        "flow_poll_lag_seconds{tenant=\"contoso\",trigger=\"defender.alert.new\"} 0\n", "flow_ready 1\n"})
    EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(text,
              HasSubstr(fmt::format("flow_commit_seconds_count {}\n", bench.runtime->counters().commits)));
}

TEST(RuntimeMetrics, TellOfFaultsRetriesAndQueues) {
  Bench bench;
  bench.engine.quota = {.group = "defender", .per_minute = 1};
  for (int i = 0; i < 3; ++i) bench.world.add_alert(fmt::format("da{}", i), bench.clock.now);
  std::uint32_t asked = 0;
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.get_machine" || ++asked > 1) return std::nullopt;
    return Outcome(fault_of(FaultKind::Unavailable));
  };
  ASSERT_TRUE(bench.boot());
  bench.idle();
  EXPECT_THAT(metrics_of(bench), HasSubstr("flow_queue_depth{tenant=\"contoso\",group=\"defender\"}"));
  bench.pass(30 * kMinuteUs);
  const std::string text = metrics_of(bench);
  EXPECT_THAT(text,
              HasSubstr("flow_calls_total{operation=\"defender.get_machine\",outcome=\"Unavailable\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("flow_call_retries_total 1\n"));
}

TEST(Readiness, ComesWithTheFirstPollAndGoesWithTheEnd) {
  Bench bench;
  bench.world.is_holding = true;
  ASSERT_TRUE(bench.boot());
  EXPECT_FALSE(bench.runtime->is_ready());
  bench.idle();
  EXPECT_FALSE(bench.runtime->is_ready()) << "the poll has not been answered";
  const std::uint64_t turns = bench.runtime->turns();
  bench.world.release();
  bench.idle();
  EXPECT_TRUE(bench.runtime->is_ready());
  EXPECT_GT(bench.runtime->turns(), turns);
  ASSERT_TRUE(bench.runtime->drain(bench.clock.now));
  EXPECT_FALSE(bench.runtime->is_ready());
  std::string told = "nothing";
  bench.runtime->metrics([&](std::string text) { told = std::move(text); });
  EXPECT_EQ(told, "");
}

TEST(Readiness, APollThatFailsWasTried) {
  Bench bench;
  bench.world.interfere = [](const std::string&, const OperationCall&) {
    return std::optional<Outcome>(fault_of(FaultKind::Unavailable));
  };
  ASSERT_TRUE(bench.boot());
  bench.idle();
  EXPECT_TRUE(bench.runtime->is_ready());
  EXPECT_THAT(metrics_of(bench), HasSubstr("flow_health_events_total{kind=\"poll_failed\"} 1\n"));
}

}  // namespace
}  // namespace flow::test
