// `flow runs resume` and `flow runs cancel`, by the program itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/cli/exit_code.hpp"
#include "scene.hpp"

namespace flow::e2e {
namespace {

using testing::HasSubstr;

TEST(Control, ARunThatWaitsIsCancelledAndNotTakenUpAgain) {
  Scene scene;
  Folder folder;
  const std::string file =
      folder.write("waits.flow", "on alert.new when severity == High do wait 2h; isolate(machineId)\n");
  {
    Process service("flow", scene.serve({file}));
    scene.inject(R"({"severity":"High"})");
    ASSERT_TRUE(eventually([&] { return !scene.runs().empty(); })) << service.out() << service.err();
    service.kill();
  }
  const std::string id = scene.runs().at(0).id;
  const Ended said = run_flow(
      {"runs", "cancel", id, "--store", scene.store(), "--by", "ana@contoso.com", "--reason", "a test"});
  EXPECT_EQ(said.exit_code, kSuccess) << said.err;
  const Ended shown = run_flow({"runs", "show", id, "--store", scene.store()});
  EXPECT_THAT(shown.out, HasSubstr("cancelled by ana@contoso.com: a test"));
  const Ended again = run_flow({"runs", "cancel", id, "--store", scene.store()});
  EXPECT_EQ(again.exit_code, kFlowWrong);
  EXPECT_THAT(again.err, HasSubstr("is over: stopped"));
  const Ended resumed = run_flow({"runs", "resume", id, "--store", scene.store()});
  EXPECT_THAT(resumed.err, HasSubstr("did not fail: it is stopped"));
}

TEST(Control, SaysWhatIsWrong) {
  Scene scene;
  const Ended none = run_flow({"runs", "resume", "--store", scene.store()});
  EXPECT_EQ(none.exit_code, kUsage);
  EXPECT_THAT(none.err, HasSubstr("name a run, or say --failed"));
  const Ended unknown = run_flow({"runs", "cancel", "01NOSUCHRUN", "--store", scene.store()});
  EXPECT_EQ(unknown.exit_code, kFlowWrong);
  EXPECT_THAT(unknown.err, HasSubstr("there is no run `01NOSUCHRUN`"));
  EXPECT_THAT(run_flow({"runs", "resume", "--failed", "--since", "2h", "--store", scene.store()}).out,
              HasSubstr("no runs"));
}

}  // namespace
}  // namespace flow::e2e
