// Runs that builds before this one stored, with their modules: each must be told as it was then, be replayed,
// and go on to the end it came to. tests/replay/README.md says how a version is added.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "fakes.hpp"
#include "live.hpp"
#include "recorded_flows.hpp"
#include "runtime/digest.hpp"
#include "runtime/limiter.hpp"
#include "runtime/trace.hpp"
#include "stored_run.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow::test {
namespace {

namespace fs = std::filesystem;

const fs::path kReplay = fs::path(FLOW_SOURCE_DIR) / "tests/replay";

std::string read_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// --- writing ---

// A run whose process died while it waited, and the same run when it was over.
struct Recording {
  StoredRun waiting, over;
};

// Dies while one isolation is out, of which nothing is known later, another rests before it is tried again,
// and an hour is waited for.
Recording record_branches(const Module& module) {
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  bool was_refused = false;
  live.bench.world.interfere = [&](const std::string&, const OperationCall& call) -> std::optional<Outcome> {
    const bool is_m1 = call.arguments.starts_with(R"({"machine":"m1","comment")");
    const bool is_m2 = call.arguments.starts_with(R"({"machine":"m2","comment")");
    live.bench.world.is_holding = is_m2;
    if (is_m2) {
      ++live.bench.world.carried_out["defender.isolate"][call.key];
      return Returned{kAnswer};
    }
    if (!is_m1 || std::exchange(was_refused, true)) return std::nullopt;
    return fault_of(FaultKind::Unavailable);
  };
  EXPECT_TRUE(live.boot(module) && live.pass(kMinuteUs + kSecondUs / 4));
  Recording recording;
  recording.waiting = take(*live.bench.store, live.only_run().id);
  live.bench.world.interfere = nullptr;
  live.bench.world.is_holding = false;
  EXPECT_TRUE(live.boot(module) && live.pass(2 * 3600 * kSecondUs));
  recording.over = take(*live.bench.store, live.only_run().id);
  EXPECT_EQ(recording.over.row.state, RunState::Finished) << recording.over.row.reason;
  return recording;
}

// Dies while its call rests; then the call is refused for good.
Recording record_failure(const Module& module) {
  constexpr const char* kSettings = R"({"reason":"as \"told\""})";
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  int asked = 0;
  live.bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.isolate") return std::nullopt;
    if (asked++ == 0) return fault_of(FaultKind::Throttled, false, 20 * kSecondUs);
    Fault refusal = fault_of(FaultKind::NotFound);
    refusal.status = 404;
    refusal.code = "ResourceNotFound";
    return refusal;
  };
  EXPECT_TRUE(live.boot(module, nullptr, {}, kSettings) && live.pass(kMinuteUs + kSecondUs));
  Recording recording;
  recording.waiting = take(*live.bench.store, live.only_run().id);
  EXPECT_TRUE(live.boot(module, nullptr, {}, kSettings) && live.pass(kMinuteUs));
  recording.over = take(*live.bench.store, live.only_run().id);
  EXPECT_EQ(recording.over.row.state, RunState::Failed);
  return recording;
}

// Died while an isolation was out of which nobody can tell whether it happened.
StoredRun record_parked(const Module& module) {
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  live.bench.world.interfere = [&](const std::string& name, const OperationCall&) {
    live.bench.world.is_holding = name == "defender.isolate";
    return std::optional<Outcome>();
  };
  live.bench.world.interfere_settle = [](const OperationCall&) {
    return std::optional<Settlement>(NobodyKnows{fault_of(FaultKind::InDoubt)});
  };
  EXPECT_TRUE(live.boot(module) && live.pass(kMinuteUs + kSecondUs));
  EXPECT_TRUE(live.boot(module) && live.pass(kSecondUs));
  EXPECT_EQ(live.only_run().state, RunState::Parked);
  return take(*live.bench.store, live.only_run().id);
}

// Into the folder of this version.
void write_this_version() {
  const fs::path folder = kReplay / ("journal-" + std::to_string(kJournalVersion));
  fs::create_directories(folder);
  const auto write = [&](const std::string& name, const std::string& bytes) {
    std::ofstream(folder / name, std::ios::binary) << bytes;
  };
  const auto write_run = [&](const std::string& name, const StoredRun& run, const Module& module) {
    write(name + ".journal", to_text(run));
    write(name + ".expected", told(run, encode(module)));
  };
  const Module branches = flow_with_branches(), failure = flow_that_fails();
  write("branches.flowc", encode(branches));
  write("failure.flowc", encode(failure));
  const Recording branched = record_branches(branches), failed = record_failure(failure);
  write_run("branches-waiting", branched.waiting, branches);
  write_run("branches-over", branched.over, branches);
  write_run("failure-waiting", failed.waiting, failure);
  write_run("failure-over", failed.over, failure);
  write_run("failure-parked", record_parked(failure), failure);
}

// --- reading ---

struct Kept {
  fs::path path;  // of the journal
  int version = 0;
  std::string name;  // `branches-waiting`
  std::string module_bytes;
  StoredRun run;

  std::string flow() const { return name.substr(0, name.rfind('-')); }
};

std::vector<Kept> kept_journals() {
  std::vector<Kept> found;
  for (const auto& entry : fs::recursive_directory_iterator(kReplay)) {
    if (entry.path().extension() != ".journal") continue;
    Kept& kept = found.emplace_back();
    kept.path = entry.path();
    const std::string folder = kept.path.parent_path().filename();
    kept.version = std::atoi(folder.c_str() + folder.rfind('-') + 1);
    kept.name = kept.path.stem();
    kept.module_bytes = read_bytes(kept.path.parent_path() / (kept.flow() + ".flowc"));
    kept.run = stored_run_from(read_bytes(kept.path));
  }
  std::ranges::sort(found, {}, &Kept::path);
  return found;
}

TEST(Replay, JournalsOfAllVersionsAreToldAndReplayed) {
  if (std::getenv("FLOW_UPDATE") != nullptr) write_this_version();
  std::map<int, int> found;
  for (const Kept& kept : kept_journals()) {
    SCOPED_TRACE(kept.path.string());
    ++found[kept.version];
    EXPECT_EQ(sha256_hex(kept.module_bytes), kept.run.row.module);
    EXPECT_EQ(told(kept.run, kept.module_bytes),
              read_bytes(fs::path(kept.path).replace_extension(".expected")));
    const auto store = SqliteStore::open(":memory:");
    put(**store, kept.run, kept.module_bytes);
    const auto recorded = RecordedRun::read(**store, kept.run.row.id);
    ASSERT_TRUE(recorded) << recorded.error().message;
    TraceStep last;
    const auto count = (*recorded)->replay({}, [&](const TraceStep& step) { last = step; });
    ASSERT_TRUE(count) << count.error().message;
    const bool is_over = kept.run.row.state != RunState::Running && kept.run.row.state != RunState::Parked;
    EXPECT_EQ(last.kind, is_over ? TraceStep::Kind::Journal : TraceStep::Kind::Waiting);
  }
  for (int version = 1; version <= kJournalVersion; ++version)
    EXPECT_GE(found[version], 5) << "tests/replay has no journals of version " << version;
}

// Answers as the journal of the run that is over says, in its order.
class RecordedWorld final : public Executor {
 public:
  explicit RecordedWorld(const StoredRun& over) {
    for (const JournalRow& row : over.journal) {
      if (row.kind != static_cast<int>(EntryKind::Answered)) continue;
      const auto entry = decode_entry(EntryKind::Answered, row.payload);
      FLOW_CHECK(entry, "the run that is over was told before");
      answers_.push_back(std::get<OutcomeEntry>(*entry));
    }
  }

  void perform(OperationCall call, std::function<void(Outcome)> done) override {
    asked.push_back(number_of(call));
    held_[asked.back()] = std::move(done);
  }
  void progress(OperationCall, std::string, std::function<void(Outcome)>) override {
    FLOW_CHECK(false, "none of the stored runs awaits");
  }
  void settle(OperationCall call, std::function<void(Settlement)> done) override {
    const OutcomeEntry* answer = answer_to(number_of(call));
    const bool has_happened = answer != nullptr && answer->is_settled;
    done(has_happened ? Settlement(Happened{std::get<Returned>(answer->outcome).json})
                      : Settlement(DidNotHappen{}));
  }
  // Gives the first of the answers that the run has not got yet, when that call is out.
  bool give_next(const StoredRun& now) {
    for (const OutcomeEntry& answer : answers_) {
      if (is_answered(now, answer.call)) continue;
      const auto held = held_.find(answer.call);
      if (held == held_.end()) return false;
      const auto done = std::move(held->second);
      held_.erase(held);
      done(answer.outcome);
      return true;
    }
    return false;
  }
  static bool is_answered(const StoredRun& run, std::uint32_t call) {
    return std::ranges::any_of(run.journal, [&](const JournalRow& row) {
      if (row.kind != static_cast<int>(EntryKind::Answered)) return false;
      return std::get<OutcomeEntry>(*decode_entry(EntryKind::Answered, row.payload)).call == call;
    });
  }

  std::vector<std::uint32_t> asked;

 private:
  static std::uint32_t number_of(const OperationCall& call) {
    return static_cast<std::uint32_t>(std::stoul(call.key.substr(call.key.rfind('/') + 1)));
  }
  const OutcomeEntry* answer_to(std::uint32_t call) const {
    const auto found = std::ranges::find(answers_, call, &OutcomeEntry::call);
    return found == answers_.end() ? nullptr : &*found;
  }

  std::vector<OutcomeEntry> answers_;
  std::map<std::uint32_t, std::function<void(Outcome)>> held_;  // by number
};

// What becomes of the stored run in a process that finds it, under the real machine.
StoredRun gone_on(const StoredRun& stored, const std::string& module_bytes, const StoredRun& over) {
  const auto store = SqliteStore::open(":memory:");
  put(**store, stored, module_bytes);
  FakeClock clock;
  clock.now = stored.journal.back().time_us;
  FakeRandom random;
  RecordedWorld world(over);
  const auto engine = vm_engine();
  RuntimeOptions options;
  options.settle_after_us = 0;  // as when they were recorded
  Runtime runtime(**store, clock, random, world, *engine, options);
  EXPECT_TRUE(runtime.recover());
  StoredRun now;
  for (int turn = 0; turn < 1000; ++turn) {
    EXPECT_TRUE(runtime.run_until_idle());
    now = take(**store, stored.row.id);
    if (now.row.state != RunState::Running) break;
    if (world.give_next(now)) continue;
    const std::int64_t next = runtime.next_wake_us();
    if (next == kNever) break;
    clock.now = std::max(clock.now, next);
  }
  for (const std::uint32_t call : world.asked)
    EXPECT_FALSE(RecordedWorld::is_answered(stored, call)) << "call " << call << " was made again";
  return now;
}

void expect_same_end(const StoredRun& stored, const Kept& over) {
  SCOPED_TRACE(testing::Message() << "after " << stored.journal.size() << " entries");
  const StoredRun now = gone_on(stored, over.module_bytes, over.run);
  EXPECT_EQ(now.row.state, over.run.row.state) << now.row.reason;
  EXPECT_EQ(now.row.reason, over.run.row.reason);
  EXPECT_EQ(now.row.fault, over.run.row.fault);
  EXPECT_EQ(now.row.line, over.run.row.line);
  EXPECT_EQ(now.row.ended_us, over.run.row.ended_us) << "it rests and waits as long as it would have";
  EXPECT_EQ(story(now, over.module_bytes), story(over.run, over.module_bytes));
}

// The last answer and all behind it were written in one commit: nobody finds a run between them.
std::size_t last_answer(const StoredRun& over) {
  std::size_t last = 0;
  for (const JournalRow& row : over.journal)
    if (row.kind == static_cast<int>(EntryKind::Answered)) last = row.sequence;
  return last;
}

// The waiting ones as they are, and those that are over cut off at each entry that came after.
TEST(Replay, RunsOfAllVersionsGoOnToTheirRecordedEnd) {
  const std::vector<Kept> kept = kept_journals();
  std::map<int, int> found;
  for (const Kept& waiting : kept) {
    if (!waiting.name.ends_with("-waiting")) continue;
    SCOPED_TRACE(waiting.path.string());
    const fs::path path = waiting.path.parent_path() / (waiting.flow() + "-over.journal");
    const auto over = std::ranges::find(kept, path, &Kept::path);
    ASSERT_NE(over, kept.end());
    ASSERT_EQ(told(over->run, over->module_bytes).find("damaged"), std::string::npos);
    ++found[waiting.version];
    ASSERT_EQ(waiting.run.row.state, RunState::Running);
    expect_same_end(waiting.run, *over);
    for (std::size_t n = waiting.run.journal.size(); n <= last_answer(over->run); ++n)
      expect_same_end(cut_after(over->run, n), *over);
  }
  for (int version = 1; version <= kJournalVersion; ++version)
    EXPECT_GE(found[version], 2) << "tests/replay has no waiting runs of version " << version;
}

}  // namespace
}  // namespace flow::test
