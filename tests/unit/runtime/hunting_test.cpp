// Scheduled hunting queries: each new row starts one run, or all of them together, whatever dies when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flows.hpp"
#include "live.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::int64_t at(std::string_view text) {
  return parse_time_us(text).value();
}

const Module& each_row() {
  static const Module module =
      compiled(R"(on hunt(kql"DeviceInfo | take 5") every 1h do log "{row.name as String} {scheduledAt}")");
  return module;
}
const Module& all_rows() {
  static const Module module = compiled(
      R"(on hunt(kql"DeviceInfo | take 5") every 1h batch do log "{rows.length()} {rows.toJson()}")");
  return module;
}

struct Hunt : Live {
  Hunt() {
    bench.clock.now = at("2026-11-22T10:59:00Z");
    bench.world.interfere = [this](const std::string& name,
                                   const OperationCall& call) -> std::optional<Outcome> {
      if (name != "graph.hunt") return std::nullopt;
      asked.push_back(call.arguments);
      if (is_failing) return fault_of(FaultKind::Unavailable);
      return Returned{rows};
    };
  }
  std::vector<std::string> all_logs() {
    std::vector<std::string> texts;
    for (const RunRow& run : bench.runs())
      for (const RunStep& step : bench.history(run.id).steps)
        if (step.kind == EntryKind::Log) texts.insert(texts.begin(), step.text);
    return texts;
  }
  std::string rows = "[]";
  std::vector<std::string> asked;
  bool is_failing = false;
};

TEST(Hunting, EachNewRowStartsOneRun) {
  Hunt hunt;
  hunt.rows = R"([{"name":"a","n":1},{"name":"b","n":2},{"n":2,"name":"b"},7,null])";
  ASSERT_TRUE(hunt.boot(each_row()));
  ASSERT_TRUE(hunt.pass(2 * kMinuteUs));
  EXPECT_THAT(hunt.asked, ElementsAre(R"({"query":"DeviceInfo | take 5"})"));
  EXPECT_THAT(hunt.all_logs(), ElementsAre("a 2026-11-22T11:00:00Z", "b 2026-11-22T11:00:00Z"));
  EXPECT_EQ(hunt.bench.runs().at(0).trigger, "hunt");
  EXPECT_EQ(hunt.runtime->counters().events_unusable, 2u);
  hunt.rows = R"([{"name":"b","n":2},{"name":"a","n":3}])";
  ASSERT_TRUE(hunt.pass(60 * kMinuteUs));
  EXPECT_THAT(hunt.asked, SizeIs(2));
  EXPECT_THAT(hunt.all_logs(),
              ElementsAre("a 2026-11-22T11:00:00Z", "b 2026-11-22T11:00:00Z", "a 2026-11-22T12:00:00Z"));
}

TEST(Hunting, ABatchStartsOneRunWithWhatIsNew) {
  Hunt hunt;
  hunt.rows = R"([{"n":1},{"n":2},{"n":2}])";
  ASSERT_TRUE(hunt.boot(all_rows()));
  ASSERT_TRUE(hunt.pass(2 * kMinuteUs));
  EXPECT_THAT(hunt.all_logs(), ElementsAre(R"(2 [{"n":1},{"n":2}])"));
  ASSERT_TRUE(hunt.pass(60 * kMinuteUs));
  EXPECT_THAT(hunt.bench.runs(), SizeIs(1)) << "nothing new, no run";
  hunt.rows = R"([{"n":3},{"n":1}])";
  ASSERT_TRUE(hunt.pass(60 * kMinuteUs));
  EXPECT_THAT(hunt.all_logs(), ElementsAre(R"(2 [{"n":1},{"n":2}])", R"(1 [{"n":3}])"));
}

TEST(Hunting, AFailedQueryIsMadeAgain) {
  Hunt hunt;
  hunt.rows = R"([{"name":"a"}])";
  hunt.is_failing = true;
  ASSERT_TRUE(hunt.boot(each_row()));
  ASSERT_TRUE(hunt.pass(2 * kMinuteUs));
  EXPECT_TRUE(hunt.bench.runs().empty());
  EXPECT_GE(hunt.asked.size(), 2u);
  EXPECT_THAT(hunt.bench.observer.events.at(0).message, HasSubstr("polling for `test` failed"));
  hunt.is_failing = false;
  ASSERT_TRUE(hunt.pass(6 * kMinuteUs));
  EXPECT_THAT(hunt.all_logs(), ElementsAre("a 2026-11-22T11:00:00Z"));
}

TEST(Hunting, OneQueryMakesUpForThoseThatWereMissed) {
  Hunt hunt;
  hunt.rows = R"([{"name":"a"}])";
  ASSERT_TRUE(hunt.boot(each_row()));
  ASSERT_TRUE(hunt.runtime->run_until_idle());
  hunt.runtime.reset();
  hunt.bench.clock.now = at("2026-11-22T15:30:00Z");
  ASSERT_TRUE(hunt.boot(each_row()));
  ASSERT_TRUE(hunt.pass(kMinuteUs));
  EXPECT_THAT(hunt.asked, SizeIs(1));
  EXPECT_THAT(hunt.all_logs(), ElementsAre("a 2026-11-22T15:00:00Z"));
}

TEST(Hunting, NoRowIsLostOrDoubledWhateverCommitIsTheLast) {
  for (const Module* module : {&each_row(), &all_rows()})
    for (const bool is_written : {true, false}) {
      std::uint64_t n = 1;
      for (bool has_died = true; has_died; ++n) {
        SCOPED_TRACE(testing::Message() << "death at commit " << n << (is_written ? ", written" : ""));
        Hunt hunt;
        hunt.rows = R"([{"name":"a"},{"name":"b"},{"name":"c"}])";
        FailingStore store(*hunt.bench.store, n, is_written);
        RuntimeOptions options;
        options.events_per_turn = 1;  // a commit each
        has_died = !hunt.boot(*module, &store, options) || !hunt.pass(5 * kMinuteUs);
        ASSERT_TRUE(hunt.boot(*module));
        ASSERT_TRUE(hunt.pass(125 * kMinuteUs));
        EXPECT_THAT(hunt.bench.runs(), SizeIs(module == &each_row() ? 3 : 1));
        for (const RunRow& run : hunt.bench.runs()) EXPECT_EQ(run.state, RunState::Finished) << run.reason;
        ASSERT_FALSE(testing::Test::HasFailure());
      }
      EXPECT_GE(n, 4u);
    }
}

// What tells of changes: each of them once, and the same state no second time.
TEST(PolledChanges, EachStartsOneRun) {
  Live live;
  std::string updated = "2026-11-22T10:59:10Z";
  live.bench.clock.now = at("2026-11-22T10:59:00Z");
  for (const char* trigger : {"alert.updated", "incident.updated"}) {
    SCOPED_TRACE(trigger);
    Live each;
    each.bench.clock.now = at("2026-11-22T10:59:00Z");
    each.bench.world.interfere = [&](const std::string&, const OperationCall&) -> std::optional<Outcome> {
      return Returned{R"([{"id":"7","lastUpdateTime":")" + updated + R"(","lastUpdateDateTime":")" + updated +
                      R"("}])"};
    };
    updated = "2026-11-22T10:59:10Z";
    ASSERT_TRUE(each.boot(compiled(std::string("on ") + trigger + " do log \"x\"")));
    ASSERT_TRUE(each.pass(5 * kMinuteUs));
    ASSERT_THAT(each.bench.runs(), SizeIs(1));
    EXPECT_EQ(each.bench.runs()[0].key, "7\n2026-11-22T10:59:10Z");
    updated = "2026-11-22T11:03:00Z";
    ASSERT_TRUE(each.pass(5 * kMinuteUs));
    EXPECT_THAT(each.bench.runs(), SizeIs(2));
  }
}

}  // namespace
}  // namespace flow::test
