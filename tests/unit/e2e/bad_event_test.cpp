// Alerts as `flow run --event` may get them: what is missing is fetched, what is wrong fails that run with a
// reason, what is no alert at all is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/cli/exit_code.hpp"
#include "scene.hpp"

namespace flow::e2e {
namespace {

using testing::HasSubstr;

class Events : public testing::Test {
 protected:
  Ended run(const std::string& event, const std::string& file = kIsolateHigh) {
    return run_flow(scene.run(file, event));
  }
  Json alert() { return scene.inject(R"({"severity": "High"})"); }

  void expect(const Ended& ended, ExitCode code, const std::string& message) {
    EXPECT_EQ(ended.exit_code, code) << ended.all();
    EXPECT_THAT(ended.all(), HasSubstr(message));
  }

  Scene scene;
};

Json without(const Json& object, std::string_view name) {
  Json::Object kept;
  for (const sim::Member& member : object.members())
    if (member.name != name) kept.push_back(member);
  return Json::object_of(std::move(kept));
}

TEST_F(Events, WholeAlertNeedsNoFurtherQuestion) {
  expect(run(alert().to_text()), kSuccess, "finished");
  EXPECT_EQ(scene.requests("alerts.get"), 0);
  EXPECT_EQ(scene.list("actions").size(), 1u);
}

TEST_F(Events, MissingFieldIsFetched) {
  for (const char* field : {"severity", "title"}) {
    const Json whole = alert();
    expect(run(without(whole, field).to_text()), kSuccess, "finished");
  }
  EXPECT_EQ(scene.requests("alerts.get"), 2);
  EXPECT_EQ(scene.list("actions").size(), 2u);
}

TEST_F(Events, AlertWithoutIdIsNone) {
  expect(run(without(alert(), "id").to_text()), kWorldWrong, "it has no `id`");
  EXPECT_TRUE(scene.list("actions").empty());
}

TEST_F(Events, AlertFromTheYearOneIsRefusedNotSkipped) {
  expect(run(alert().set("alertCreationTime", "0001-01-01T00:00:00Z").to_text()), kWorldWrong,
         "more than 50 years old");
}

TEST_F(Events, NullTitleFailsTheRunByName) {
  expect(run(alert().set("title", nullptr).to_text()), kFlowWrong,
         "`alert.title` is null where String was expected");
}

TEST_F(Events, FurtherFieldsDoNotMatter) {
  Json nested = Json::object({{"deep", Json::list()}});
  expect(run(alert().set("brandNew", std::move(nested)).to_text()), kSuccess, "finished");
}

TEST_F(Events, SeverityOfAnotherTypeFailsTheRunByName) {
  expect(run(alert().set("severity", 7).to_text()), kFlowWrong, "`alert.severity` is a number");
}

TEST_F(Events, UnknownSeverityIsKeptAndNoneOfTheKnown) {
  const std::string event = alert().set("severity", "Catastrophic").to_text();
  expect(run(event), kSuccess, "the condition is false");
  EXPECT_TRUE(scene.list("actions").empty());
  const std::string tells =
      scene.folder().write("tells.flow", R"(on alert.new do mail("a@b.example", "{severity}", "-"))");
  expect(run(event, tells), kSuccess, "finished");
  EXPECT_EQ(scene.list("mails").at(0)["subject"].text(), "Catastrophic");
}

TEST_F(Events, AlertWithoutDeviceFailsTheRunByName) {
  expect(run(alert().set("machineId", nullptr).to_text()), kFlowWrong, "the event has no `machineId`");
  EXPECT_TRUE(scene.list("actions").empty());
}

TEST_F(Events, WhatIsNoAlertIsRefused) {
  expect(run("severity: High"), kWorldWrong, "is not one well-formed JSON object");
  expect(run(""), kWorldWrong, "is empty");
  expect(run(" \n"), kWorldWrong, "is empty");
  expect(run("[" + alert().to_text() + "]"), kWorldWrong, "is not one well-formed JSON object");
  expect(run(alert().to_text() + "," + alert().to_text()), kWorldWrong, "is not one well-formed JSON object");
  expect(run("{\"id\": \"cut"), kWorldWrong, "is not one well-formed JSON object");
  EXPECT_TRUE(scene.runs().empty());
  EXPECT_TRUE(scene.list("actions").empty());
}

TEST_F(Events, DeepNestingIsRefused) {
  const std::string brackets = std::string(100'000, '[') + std::string(100'000, ']');
  expect(run(brackets), kWorldWrong, "is not one well-formed JSON object");
  std::string alert_text = alert().to_text();
  alert_text.back() = ',';
  const Ended ended = run(alert_text + R"("extra": )" + brackets + "}");
  EXPECT_EQ(ended.exit_code, kWorldWrong) << ended.all();
}

TEST_F(Events, HugeTitleIsCarriedOrRefusedWithAReason) {
  expect(run(alert().set("title", std::string(3'000'000, 'x')).to_text()), kSuccess, "finished");
  expect(run(alert().set("title", std::string(5'000'000, 'x')).to_text()), kFlowWrong,
         "route `graph` takes 4.0 MB at most");
  expect(run(alert().set("title", std::string(9'000'000, 'x')).to_text()), kWorldWrong,
         "is larger than 8 MiB");
}

TEST_F(Events, MissingFileIsTheWorlds) {
  const Ended ended = run_flow({"run", kIsolateHigh, "--event", "/nowhere/e.json", "--sim"});
  expect(ended, kWorldWrong, "cannot open `/nowhere/e.json`");
}

// What the poll brings is treated alike, and one bad alert harms only itself.
TEST_F(Events, AlertWithoutDeviceFromTheApiHarmsNobodyElse) {
  scene.inject(R"({"severity": "High", "machineId": null, "computerDnsName": null})");
  const Json good = alert();
  Process service("flow", scene.serve({kIsolateHigh}));
  EXPECT_TRUE(eventually([&] { return scene.all_over(2); })) << service.out() << service.err();
  EXPECT_TRUE(service.is_running());
  ASSERT_EQ(scene.list("actions").size(), 1u);
  EXPECT_EQ(scene.list("actions")[0]["machineId"].text(), good["machineId"].text());
  for (const RunRow& run : scene.runs())
    EXPECT_EQ(run.state, run.key == good["id"].text() ? RunState::Finished : RunState::Failed) << run.reason;
}

}  // namespace
}  // namespace flow::e2e
