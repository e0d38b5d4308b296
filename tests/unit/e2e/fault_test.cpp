// A tenant that misbehaves on the wire. Each run ends in a stated way or goes on by trying again, an
// isolation is never made twice, and the service stays up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "apps/cli/exit_code.hpp"
#include "scene.hpp"

namespace flow::e2e {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

// One alert, one service, until its run is over.
class Faults : public testing::Test {
 protected:
  void fault(const std::string& json) { scene.control("faults", json); }

  // The run of one High alert, after it is over; the service ran meanwhile and is still there.
  RunRow run_one(const Arguments& files = {kIsolateHigh}) {
    scene.inject(R"({"severity": "High"})");
    Process service("flow", scene.serve(files));
    EXPECT_TRUE(eventually([&] { return scene.all_over(1); }, 120s)) << service.out() << service.err();
    EXPECT_TRUE(service.is_running());
    said = service.kill().all();
    const std::vector<RunRow> runs = scene.runs();
    return runs.empty() ? RunRow{} : runs.front();
  }

  void expect_finished(const RunRow& run) {
    EXPECT_EQ(run.state, RunState::Finished) << run.reason << said;
    EXPECT_EQ(scene.list("actions").size(), 1u);
    EXPECT_EQ(scene.list("mails").size(), 1u);
  }

  bool has_step(const RunRow& run, EntryKind kind, const std::string& operation) const {
    return std::ranges::any_of(scene.steps(run.id), [&](const RunStep& step) {
      return step.kind == kind && step.operation == operation;
    });
  }

  Scene scene;
  std::string said;
};

// --- Broken answers, for each of the calls

struct BrokenAnswer {
  const char* name;
  const char* fault;
};
void PrintTo(const BrokenAnswer& answer, std::ostream* out) {
  *out << answer.name;
}

constexpr BrokenAnswer kBroken[] = {
    {"Garbage", R"("body": "garbage")"},   {"Nothing", R"("body": "empty")"},
    {"Endless", R"("body": "endless")"},   {"Malformed", R"("body": "malformed")"},
    {"Cut", R"("body": "cut")"},           {"ResetBefore", R"("reset": "before")"},
    {"ResetAfter", R"("reset": "after")"}, {"Error500", R"("status": 500)"},
};

class BrokenAnswers : public Faults, public testing::WithParamInterface<BrokenAnswer> {
 protected:
  void break_once(const std::string& match) {
    fault(R"({"match": ")" + match + "\", " + GetParam().fault + "}");
  }
};

// A read is made again, or the run says what was wrong with the answer.
TEST_P(BrokenAnswers, OfGettingTheMachine) {
  break_once("GET /api/machines/*");
  const RunRow run = run_one();
  EXPECT_EQ(scene.list("actions").size(), 1u);
  if (run.state == RunState::Failed)
    EXPECT_THAT(run.reason, HasSubstr("defender.get_machine"));
  else
    expect_finished(run);
}

// Whatever became of the answer: the isolation is looked up before it is made again.
TEST_P(BrokenAnswers, OfIsolatingLeadToOneIsolation) {
  break_once("POST /api/machines/*/isolate");
  const RunRow run = run_one();
  EXPECT_EQ(scene.list("actions").size(), 1u) << said;
  expect_finished(run);
}

TEST_P(BrokenAnswers, OfSendingTheMailLeadToOneMail) {
  break_once("POST /v1.0/users/*/sendMail");
  expect_finished(run_one());
}

TEST_P(BrokenAnswers, OfThePollAreOutlived) {
  break_once("GET /api/alerts*");
  expect_finished(run_one());
}

TEST_P(BrokenAnswers, OfTheTokenEndpointAreOutlived) {
  break_once("POST /*/oauth2/v2.0/token");
  expect_finished(run_one());
}

INSTANTIATE_TEST_SUITE_P(Each, BrokenAnswers, testing::ValuesIn(kBroken),
                         [](const auto& each) { return each.param.name; });

// --- Acts whose answer is lost

TEST_F(Faults, ALostAnswerIsFoundByLookingUp) {
  fault(R"({"match": "POST /api/machines/*/isolate", "reset": "after"})");
  const RunRow run = run_one();
  expect_finished(run);
  EXPECT_EQ(scene.requests("machines.isolate"), 1);
  EXPECT_EQ(scene.requests("machineActions.list"), 1);
}

TEST_F(Faults, AnActThatNeverHappenedIsMadeAgain) {
  fault(R"({"match": "POST /api/machines/*/isolate", "reset": "before"})");
  const RunRow run = run_one();
  expect_finished(run);
  EXPECT_EQ(scene.requests("machines.isolate"), 2);
}

// --- Being told to wait

TEST_F(Faults, RetryAfterIsObeyed) {
  fault(R"({"match": "POST /api/machines/*/isolate", "status": 429, "retry_after": 2})");
  const RunRow run = run_one();
  expect_finished(run);
  EXPECT_TRUE(has_step(run, EntryKind::Retry, "defender.isolate"));
  std::vector<std::int64_t> tries_us;
  for (const RunStep& step : scene.steps(run.id))
    if (step.kind == EntryKind::Intent && step.operation == "defender.isolate")
      tries_us.push_back(step.time_us);
  ASSERT_EQ(tries_us.size(), 2u);
  EXPECT_GE(tries_us[1] - tries_us[0], 2'000'000);
}

TEST_F(Faults, UnavailableTwiceThenDone) {
  fault(R"({"match": "POST /api/machines/*/isolate", "status": 503, "times": 2})");
  const RunRow run = run_one();
  expect_finished(run);
  EXPECT_EQ(scene.requests("machines.isolate"), 3);
}

// --- Refusals

TEST_F(Faults, AMissingPermissionOfACallIsNamed) {
  scene.control("config", R"({"roles": ["Alert.Read.All", "Machine.Read.All", "Mail.Send"]})");
  const RunRow run = run_one();
  EXPECT_EQ(run.state, RunState::Failed);
  EXPECT_EQ(run.fault, "Forbidden");
  EXPECT_EQ(run.flow, "isolate_high");
  EXPECT_THAT(run.reason, HasSubstr("defender.isolate needs the permission Machine.Isolate"));
  EXPECT_THAT(said, HasSubstr("isolate_high failed in line 1: Forbidden: "));
  EXPECT_THAT(said, HasSubstr("defender.isolate needs the permission Machine.Isolate"));
}

TEST_F(Faults, AMissingPermissionOfThePollIsNamed) {
  scene.control("config", R"({"roles": ["Machine.Read.All", "Machine.Isolate"]})");
  Process service("flow", scene.serve({kIsolateHigh}));
  ASSERT_TRUE(eventually([&] { return !service.err().empty(); }));
  EXPECT_THAT(service.err(), HasSubstr("polling for `isolate_high` failed"));
  EXPECT_THAT(service.err(),
              HasSubstr("defender.list_alerts needs the permission Alert.Read.All or Alert.ReadWrite.All"));
  EXPECT_TRUE(service.is_running());
}

TEST_F(Faults, AWrongSecretIsExplained) {
  scene.control("config", R"({"client_secret": "another-one"})");
  const Ended ended = run_flow(scene.run(kIsolateHigh, scene.inject(R"({"severity": "High"})").to_text()));
  EXPECT_EQ(ended.exit_code, kFlowWrong);
  EXPECT_THAT(ended.all(), HasSubstr("AADSTS7000215"));
  EXPECT_THAT(ended.all(), HasSubstr("the client secret is wrong"));
  EXPECT_THAT(ended.all(), testing::Not(HasSubstr("sim-secret")));
}

TEST_F(Faults, NoNetworkIsOutlived) {
  scene.inject(R"({"severity": "High"})");
  const std::string port = std::to_string(scene.tenant().port());
  Arguments words = scene.serve({kIsolateHigh});
  std::ranges::replace(words, port, std::string("1"));  // where nobody listens
  Process service("flow", words);
  ASSERT_TRUE(eventually([&] { return service.err().find("Failed to connect") != std::string::npos; }))
      << service.err();
  EXPECT_TRUE(service.is_running());
  service.kill();
  Process again("flow", scene.serve({kIsolateHigh}));
  EXPECT_TRUE(eventually([&] { return scene.all_over(1); }));
  EXPECT_EQ(scene.list("actions").size(), 1u);
}

TEST_F(Faults, ADeviceThatCannotBeIsolatedFailsTheRunWithTheApisWords) {
  fault(
      R"({"match": "POST /api/machines/*/isolate", "status": 400, "code": "OsPlatformNotSupported", "message": "not on this platform"})");
  const RunRow run = run_one();
  EXPECT_EQ(run.state, RunState::Failed);
  EXPECT_THAT(run.reason, HasSubstr("400 OsPlatformNotSupported: not on this platform"));
  EXPECT_TRUE(scene.list("mails").empty());
}

TEST_F(Faults, TheSmtpServerAsksToComeBackLater) {
  fault(R"({"match": "SMTP DATA", "status": 451})");
  scene.inject(R"({"severity": "High"})");
  Process service("flow", scene.serve({kIsolateHigh}, {"--mail", "smtp"}));
  EXPECT_TRUE(eventually([&] { return scene.all_over(1); })) << service.out() << service.err();
  EXPECT_EQ(scene.list("mails").size(), 1u) << service.out();
}

}  // namespace
}  // namespace flow::e2e
