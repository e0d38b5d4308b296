// What a module declares beside code: kinds of triggers, options of calls, policies, what the runtime
// answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/vm/assembler.hpp"
#include "vm/bytecode/verify.hpp"

namespace flow::test {
namespace {

using ::testing::HasSubstr;

std::string refusal_of(const std::function<void(Assembler&)>& write) {
  Assembler a;
  a.load_text(5, "m1", kMachineIdType).load_text(6, "why").call(7, kIsolate, 5).emit(Op::Finish);
  write(a);
  const auto verified = verify(a.module);
  return verified ? "" : verified.error().message;
}

std::string refusal_of_trigger(const std::function<void(Trigger&)>& change) {
  return refusal_of([&](Assembler& a) { change(a.module.triggers[0]); });
}

TEST(VerifyTriggers, EachKindSaysWhatItNeeds) {
  using Kind = Trigger::Kind;
  const auto of_kind = [](
                           Kind kind, const std::function<void(Trigger&)>& change = [](Trigger&) {}) {
    return refusal_of_trigger([&](Trigger& trigger) {
      trigger.kind = kind;
      trigger.interval_us = 0;
      change(trigger);
    });
  };
  EXPECT_EQ(of_kind(Kind::Poll), "");
  EXPECT_EQ(of_kind(Kind::Manual), "");
  EXPECT_EQ(of_kind(Kind::RunFailed), "");
  EXPECT_EQ(of_kind(Kind::Call, [](Trigger& t) { t.result = kIntType; }), "");
  EXPECT_THAT(of_kind(Kind::Manual, [](Trigger& t) { t.result = kIntType; }),
              HasSubstr("gives nothing to anyone"));
  EXPECT_THAT(of_kind(Kind::Every), HasSubstr("it says not how often"));
  EXPECT_EQ(of_kind(Kind::Every, [](Trigger& t) { t.interval_us = 1; }), "");
  EXPECT_THAT(of_kind(Kind::Every, [](Trigger& t) { t.interval_us = -1; }), HasSubstr("how often"));
  EXPECT_THAT(of_kind(Kind::Cron), HasSubstr("it says not when"));
  EXPECT_EQ(of_kind(Kind::Cron, [](Trigger& t) { t.cron = "0 7 * * *"; }), "");
  EXPECT_THAT(of_kind(Kind::Hunt, [](Trigger& t) { t.interval_us = 1; }), HasSubstr("it has no query"));
  EXPECT_THAT(of_kind(Kind::Hunt, [](Trigger& t) { t.query = "T"; }), HasSubstr("it says not how often"));
  EXPECT_THAT(of_kind(Kind::Webhook), HasSubstr("it names no endpoint"));
  EXPECT_THAT(of_kind(Kind::Stream), HasSubstr("it names no endpoint"));
  EXPECT_EQ(of_kind(Kind::Stream, [](Trigger& t) { t.endpoint = "topic"; }), "");
  EXPECT_THAT(of_kind(Kind::Poll, [](Trigger& t) { t.interval_us = std::int64_t{1} << 62; }),
              HasSubstr("times are out of range"));
}

std::string refusal_of_options(std::uint32_t operation, const CallOptions& options) {
  return refusal_of([&](Assembler& a) {
    a.flow().call_sites[0].operation = operation;
    a.flow().call_sites[0].options = options;
  });
}

TEST(VerifyOptions, FitTheirOperation) {
  EXPECT_EQ(refusal_of_options(kIsolate, {.retries = 3, .lease_us = 1, .is_awaited = true}), "");
  EXPECT_THAT(refusal_of_options(kIsolate, {.retries = 1001}), HasSubstr("more than 1000 retries"));
  EXPECT_THAT(refusal_of_options(kIsolate, {.timeout_us = -1}), HasSubstr("out of range"));
  EXPECT_THAT(refusal_of_options(kIsolate, {.lease_us = std::int64_t{1} << 62}), HasSubstr("out of range"));
  EXPECT_THAT(refusal_of_options(kIsolate, {.backoff_min_us = 2, .backoff_max_us = 1}),
              HasSubstr("its shortest backoff is the longest"));
  EXPECT_THAT(refusal_of_options(kIsolate, {.await_within_us = 1}), HasSubstr("nobody awaits it"));
  EXPECT_THAT(refusal_of_options(kGetMachine, {.is_awaited = true}), HasSubstr("is done when it answers"));
  EXPECT_THAT(refusal_of_options(kGetMachine, {.lease_us = 1}), HasSubstr("nothing undoes it"));
}

std::string refusal_of_policies(const Policies& policies) {
  return refusal_of([&](Assembler& a) { a.flow().policies = policies; });
}

TEST(VerifyPolicies, SpeakOfWhatThereIs) {
  using Otherwise = Policies::Limit::Otherwise;
  EXPECT_EQ(refusal_of_policies({.limits = {{.operation = kIsolate, .count = 1, .window_us = 1}}}), "");
  EXPECT_THAT(refusal_of_policies({.limits = {{.operation = 99, .window_us = 1}}}),
              HasSubstr("limits operation 99"));
  EXPECT_THAT(refusal_of_policies({.limits = {{.operation = 0}}}), HasSubstr("a limit is for no time"));
  EXPECT_THAT(refusal_of_policies({.limits = {{.window_us = 1, .otherwise = Otherwise::Ask}}}),
              HasSubstr("who is asked"));
  EXPECT_THAT(refusal_of_policies({.limits = {{.window_us = 1, .ask_to = "soc"}}}),
              HasSubstr("who is asked"));
  EXPECT_THAT(refusal_of_policies({.within_us = -1}), HasSubstr("deadline is out of range"));
}

TEST(VerifyOperations, WhatTheRuntimeAnswersIsNotSent) {
  const auto of_route = [](const std::function<void(Operation&)>& change) {
    return refusal_of([&](Assembler& a) {
      Operation& wait = a.module.operations.emplace_back();
      wait.connector = "flow";
      wait.name = "wait";
      wait.routes = {{.protocol = Protocol::Runtime}};
      change(wait);
    });
  };
  EXPECT_EQ(of_route([](Operation&) {}), "");
  const auto why = HasSubstr("has one route, and nothing is sent");
  EXPECT_THAT(of_route([](Operation& o) { o.routes[0].method = "GET"; }), why);
  EXPECT_THAT(of_route([](Operation& o) { o.routes[0].path = text_template("/x"); }), why);
  EXPECT_THAT(of_route([](Operation& o) { o.routes[0].body = text_template("x"); }), why);
  EXPECT_THAT(of_route([](Operation& o) { o.routes[0].headers = {{"a", text_template("x")}}; }), why);
  EXPECT_THAT(of_route([](Operation& o) { o.routes.push_back(o.routes[0]); }), why);
}

}  // namespace
}  // namespace flow::test
