// Leases and protections by the program itself, against the pretend tenant.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/cli/exit_code.hpp"
#include "scene.hpp"

namespace flow::e2e {
namespace {

using testing::HasSubstr;

bool is_isolated(Scene& scene) {
  for (const Json& machine : scene.list("machines"))
    if (machine["isIsolated"].is_bool() && machine["isIsolated"].boolean()) return true;
  return false;
}

TEST(Lease, EndsAfterTheServiceWasKilled) {
  Scene scene;
  Folder folder;
  const std::string file =
      folder.write("cut.flow", "on alert.new when severity == High do isolate(machineId) lease 4s\n");
  {
    Process service("flow", scene.serve({file}));
    scene.inject(R"({"severity":"High"})");
    ASSERT_TRUE(eventually([&] { return is_isolated(scene); })) << service.out() << service.err();
    service.kill();
  }
  EXPECT_TRUE(is_isolated(scene));
  const Ended listed = run_flow({"runs", "list", "--store", scene.store()});
  EXPECT_THAT(listed.out, HasSubstr("lease.defender.isolate"));
  Process service("flow", scene.serve({file}));
  EXPECT_TRUE(eventually([&] { return !is_isolated(scene); })) << service.out() << service.err();
}

TEST(Protection, OfTheConfigurationIsHeldTo) {
  Scene scene;
  Folder folder;
  const std::string url = "http://127.0.0.1:" + std::to_string(scene.tenant().port());
  const auto config = [&](const std::string& rule) {
    return folder.write("flow.toml",
                        "[store]\npath = \"" + scene.store() + "\"\n[protect.machine]\ndcs = '" + rule +
                            "'\n[tenants.sim]\ntenant_id = \"7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3\"\n"
                            "client_id = \"0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846\"\n"
                            "client_secret_env = \"GUARD_TEST_SECRET\"\nauthority = \"" +
                            url + "\"\n[tenants.sim.bases]\ndefender = \"" + url + "\"\n");
  };
  ::setenv("GUARD_TEST_SECRET", "sim-secret", 1);
  const std::string file =
      folder.write("cut.flow", "on alert.new when severity == High do isolate(machineId)\n");
  const std::string event = folder.write("event.json", scene.inject(R"({"severity":"High"})").to_text());
  const Ended refused =
      run_flow({"run", file, "--event", event, "--config", config("machine.name != \"a\"")});
  EXPECT_EQ(refused.exit_code, kFlowWrong) << refused.err;
  EXPECT_THAT(refused.out + refused.err, HasSubstr("the protection `machine.dcs`"));
  EXPECT_FALSE(is_isolated(scene));
  const Ended typo = run_flow({"config", "check", config("machine.nmae != \"a\"")});
  EXPECT_EQ(typo.exit_code, kWorldWrong);
  EXPECT_THAT(typo.err, HasSubstr("did you mean `name`?"));
  const Ended good = run_flow({"config", "check", config("machine.name == \"a\"")});
  EXPECT_EQ(good.exit_code, kSuccess) << good.err;
  EXPECT_THAT(good.out, HasSubstr("machine.dcs"));
  const Ended done = run_flow({"run", file, "--event", event, "--config", config("machine.name == \"a\"")});
  EXPECT_EQ(done.exit_code, kSuccess) << done.out << done.err;
  EXPECT_TRUE(is_isolated(scene));
}

}  // namespace
}  // namespace flow::e2e
