// `kill -9` at any point: the service is killed right before and right after every commit of the first
// example, twice in a row, and at random moments under load. Whether a step was lost or repeated is read from
// the tenant's own record, not from the journal.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
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

// Alerts of all severities, each on a device of its own that can be isolated.
class Load {
 public:
  explicit Load(Scene& scene) : scene_(scene) {
    for (const Json& machine : scene.list("machines"))
      if (machine["osPlatform"].text().starts_with("Windows")) machines_.emplace_back(machine["id"].text());
  }

  void add(bool is_high) {
    const std::string machine = machines_.at(next_++);
    const Json alert = scene_.inject(R"({"severity": ")" + std::string(is_high ? "High" : "Low") +
                                     R"(", "machineId": ")" + machine + "\"}");
    if (is_high) high_.emplace(alert["id"].text(), machine);
  }
  const std::map<std::string, std::string>& high() const { return high_; }  // alert to device

 private:
  Scene& scene_;
  std::vector<std::string> machines_;
  std::size_t next_ = 0;
  std::map<std::string, std::string> high_;
};

void expect_each_done_once(Scene& scene, const Load& load) {
  std::map<std::string, int> isolations, runs;
  for (const Json& action : scene.list("actions")) ++isolations[std::string(action["machineId"].text())];
  for (const RunRow& run : scene.runs()) {
    ++runs[run.key];
    EXPECT_EQ(run.state, RunState::Finished) << run.id << ": " << run.reason;
    expect_whole_journal(scene, run.id);
  }
  EXPECT_EQ(isolations.size(), load.high().size());
  EXPECT_EQ(scene.list("mails").size(), load.high().size());
  for (const auto& [alert, machine] : load.high()) {
    EXPECT_EQ(isolations[machine], 1) << "of the device of alert " << alert;
    EXPECT_EQ(runs[alert], 1) << "for alert " << alert;
  }
}

// A service that lives for a random time while alerts come in, then is killed.
void live_for_a_while(Scene& scene, Load& load, std::mt19937& random) {
  std::uniform_int_distribution<int> pause_ms(5, 90), arrivals(1, 4), coin(0, 1);
  Process service("flow", scene.serve({kIsolateHigh}));
  for (int left = arrivals(random); left > 0; --left) {
    load.add(coin(random) == 1);
    std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms(random)));
  }
  service.kill();
}

class KillAtRandom : public testing::TestWithParam<unsigned> {};

TEST_P(KillAtRandom, MomentsUnderLoadEachAlertIsDoneOnce) {
  std::mt19937 random(GetParam());
  Scene scene;
  Load load(scene);
  // Slow answers, so that calls are out when the process dies.
  scene.control("faults", R"([{"match": "POST /api/machines/*/isolate", "delay_ms": 60, "times": 100000},
                              {"match": "POST /v1.0/users/*/sendMail", "delay_ms": 60, "times": 100000}])");
  for (int deaths = 0; deaths < 15; ++deaths) live_for_a_while(scene, load, random);
  Process service("flow", scene.serve({kIsolateHigh}));
  EXPECT_TRUE(eventually([&] { return scene.all_over(load.high().size()); }))
      << service.out() << service.err();
  service.kill();
  expect_each_done_once(scene, load);
}

INSTANTIATE_TEST_SUITE_P(Seeds, KillAtRandom, testing::Values(1u, 2u, 3u));

}  // namespace
}  // namespace flow::e2e
