// Runs that are asked for from outside: by a person, and by a request to a hook.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "flows.hpp"
#include "live.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using How = StartAnswer::How;

const Module& triage() {
  static const Module module = compiled(R"(
    flow triage on manual (machine: String, reason: String, times: Int = 3) do {
      log "{machine} {reason} {times}"
    })");
  return module;
}

const Module& hook() {
  static const Module module = compiled(R"(
    record Ticket { id: Int, title: String, host: String? }
    flow take on webhook "tickets" (ticket: Ticket) when ticket.id > 0 do {
      log "{ticket.title} by {headers["x-user"] ?? "nobody"}"
      if ticket.id == 7 { respond 201, "made {ticket.id}" }
      if ticket.id == 8 { wait 10s  respond 200, "late" }
      if ticket.id == 9 { wait 1h  respond 200, "too late" }
    })");
  return module;
}

// What came of asking; turns until it is idle.
std::vector<StartAnswer> ask(Live& live, const StartRequest& request) {
  std::vector<StartAnswer> answers;
  live.runtime->start(request, [&](StartAnswer answer) { answers.push_back(std::move(answer)); });
  EXPECT_TRUE(live.runtime->run_until_idle());
  return answers;
}

StartAnswer by_hand(Live& live, const std::string& arguments, const std::string& key = "",
                    const std::string& flow = "triage") {
  const auto answers = ask(live, {.tenant = "contoso", .name = flow, .event = arguments, .key = key});
  EXPECT_THAT(answers, SizeIs(1));
  return answers.empty() ? StartAnswer() : answers.front();
}

StartRequest post(int id, const std::string& key) {
  return {.by = StartRequest::By::Webhook,
          .tenant = "contoso",
          .name = "tickets",
          .event =
              R"({"payload":{"id":)" + std::to_string(id) + R"(,"title":"Door"},"headers":{"x-user":"ann"}})",
          .key = key};
}

TEST(Manual, StartsARunWithItsArguments) {
  Live live;
  ASSERT_TRUE(live.boot(triage()));
  const StartAnswer answer = by_hand(live, R"({"machine":"m1","reason":"odd"})");
  EXPECT_EQ(answer.how, How::Started);
  EXPECT_EQ(answer.run, live.only_run().id);
  EXPECT_EQ(live.only_run().state, RunState::Finished);
  EXPECT_EQ(live.only_run().trigger, "manual");
  EXPECT_THAT(live.logs(), ElementsAre("m1 odd 3"));
}

TEST(Manual, TheSameKeyIsTheSameRun) {
  Live live;
  ASSERT_TRUE(live.boot(triage()));
  const StartAnswer first = by_hand(live, R"({"machine":"m1","reason":"odd"})", "k");
  const StartAnswer again = by_hand(live, R"({"machine":"m2","reason":"even"})", "k");
  EXPECT_EQ(again.how, How::Known);
  EXPECT_EQ(again.run, first.run);
  EXPECT_EQ(by_hand(live, R"({"machine":"m1","reason":"odd"})").how, How::Started)
      << "without a key always anew";
  EXPECT_THAT(live.bench.runs(), SizeIs(2));
}

TEST(Manual, ArgumentsMayBeWrittenAsOnACommandLine) {
  Live live;
  ASSERT_TRUE(live.boot(triage()));
  StartRequest request{.tenant = "contoso", .name = "triage", .event = R"({"machine":"m1"})"};
  request.written = {{"reason", "007 \"odd\""}, {"times", "7"}};
  ASSERT_EQ(ask(live, request).at(0).how, How::Started);
  EXPECT_THAT(live.logs(), ElementsAre("m1 007 \"odd\" 7"));
  request.written = {{"reason", "r"}, {"times", "seven"}};
  EXPECT_EQ(ask(live, request).at(0).problem, "the argument `times`: expected Int, found text");
  request.event = "{ }";
  request.written = {{"machine", "m2"}, {"reason", "r"}};
  EXPECT_EQ(ask(live, request).at(0).how, How::Started);
}

TEST(Manual, AnArgumentThatIsNeverReadIsMissedAsOthersAre) {
  Live live;
  ASSERT_TRUE(live.boot(
      compiled("flow triage on manual (reason: String, times: Int = 3, note: String?) do log \"x\"")));
  EXPECT_EQ(by_hand(live, "{}").problem, "the argument `reason` is missing: it is a String");
  EXPECT_EQ(by_hand(live, R"({"reason":"r"})").how, How::Started);
}

TEST(Manual, WhatIsWrongIsSaidWithNameAndType) {
  Live live;
  ASSERT_TRUE(live.boot(triage()));
  const auto problem = [&](const std::string& arguments) {
    const StartAnswer answer = by_hand(live, arguments);
    EXPECT_EQ(answer.how, How::Refused);
    return answer.problem;
  };
  EXPECT_EQ(problem(R"({"machine":"m1"})"), "the argument `reason` is missing: it is a String");
  EXPECT_EQ(problem(R"({"machine":"m1","reason":null})"), "the argument `reason` is missing: it is a String");
  EXPECT_THAT(problem(R"({"machine":"m1","reason":7})"),
              "the argument `reason`: expected String, found number");
  EXPECT_THAT(problem(R"({"machine":"m1","reason":"r","times":"3"})"),
              "the argument `times`: expected Int, found text");
  EXPECT_EQ(problem(R"({"machine":"m1","reasn":"r"})"),
            "there is no argument `reasn`; did you mean `reason`?");
  EXPECT_EQ(problem("[]"), "the arguments are no JSON object");
  EXPECT_EQ(problem("{"), "the arguments are no JSON object");
  const StartAnswer unknown = by_hand(live, "{}", "", "triag");
  EXPECT_EQ(unknown.how, How::NotFound);
  EXPECT_EQ(unknown.problem,
            "no flow on manual is named `triag` for tenant `contoso`; did you mean `triage`?");
  EXPECT_EQ(by_hand(live, "{}", std::string(600, 'k')).how, How::Refused);
  EXPECT_TRUE(live.bench.runs().empty());
}

TEST(Manual, IsToldOnlyWhenTheRunIsDurable) {
  for (const bool is_written : {true, false}) {
    std::uint64_t n = 1;
    for (bool has_died = true; has_died; ++n) {
      SCOPED_TRACE(testing::Message() << "death at commit " << n << (is_written ? ", written" : ""));
      Live live;
      FailingStore store(*live.bench.store, n, is_written);
      std::vector<StartAnswer> answers;
      const StartRequest request{
          .tenant = "contoso", .name = "triage", .event = R"({"machine":"m1","reason":"odd"})", .key = "k"};
      has_died = !live.boot(triage(), &store);
      if (!has_died) {
        live.runtime->start(request, [&](StartAnswer answer) { answers.push_back(std::move(answer)); });
        has_died = !live.runtime->run_until_idle();
      }
      ASSERT_TRUE(live.boot(triage()));
      if (!answers.empty()) {
        EXPECT_EQ(answers[0].run, live.only_run().id);
      }
      EXPECT_THAT(answers, SizeIs(has_died ? 0 : 1));
      by_hand(live, request.event, "k");  // as whoever was not told does
      EXPECT_EQ(live.only_run().state, RunState::Finished);
      ASSERT_FALSE(testing::Test::HasFailure());
    }
    EXPECT_GE(n, 4u);
  }
}

TEST(Manual, RequestsComeFromAnyThreadAndEachIsAnsweredOnce) {
  Live live;
  ASSERT_TRUE(live.boot(triage()));
  std::thread loop([&] { EXPECT_TRUE(live.runtime->run()); });
  std::atomic<int> started = 0, others = 0;
  std::vector<std::thread> people;
  for (int person = 0; person < 4; ++person)
    people.emplace_back([&] {
      for (int i = 0; i < 50; ++i)
        live.runtime->start(
            {.tenant = "contoso", .name = "triage", .event = R"({"machine":"m","reason":"r"})"},
            [&](const StartAnswer& answer) { ++(answer.how == How::Started ? started : others); });
    });
  for (std::thread& person : people) person.join();
  while (started + others < 200) std::this_thread::yield();
  live.runtime->stop();
  loop.join();
  EXPECT_EQ(started, 200);
  live.runtime->start({.tenant = "contoso", .name = "triage"}, [&](const StartAnswer& answer) {
    EXPECT_EQ(answer.how, How::Stopping);
    ++others;
  });
  EXPECT_EQ(others, 1);
}

TEST(Webhook, StartsARunFromWhatWasPosted) {
  Live live;
  ASSERT_TRUE(live.boot(hook()));
  const auto answers = ask(live, post(1, "d1"));
  ASSERT_THAT(answers, SizeIs(1)) << "it ends without responding";
  EXPECT_EQ(answers[0].how, How::Started);
  EXPECT_EQ(answers[0].run, live.only_run().id);
  EXPECT_THAT(live.logs(), ElementsAre("Door by ann"));
  EXPECT_EQ(ask(live, post(1, "d1")).at(0).how, How::Known);
  EXPECT_EQ(ask(live, post(0, "d2")).at(0).how, How::Skipped);
  StartRequest elsewhere = post(1, "d3");
  elsewhere.name = "ticket";
  EXPECT_EQ(ask(live, elsewhere).at(0).problem,
            "no flow waits at the hook `ticket` for tenant `contoso`; did you mean `tickets`?");
  EXPECT_THAT(live.bench.runs(), SizeIs(1));
}

TEST(Webhook, WhatTheRecordDoesNotAllowIsRefused) {
  Live live;
  ASSERT_TRUE(live.boot(hook()));
  StartRequest request = post(1, "d1");
  request.event = R"({"payload":{"id":"one","title":"Door"},"headers":{}})";
  const StartAnswer wrong = ask(live, request).at(0);
  EXPECT_EQ(wrong.how, How::Refused);
  EXPECT_THAT(wrong.problem, HasSubstr("payload.id"));
  request.event = R"({"payload":{"id":1},"headers":{}})";
  EXPECT_THAT(ask(live, request).at(0).problem, HasSubstr("title"));
  EXPECT_TRUE(live.bench.runs().empty());
  EXPECT_EQ(ask(live, post(1, "d1")).at(0).how, How::Started) << "the delivery may be made again";
}

TEST(Webhook, AHookHasOneFlow) {
  Live live;
  ASSERT_TRUE(live.boot(hook()));
  const auto second = live.runtime->deploy(
      "contoso", encode(compiled(R"(flow other on webhook "tickets" (body: Json) do { log "{body}" })")));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message,
            "flow `other` waits at the hook `tickets`, and so does flow `take`; give each its own");
  EXPECT_TRUE(live.runtime->deploy("contoso", encode(hook()))) << "a new version is no second flow";
}

TEST(Webhook, AnswersByWhatTheFlowResponds) {
  Live live;
  ASSERT_TRUE(live.boot(hook()));
  const StartAnswer at_once = ask(live, post(7, "d1")).at(0);
  EXPECT_EQ(at_once.how, How::Responded);
  EXPECT_EQ(at_once.status, 201);
  EXPECT_EQ(at_once.body, "made 7");
  std::vector<StartAnswer> answers;
  const auto keep = [&](StartAnswer answer) { answers.push_back(std::move(answer)); };
  live.runtime->start(post(8, "d2"), keep);
  ASSERT_TRUE(live.pass(9 * kSecondUs));
  EXPECT_TRUE(answers.empty());
  ASSERT_TRUE(live.pass(kSecondUs));
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].body, "late");
  live.runtime->start(post(9, "d3"), keep);
  ASSERT_TRUE(live.pass(21 * kSecondUs));
  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_EQ(answers[1].how, How::Started) << "nobody waits longer than that";
  ASSERT_TRUE(live.pass(61 * kMinuteUs));
  EXPECT_THAT(answers, SizeIs(2));
  for (const RunRow& run : live.bench.runs()) EXPECT_EQ(run.state, RunState::Finished) << run.reason;
}

TEST(Webhook, ARunThatRespondsAfterARestartRespondsToNobody) {
  Live live;
  ASSERT_TRUE(live.boot(hook()));
  live.runtime->start(post(8, "d1"), [](const StartAnswer&) { ADD_FAILURE() << "the process has ended"; });
  ASSERT_TRUE(live.runtime->run_until_idle());
  ASSERT_TRUE(live.boot(hook()));
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.only_run().state, RunState::Finished);
  EXPECT_EQ(ask(live, post(8, "d1")).at(0).run, live.only_run().id);
}

}  // namespace
}  // namespace flow::test
