// Recorded runs, replayed step by step. Journals are written by hand, so that they can be wrong.
#include "runtime/trace.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "fakes.hpp"
#include "isolate_module.hpp"
#include "runtime/digest.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kMachineJson = R"({"id":"m1","computerDnsName":"pc-7","machineTags":["a"]})";

// The first example by hand, with its lines and names.
Module module_by_hand() {
  Module module = isolate_by_hand();
  FlowCode& flow = module.flows[0];
  flow.lines = {{.pc = 0, .line = 2, .column = 6},
                {.pc = 8, .line = 3, .column = 3},
                {.pc = 10, .line = 4, .column = 3}};
  const auto all = static_cast<std::uint32_t>(flow.code.size());
  flow.names = {{.begin = 0, .end = all, .register_ = kMachineId, .name = "machineId"},
                {.begin = 2, .end = all, .register_ = 5, .name = "severity"},
                {.begin = 7, .end = all, .register_ = 9, .name = "found"}};
  return module;
}

std::vector<Entry> journal_by_hand() {
  return {StartedEntry{.event = kEvent},
          IntentEntry{0, 1, "defender.get_machine", R"({"machine":"m1"})", 2, true},
          OutcomeEntry{0, Returned{kMachineJson}, false},
          EnteredEntry{},
          LogEntry{0, "isolating", 3},
          IntentEntry{1, 1, "defender.isolate", R"({"machine":"m1","comment":"by flow"})", 4, false},
          RecoveredEntry{},
          RetryEntry{1, std::nullopt, kStartUs},
          IntentEntry{1, 2, "defender.isolate", R"({"machine":"m1","comment":"by flow"})", 4, false},
          OutcomeEntry{1, Returned{R"({"id":"2e0d9b74-a381-49aa-8c15-f7b01c526d3e"})"}, false},
          EndedEntry{Ended{.how = Ended::How::Finished, .line = 4}}};
}

struct Recorded {
  std::vector<Entry> entries = journal_by_hand();
  Module module = module_by_hand();
  RunState state = RunState::Finished;
  bool has_module = true;
  std::optional<std::uint32_t> damaged, missing;  // entries
  std::unique_ptr<SqliteStore> store;

  Result<std::optional<RecordedRun>> read(const char* id = "run1") {
    store = std::move(*SqliteStore::open(":memory:"));
    const std::string bytes = encode(module);
    Batch batch;
    if (has_module) batch.modules = {{sha256_hex(bytes), bytes}};
    batch.runs = {{.id = "run1",
                   .tenant = "contoso",
                   .flow = "isolate",
                   .module = sha256_hex(bytes),
                   .trigger = "defender.alert.new",
                   .key = "da1",
                   .state = state}};
    for (std::uint32_t i = 0; i < entries.size(); ++i)
      if (i != missing)
        batch.journal.push_back({"run1", i, static_cast<int>(kind_of(entries[i])), kStartUs + i * kSecondUs,
                                 i == damaged ? "{" : encode_entry(entries[i])});
    EXPECT_TRUE(store->commit(batch));
    return RecordedRun::read(*store, id);
  }
  std::string problem() {
    const auto run = read();
    if (!run) return run.error().message;
    const auto count = (*run)->replay({}, [this](const TraceStep& step) { steps.push_back(step); });
    return count ? "none" : count.error().message;
  }
  std::vector<TraceStep> steps;  // of problem()
};

std::string told(const TraceStep& step) {
  if (step.kind == TraceStep::Kind::Journal) return std::string(entry_name(step.entry->kind));
  if (step.kind == TraceStep::Kind::Waiting) return "waits: " + step.text;
  std::string text = std::to_string(step.line) + (step.is_continued ? "+" : "");
  for (const NamedValue& change : step.changes) text += " " + change.name + "=" + change.value;
  return text;
}

std::vector<std::string> told(const RecordedRun& run, const TraceOptions& options = {}) {
  std::vector<std::string> out;
  EXPECT_TRUE(run.replay(options, [&](const TraceStep& step) { out.push_back(told(step)); }));
  return out;
}

TEST(Trace, TellsStatementsWithTheirChangesAndTheJournal) {
  Recorded recorded;
  const auto run = recorded.read();
  ASSERT_TRUE(run && *run) << run.error().message;
  EXPECT_THAT(told(**run),
              ElementsAre("Started", R"(2 machineId="m1" severity=High)", "Intent", "Answered",
                          R"(2+ found=Machine {id: "m1", name: "pc-7", tags: ["a"], risk: null, )"
                          R"(score: null, extra: null, counts: null, age: null})",
                          "Entered", "3", "Log", "4", "Intent", "Recovered", "Retry", "Intent", "Answered",
                          "4+", "Ended"));
}

TEST(Trace, ByInstructionTellsEach) {
  Recorded recorded;
  const auto run = recorded.read();
  std::vector<std::string> instructions;
  std::uint64_t fuel = 0;
  ASSERT_TRUE((*run)->replay({.by_instruction = true}, [&](const TraceStep& step) {
    if (step.kind != TraceStep::Kind::Code || step.is_continued) return;
    instructions.push_back(step.instruction);
    EXPECT_GE(step.fuel_used, fuel);
    fuel = step.fuel_used;
  }));
  EXPECT_EQ(instructions.size(), 14u);
  EXPECT_EQ(instructions.front(), "Unwrap r4, r2");
  EXPECT_EQ(instructions.back(), "Finish");
}

TEST(Trace, BackwardsIsForwardsReversedHoweverLittleIsKept) {
  Recorded recorded;
  const auto run = recorded.read();
  for (const bool by_instruction : {false, true})
    for (const std::uint64_t kept : {1u, 3u, 7u, 1000u}) {
      const TraceOptions options{.by_instruction = by_instruction};
      std::vector<std::string> forwards = told(**run, options), backwards;
      TraceSteps steps(**run, options, kept);
      ASSERT_EQ(steps.count(), forwards.size());
      for (std::uint64_t step = steps.count(); step >= 1; --step) {
        EXPECT_EQ(steps.at(step).number, step);
        backwards.insert(backwards.begin(), told(steps.at(step)));
      }
      EXPECT_EQ(backwards, forwards);
      EXPECT_EQ(told(steps.at(5)), forwards[4]);
    }
}

TEST(Trace, OnlyTheStepsAskedForAreTold) {
  Recorded recorded;
  const auto run = recorded.read();
  const std::vector<std::string> all = told(**run);
  EXPECT_EQ(told(**run, {.from = 4, .to = 6}), std::vector<std::string>(all.begin() + 3, all.begin() + 6));
}

TEST(Trace, OfARunThatWaitsEndsWhereItWaits) {
  Recorded called;
  called.state = RunState::Running;
  called.entries.resize(6);
  EXPECT_THAT(told(**called.read()), Contains("waits: defender.isolate (line 4) has not answered"));
  Recorded uncalled;
  uncalled.state = RunState::Parked;
  uncalled.entries.resize(5);
  uncalled.entries.push_back(ParkedEntry{"why"});
  EXPECT_THAT(told(**uncalled.read()),
              Contains("waits: for a person; defender.isolate (line 4) has not been called yet"));
  Recorded cut;
  cut.state = RunState::Running;
  cut.entries.pop_back();
  EXPECT_THAT(told(**cut.read()), Contains("waits: the journal ends before the run is over as finished"));
}

TEST(Trace, SaysWhereAJournalDoesNotFit) {
  Recorded other_text;
  other_text.entries[4] = LogEntry{0, "something else", 3};
  EXPECT_THAT(other_text.problem(), HasSubstr("at entry 4 (Log) the replay logs `isolating` in line 3"));
  EXPECT_THAT(told(other_text.steps.back()), HasSubstr("3"));
  Recorded other_arguments;
  other_arguments.entries[5] = IntentEntry{1, 1, "defender.isolate", "{}", 4, false};
  EXPECT_THAT(other_arguments.problem(), HasSubstr("at entry 5 (Intent)"));
  EXPECT_THAT(other_arguments.problem(), HasSubstr("with other arguments"));
  Recorded other_call;
  other_call.entries[5] = IntentEntry{1, 1, "mail.send", "{}", 4, false};
  EXPECT_THAT(other_call.problem(), HasSubstr("the replay calls defender.isolate (line 4)"));
  Recorded unmade;
  unmade.entries[5] = OutcomeEntry{7, Returned{"null"}, false};
  EXPECT_THAT(unmade.problem(), HasSubstr("at entry 5 (Answered) the replay waits for defender.isolate"));
  Recorded other_end;
  other_end.entries.back() = EndedEntry{Ended{.how = Ended::How::Stopped, .reason = "enough", .line = 4}};
  EXPECT_THAT(other_end.problem(), HasSubstr("at entry 10 (Ended) the replay is finished in line 4"));
  Recorded early_end;
  early_end.entries.erase(early_end.entries.begin() + 5, early_end.entries.end() - 1);
  EXPECT_THAT(early_end.problem(), HasSubstr("at entry 5 (Ended) the replay waits for defender.isolate"));
  Recorded longer;
  longer.entries.push_back(LogEntry{1, "more", 3});
  EXPECT_THAT(longer.problem(), HasSubstr("at entry 11 (Log) the run is over"));
  Recorded other_event;
  other_event.entries[0] = StartedEntry{.event = R"({"id":"da1"})"};
  EXPECT_THAT(other_event.problem(), HasSubstr("at entry 1 (Intent)"));
}

TEST(Trace, SaysWhatIsDamagedOrMissing) {
  Recorded damaged;
  damaged.damaged = 3;
  EXPECT_THAT(damaged.problem(), HasSubstr("the journal of run `run1` is damaged: entry 3"));
  Recorded gap;
  gap.missing = 2;
  EXPECT_THAT(gap.problem(), HasSubstr("entry 2 is missing"));
  Recorded empty;
  empty.entries.clear();
  EXPECT_THAT(empty.problem(), HasSubstr("it is empty"));
  Recorded headless;
  headless.entries.erase(headless.entries.begin());
  EXPECT_THAT(headless.problem(), HasSubstr("entry 0 is not `Started`"));
  Recorded no_module;
  no_module.has_module = false;
  EXPECT_THAT(no_module.problem(), HasSubstr("the store has no module"));
  Recorded renamed;
  renamed.module.flows[0].name = "other";
  EXPECT_THAT(renamed.problem(), HasSubstr("it has no flow `isolate`"));
  Recorded unsafe;
  unsafe.module.flows[0].code.pop_back();
  EXPECT_THAT(unsafe.problem(), HasSubstr("the module of run `run1` cannot be used"));
  Recorded recorded;
  const auto unknown = recorded.read("run2");
  ASSERT_TRUE(unknown);
  EXPECT_FALSE(*unknown);
}

// A branch for each of two machines; the answers came in the other order.
TEST(Trace, GoesThroughBranches) {
  Assembler a;
  const TypeId ids = a.module.types.list(kMachineIdType);
  a.module.types.list(kActionIdType);
  const auto cut = a.begin_function("cut", {kMachineIdType, kIntType, kStringType}, kActionIdType);
  a.module.functions[cut].call_sites = {{.operation = kIsolate, .first_argument = 10}};
  a.emit(Op::Move, 10, 0).emit(Op::Move, 11, 2).imm(Op::Call, 12, 0).emit(Op::GetField, 13, 12, 0);
  a.emit(Op::Return, 13);
  a.module.functions[cut].lines = {{.pc = 0, .line = 21, .column = 1}};
  a.module.functions[cut].names = {{.begin = 0, .end = 5, .register_ = 0, .name = "m"},
                                   {.begin = 4, .end = 5, .register_ = 13, .name = "id"}};
  a.end_function();
  a.load_text(20, "m1", kMachineIdType).load_text(21, "m2", kMachineIdType);
  a.emit(Op::NewList, 10, 20, 2, ids).load_int(11, 0).load_text(12, "why").emit(Op::Each, 8, 10, 0, cut);
  a.emit(Op::Finish);
  a.flow().lines = {{.pc = 0, .line = 4, .column = 1}};
  a.flow().names = {{.begin = 6, .end = 7, .register_ = 8, .name = "actions"}};

  Recorded recorded;
  recorded.module = a.module;
  const auto intent = [](std::uint32_t call, const char* machine) {
    return IntentEntry{
        call, 1,    "defender.isolate", fmt::format(R"({{"machine":"{}","comment":"why"}})", machine),
        21,   false};
  };
  const auto answer = [](std::uint32_t call, const char* id) {
    return OutcomeEntry{call, Returned{fmt::format(R"({{"id":"{}"}})", id)}, false};
  };
  recorded.entries = {StartedEntry{.event = kEvent},
                      intent(0, "m1"),
                      intent(1, "m2"),
                      answer(1, "second"),
                      answer(0, "first"),
                      EndedEntry{Ended{.how = Ended::How::Finished, .line = 4}}};
  const auto run = recorded.read();
  ASSERT_TRUE(run && *run) << run.error().message;
  EXPECT_THAT(told(**run),
              ElementsAre("Started", "4", R"(21 m="m1")", R"(21 m="m2")", "Intent", "Intent", "Answered",
                          R"(21+ id="second" return="second")", "Answered",
                          R"(21+ id="first" return="first")", R"(4+ actions=["first", "second"])", "Ended"));
}

}  // namespace
}  // namespace flow::test
