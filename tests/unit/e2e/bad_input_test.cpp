// What people get wrong on the command line and in files: each mistake ends with its exit code and a message
// that says what to do, never with a crash or a hang.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <unistd.h>
#include <filesystem>

#include "apps/cli/exit_code.hpp"
#include "scene.hpp"

namespace flow::e2e {
namespace {

using testing::HasSubstr;

void expect_refused(const Arguments& arguments, ExitCode code, const std::string& message) {
  SCOPED_TRACE(testing::PrintToString(arguments));
  const Ended ended = run_flow(arguments);
  EXPECT_EQ(ended.exit_code, code) << ended.all();
  EXPECT_THAT(ended.err, HasSubstr(message));
}

// --- The command line

struct WrongUsage {
  Arguments arguments;
  const char* message;
};

TEST(WrongCommandLine, IsUsage) {
  const WrongUsage cases[] = {
      {{}, "--help"},
      {{"frobnicate"}, "there is no command `frobnicate`"},
      {{"chek", "x.flow"}, "did you mean `check`?"},
      {{"check"}, "FILE"},
      {{"check", "--bogus", "x.flow"}, "there is no option `--bogus`; see `flow check --help`"},
      {{"check", "--plann", "x.flow"}, "did you mean `--plan`?"},
      {{"check", "--plan", "--json", "x.flow"}, "--json excludes --plan"},
      {{"build", "-"}, "-o NAME.flowc"},
      {{"runs", "list", "--stat", "x"}, "did you mean `--state`?"},
      {{"serve"}, "name a configuration with --config"},
      {{"serve", kIsolateHigh}, "--config flow.toml"},
      {{"serve", kIsolateHigh, "--sim", "--config", "flow.toml"}, "not both"},
      {{"serve", kIsolateHigh, "--sim", "--poll-every", "soon"}, "`soon` is no duration"},
      {{"serve", kIsolateHigh, "--sim", "--mail", "pigeon"}, "pigeon"},
      {{"run", kIsolateHigh, "--sim"}, "--event"},
      {{"runs"}, "subcommand"},
      {{"runs", "list", "--state", "asleep"}, "there is no state `asleep`"},
      {{"runs", "list", "--limit", "0"}, "--limit"},
      {{"demo", kIsolateHigh, "--alerts", "0"}, "--alerts"},
      {{"explain", "F9999"}, "there is no diagnostic `F9999`"},
  };
  for (const WrongUsage& wrong : cases) expect_refused(wrong.arguments, kUsage, wrong.message);
}

// --- Flows with mistakes

struct WrongFlow {
  const char* text;
  const char* code;
  const char* message;
};

class WrongFlows : public testing::TestWithParam<WrongFlow> {};

TEST_P(WrongFlows, AreToldByEveryCommandThatReadsThem) {
  const Folder folder;
  const std::string file = folder.write("bad.flow", GetParam().text);
  const std::string event = folder.write("event.json", "{}");
  const std::string output = folder.path("bad.flowc");
  const std::vector<Arguments> commands{
      {"check", file},
      {"build", file, "-o", output},
      {"inspect", file},
      {"run", file, "--event", event, "--sim", "--sim-port", "1"},
      {"serve", file, "--sim", "--sim-port", "1", "--store", folder.path("s.db")},
      {"demo", file}};
  for (const Arguments& command : commands) {
    expect_refused(command, kFlowWrong, GetParam().code);
    expect_refused(command, kFlowWrong, GetParam().message);
  }
  EXPECT_FALSE(std::filesystem::exists(output));
  EXPECT_FALSE(std::filesystem::exists(folder.path("s.db")));
}

INSTANTIATE_TEST_SUITE_P(
    Each, WrongFlows,
    testing::Values(WrongFlow{"on alert.new do isolate(machineId", "F0001", "expected `,` or `)`"},
                    WrongFlow{"on alert.new when severity == Hihg do isolate(machineId)", "F0204",
                              "did you mean `High`?"},
                    WrongFlow{"on alert.new do isolat(machineId)", "F0205", "did you mean `isolate`?"},
                    WrongFlow{"on alert.new do isolate(4)", "F0301", "must be `MachineId`"},
                    WrongFlow{"on alert.new when severity == 3 do isolate(machineId)", "F0304",
                              "can never be equal"}));

TEST(WrongFlow, FileThatIsNotThereIsTheWorlds) {
  for (const char* command : {"check", "build", "inspect"})
    expect_refused({command, "/nowhere/x.flow"}, kWorldWrong, "cannot open `/nowhere/x.flow`");
  expect_refused({"serve", "/nowhere/x.flow", "--sim"}, kWorldWrong, "cannot open `/nowhere/x.flow`");
  expect_refused({"check", "/"}, kWorldWrong, "is a folder");
}

TEST(WrongFlow, WhatIsNoTextIsNamed) {
  const Folder folder;
  const std::string utf_16 = folder.write("wide.flow", std::string("\xff\xfeo\0n\0", 6));
  for (const char* const command : {"check", "build", "fmt"})
    expect_refused({command, utf_16}, kWorldWrong, "is written in UTF-16; save it as UTF-8");
  const std::string module = folder.path("good.flowc");
  EXPECT_EQ(run_flow({"build", kIsolateHigh, "-o", module}).exit_code, kSuccess);
  expect_refused({"check", module}, kWorldWrong, "is a compiled module, not a source");
}

TEST(WrongFlow, TheModuleIsNamedThatCannotBeWritten) {
  const Folder folder;
  expect_refused({"build", kIsolateHigh, "-o", folder.path(".")}, kWorldWrong, "is a folder");
  expect_refused({"build", kIsolateHigh, "-o", "/nowhere/x.flowc"}, kWorldWrong,
                 "cannot write `/nowhere/x.flowc`");
}

TEST(WrongFlow, AParameterTakesNoFileWithIt) {
  const Folder folder;
  const std::string file = folder.write("tested.flow",
                                        "param n: Int = 1\nfn more() -> Int { return n + 1 }\n"
                                        "test \"it is more\" { expect more() == 3 }\n");
  const Ended ended = run_flow({"test", "--param", "n=2", file});
  EXPECT_EQ(ended.exit_code, kSuccess) << ended.all();
  const Ended as_junit = run_flow({"test", "--format", "junit", "--coverage", "--param", "n=2", file});
  EXPECT_THAT(as_junit.out, testing::EndsWith("</testsuite>\n"));
}

TEST(WrongFlow, ModulesAreCheckedByThemselves) {
  const Folder folder;
  const std::string file =
      folder.write("lib.flow", "fn twice(n: Int) = n * 2\nrecord Row { name: String }\n");
  const Ended ended = run_flow({"check", file});
  EXPECT_EQ(ended.exit_code, kSuccess) << ended.all();
  EXPECT_EQ(ended.out, "0 flows, 1 function, 1 declaration: no mistakes found\n");
  expect_refused({"build", file}, kFlowWrong, "F0101");
}

TEST(WrongFlow, TwoFlowsOfOneNameAreRefused) {
  const Folder folder;
  const std::string again = folder.write("tag-medium.flow", read_all(kTagMedium));
  expect_refused({"serve", kTagMedium, again, "--sim", "--store", folder.path("s.db")}, kFlowWrong,
                 "names must differ");
}

// --- Modules

class WrongModules : public testing::Test {
 protected:
  WrongModules() {
    const Ended built = run_flow({"build", kIsolateHighLong, "-o", folder.path("good.flowc")});
    EXPECT_EQ(built.exit_code, kSuccess) << built.all();
    good = read_all(folder.path("good.flowc"));
  }

  // `inspect` and `serve` refuse these bytes.
  void expect_no_module(const std::string& bytes, const std::string& message) {
    const std::string file = folder.write("bad.flowc", bytes);
    expect_refused({"inspect", file}, kWorldWrong, message);
    expect_refused({"serve", file, "--sim", "--store", folder.path("s.db")}, kWorldWrong, message);
    expect_refused({"serve", file, "--sim", "--store", folder.path("s.db")}, kWorldWrong, "bad.flowc");
  }

  Folder folder;
  std::string good;
};

TEST_F(WrongModules, TextIsNone) {
  expect_no_module("on alert.new do isolate(machineId)\n", "not a Flow module");
}

TEST_F(WrongModules, EmptyFileIsNone) {
  expect_no_module("", "truncated");
}

TEST_F(WrongModules, HalfOfOneIsNone) {
  expect_no_module(good.substr(0, good.size() / 2), "truncated");
  expect_no_module(good.substr(0, good.size() - 1), "truncated");
}

TEST_F(WrongModules, FutureVersionSaysSo) {
  good[8] = 99;  // behind the eight bytes that mark a module
  expect_no_module(good, "version");
}

TEST_F(WrongModules, AnyChangedByteIsNoticed) {
  const std::size_t stride = good.size() / 60;
  for (std::size_t at = 0; at < good.size(); at += stride) {
    std::string changed = good;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    const Ended ended = run_flow({"inspect", folder.write("changed.flowc", changed)});
    EXPECT_EQ(ended.exit_code, kWorldWrong) << "byte " << at << ": " << ended.all();
    EXPECT_THAT(ended.err, HasSubstr("changed.flowc"));
  }
}

// --- Configuration

constexpr const char* kGoodConfig = R"([store]
path = "unused.db"

[tenants.lab]
tenant_id = "7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3"
client_id = "0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846"
client_secret_env = "FLOW_E2E_SECRET"

[tenants.lab.mail]
via = "graph"
sender = "soc@contoso.com"
)";

struct WrongConfig {
  const char* from;
  const char* to;
  std::vector<std::string> messages;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(WrongConfiguration, IsNamedWithItsLine) {
  const WrongConfig cases[] = {
      {"client_id", "client_ident", {"line 6", "`client_ident`", "did you mean `client_id`?"}},
      {"client_secret_env", "client_secret_evn", {"line 7", "did you mean `client_secret_env`?"}},
      {"[store]", "[stroe]", {"line 1", "`stroe`", "did you mean `store`?"}},
      {"path", "paht", {"line 2", "did you mean `path`?"}},
      {"\"0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846\"", "5", {"line 6", "`client_id` must be a text"}},
      {"_env = \"FLOW_E2E_SECRET\"",
       " = \"abc\"",
       {"line 7", "a secret does not belong", "client_secret_env"}},
      {"\"graph\"", "\"pigeon\"", {"line 10", "`via` must be one of graph, graph-draft, smtp, gmail, acs"}},
      {"\"graph\"", "\"smtp\"", {"needs `[tenants.lab.smtp]`"}},
      {"[tenants.lab.mail]", "[tenants.lab.mail", {"line 9", "expected ']'"}},
      {"client_secret_env = \"FLOW_E2E_SECRET\"", "", {"needs `client_secret_env"}},
  };
  const Folder folder;
  const std::string event = folder.write("event.json", "{}");
  for (const WrongConfig& wrong : cases) {
    const std::string file = folder.write("flow.toml", replaced(kGoodConfig, wrong.from, wrong.to));
    for (const std::string& message : wrong.messages)
      expect_refused({"run", kIsolateHigh, "--event", event, "--config", file}, kWorldWrong, message);
  }
}

TEST(WrongConfiguration, NeedsATenant) {
  const Folder folder;
  const std::string file = folder.write("flow.toml", "[store]\npath = \"x.db\"\n");
  expect_refused({"serve", kIsolateHigh, "--config", file}, kWorldWrong, "names no tenant");
}

TEST(WrongConfiguration, MustBeThere) {
  expect_refused({"serve", kIsolateHigh, "--config", "/nowhere/flow.toml"}, kWorldWrong,
                 "cannot open `/nowhere/flow.toml`");
}

// --- Stores

TEST(WrongStore, MissingOneHasNoRuns) {
  const Folder folder;
  const std::string store = folder.path("none.db");
  expect_refused({"runs", "list", "--store", store}, kWorldWrong, "there is no such file");
  expect_refused({"runs", "show", "x", "--store", store}, kWorldWrong, "there is no such file");
  EXPECT_FALSE(std::filesystem::exists(store)) << "looking made it";
}

TEST(WrongStore, OtherFilesAreLeftAlone) {
  const Folder folder;
  const std::string file =
      folder.write("notes.db", "my notes, which are no database, and long enough to look like one");
  expect_refused({"serve", kIsolateHigh, "--sim", "--store", file}, kWorldWrong, file);
  expect_refused({"runs", "list", "--store", file}, kWorldWrong, file);
  EXPECT_THAT(read_all(file), HasSubstr("my notes"));
}

TEST(WrongStore, FolderThatIsNotThereOrNotWritable) {
  const Folder folder;
  const auto expect_no_store = [](const std::string& store) {
    expect_refused({"serve", kIsolateHigh, "--sim", "--store", store}, kWorldWrong, store);
    expect_refused({"serve", kIsolateHigh, "--sim", "--store", store}, kWorldWrong,
                   "is the folder there, and may this user write in it?");
  };
  expect_no_store(folder.path("no/flow.db"));
  expect_no_store("/proc/flow.db");  // where not even a superuser may write
  if (geteuid() == 0) return;
  const std::filesystem::path root = std::filesystem::path(folder.path("x")).parent_path();
  std::filesystem::permissions(root, std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  expect_no_store(folder.path("flow.db"));
  std::filesystem::permissions(root, std::filesystem::perms::owner_all);
}

TEST(Output, APipeIsWrittenToAndStaysOne) {
  Folder folder;
  const std::string flow = folder.write("a.flow", "on manual () do log \"x\"\n");
  const std::string pipe = folder.path("pipe"), copy = folder.path("copy");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  Process reader("/bin/sh", {"-c", "cat " + pipe + " > " + copy});
  EXPECT_EQ(run_flow({"build", flow, "-o", pipe}).exit_code, kSuccess);
  EXPECT_EQ(reader.wait().exit_code, 0);
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_GT(std::filesystem::file_size(copy), 100u);
}

TEST(WrongStore, InUseByAnotherService) {
  Scene scene;
  Process first("flow", scene.serve({kIsolateHigh}));
  ASSERT_TRUE(eventually([&] { return first.out().find("serving") != std::string::npos; }));
  const Ended second = run_flow(scene.serve({kIsolateHigh}));
  EXPECT_EQ(second.exit_code, kWorldWrong);
  EXPECT_THAT(second.err, HasSubstr("in use"));
  EXPECT_TRUE(first.is_running());
}

TEST(WrongStore, UnknownRun) {
  Scene scene;
  Process service("flow", scene.serve({kIsolateHigh}));
  ASSERT_TRUE(eventually([&] { return service.out().find("serving") != std::string::npos; }));
  expect_refused({"runs", "show", "01NOSUCHRUN", "--store", scene.store()}, kWorldWrong,
                 "there is no run `01NOSUCHRUN`");
}

}  // namespace
}  // namespace flow::e2e
