// `flow backtest` by the program itself, on a file and on the pretend tenant.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/cli/exit_code.hpp"
#include "scene.hpp"

namespace flow::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string kFlow = R"(
flow cut
on alert.new
when severity == High and not machine.tags.any(tag => tag == "quiet")
once per machineId within 1d
limit isolate to 2 per 1h
do {
    isolate(machineId)
    mail("soc@contoso.com", "{title}", "")
}
flow other on cron "0 7 * * *" do log "x"
)";

std::string alert(int id, const std::string& time, const std::string& severity, char device) {
  return R"({"id":"a)" + std::to_string(id) + R"(","alertCreationTime":")" + time + R"(","severity":")" +
         severity + R"(","title":"t","machineId":")" + std::string(40, device) + R"("})";
}

TEST(Backtest, SaysWhatFlowsWouldHaveDone) {
  Folder folder;
  const std::string file = folder.write("cut.flow", kFlow);
  const std::string events =
      folder.write("events.jsonl", alert(1, "2026-05-01T08:00:00Z", "High", '1') + "\n" +
                                       alert(2, "2026-05-01T08:01:00Z", "Low", '2') + "\n" +
                                       alert(3, "2026-05-01T08:02:00Z", "High", '1') + "\n" +
                                       alert(4, "2026-05-01T08:03:00Z", "High", '3') + "\n" +
                                       alert(5, "2026-05-01T08:04:00Z", "High", '4') + "\n" +
                                       alert(6, "2026-05-01T08:05:00Z", "High", '5') + "\n" +
                                       alert(7, "2026-05-03T08:00:00Z", "High", '1') + "\n");
  const std::string answers = folder.write(
      "answers.json",
      R"({"defender.get_machine":[{"arguments":{"machine":")" + std::string(40, '5') +
          R"("},"answer":{"id":"x","machineTags":["quiet"]}},{"answer":{"id":"x","machineTags":[]}}]})");
  const Ended said = run_flow({"backtest", file, "--events", events, "--answers", answers});
  EXPECT_EQ(said.exit_code, kSuccess) << said.err;
  EXPECT_THAT(said.out,
              HasSubstr("7 events from 2026-05-01T08:00:00Z to 2026-05-03T08:00:00Z; nothing was performed"));
  EXPECT_THAT(said.out, HasSubstr("skipped    2 by the condition, 1 by `once per`"));
  EXPECT_THAT(said.out, HasSubstr("matched    4: 1 failed, 3 finished"));
  EXPECT_THAT(said.out, HasSubstr("would call defender.isolate 3 times, on 2 targets"));
  EXPECT_THAT(said.out, HasSubstr("would call mail.mail 3 times"));
  EXPECT_THAT(said.out, HasSubstr("limited    1 defender.isolate"));
  EXPECT_THAT(said.out, HasSubstr("LimitReached"));
  EXPECT_THAT(said.out, HasSubstr("not tried: nothing of the past starts it"));
  const Ended json = run_flow({"backtest", file, "--events", events, "--answers", answers, "--json"});
  EXPECT_THAT(json.out, AllOf(HasSubstr("\"events\":7"), HasSubstr("\"matched\":4"),
                              HasSubstr("\"limited\":{\"defender.isolate\":1}"), HasSubstr("\"once\":1")));
}

TEST(Backtest, AsksTheTenantAndPerformsNothing) {
  Scene scene;
  scene.inject(R"({"severity":"High"})");
  scene.inject(R"({"severity":"Low"})");
  Folder folder;
  const std::string file = folder.write("cut.flow", kFlow);
  const Ended said = run_flow(
      {"backtest", file, "--since", "30d", "--sim", "--sim-port", std::to_string(scene.tenant().port())});
  EXPECT_EQ(said.exit_code, kSuccess) << said.err;
  EXPECT_THAT(said.out, AllOf(HasSubstr("2 events"), HasSubstr("matched    1"),
                              HasSubstr("would call defender.isolate 1 time")));
  EXPECT_TRUE(scene.list("actions").empty());
  EXPECT_TRUE(scene.list("mails").empty());
}

TEST(Backtest, SaysWhatIsWrong) {
  Folder folder;
  const std::string file = folder.write("cut.flow", kFlow);
  EXPECT_EQ(run_flow({"backtest", file}).exit_code, kUsage);
  EXPECT_EQ(run_flow({"backtest", file, "--since", "30d"}).exit_code, kUsage);
  const Ended bad = run_flow({"backtest", file, "--events", folder.write("bad.json", "{\"id\":1}")});
  EXPECT_EQ(bad.exit_code, kWorldWrong);
  EXPECT_THAT(bad.err, HasSubstr("event 1 has no time that the flows' triggers go by: `alertCreationTime`"));
  const std::string timed = folder.write("timed.flow", "on cron \"0 7 * * *\" do log \"x\"\n");
  EXPECT_THAT(run_flow({"backtest", timed, "--events", folder.write("e.json", "[]")}).err,
              HasSubstr("has no flow that events of the past start"));
  EXPECT_THAT(run_flow({"backtest", file, "--events", folder.path("e.json")}).out, HasSubstr("no events"));
}

}  // namespace
}  // namespace flow::e2e
