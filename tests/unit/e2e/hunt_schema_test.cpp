// `flow hunt schema`: from a flow's queries to records that the flow uses, by the pretend tenant.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/cli/exit_code.hpp"
#include "scene.hpp"

namespace flow::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct HuntSchema : testing::Test {
  Scene scene;

  Ended probe(const std::string& file, Arguments more = {}) {
    Arguments words{"hunt", "schema", file, "--sim", "--sim-port", std::to_string(scene.tenant().port())};
    words.insert(words.end(), more.begin(), more.end());
    return run_flow(words);
  }
};

constexpr const char* kNight = R"(flow night
on manual
do {
    let rows = hunt(kql"DeviceProcessEvents | summarize Runs = count(), Last = max(Timestamp) by DeviceName")
    log "{rows.length()}"
}
)";

TEST_F(HuntSchema, WritesRecordsThatTheFlowThenUses) {
  const std::string file = scene.folder().write("night-hunt.flow", kNight);
  const Ended written = probe(file);
  ASSERT_EQ(written.exit_code, kSuccess) << written.all();
  EXPECT_THAT(written.out, HasSubstr("night_hunt_rows.flow: 1 record; name it with `use night_hunt_rows`"));
  const std::string rows = read_all(scene.folder().path("night_hunt_rows.flow"));
  EXPECT_THAT(rows, AllOf(HasSubstr("record NightRow {"), HasSubstr("DeviceName: String?"),
                          HasSubstr("Runs: Int?"), HasSubstr("Last: Time?")));
  scene.folder().write("night-hunt.flow", R"(use night_hunt_rows

flow night
on manual
do {
    let rows = hunt(kql"DeviceProcessEvents | summarize Runs = count(), Last = max(Timestamp) by DeviceName") as List<night_hunt_rows.NightRow>
    for row in rows limit 5 truncate { log "{row.DeviceName ?? "nobody"} {row.Runs ?? 0}" }
}
)");
  const Ended checked = run_flow({"check", file});
  EXPECT_EQ(checked.exit_code, kSuccess) << checked.all();
  EXPECT_EQ(run_flow({"fmt", "--check", scene.folder().path("night_hunt_rows.flow")}).exit_code, kSuccess);
  EXPECT_EQ(probe(file).exit_code, kSuccess) << "what it wrote it writes anew";
  EXPECT_EQ(probe(file, {"--check"}).exit_code, kSuccess);
}

TEST_F(HuntSchema, SaysWhenTheRecordsAreNoLongerRight) {
  const std::string file = scene.folder().write("night.flow", kNight);
  const Ended missing = probe(file, {"--check"});
  EXPECT_EQ(missing.exit_code, kFlowWrong);
  EXPECT_THAT(missing.err, HasSubstr("is not what the tenant says now"));
  scene.folder().write("night_rows.flow", "record Mine { a: Int }\n");
  const Ended foreign = probe(file);
  EXPECT_NE(foreign.exit_code, kSuccess);
  EXPECT_THAT(foreign.err, HasSubstr("was not written by this command; -o"));
  EXPECT_EQ(read_all(scene.folder().path("night_rows.flow")), "record Mine { a: Int }\n");
  EXPECT_THAT(probe(file, {"-o", "-"}).out, HasSubstr("record NightRow {"));
}

TEST_F(HuntSchema, TellsByLineWhatTheTenantRefuses) {
  const Ended refused = probe(scene.folder().write(
      "wrong.flow", "on manual do {\n    log \"{hunt(kql\"NoSuchTable\").length()}\"\n}\n"));
  EXPECT_EQ(refused.exit_code, kWorldWrong);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("wrong.flow:2: "), HasSubstr("NoSuchTable")));
  const Ended none = probe(scene.folder().write("none.flow", "on manual do log \"x\"\n"));
  EXPECT_EQ(none.exit_code, kFlowWrong);
  EXPECT_THAT(none.err, HasSubstr("has no hunting query"));
  const Ended holes = probe(scene.folder().write(
      "holes.flow",
      "on manual(name: String) do {\n    log \"{hunt(kql\"T | where A == {name}\").length()}\"\n}\n"));
  EXPECT_EQ(holes.exit_code, kFlowWrong) << holes.all();
  EXPECT_THAT(holes.err, HasSubstr("holes.flow:2: the query has holes"));
}

}  // namespace
}  // namespace flow::e2e
