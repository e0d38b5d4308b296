// What is live: changed while the service runs, gone back from, taken away, tried as a shadow, and the same
// after a restart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flows.hpp"
#include "live.hpp"
#include "runtime/shadow.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using How = DeployReply::How;
using What = DeployRequest::What;

std::string says(const std::string& flow, const std::string& text) {
  return "flow " + flow + " on manual () do { log \"" + text + "\" }\n";
}

struct Service : Live {
  void begin(DeploySet set = {}) { ASSERT_TRUE(try_to_begin(std::move(set))) << problem; }
  bool try_to_begin(DeploySet set) {
    set.tenants = {"contoso"};
    runtime = std::make_unique<Runtime>(*bench.store, bench.clock, bench.random, bench.world, *engine,
                                        RuntimeOptions(), &bench.observer);
    const Status deployed = runtime->deploy(set);
    if (!deployed) problem = deployed.error().message;
    return deployed && runtime->recover();
  }
  static DeployRequest of(What what, const std::string& source, const std::string& file = "a") {
    return {.what = what,
            .tenant = "contoso",
            .module = encode(compiled(source)),
            .file = file,
            .flow = {},
            .by = "ann"};
  }
  static DeploySet files(std::vector<DeployRequest> requests, bool is_all = true) {
    return {.tenants = {}, .files = std::move(requests), .is_all = is_all, .by = "flow serve"};
  }
  DeployReply ask(DeployRequest request) {
    DeployReply reply;
    runtime->change_deployment(std::move(request), [&](DeployReply told) { reply = std::move(told); });
    EXPECT_TRUE(runtime->run_until_idle());
    return reply;
  }
  DeployReply about(What what, const std::string& flow) {
    return ask({.what = what, .tenant = "contoso", .module = {}, .file = {}, .flow = flow, .by = "ann"});
  }
  // What the flow says when it is started now; "none" when nothing is.
  std::string said_by(const std::string& flow) {
    StartAnswer answer;
    runtime->start({.tenant = "contoso", .name = flow, .event = "{}"},
                   [&](StartAnswer told) { answer = std::move(told); });
    EXPECT_TRUE(runtime->run_until_idle());
    return answer.run.empty() ? "none" : logs_of(answer.run);
  }
  std::string logs_of(const std::string& run) {
    std::string all;
    for (const RunStep& step : bench.history(run).steps)
      if (step.kind == EntryKind::Log) all += step.text;
    return all;
  }
  std::vector<std::string> kinds(const std::string& flow) {
    std::vector<std::string> names;
    const auto rows = bench.store->deployments("contoso", flow);
    EXPECT_TRUE(rows);
    for (const DeploymentRow& row : *rows) names.emplace_back(deployment_kind_name(row.kind));
    return names;
  }
  std::vector<RunRow> runs_of(const std::string& flow) {
    auto rows = bench.runs();
    std::erase_if(rows, [&](const RunRow& row) { return row.flow != flow; });
    return rows;
  }
  std::string problem;
};

TEST(Deploying, ANewVersionTakesWhatComesNextAndIsWrittenDown) {
  Service service;
  service.begin(Service::files({Service::of(What::Live, says("hello", "one"))}));
  EXPECT_EQ(service.said_by("hello"), "one");
  const DeployReply reply = service.ask(Service::of(What::Live, says("hello", "two")));
  EXPECT_EQ(reply.how, How::Done);
  ASSERT_THAT(reply.changes, SizeIs(1));
  EXPECT_EQ(reply.changes[0].by, "ann");
  EXPECT_EQ(service.said_by("hello"), "two");
  EXPECT_THAT(service.kinds("hello"), ElementsAre("live", "live"));
}

TEST(Deploying, WhatIsLiveAlreadyChangesNothing) {
  Service service;
  service.begin(Service::files({Service::of(What::Live, says("hello", "one"))}));
  EXPECT_THAT(service.ask(Service::of(What::Live, says("hello", "one"))).changes, IsEmpty());
  service.begin(Service::files({Service::of(What::Live, says("hello", "one"))}));
  EXPECT_THAT(service.kinds("hello"), ElementsAre("live"));
}

TEST(Deploying, OfARefusedModuleNothingIsDone) {
  Service service;
  const std::string hook = R"( on webhook "door" (x: Json) do { log "x" })";
  service.begin(Service::files(
      {Service::of(What::Live, says("hello", "one")), Service::of(What::Live, "flow a" + hook, "b")}));
  const DeployReply reply = service.ask(Service::of(What::Live, says("hello", "two") + "flow b" + hook));
  EXPECT_EQ(reply.how, How::Refused);
  EXPECT_THAT(reply.problem, HasSubstr("flow `b` waits at the hook `door`, and so does flow `a`"));
  EXPECT_EQ(service.said_by("hello"), "one");
  DeployRequest broken = Service::of(What::Live, says("hello", "two"));
  broken.module.resize(broken.module.size() / 2);
  EXPECT_EQ(service.ask(broken).how, How::Refused);
  EXPECT_EQ(service.said_by("hello"), "one");
}

TEST(Deploying, WhatAFileHasNoMoreIsNotServedAnyMore) {
  Service service;
  service.begin(Service::files({Service::of(What::Live, says("one", "1") + says("two", "2")),
                                Service::of(What::Live, says("other", "3"), "b")}));
  const DeployReply reply = service.ask(Service::of(What::Live, says("two", "2")));
  EXPECT_EQ(reply.how, How::Done);
  EXPECT_EQ(service.said_by("one"), "none");
  EXPECT_EQ(service.said_by("two"), "2");
  EXPECT_EQ(service.said_by("other"), "3");
  EXPECT_THAT(service.kinds("one"), ElementsAre("live", "removed"));
  // A start with files serves those, and nothing that was live before.
  service.begin(Service::files({Service::of(What::Live, says("two", "2"))}));
  EXPECT_EQ(service.said_by("other"), "none");
  // It was no person who took it away: with its file it is back.
  service.begin(Service::files({Service::of(What::Live, says("other", "3"), "b")}));
  EXPECT_EQ(service.said_by("other"), "3");
}

TEST(Deploying, AHookMayMoveToAnotherFlowOfTheFile) {
  Service service;
  const std::string hook = R"( on webhook "door" (x: Json) do { log "x" })";
  service.begin(Service::files({Service::of(What::Live, "flow before" + hook)}));
  EXPECT_EQ(service.ask(Service::of(What::Live, "flow after" + hook)).how, How::Done);
  EXPECT_EQ(service.ask(Service::of(What::Live, "flow third" + hook, "b")).how, How::Refused);
}

TEST(Deploying, AStartWithoutFilesServesWhatWasLive) {
  Service service;
  service.begin();
  EXPECT_EQ(service.ask(Service::of(What::Live, says("hello", "one"))).how, How::Done);
  service.begin(Service::files({}, false));
  EXPECT_EQ(service.said_by("hello"), "one");
}

TEST(Deploying, GoneBackFromStaysSoAlthoughTheFileIsStillThere) {
  Service service;
  const auto first = Service::of(What::Live, says("hello", "one"));
  const auto second = Service::of(What::Live, says("hello", "two"));
  service.begin(Service::files({first}));
  EXPECT_THAT(service.about(What::Back, "hello").problem, HasSubstr("has no version before"));
  service.begin(Service::files({second}));
  EXPECT_EQ(service.about(What::Back, "hello").how, How::Done);
  EXPECT_EQ(service.said_by("hello"), "one");
  service.begin(Service::files({second}));
  EXPECT_EQ(service.said_by("hello"), "one");
  EXPECT_EQ(service.bench.observer.count(HealthEvent::Kind::HeldBack), 1u);
  // A person may deploy it again.
  EXPECT_EQ(service.ask(second).how, How::Done);
  EXPECT_EQ(service.said_by("hello"), "two");
  service.begin(Service::files({second}));
  EXPECT_EQ(service.said_by("hello"), "two");
  EXPECT_THAT(service.kinds("hello"), ElementsAre("live", "live", "back", "live"));
}

TEST(Deploying, ChangesOfOneTurnGoByEachOther) {
  Service service;
  service.begin(Service::files({Service::of(What::Live, says("hello", "one"))}));
  std::vector<How> told;
  const auto ask = [&](DeployRequest request) {
    service.runtime->change_deployment(std::move(request),
                                       [&](const DeployReply& reply) { told.push_back(reply.how); });
  };
  ask(Service::of(What::Live, says("hello", "two")));
  ask({.what = What::Back, .tenant = "contoso", .module = {}, .file = {}, .flow = "hello", .by = "ann"});
  ASSERT_TRUE(service.runtime->run_until_idle());
  EXPECT_THAT(told, ElementsAre(How::Done, How::Done));
  EXPECT_EQ(service.said_by("hello"), "one");
}

TEST(Deploying, WithdrawnByAPersonStaysSoAlthoughTheFileIsStillThere) {
  Service service;
  const auto file = Service::of(What::Live, says("hello", "one"));
  service.begin(Service::files({file}));
  EXPECT_EQ(service.about(What::Withdraw, "hello").how, How::Done);
  EXPECT_EQ(service.said_by("hello"), "none");
  EXPECT_THAT(service.about(What::Withdraw, "hello").problem, HasSubstr("flow `hello` is not live"));
  service.begin(Service::files({file}));
  EXPECT_EQ(service.said_by("hello"), "none");
  service.begin(Service::files({Service::of(What::Live, says("hello", "two"))}));
  EXPECT_EQ(service.said_by("hello"), "two");
}

TEST(Deploying, AFlowThatTheStoreCannotServeIsNamed) {
  Service service;
  Batch batch;
  batch.deployments.push_back({.tenant = "contoso", .flow = "lost", .module = "00", .settings = "{}"});
  ASSERT_TRUE(service.bench.store->commit(batch));
  EXPECT_FALSE(service.try_to_begin(Service::files({}, false)));
  EXPECT_THAT(service.problem, HasSubstr("flow `lost` of tenant `contoso`"));
  EXPECT_THAT(service.problem, HasSubstr("flow deploy --withdraw lost"));
}

TEST(Deploying, WhoAsksAStoppedServiceIsTold) {
  Service service;
  service.begin();
  ASSERT_TRUE(service.runtime->drain(service.bench.clock.now));
  EXPECT_EQ(service.ask(Service::of(What::Live, says("hello", "one"))).how, How::Stopping);
}

TEST(Deploying, AnEarlierHuntIsMadeAtItsOwnTimes) {
  Service service;
  service.bench.world.interfere = [](const std::string& name,
                                     const OperationCall&) -> std::optional<Outcome> {
    if (name != "graph.hunt") return std::nullopt;
    return Returned{R"([{"n":1}])"};
  };
  service.begin(
      Service::files({Service::of(What::Live, R"(flow h on hunt(kql"T") every 24h do log "day")")}));
  EXPECT_EQ(service.ask(Service::of(What::Live, R"(flow h on hunt(kql"T") every 15m do log "quarter")")).how,
            How::Done);
  ASSERT_TRUE(service.pass(16 * kMinuteUs));
  ASSERT_THAT(service.runs_of("h"), SizeIs(1));
  EXPECT_EQ(service.logs_of(service.runs_of("h")[0].id), "quarter");
}

// ---- shadows

constexpr const char* kIsolateHigh =
    R"(flow contain on alert.new when severity >= High do { isolate(machineId, "seen") })";
constexpr const char* kIsolateMedium =
    R"(flow contain on alert.new when severity >= Medium do { isolate(machineId, "seen") })";

TEST(Shadows, DecideOnTheSameEventsAndPerformNothing) {
  Service service;
  service.begin(Service::files({Service::of(What::Live, kIsolateHigh)}));
  EXPECT_EQ(service.ask(Service::of(What::Shadow, kIsolateMedium)).how, How::Done);
  service.bench.world.add_alert("a1", service.bench.clock.now + kSecondUs, "High");
  service.bench.world.add_alert("a2", service.bench.clock.now + kSecondUs, "Medium");
  service.bench.world.add_alert("a3", service.bench.clock.now + kSecondUs, "Low");
  ASSERT_TRUE(service.pass(5 * kMinuteUs));
  EXPECT_EQ(service.bench.world.count("defender.isolate"), 1u);
  EXPECT_THAT(service.runs_of("contain"), SizeIs(1));
  EXPECT_THAT(service.runs_of("contain~shadow"), SizeIs(2));
  const auto report = compare_shadow(*service.bench.store, "contoso", "contain");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->same, 1u);
  ASSERT_THAT(report->differences, SizeIs(1));
  EXPECT_EQ(report->differences[0].key, "a2");
  EXPECT_EQ(report->differences[0].live, "no run");
  EXPECT_THAT(report->differences[0].shadow, HasSubstr("finished, defender.isolate {\"machine\":\"m-a2\""));
}

TEST(Shadows, StayAfterARestartAndEndWhenTheyBecomeLive) {
  Service service;
  const auto live = Service::of(What::Live, kIsolateHigh);
  service.begin(Service::files({live}));
  EXPECT_EQ(service.ask(Service::of(What::Shadow, kIsolateMedium)).how, How::Done);
  service.begin(Service::files({live}));
  service.bench.world.add_alert("a1", service.bench.clock.now + kSecondUs, "Medium");
  ASSERT_TRUE(service.pass(5 * kMinuteUs));
  EXPECT_THAT(service.runs_of("contain~shadow"), SizeIs(1));
  EXPECT_EQ(service.ask(Service::of(What::Live, kIsolateMedium)).how, How::Done);
  service.bench.world.add_alert("a2", service.bench.clock.now + kSecondUs, "Medium");
  ASSERT_TRUE(service.pass(5 * kMinuteUs));
  EXPECT_THAT(service.runs_of("contain~shadow"), SizeIs(1));
  EXPECT_EQ(service.bench.world.count("defender.isolate"), 1u);
  EXPECT_THAT(service.about(What::EndShadow, "contain").problem, HasSubstr("has no shadow"));
  EXPECT_FALSE(compare_shadow(*service.bench.store, "contoso", "contain"));
}

TEST(Shadows, AskNobodyAndGoOnAsIfNobodyHadAgreed) {
  Service service;
  service.begin(Service::files({Service::of(What::Live, says("ask_first", "live"))}));
  EXPECT_EQ(service
                .ask(Service::of(What::Shadow, R"(
    flow ask_first on manual () do {
      let agreed = approve(by: ["ann@contoso.com"], subject: "Really?") within 1h else false
      log "{agreed} "
      let choice = ask(to: "ann@contoso.com", question: "Which?", options: ["left", "right"]) within 1h else "none"
      log choice
    })"))
                .how,
            How::Done);
  EXPECT_EQ(service.said_by("ask_first"), "live");
  const auto shadows = service.runs_of("ask_first~shadow");
  ASSERT_THAT(shadows, SizeIs(1));
  EXPECT_EQ(shadows[0].state, RunState::Finished);
  EXPECT_EQ(service.logs_of(shadows[0].id), "false left");
  const auto questions = service.bench.store->list_questions({});
  ASSERT_TRUE(questions);
  EXPECT_THAT(*questions, IsEmpty());
}

TEST(Shadows, TakeNoKeyAndNoPlaceFromTheLiveOne) {
  Service service;
  const std::string text = R"(flow contain on alert.new
    once per alertId within 1h
    limit isolate to 1 per 1h
    do { isolate(machineId, "seen") })";
  service.begin(Service::files({Service::of(What::Live, text)}));
  EXPECT_EQ(service.ask(Service::of(What::Shadow, text + "\n")).how, How::Done);
  service.bench.world.add_alert("a1", service.bench.clock.now + kSecondUs);
  ASSERT_TRUE(service.pass(5 * kMinuteUs));
  EXPECT_EQ(service.bench.world.count("defender.isolate"), 1u);
  const auto report = compare_shadow(*service.bench.store, "contoso", "contain");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->same, 1u);
  EXPECT_THAT(report->differences, IsEmpty());
}

// Nor by a limit (simulate --seed 335).
TEST(Shadows, AskNobodyBeyondALimitThatSaysAsk) {
  Service service;
  service.begin(Service::files(
      {Service::of(What::Live, R"(flow contain on alert.new do { isolate(machineId, "seen") })")}));
  EXPECT_EQ(service
                .ask(Service::of(What::Shadow, R"(
    flow contain on alert.new limit isolate to 1 per 1h else ask "ann@contoso.com" do { isolate(machineId, "seen") })"))
                .how,
            How::Done);
  for (const char* id : {"a1", "a2"}) service.bench.world.add_alert(id, service.bench.clock.now + kSecondUs);
  ASSERT_TRUE(service.pass(5 * kMinuteUs));
  std::vector<std::string> ends;
  for (const RunRow& run : service.runs_of("contain~shadow")) ends.push_back(run.fault);
  EXPECT_THAT(ends, UnorderedElementsAre("", "LimitReached"));
  EXPECT_THAT(*service.bench.store->list_questions({}), IsEmpty());
  EXPECT_EQ(service.bench.world.count("defender.isolate"), 2u) << "those of the live one";
}

TEST(Shadows, OfCalledFlowsAreRefused) {
  Service service;
  service.begin();
  const DeployReply reply =
      service.ask(Service::of(What::Shadow, R"(flow helper on call (x: Int) do { log "{x}" })"));
  EXPECT_EQ(reply.how, How::Refused);
  EXPECT_THAT(reply.problem, HasSubstr("shadow the flows that call it"));
}

TEST(Versions, OtherSettingsAreNoOtherVersion) {
  using Kind = DeploymentRow::Kind;
  const auto row = [](Kind kind, const std::string& module, const std::string& settings) {
    return DeploymentRow{.kind = kind, .module = module, .settings = settings};
  };
  const FlowVersions versions =
      versions_of({row(Kind::Live, "m1", "{}"), row(Kind::Live, "m2", "{}"), row(Kind::Live, "m2", "{1}")});
  ASSERT_NE(versions.before(), nullptr);
  EXPECT_EQ(versions.before()->module, "m1");
  EXPECT_EQ(versions.current()->settings, "{1}");
}

}  // namespace
}  // namespace flow::test
