// The examples from end to end, and what is promised of a service that goes on for long: nothing is asked
// twice, a stop is clean, a restart repeats nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <simdjson.h>
#include <algorithm>

#include "apps/cli/exit_code.hpp"
#include "scene.hpp"

namespace flow::e2e {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

class Service : public testing::Test {
 protected:
  // Until there are so many runs and all are over.
  void serve_until(std::size_t runs, const Arguments& files, const Arguments& more = {}) {
    Process service("flow", scene.serve(files, more));
    EXPECT_TRUE(eventually([&] { return scene.all_over(runs); })) << service.out() << service.err();
    service.send(SIGTERM);
    const Ended ended = service.wait();
    EXPECT_EQ(ended.exit_code, kSuccess) << ended.all();
    said = ended.all();
  }

  // Many polls have been answered since.
  bool polls_go_on() {
    const std::int64_t before = scene.requests("alerts.list");
    return eventually([&] { return scene.requests("alerts.list") >= before + 5; });
  }

  Scene scene;
  std::string said;
};

class Routes : public Service, public testing::WithParamInterface<const char*> {};

TEST_P(Routes, TheFirstExample) {
  const Json alert = scene.inject(R"({"severity": "High", "title": "Token of another user taken over"})");
  scene.inject(R"({"severity": "Medium"})");
  serve_until(1, {kIsolateHigh}, {"--mail", GetParam()});
  const Json::List mails = scene.list("mails");
  ASSERT_EQ(mails.size(), 1u);
  EXPECT_EQ(mails[0]["via"].text(), GetParam());
  EXPECT_EQ(mails[0]["to"].items().at(0).text(), "soc@contoso.com");
  EXPECT_EQ(mails[0]["subject"].text(), "Isolated " + std::string(alert["computerDnsName"].text()));
  EXPECT_THAT(std::string(mails[0]["text"].text()), HasSubstr("Token of another user taken over"));
  ASSERT_EQ(scene.list("actions").size(), 1u);
  EXPECT_EQ(scene.list("actions")[0]["machineId"].text(), alert["machineId"].text());
}

TEST_P(Routes, TheLongExample) {
  const Json alert =
      scene.inject(R"({"severity": "High", "category": "Ransomware", "title": "<b>bold</b> & co"})");
  scene.inject(R"({"severity": "High", "category": "Discovery"})");
  serve_until(1, {kIsolateHighLong}, {"--mail", GetParam()});
  const Json::List mails = scene.list("mails");
  ASSERT_EQ(mails.size(), 1u);
  EXPECT_EQ(mails[0]["to"].items().size(), 2u);
  EXPECT_THAT(std::string(mails[0]["html"].text()), HasSubstr("<h1>&lt;b&gt;bold&lt;/b&gt; &amp; co</h1>"));
  ASSERT_EQ(scene.list("actions").size(), 1u);
  EXPECT_THAT(std::string(scene.list("actions")[0]["requestorComment"].text()),
              HasSubstr("Flow: <b>bold</b> & co ["));
}

INSTANTIATE_TEST_SUITE_P(By, Routes, testing::Values("graph", "smtp"),
                         [](const auto& each) { return std::string(each.param); });

TEST_F(Service, WhatAnAlertSaysMovesNoCursor) {
  const std::string file = scene.folder().write(
      "says.flow", "on alert.new when severity == High do log(\"saw {title}\"); stop \"for {title}\"\n");
  scene.inject(R"({"severity": "High", "title": "a\u001b[2J\u0007\u009b31m\u202e z"})");
  serve_until(1, {file});
  said += run_flow({"runs", "list", "--store", scene.store()}).all();
  said += run_flow({"runs", "show", scene.runs().at(0).id, "--store", scene.store()}).all();
  EXPECT_THAT(said, HasSubstr("for a [2J  31m  z"));
  for (const char* hidden : {"\x1b", "\x07", "\xc2\x9b", "\xe2\x80\xae"})
    EXPECT_THAT(said, testing::Not(HasSubstr(hidden)));
}

TEST_F(Service, WorksOnWhenNobodyCanReadWhatItSays) {
  Arguments words = scene.serve({kIsolateHigh});
  std::string command = "exec " FLOW_BINARY_DIR "/flow";
  for (const std::string& word : words) command += " '" + word + "'";
  Process service("/bin/sh", {"-c", command + " >/dev/full 2>/dev/full"});
  scene.control("faults", R"({"match": "GET /api/alerts", "status": 503})");
  scene.inject(R"({"severity": "High"})");
  EXPECT_TRUE(eventually([&] { return scene.all_over(1); }, 20s)) << "it ended";
  service.send(SIGTERM);
  EXPECT_EQ(service.wait().exit_code, kSuccess);
}

TEST_F(Service, ASecondStopEndsItEvenWhenItsReaderIsStuck) {
  const std::string pipe = scene.folder().path("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const int reader = open(pipe.c_str(), O_RDWR | O_CLOEXEC);  // never reads
  ASSERT_GE(reader, 0);
  fcntl(reader, F_SETPIPE_SZ, 4096);
  std::string command = "exec " FLOW_BINARY_DIR "/flow";
  for (const std::string& word : scene.serve({kIsolateHigh})) command += " '" + word + "'";
  Process service("/bin/sh", {"-c", command + " >" + pipe});
  for (int i = 0; i < 40; ++i) scene.inject(R"({"severity": "High"})");
  int waiting = 0;
  EXPECT_TRUE(eventually([&] { return ioctl(reader, FIONREAD, &waiting) == 0 && waiting > 3500; }))
      << waiting;
  std::this_thread::sleep_for(500ms);
  service.send(SIGTERM);
  EXPECT_TRUE(eventually([&] { return service.err().find("stopping") != std::string::npos; }));
  service.send(SIGTERM);
  const Ended ended = service.wait(10s);
  EXPECT_FALSE(ended.is_late);
  EXPECT_EQ(ended.exit_code, 130);
  close(reader);
}

TEST_F(Service, AVipsDeviceIsLeftAlone) {
  scene.control("machines", R"({"computerDnsName": "vip-01.corp.example.com", "machineTags": ["VIP"]})");
  scene.inject(
      R"({"severity": "High", "category": "Ransomware", "computerDnsName": "vip-01.corp.example.com"})");
  serve_until(1, {kIsolateHighLong});
  EXPECT_EQ(scene.runs().at(0).state, RunState::Skipped);
  EXPECT_TRUE(scene.list("actions").empty());
}

TEST_F(Service, AsksForOneMachineARunAndForNoAlert) {
  for (int i = 0; i < 3; ++i) scene.inject(R"({"severity": "High"})");
  serve_until(3, {kIsolateHigh});
  EXPECT_EQ(scene.requests("machines.get"), 3);
  EXPECT_EQ(scene.requests("alerts.get"), 0);
  EXPECT_EQ(scene.requests("machines.isolate"), 3);
  EXPECT_EQ(scene.requests("graph.sendMail") + scene.requests("users.sendMail"), 3);
}

TEST_F(Service, TwoFlowsShareOneAlert) {
  const std::string tells = scene.folder().write(
      "tells.flow", "on alert.new when severity == High do mail(\"b@example.com\", \"{title}\", \"-\")");
  scene.inject(R"({"severity": "High"})");
  serve_until(2, {kIsolateHigh, tells});
  EXPECT_EQ(scene.runs().size(), 2u);
  EXPECT_EQ(scene.list("actions").size(), 1u);
  EXPECT_EQ(scene.list("mails").size(), 2u);
}

TEST_F(Service, ARestartRepeatsNothing) {
  scene.inject(R"({"severity": "High"})");
  serve_until(1, {kIsolateHigh});
  Process again("flow", scene.serve({kIsolateHigh}));
  ASSERT_TRUE(polls_go_on());
  EXPECT_EQ(scene.runs().size(), 1u);
  EXPECT_EQ(scene.list("actions").size(), 1u);
  scene.inject(R"({"severity": "High"})");
  EXPECT_TRUE(eventually([&] { return scene.all_over(2); })) << again.out();
  EXPECT_EQ(scene.list("mails").size(), 2u);
}

TEST_F(Service, SigtermLetsTheCallThatIsOutFinish) {
  scene.control("faults", R"({"match": "POST /api/machines/*/isolate", "delay_ms": 1500})");
  scene.inject(R"({"severity": "High"})");
  Process service("flow", scene.serve({kIsolateHigh}));
  ASSERT_TRUE(eventually([&] { return scene.requests("machines.isolate") == 1; }));
  service.send(SIGTERM);
  const Ended ended = service.wait();
  EXPECT_EQ(ended.exit_code, kSuccess) << ended.all();
  EXPECT_THAT(ended.out, HasSubstr("defender.isolate done"));
  serve_until(1, {kIsolateHigh});
  EXPECT_EQ(scene.runs().at(0).state, RunState::Finished);
  EXPECT_EQ(scene.requests("machines.isolate"), 1) << "the answer was lost";
}

// At once, with an act of which nobody knows then whether it happened; the next start finds out.
TEST_F(Service, ASecondSigtermStopsAtOnceAndDoublesNothing) {
  scene.control("faults", R"({"match": "POST /api/machines/*/isolate", "delay_ms": 20000})");
  scene.inject(R"({"severity": "High"})");
  Process service("flow", scene.serve({kIsolateHigh}));
  ASSERT_TRUE(eventually([&] { return scene.requests("machines.isolate") == 1; }));
  service.send(SIGTERM);
  EXPECT_TRUE(eventually([&] { return service.err().find("stopping") != std::string::npos; }));
  service.send(SIGTERM);
  const Ended ended = service.wait(5s);
  EXPECT_FALSE(ended.is_late);
  EXPECT_EQ(ended.exit_code, 130);
  serve_until(1, {kIsolateHigh});
  EXPECT_EQ(scene.runs().at(0).state, RunState::Finished);
  EXPECT_EQ(scene.list("actions").size(), 1u);
}

TEST_F(Service, ABurstOnOneMachineCostsOneGet) {
  scene.control("machines", R"({"computerDnsName": "ws-07.corp.example.com"})");
  for (int i = 0; i < 50; ++i)
    scene.inject(R"({"severity": "High", "computerDnsName": "ws-07.corp.example.com"})");
  const std::string looks =
      scene.folder().write("looks.flow", "on alert.new when severity == High do log(\"{machine.name}\")\n");
  serve_until(50, {looks});
  EXPECT_EQ(scene.requests("machines.get"), 1);
}

TEST_F(Service, ServesAModuleAsItsSource) {
  const std::string module = scene.folder().path("isolate.flowc");
  ASSERT_EQ(run_flow({"build", kIsolateHigh, "-o", module}).exit_code, kSuccess);
  scene.inject(R"({"severity": "High"})");
  serve_until(1, {module});
  EXPECT_EQ(scene.list("actions").size(), 1u);
}

// --- Looking at runs

TEST_F(Service, RunsAreListedAndShown) {
  const Json alert = scene.inject(R"({"severity": "High", "title": "a \"quoted\" title"})");
  serve_until(1, {kIsolateHigh});
  const std::string id = scene.runs().at(0).id;
  const Ended list = run_flow({"runs", "list", "--store", scene.store()});
  EXPECT_EQ(list.exit_code, kSuccess);
  EXPECT_THAT(list.out, testing::AllOf(HasSubstr(id), HasSubstr("isolate_high"), HasSubstr("finished")));
  const Ended show = run_flow({"runs", "show", id, "--store", scene.store()});
  EXPECT_EQ(show.exit_code, kSuccess);
  EXPECT_THAT(show.out,
              testing::AllOf(HasSubstr(std::string(alert["id"].text())), HasSubstr("defender.isolate"),
                             HasSubstr("mail.mail"), HasSubstr("finished")));
  EXPECT_THAT(run_flow({"runs", "list", "--store", scene.store(), "--state", "failed"}).out,
              HasSubstr("no runs"));
}

TEST_F(Service, RunsAsJsonAreJson) {
  scene.inject(R"({"severity": "High", "title": "a \"quoted\" title"})");
  serve_until(1, {kIsolateHigh});
  simdjson::dom::parser parser;
  const std::string list = run_flow({"runs", "list", "--json", "--store", scene.store()}).out;
  const simdjson::dom::array runs = parser.parse(list);
  ASSERT_EQ(runs.size(), 1u);
  const std::string id(std::string_view(runs.at(0)["id"]));
  EXPECT_EQ(std::string_view(runs.at(0)["state"]), "finished");
  const std::string shown = run_flow({"runs", "show", id, "--json", "--store", scene.store()}).out;
  const simdjson::dom::element run = parser.parse(shown);
  EXPECT_EQ(std::string_view(run["run"]["id"]), id);
  EXPECT_GE(simdjson::dom::array(run["steps"]).size(), 8u);
}

// --- The demonstration

ProcessOptions keeping_its_store_in(const Folder& folder) {
  return {.folder = {},
          .environment = {"TMPDIR=" + std::filesystem::path(folder.path("x")).parent_path().string()}};
}

TEST(Demo, LetsADayPassAndTellsWhatCameOfIt) {
  const Folder folder;
  for (const char* mail : {"graph", "smtp"}) {
    const Ended ended = run_flow({"demo", kIsolateHigh, "--alerts", "12", "--seconds", "2", "--mail", mail},
                                 keeping_its_store_in(folder));
    EXPECT_EQ(ended.exit_code, kSuccess) << ended.all();
    EXPECT_THAT(ended.out, HasSubstr("The day is over."));
    EXPECT_THAT(ended.out, HasSubstr("alerts seen"));
    EXPECT_THAT(ended.out, HasSubstr("devices isolated"));
  }
}

TEST(Demo, EndsWhenTold) {
  const Folder folder;
  Process demo("flow", {"demo", kIsolateHigh, "--alerts", "1000", "--seconds", "600"},
               keeping_its_store_in(folder));
  ASSERT_TRUE(eventually([&] { return demo.out().find("arrive within") != std::string::npos; }));
  demo.send(SIGTERM);
  EXPECT_EQ(demo.wait().exit_code, kSuccess);
}

}  // namespace
}  // namespace flow::e2e
