// What was before a change: told to flows that ask, whatever happens between the two.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "flows.hpp"
#include "live.hpp"

namespace flow::test {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

const char* const kTells = R"(on alert.updated do log "{previous?.title ?? "nothing"}, then {title}")";

// One alert, which has this title from that moment on.
struct Changing {
  Changing() {
    live.bench.world.interfere = [this](const std::string& name,
                                        const OperationCall& call) -> std::optional<Outcome> {
      if (name != "defender.list_alerts") return std::nullopt;
      asked.push_back(call.arguments);
      return Returned{"[" + page + "]"};
    };
  }
  void change(const std::string& title, std::int64_t after_us = 0) {
    page = R"({"id":"7","alertCreationTime":"2026-01-01T00:00:00Z","title":")" + title +
           R"(","severity":"Medium","lastUpdateTime":")" + format_time_us(live.bench.clock.now + after_us) +
           "\"}";
  }
  std::vector<std::string> told() {
    std::vector<std::string> lines;
    for (const RunRow& row : live.bench.runs()) {
      EXPECT_EQ(row.state, RunState::Finished) << row.reason;
      for (const RunStep& step : live.bench.history(row.id).steps)
        if (step.kind == EntryKind::Log) lines.push_back(step.text);
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }

  Live live;
  std::string page;
  std::vector<std::string> asked;
};

TEST(Previous, IsWhatWasSeenBeforeAlsoByAProcessBefore) {
  Changing world;
  const Module module = compiled(kTells);
  ASSERT_TRUE(world.live.boot(module));
  world.change("a");
  ASSERT_TRUE(world.live.pass(kMinuteUs));
  EXPECT_THAT(world.told(), ElementsAre("nothing, then a"));
  world.change("b");
  ASSERT_TRUE(world.live.pass(kMinuteUs));
  ASSERT_TRUE(world.live.boot(module));
  world.change("c");
  ASSERT_TRUE(world.live.pass(kMinuteUs));
  EXPECT_THAT(world.told(), ElementsAre("a, then b", "b, then c", "nothing, then a"));
}

TEST(Previous, IsNotToldToAChangeThatComesLate) {
  Changing world;
  ASSERT_TRUE(world.live.boot(compiled(kTells)) && world.live.pass(5 * kMinuteUs));
  world.change("b");
  ASSERT_TRUE(world.live.pass(kMinuteUs));
  world.change("a", -2 * kMinuteUs);
  ASSERT_TRUE(world.live.pass(kMinuteUs));
  world.change("c");
  ASSERT_TRUE(world.live.pass(kMinuteUs));
  EXPECT_THAT(world.told(), ElementsAre("b, then c", "nothing, then a", "nothing, then b"));
}

TEST(Previous, OfTwoChangesInOneAnswerTheSecondIsToldTheFirst) {
  Changing world;
  ASSERT_TRUE(world.live.boot(compiled(kTells)));
  world.change("a");
  const std::string first = world.page;
  world.change("b", kSecondUs);
  world.page = first + "," + world.page;
  ASSERT_TRUE(world.live.pass(kMinuteUs));
  EXPECT_THAT(world.told(), ElementsAre("a, then b", "nothing, then a"));
}

TEST(Previous, IsRightWhateverCommitFails) {
  const Module module = compiled(kTells);
  for (const bool is_written : {false, true}) {
    bool has_died = true;
    for (std::uint64_t n = 1; has_died; ++n) {
      SCOPED_TRACE(testing::Message() << "commit " << n << (is_written ? " written" : " lost"));
      Changing world;
      FailingStore store(*world.live.bench.store, n, is_written);
      world.change("a");
      has_died = !world.live.boot(module, &store) || !world.live.pass(kMinuteUs);
      if (!has_died) {
        world.change("b");
        has_died = !world.live.pass(kMinuteUs);
      }
      ASSERT_TRUE(world.live.boot(module) && world.live.pass(kMinuteUs));
      const bool saw_first = world.told().size() == 1 && world.told()[0].ends_with("a");
      if (saw_first) {
        world.change("b", kSecondUs);
        ASSERT_TRUE(world.live.pass(kMinuteUs));
      }
      const auto lines = world.told();
      EXPECT_THAT(lines, ElementsAre("a, then b", "nothing, then a"));
      ASSERT_FALSE(testing::Test::HasFailure());
    }
  }
}

TEST(Previous, IsKeptOnlyWhereAFlowReadsIt) {
  Changing world;
  ASSERT_TRUE(world.live.boot(compiled("on alert.updated when severity == Medium do log title")));
  world.change("a");
  ASSERT_TRUE(world.live.pass(kMinuteUs));
  EXPECT_THAT(world.live.bench.runs(), SizeIs(1));
  EXPECT_FALSE(world.live.bench.store->last_state("contoso", "defender.alert.updated", "7")->has_value());
  EXPECT_NE(world.asked.at(0).find("severity eq 'Medium'"), std::string::npos);
}

// A state that the condition does not want comes before one that it does.
TEST(Previous, IsOfEveryStateThoughTheConditionWantsFew) {
  Changing world;
  ASSERT_TRUE(
      world.live.boot(compiled(R"(on alert.updated when title == "b" do log "{previous?.title ?? ""}")")));
  world.change("a");
  ASSERT_TRUE(world.live.pass(kMinuteUs));
  world.change("b");
  ASSERT_TRUE(world.live.pass(kMinuteUs));
  EXPECT_THAT(world.told(), ElementsAre("a"));
  const Module filtered =
      compiled("on alert.updated when severity == High and previous != null do log title");
  EXPECT_EQ(filtered.flows.at(0).manifest.poll_filter, "");
}

TEST(Previous, OfWhatIsTooLongIsNull) {
  Changing world;
  ASSERT_TRUE(world.live.boot(compiled(kTells)));
  for (const std::string& title : {std::string("a"), std::string(300'000, 'x'), std::string("c")}) {
    world.change(title);
    ASSERT_TRUE(world.live.pass(kMinuteUs));
  }
  const auto lines = world.told();
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_TRUE(lines[0].starts_with("a, then xx"));
  EXPECT_EQ(lines[2], "nothing, then c");
}

TEST(StoreStates, AreReplacedAndForgottenByTimeAndNumber) {
  auto opened = SqliteStore::open(":memory:");
  ASSERT_TRUE(opened);
  Store& store = **opened;
  const auto is_there = [&](const std::string& id) {
    return store.last_state("contoso", "t", id)->has_value();
  };
  Batch batch;
  for (int i = 0; i < 9; ++i) batch.states.push_back({"contoso", "t", std::to_string(i), i, "{}"});
  batch.states.push_back({"fabrikam", "t", "0", 0, "{}"});
  const std::string long_event = "{\"x\":\"" + std::string(5000, 'x') + "\"}";
  batch.states.push_back({"contoso", "t", "8", 8, long_event});
  ASSERT_TRUE(store.commit(batch));
  EXPECT_EQ((*store.last_state("contoso", "t", "8"))->event, long_event);
  Batch forget;
  forget.forget_states = {{"contoso", "t", 2, 4}};
  ASSERT_TRUE(store.commit(forget));
  EXPECT_FALSE(is_there("1"));
  EXPECT_FALSE(is_there("4"));
  EXPECT_TRUE(is_there("5"));
  EXPECT_TRUE(is_there("8"));
  EXPECT_TRUE(store.last_state("fabrikam", "t", "0")->has_value());
}

}  // namespace
}  // namespace flow::test
