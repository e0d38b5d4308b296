// Runs that wait for people, with the real machine: who is told, whose answer counts, and that nothing of it
// is lost or counted twice whenever the process dies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "asking_flows.hpp"
#include "runtime/json_text.hpp"
#include "runtime/links.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using How = AnswerReply::How;
using State = QuestionRow::State;

RuntimeOptions with_links() {
  RuntimeOptions options;
  options.links = {.url = "https://flow.contoso.com", .key = "a key of this test"};
  return options;
}

struct Asking : Live {
  // A run that has asked.
  void ask(const Module& module, RuntimeOptions options = with_links()) {
    bench.world.add_alert("da1", bench.clock.now + kSecondUs);
    bench.world.interfere = [this](const std::string& name,
                                   const OperationCall& call) -> std::optional<Outcome> {
      if (name == "mail.mail") mails.push_back(call.arguments);
      return std::nullopt;
    };
    ASSERT_TRUE(boot(module, nullptr, options));
    ASSERT_TRUE(pass(kMinuteUs));
  }
  QuestionRow question() {
    const auto rows = bench.store->list_questions({});
    EXPECT_TRUE(rows && rows->size() == 1u);
    return rows && !rows->empty() ? rows->front() : QuestionRow();
  }
  std::vector<TellingRow> tellings() {
    auto rows = bench.store->tellings(question().id);
    EXPECT_TRUE(rows);
    return rows ? std::move(*rows) : std::vector<TellingRow>();
  }
  // The reply, once it is durable; Stopping when there was none.
  AnswerReply answer(const std::string& answer, const std::string& by = "ann@contoso.com") {
    AnswerReply reply;
    runtime->answer({question().id, answer, by, "test"}, [&](const AnswerReply& told) { reply = told; });
    if (!runtime->run_until_idle()) return {};
    return reply;
  }

  std::vector<std::string> mails;  // arguments
};

TEST(Asking, AQuestionIsRowsUntilItIsAnswered) {
  Asking live;
  live.ask(asking_flow(3 * kHourUs));
  EXPECT_EQ(live.runtime->runs_in_memory(), 0u) << "it costs nothing to wait";
  const QuestionRow open = live.question();
  EXPECT_EQ(open.state, State::Open);
  EXPECT_EQ(open.kind, QuestionRow::Kind::Approve);
  EXPECT_THAT(open.people, ElementsAre("ann@contoso.com", "bob@contoso.com"));
  EXPECT_THAT(open.options, ElementsAre("approve", "refuse"));
  EXPECT_EQ(open.subject, "Isolate the server?");
  EXPECT_EQ(open.expires_us, open.asked_us + 3 * kHourUs);
  EXPECT_EQ(live.only_run().wake_us, open.expires_us);
  ASSERT_TRUE(live.pass(kHourUs));
  EXPECT_EQ(live.answer("approve", "Bob@Contoso.com").how, How::Recorded);
  EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
  EXPECT_THAT(live.logs(), ElementsAre("true"));
  const QuestionRow answered = live.question();
  EXPECT_EQ(answered.state, State::Answered);
  EXPECT_EQ(answered.answer, "approve");
  EXPECT_EQ(answered.by, "bob@contoso.com") << "as the flow writes it";
  EXPECT_EQ(answered.via, "test");
  EXPECT_EQ(answered.closed_us, live.bench.clock.now);
}

TEST(Asking, ARefusalIsFalse) {
  Asking live;
  live.ask(asking_flow(0));
  ASSERT_TRUE(live.pass(24 * 21 * kHourUs));
  EXPECT_EQ(live.only_run().wake_us, kNever) << "three weeks, and no time ends it";
  EXPECT_EQ(live.answer("refuse").how, How::Recorded);
  EXPECT_THAT(live.logs(), ElementsAre("false"));
}

TEST(Asking, ARunThatStaysInMemoryIsAnsweredThere) {
  RuntimeOptions options = with_links();
  options.sleep_from_us = kNever;
  Asking live;
  live.ask(asking_flow(3 * kHourUs), options);
  EXPECT_EQ(live.runtime->runs_in_memory(), 1u);
  EXPECT_EQ(live.answer("approve").how, How::Recorded);
  EXPECT_EQ(live.only_run().state, RunState::Finished);
}

TEST(Asking, WithoutAnAnswerInTimeItIsATimeout) {
  for (const std::int64_t sleep_from_us : {std::int64_t{0}, kNever}) {
    RuntimeOptions options = with_links();
    options.sleep_from_us = sleep_from_us;
    Asking live;
    live.ask(asking_flow(2 * kHourUs), options);
    ASSERT_TRUE(live.pass(2 * kHourUs));
    EXPECT_EQ(live.only_run().state, RunState::Failed);
    EXPECT_EQ(live.only_run().fault, "Timeout");
    EXPECT_EQ(live.question().state, State::Expired);
    const AnswerReply late = live.answer("approve");
    EXPECT_EQ(late.how, How::Expired);
    EXPECT_THAT(late.problem, HasSubstr("until"));
    EXPECT_EQ(live.bench.world.count("defender.isolate"), 0u);
  }
}

TEST(Asking, AnAnswerAtTheLastMomentOfASleepingRunIsNotLost) {
  Asking live;
  live.ask(asking_flow(2 * kHourUs));
  live.bench.clock.now = live.question().expires_us - 1;
  AnswerReply reply;
  live.runtime->answer({live.question().id, "approve", "ann@contoso.com", "test"},
                       [&](const AnswerReply& told) { reply = told; });
  const auto worked = live.runtime->step();
  ASSERT_TRUE(worked);
  EXPECT_EQ(reply.how, How::Recorded);
  live.bench.clock.now += 10;  // it is woken after the question's time
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_THAT(live.logs(), ElementsAre("true"));
}

TEST(Asking, OnlyTheFirstAnswerCounts) {
  Asking live;
  live.ask(asking_flow(0));
  std::vector<AnswerReply> replies;
  for (const char* answer : {"refuse", "approve"})  // in one turn
    live.runtime->answer({live.question().id, answer, "ann@contoso.com", "test"},
                         [&](const AnswerReply& told) { replies.push_back(told); });
  ASSERT_TRUE(live.runtime->run_until_idle());
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_EQ(replies[0].how, How::Recorded);
  EXPECT_EQ(replies[1].how, How::Already);
  EXPECT_THAT(replies[1].problem, HasSubstr("ann@contoso.com has answered `refuse`"));
  EXPECT_EQ(live.answer("approve", "bob@contoso.com").how, How::Already) << "and ever after";
  EXPECT_THAT(live.logs(), ElementsAre("false"));
}

TEST(Asking, WhoWasNotAskedAndWhatIsNoAnswerIsRefused) {
  Asking live;
  live.ask(asking_flow(0));
  EXPECT_EQ(live.answer("approve", "eve@contoso.com").how, How::NotAsked);
  const AnswerReply misspelt = live.answer("aprove");
  EXPECT_EQ(misspelt.how, How::NoSuchOption);
  EXPECT_THAT(misspelt.problem, HasSubstr("did you mean `approve`?"));
  AnswerReply none;
  live.runtime->answer({"01ABC-7", "approve", "ann@contoso.com", "test"},
                       [&](const AnswerReply& told) { none = told; });
  ASSERT_TRUE(live.runtime->run_until_idle());
  EXPECT_EQ(none.how, How::NotFound);
  EXPECT_EQ(live.question().state, State::Open);
}

TEST(Asking, ANobodyWhoMayAnswerIsAnErrorOfTheFlow) {
  Asking live;
  live.ask(asking_flow(0, "no address"));
  EXPECT_EQ(live.only_run().fault, "BadRequest");
  EXPECT_THAT(live.only_run().reason, HasSubstr("`no address` is no mail address"));
  EXPECT_THAT(*live.bench.store->list_questions({}), IsEmpty());
}

TEST(Asking, EachPersonGetsOneMailWithTheirOwnLinks) {
  Asking live;
  live.ask(asking_flow(3 * kHourUs));
  ASSERT_EQ(live.mails.size(), 2u);
  EXPECT_EQ(live.bench.world.most_per_key("mail.mail"), 1u);
  for (std::uint32_t person = 0; person < 2; ++person) {
    const std::string& mail = live.mails[person];
    ASSERT_TRUE(is_json(mail)) << mail;
    EXPECT_EQ(*json_member(mail, "to"), person == 0 ? R"(["ann@contoso.com"])" : R"(["bob@contoso.com"])");
    EXPECT_EQ(*json_string(*json_member(mail, "subject")), "Please decide: Isolate the server?");
    const std::string html = *json_string(*json_member(*json_member(mail, "body"), "$html"));
    EXPECT_THAT(html, HasSubstr("It mines."));
    const std::string start = "href=\"https://flow.contoso.com/answer/";
    std::uint32_t option = 0;
    for (std::size_t at = html.find(start); at != std::string::npos;
         at = html.find(start, at + 1), ++option) {
      const std::size_t from = at + start.size();
      const auto link = read_link("a key of this test", html.substr(from, html.find('"', from) - from));
      ASSERT_TRUE(link) << html;
      EXPECT_EQ(link->question, live.question().id);
      EXPECT_EQ(link->person, person);
      EXPECT_EQ(link->option, option);
      EXPECT_EQ(link->expires_us, live.question().expires_us / kSecondUs * kSecondUs + kSecondUs);
    }
    EXPECT_EQ(option, 2u);
  }
  for (const TellingRow& row : live.tellings()) EXPECT_EQ(row.state, TellingRow::State::Told);
}

TEST(Asking, AMailThatCannotBeSentLeavesTheQuestionOpen) {
  Asking live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  live.bench.world.interfere = [](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "mail.mail") return std::nullopt;
    return Outcome(fault_of(FaultKind::Unavailable));
  };
  ASSERT_TRUE(live.boot(asking_flow(0), nullptr, with_links()));
  ASSERT_TRUE(live.pass(kHourUs));
  EXPECT_EQ(live.bench.observer.count(HealthEvent::Kind::PersonNotTold), 2u);
  EXPECT_THAT(live.bench.observer.events.back().message, HasSubstr("no mail to bob@contoso.com"));
  for (const TellingRow& row : live.tellings()) {
    EXPECT_EQ(row.state, TellingRow::State::Failed);
    EXPECT_EQ(row.problem, "told to");
  }
  EXPECT_EQ(live.answer("approve").how, How::Recorded);
  EXPECT_EQ(live.only_run().state, RunState::Finished);
}

TEST(Asking, AModuleWithoutMailAsksAllTheSame) {
  Module module = asking_flow(0);
  module.operations[kSendMail].name = "send";
  Asking live;
  live.ask(module);
  EXPECT_THAT(live.mails, IsEmpty());
  EXPECT_EQ(live.bench.observer.count(HealthEvent::Kind::PersonNotTold), 2u);
  EXPECT_EQ(live.answer("approve").how, How::Recorded);
}

TEST(Asking, WhoHasNotBeenToldWhenItIsAnsweredNeedNotBe) {
  Asking live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  live.bench.world.interfere = [&](const std::string& name,
                                   const OperationCall& call) -> std::optional<Outcome> {
    if (name != "mail.mail") return std::nullopt;
    if (call.arguments.find("[\"bob@") != std::string::npos)
      return Outcome(fault_of(FaultKind::Throttled, false, 10 * kMinuteUs));
    return std::nullopt;
  };
  ASSERT_TRUE(live.boot(asking_flow(0), nullptr, with_links()));
  ASSERT_TRUE(live.pass(5 * kMinuteUs));
  EXPECT_EQ(live.answer("approve").how, How::Recorded);
  live.bench.world.interfere = nullptr;
  ASSERT_TRUE(live.pass(kHourUs));
  EXPECT_EQ(live.bench.world.count("mail.mail"), 1u);
  EXPECT_EQ(live.tellings().at(1).state, TellingRow::State::Dropped);
}

TEST(Asking, AMailWhoseFateIsUnknownIsAskedAboutBeforeItIsSentAgain) {
  for (const bool has_happened : {true, false}) {
    Asking live;
    live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
    std::uint32_t lost = 0;
    live.bench.world.interfere = [&](const std::string& name,
                                     const OperationCall& call) -> std::optional<Outcome> {
      if (name != "mail.mail" || ++lost > 2) return std::nullopt;
      if (has_happened) ++live.bench.world.carried_out[name][call.key];
      return Outcome(fault_of(FaultKind::Timeout, true));
    };
    ASSERT_TRUE(live.boot(asking_flow(0), nullptr, with_links()));
    ASSERT_TRUE(live.pass(kHourUs));
    EXPECT_EQ(live.bench.world.settles, 2u);
    EXPECT_EQ(live.bench.world.count("mail.mail"), 2u);
    EXPECT_EQ(live.bench.world.most_per_key("mail.mail"), 1u);
  }
}

TEST(Asking, ABranchThatIsNotWaitedForWithdrawsItsQuestion) {
  Assembler a;
  const auto approve = add_approve(a);
  with_mail(a);
  const auto wait = add_system(a, "wait", {{.name = "duration", .type = kDurationType}}, kNothingType);
  const auto asks = a.begin_function("asks", {kMachineIdType}, kNullType);
  a.module.functions[asks].call_sites = {{.operation = approve, .first_argument = 10}};
  a.load_text(20, "ann@contoso.com", kEmailType).emit(Op::NewList, 10, 20, 1, a.world.emails);
  a.load_text(11, "Go on?").load_text(12, "").emit(Op::Call, 5).emit(Op::LoadNull, 0).emit(Op::Return, 0);
  a.end_function();
  const auto waits = a.begin_function("waits", {kMachineIdType}, kNullType);
  a.module.functions[waits].call_sites = {{.operation = wait, .first_argument = 1}};
  a.load_int(1, kHourUs, kDurationType).emit(Op::Call, 2).emit(Op::LoadNull, 0).emit(Op::Return, 0);
  a.end_function();
  a.emit(Op::EnterBody).emit(Op::Unwrap, 4, kMachineId).emit(Op::Unwrap, 5, kMachineId);
  a.emit(Op::Race, 10, 4, 2, asks).load_text(7, "after").emit(Op::Log, 7);
  a.load_int(7, kHourUs, kDurationType).call(8, wait, 7).emit(Op::Finish);
  without_quotas(a);
  Asking live;
  live.ask(a.module);
  EXPECT_EQ(live.question().state, State::Open);
  ASSERT_TRUE(live.pass(kHourUs));
  EXPECT_THAT(live.logs(), ElementsAre("after"));
  EXPECT_EQ(live.question().state, State::Withdrawn);
  EXPECT_EQ(live.answer("approve").how, How::Withdrawn);
  ASSERT_TRUE(live.pass(kHourUs));
  EXPECT_EQ(live.only_run().state, RunState::Finished);
}

TEST(Asking, NothingIsLostOrCountedTwiceWhateverCommitIsTheLast) {
  for (const bool is_written : {true, false}) {
    std::uint64_t n = 1;
    for (bool has_died = true; has_died; ++n) {
      SCOPED_TRACE(testing::Message() << "death at commit " << n << (is_written ? ", written" : ""));
      Asking live;
      live.bench.world.add_alert("da1", live.bench.clock.now);
      FailingStore store(*live.bench.store, n, is_written);
      RuntimeOptions options = with_links();
      options.poll_interval_us = 20 * kMinuteUs;
      const auto ask_and_answer = [&]() -> bool {  // false: it died
        if (!live.pass(30 * kMinuteUs)) return false;
        if (live.question().state != State::Open) return live.pass(kHourUs);
        if (live.answer("approve").how != How::Recorded) return false;
        return live.pass(kHourUs);
      };
      has_died = !live.boot(asking_flow(20 * kHourUs), &store, options) || !ask_and_answer();
      ASSERT_TRUE(live.boot(asking_flow(20 * kHourUs), nullptr, options));
      ASSERT_TRUE(ask_and_answer());
      EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
      EXPECT_THAT(live.logs(), ElementsAre("true"));
      EXPECT_EQ(live.bench.world.count("mail.mail"), 2u);
      EXPECT_EQ(live.bench.world.most_per_key("mail.mail"), 1u);
      EXPECT_EQ(live.bench.world.count("defender.isolate"), 1u);
      EXPECT_EQ(live.bench.observer.count(HealthEvent::Kind::FrozenUnusable), 0u);
      ASSERT_FALSE(testing::Test::HasFailure());
    }
    EXPECT_GT(n, 8u);
  }
}

TEST(Asking, AnAnswerIsGivenOnAStoreThatNobodyHasOpen) {
  Asking live;
  live.ask(asking_flow(20 * kHourUs));
  live.runtime.reset();
  const AnswerRequest request{live.question().id, "approve", "ann@contoso.com", "command line"};
  const auto reply = answer_in_store(*live.bench.store, request, live.bench.clock.now);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->how, How::Recorded);
  EXPECT_EQ(answer_in_store(*live.bench.store, request, live.bench.clock.now)->how, How::Already);
  ASSERT_TRUE(live.boot(asking_flow(20 * kHourUs), nullptr, with_links()));
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.only_run().state, RunState::Finished);
  EXPECT_THAT(live.logs(), ElementsAre("true"));
}

TEST(Asking, WhereNobodyCouldAnswerNoFlowThatAsksIsDeployed) {
  RuntimeOptions options;
  options.can_be_answered = false;
  Live live;
  live.runtime = std::make_unique<Runtime>(*live.bench.store, live.bench.clock, live.bench.random,
                                           live.bench.world, *live.engine, options);
  const auto deployed = live.runtime->deploy("contoso", encode(asking_flow(0)));
  ASSERT_FALSE(deployed);
  EXPECT_THAT(deployed.error().message, HasSubstr("flow `isolate` waits for `flow.approve`"));
}

TEST(Asking, AfterTheEndNobodyIsKeptWaiting) {
  Asking live;
  live.ask(asking_flow(0));
  ASSERT_TRUE(live.runtime->drain(live.bench.clock.now));
  AnswerReply reply{.how = How::Recorded, .question = {}, .problem = {}};
  live.runtime->answer({live.question().id, "approve", "ann@contoso.com", "test"},
                       [&](const AnswerReply& told) { reply = told; });
  EXPECT_EQ(reply.how, How::Stopping);
  EXPECT_EQ(live.question().state, State::Open);
}

}  // namespace
}  // namespace flow::test
