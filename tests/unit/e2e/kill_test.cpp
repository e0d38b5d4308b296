// `kill -9` at any point: the service is killed right before and right after every commit of the first
// example, and twice in a row. Whether a step was lost or repeated is read from the tenant's own record, not
// from the journal. At random moments under load: kill_load_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "scene.hpp"

namespace flow::e2e {
namespace {

using namespace std::chrono_literals;

constexpr const char* kHighAlert = R"({"severity": "High"})";
constexpr int kMostDeaths = 200;  // beyond it, the example has no end

// One service, killed at an append (0: never) or when every run of the scene is over. Whether it lived to see
// that.
bool live(Scene& scene, int crash_at, const std::string& mail) {
  Process service(
      "flow", scene.serve({kIsolateHigh}, {"--mail", mail, "--crash-at-append", std::to_string(crash_at)}));
  EXPECT_TRUE(eventually([&] { return !service.is_running() || scene.all_over(1); }))
      << service.out() << service.err();
  const bool has_survived = service.is_running();
  const Ended ended = service.kill();
  EXPECT_EQ(ended.signal, SIGKILL) << ended.all();
  return has_survived;
}

// Entries in order without gaps, from the start to one end, none damaged.
void expect_whole_journal(const Scene& scene, const std::string& run) {
  const std::vector<RunStep> steps = scene.steps(run);
  ASSERT_FALSE(steps.empty());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_EQ(steps[i].sequence, i);
    EXPECT_FALSE(steps[i].is_damaged) << steps[i].text;
  }
  EXPECT_EQ(steps.front().kind, EntryKind::Started);
  EXPECT_EQ(steps.back().kind, EntryKind::Ended);
  EXPECT_EQ(std::ranges::count(steps, EntryKind::Ended, &RunStep::kind), 1);
}

void expect_one_isolation(Scene& scene, const Json& alert) {
  const Json::List actions = scene.list("actions");
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0]["type"].text(), "Isolate");
  EXPECT_EQ(actions[0]["machineId"].text(), alert["machineId"].text());
}

// By Graph a mail is looked up before it is sent again. SMTP has no way to ask, so it may be repeated there,
// but always with the same Message-ID, by which mail clients fold repetitions into one.
void expect_one_mail(Scene& scene, const std::string& mail) {
  std::set<std::string> ids;
  const Json::List mails = scene.list("mails");
  for (const Json& one : mails) ids.emplace(one["messageId"].text());
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_TRUE(mail != "graph" || mails.size() == 1) << mails.size() << " mails";
}

void expect_done_once(Scene& scene, const Json& alert, const std::string& mail) {
  const std::vector<RunRow> runs = scene.runs();
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].state, RunState::Finished) << runs[0].reason;
  EXPECT_EQ(runs[0].key, alert["id"].text());
  expect_whole_journal(scene, runs[0].id);
  expect_one_isolation(scene, alert);
  expect_one_mail(scene, mail);
}

// Deaths at the given appends of as many processes in turn, then one that lives. How many died.
std::size_t die_then_finish(const std::vector<int>& deaths, const std::string& mail) {
  Scene scene;
  const Json alert = scene.inject(kHighAlert);
  std::size_t died = 0;
  for (const int crash_at : deaths)
    if (!live(scene, crash_at, mail)) ++died;
  EXPECT_TRUE(live(scene, 0, mail));
  expect_done_once(scene, alert, mail);
  return died;
}

void kill_at_every_append(const std::string& mail) {
  int n = 1;
  while (n < kMostDeaths && !testing::Test::HasFailure()) {
    SCOPED_TRACE("killed at append " + std::to_string(n));
    if (die_then_finish({n}, mail) == 0) break;
    ++n;
  }
  testing::Test::RecordProperty("deaths", n - 1);
  EXPECT_GT(n, 10) << "the example has more commits than that";
  EXPECT_LT(n, kMostDeaths);
}

TEST(Kill, AtEveryAppendOfTheFirstExampleNothingIsLostOrRepeated) {
  kill_at_every_append("graph");
}

TEST(Kill, AtEveryAppendMailBySmtpHasOneMessageId) {
  kill_at_every_append("smtp");
}

TEST(Kill, TwiceInARowNothingIsLostOrRepeated) {
  for (const int first : {8, 9, 10, 11, 12})
    for (const int second : {3, 5, 6, 7}) {
      SCOPED_TRACE("killed at append " + std::to_string(first) + ", then at " + std::to_string(second));
      EXPECT_GE(die_then_finish({first, second}, "graph"), 1u);
    }
}

}  // namespace
}  // namespace flow::e2e
