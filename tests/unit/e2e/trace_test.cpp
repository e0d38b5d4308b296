// `flow trace`: runs that the service recorded, replayed offline by the program itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>

#include "apps/cli/exit_code.hpp"
#include "scene.hpp"

namespace flow::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

class Trace : public testing::Test {
 protected:
  // A service that goes on until its run is over, or dies at an append.
  void serve(const std::string& file, int crash_at = 0) {
    Process service("flow", scene.serve({file}, {"--crash-at-append", std::to_string(crash_at)}));
    EXPECT_TRUE(eventually([&] { return !service.is_running() || scene.all_over(1); }))
        << service.out() << service.err();
    said = service.out();
    service.kill();
  }
  std::string run() { return scene.runs().at(0).id; }

  Ended trace(const Arguments& more = {}, const std::string& typed = {}) {
    Arguments words{"trace", run(), "--store", scene.store()};
    words.insert(words.end(), more.begin(), more.end());
    if (typed.empty()) return run_flow(words);
    // Processes have nothing on standard input: a shell gives them something.
    std::string command = "exec \"" FLOW_BINARY_DIR "/flow\"";
    for (const std::string& word : words) command += " '" + word + "'";
    return Process("/bin/sh", {"-c", command + " < '" + folder.write("typed", typed) + "'"}).wait();
  }

  // What differs from run to run, named.
  static std::string calmed(std::string text) {
    const std::pair<const char*, const char*> rules[] = {
        {R"(\d{4}-\d\d-\d\dT[\d:.]+Z)", "TIME"},
        {R"(after [\dhmsu]+)", "after SOME"},
        {R"(0[0-9A-Z]{25})", "RUN"},
        {R"(da\d+_-?\d+)", "ALERT"},
        {R"([0-9a-f]{40})", "MACHINE"},
        {R"("[a-z0-9-]+\.corp\.example\.com")", "\"NAME\""},
        {R"(gave \{.*)", "gave ANSWER"},
        {R"(started by \{.*)", "started by EVENT"},
        {R"(Isolated [a-z0-9-]+\.corp\.example\.com)", "Isolated NAME"}};
    for (const auto& [pattern, name] : rules) text = std::regex_replace(text, std::regex(pattern), name);
    return text;
  }

  Scene scene;
  Folder folder;
  std::string said;
};

constexpr const char* kFirstExample =
    R"(run RUN of isolate_high for tenant sim: finished
  because of defender.alert.new ALERT
     1  TIME  started by EVENT
     2  line 1:19  severity == High do
          alertId = "ALERT"
          machineId = "MACHINE"
          alert = Alert {severity: High, title: "Token of another user taken over"}
     3  TIME  the condition held
     4  line 1:39  isolate(machineId)
     5  TIME  defender.isolate {"machine":"MACHINE","comment":"Isolated by Flow","type":"Full"}
     6  TIME  defender.isolate gave ANSWER
     7  line 1:59  mail("soc@contoso.com", "Isolated {machine.name}", "{title}")
     8  TIME  defender.get_machine {"machine":"MACHINE"}
     9  TIME  defender.get_machine gave ANSWER
    10  line 1:59  goes on
          machine = Machine {name: "NAME"}
    11  TIME  mail.mail {"to":"soc@contoso.com","subject":"Isolated NAME","body":"Token of another user taken over","importance":"Normal"}
    12  TIME  mail.mail gave null, after SOME
    14  TIME  finished
)";

constexpr const char* kHighAlert = R"({"severity": "High", "title": "Token of another user taken over"})";

TEST_F(Trace, OfTheFirstExample) {
  scene.inject(kHighAlert);
  serve(kIsolateHigh);
  const Ended traced = trace();
  EXPECT_EQ(traced.exit_code, kSuccess);
  EXPECT_EQ(traced.err, "");
  EXPECT_EQ(calmed(traced.out), kFirstExample);
}

TEST_F(Trace, WithoutTheSourceShowsInstructions) {
  scene.inject(kHighAlert);
  const std::string moved = folder.write("isolate-high.flow", read_all(kIsolateHigh));
  serve(moved);
  std::filesystem::remove(moved);
  EXPECT_THAT(trace().out, HasSubstr("line 1:39  @"));
  EXPECT_THAT(trace({"--source", kIsolateHigh}).out, HasSubstr("line 1:39  isolate(machineId)"));
  const Ended other = trace({"--source", kTagMedium});
  EXPECT_EQ(other.exit_code, kWorldWrong);
  EXPECT_THAT(other.err, HasSubstr("is not what run"));
  // Another text at the old place is not shown as if it were the run's.
  folder.write("isolate-high.flow", "\n" + read_all(kIsolateHigh));
  EXPECT_THAT(trace().out, HasSubstr("line 1:39  @"));
}

TEST_F(Trace, OfARunThatWasKilledAndRecovered) {
  scene.inject(kHighAlert);
  serve(kIsolateHigh, 11);
  const Ended waiting = trace();
  EXPECT_EQ(waiting.exit_code, kSuccess) << waiting.err;
  EXPECT_THAT(waiting.out, HasSubstr(" waits in line 1: "));
  serve(kIsolateHigh);
  const Ended traced = trace();
  EXPECT_EQ(traced.exit_code, kSuccess) << traced.err;
  EXPECT_THAT(traced.out, HasSubstr("taken up again after a restart"));
  EXPECT_THAT(traced.out, HasSubstr("machine = Machine {name: "));
  EXPECT_THAT(calmed(traced.out), HasSubstr("TIME  finished\n"));
}

TEST_F(Trace, BackwardsInPartsAndAsJson) {
  scene.inject(kHighAlert);
  serve(kIsolateHigh);
  EXPECT_THAT(calmed(trace({"--backwards", "--from", "3", "--to", "4"}).out),
              HasSubstr("ALERT\n     4  line 1:39  isolate(machineId)\n     3  TIME  the condition held\n"));
  EXPECT_THAT(trace({"--instructions", "--from", "4", "--to", "4"}).out, HasSubstr("line 1:19  @"));
  const std::string json = trace({"--json"}).out;
  EXPECT_THAT(json, HasSubstr("{\"step\":4,\"kind\":\"code\",\"line\":1,\"column\":39,"
                              "\"statement\":\"isolate(machineId)\""));
  std::istringstream lines(json);
  for (std::string line; std::getline(lines, line);) EXPECT_TRUE(sim::parse_json(line)) << line;
}

TEST_F(Trace, StepsByWhatIsTyped) {
  scene.inject(kHighAlert);
  serve(kIsolateHigh);
  const std::string out = calmed(
      trace({"--step"}, "n\n\n b\nb\nb\nl 1\nl 7\ng 10\np machine\np nothing\ng 99\ng x\nw\nz\nq\nn\n").out);
  const std::string head = out.substr(out.find("     1 "));
  EXPECT_EQ(head,
            R"(     1  TIME  started by EVENT
     2  line 1:19  severity == High do
          alertId = "ALERT"
          machineId = "MACHINE"
          alert = Alert {severity: High, title: "Token of another user taken over"}
     3  TIME  the condition held
     2  line 1:19  severity == High do
          alertId = "ALERT"
          machineId = "MACHINE"
          alert = Alert {severity: High, title: "Token of another user taken over"}
     1  TIME  started by EVENT
the trace begins here
     2  line 1:19  severity == High do
          alertId = "ALERT"
          machineId = "MACHINE"
          alert = Alert {severity: High, title: "Token of another user taken over"}
the run does not come to line 7
    10  line 1:59  goes on
          machine = Machine {name: "NAME"}
machine = Machine {name: "NAME"}
there is no value `nothing` here
steps are 1 to 14
`x` is no number
line 1
there is no command `z`: Enter or n next, b back, l N to line N, g N to step N, p NAME print a value, p all of them, w where, q quit
)");
}

// A fault within functions is told in flow terms, by the service, `runs show` and the trace.
TEST_F(Trace, OfARunThatFailsInAFunction) {
  const std::string file = folder.write("fails.flow",
                                        "fn score(n: Int) -> Int {\n"
                                        "  let big = n + 9223372036854775000\n"
                                        "  return big + 900\n"
                                        "}\n"
                                        "flow fails\n"
                                        "on alert.new\n"
                                        "do {\n"
                                        "  log \"begins\"\n"
                                        "  let points = score(1)\n"
                                        "  log \"{points}\"\n"
                                        "}\n");
  scene.inject(kHighAlert);
  serve(file);
  const std::string failure = "failed in line 3 of score(), called from line 9: Overflow: the result";
  EXPECT_THAT(said, HasSubstr("fails " + failure));
  EXPECT_THAT(run_flow({"runs", "show", run(), "--store", scene.store()}).out, HasSubstr(failure));
  const std::string traced = trace().out;
  EXPECT_THAT(traced,
              HasSubstr("line 2:3 of score()  let big = n + 9223372036854775000\n            n = 1\n"));
  EXPECT_THAT(traced, HasSubstr(failure));
  EXPECT_THAT(trace({"--step"}, "l 3\nw\np big\n").out,
              HasSubstr("line 3 of score(), called from line 9\nbig = 9223372036854775001\n"));
}

TEST_F(Trace, OfWhatIsNotThereIsRefused) {
  scene.inject(kHighAlert);
  serve(kIsolateHigh);
  const Ended unknown = run_flow({"trace", "01NONE", "--store", scene.store()});
  EXPECT_EQ(unknown.exit_code, kWorldWrong);
  EXPECT_THAT(unknown.err, HasSubstr("there is no run `01NONE`"));
  EXPECT_THAT(unknown.err, HasSubstr("the condition was false without asking anyone leaves no run"));
  EXPECT_EQ(run_flow({"trace", run(), "--store", "/nowhere/flow.db"}).exit_code, kWorldWrong);
  for (const Arguments& wrong :
       {Arguments{"--from", "9", "--to", "3"}, Arguments{"--from", "900"},
        Arguments{"--from", "900", "--backwards"}, Arguments{"--from", "0"}, Arguments{"--json", "--step"}})
    EXPECT_EQ(trace(wrong).exit_code, kUsage) << testing::PrintToString(wrong);
  EXPECT_EQ(run_flow({"trace"}).exit_code, kUsage);
}

}  // namespace
}  // namespace flow::e2e
