// Messages to runs that wait for them, have not come to it yet, or are over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "asking_flows.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using How = MessageReply::How;

struct Receiving : Live {
  void begin(std::int64_t within_us = 0) {
    bench.world.add_alert("da1", bench.clock.now + kSecondUs);
    ASSERT_TRUE(boot(receiving_flow(within_us)));
    ASSERT_TRUE(pass(kMinuteUs + kSecondUs));
  }
  How send(const std::string& payload, const std::string& name = "callback", const std::string& key = "") {
    MessageReply reply;
    runtime->send({only_run().id, name, payload, key, "test"},
                  [&](const MessageReply& told) { reply = told; });
    if (!runtime->run_until_idle()) return How::Stopping;
    problem = reply.problem;
    return reply.how;
  }

  std::string problem;
};

TEST(Messages, WakeTheRunThatWaitsForThem) {
  Receiving live;
  live.begin();
  ASSERT_TRUE(live.pass(2 * kMinuteUs));
  EXPECT_EQ(live.runtime->runs_in_memory(), 0u);
  EXPECT_EQ(live.send(R"({"n":1})", "other"), How::Kept) << "another name";
  EXPECT_EQ(live.runtime->runs_in_memory(), 0u) << "and not woken for it";
  EXPECT_EQ(live.send(R"({"n":1})"), How::Kept);
  EXPECT_THAT(live.logs(), ElementsAre(HasSubstr(R"("n":1)")));
  EXPECT_EQ(live.send(R"({"n":2})"), How::Kept);
  EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
  EXPECT_THAT(live.logs(), ElementsAre(HasSubstr(R"("n":1)"), HasSubstr(R"("n":2)")));
  EXPECT_EQ(live.send("3"), How::Over);
  EXPECT_THAT(live.problem, HasSubstr("is over: finished"));
}

TEST(Messages, ThatComeTooEarlyAreKeptInOrder) {
  Receiving live;
  live.begin();
  EXPECT_EQ(live.send("\"first\""), How::Kept);
  EXPECT_EQ(live.send("\"second\""), How::Kept);
  EXPECT_THAT(live.logs(), ElementsAre());
  ASSERT_TRUE(live.pass(kHourUs));
  EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
  EXPECT_THAT(live.logs(), ElementsAre(HasSubstr("first"), HasSubstr("second")));
}

TEST(Messages, OfOneKeyAreOneMessage) {
  Receiving live;
  live.begin();
  EXPECT_EQ(live.send("1", "callback", "k"), How::Kept);
  EXPECT_EQ(live.send("1", "callback", "k"), How::Known);
  ASSERT_TRUE(live.pass(kHourUs));
  EXPECT_THAT(live.logs(), ElementsAre("1"));
}

TEST(Messages, WithoutOneInTimeItIsATimeout) {
  Receiving live;
  live.begin(kHourUs);
  ASSERT_TRUE(live.pass(2 * kHourUs));
  EXPECT_EQ(live.only_run().fault, "Timeout");
  const auto rows = live.bench.store->list_questions({});
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->front().state, QuestionRow::State::Expired);
}

TEST(Messages, ThatAreWrongAreRefused) {
  Receiving live;
  live.begin();
  EXPECT_EQ(live.send("{"), How::Refused);
  EXPECT_EQ(live.send("1", ""), How::Refused);
  EXPECT_EQ(live.send("\"" + std::string(kMaxMessageBytes, 'x') + "\""), How::Refused);
  EXPECT_EQ(live.send("1", std::string(kMaxMessageName + 1, 'x')), How::Refused);
  MessageReply reply;
  live.runtime->send({"01ABC", "callback", "1", "", "test"}, [&](const MessageReply& told) { reply = told; });
  ASSERT_TRUE(live.runtime->run_until_idle());
  EXPECT_EQ(reply.how, How::NotFound);
  EXPECT_THAT(reply.problem, HasSubstr("no run `01ABC`"));
}

TEST(Messages, BeyondTheLimitAreRefused) {
  Receiving live;
  live.begin();
  for (std::uint32_t i = 0; i < kMaxKeptMessages; ++i)
    live.runtime->send({live.only_run().id, "other", "1", "", "test"}, [](const MessageReply&) {});
  ASSERT_TRUE(live.runtime->run_until_idle());
  EXPECT_EQ(live.send("1"), How::Full);
}

TEST(Messages, NoneIsLostOrTakenTwiceWhateverCommitIsTheLast) {
  for (const bool is_written : {true, false}) {
    std::uint64_t n = 1;
    for (bool has_died = true; has_died; ++n) {
      SCOPED_TRACE(testing::Message() << "death at commit " << n << (is_written ? ", written" : ""));
      Receiving live;
      live.bench.world.add_alert("da1", live.bench.clock.now);
      FailingStore store(*live.bench.store, n, is_written);
      RuntimeOptions options;
      options.poll_interval_us = 20 * kMinuteUs;
      const auto send_all = [&]() -> bool {  // false: it died
        if (!live.pass(30 * kMinuteUs)) return false;
        for (const char* message : {"1", "2"}) {  // whoever gets no reply sends it again
          const How how = live.send(message, "callback", message);
          if (how == How::Stopping) return false;
        }
        return live.pass(kHourUs);
      };
      has_died = !live.boot(receiving_flow(0), &store, options) || !send_all();
      ASSERT_TRUE(live.boot(receiving_flow(0), nullptr, options));
      ASSERT_TRUE(send_all());
      EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
      EXPECT_THAT(live.logs(), ElementsAre("1", "2"));
      ASSERT_FALSE(testing::Test::HasFailure());
    }
    EXPECT_GT(n, 8u);
  }
}

}  // namespace
}  // namespace flow::test
