#include "runtime/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "runtime/shadow.hpp"
#include "vm/bytecode/encode.hpp"
#include "vm/interp/place_text.hpp"

namespace flow {
namespace {

// Of the values in `now` those that are not so in `before`.
std::vector<NamedValue> difference(const std::vector<NamedValue>& before,
                                   const std::vector<NamedValue>& now) {
  std::vector<NamedValue> changes;
  for (const NamedValue& value : now)
    if (std::ranges::find(before, value) == before.end()) changes.push_back(value);
  return changes;
}

void add_changes(std::vector<NamedValue>& changes, std::vector<NamedValue> more) {
  for (NamedValue& change : more) {
    std::erase_if(changes, [&](const NamedValue& old) { return old.name == change.name; });
    changes.push_back(std::move(change));
  }
}

bool is_one_statement(const Position& x, const Position& y) {
  return x.routine == y.routine && x.part == y.part;
}

bool is_in_one_frame(const Position& x, const Position& y) {
  return x.fiber == y.fiber && x.depth == y.depth && x.routine == y.routine;
}

// What decides how a run goes on; other entries tell of the process that ran it.
bool is_of_flow(const RunStep& entry) {
  switch (entry.kind) {
    case EntryKind::Recovered:
    case EntryKind::Parked:
    case EntryKind::Entered:
    case EntryKind::Resumed: return false;
    default: return !entry.is_void;
  }
}

// Makes steps of what the machine does between two answers. Every value that changed is told once: with the
// step that changed it, or where its function goes on.
class Steps final : public Watcher {
 public:
  Steps(const Machine& machine, const TraceOptions& options, const RecordedRun::Visit& visit,
        std::function<void()> entered)
      : machine_(machine), options_(options), visit_(visit), entered_(std::move(entered)) {}

  std::uint64_t count() const { return count_; }

  void before_instruction() override {
    if (count_ > options_.to) return;
    if (!was_in_body_ && machine_.in_body()) {
      was_in_body_ = true;
      close();
      entered_();
    }
    const Position here = machine_.position();
    if (open_ && !options_.by_instruction && is_in_one_frame(here, last_) && is_one_statement(here, last_) &&
        here.pc > last_.pc) {
      last_ = here;
      // The last look at a function's names.
      if (here.routine->code[here.pc].op == Op::Return) note_changes(machine_.moment(options_.value_bytes));
      return;
    }
    begin(machine_.moment(options_.value_bytes));
  }

  // Ends the step at hand where the run waits or is over.
  void close() {
    if (open_) close(machine_.moment(options_.value_bytes));
  }

  void tell(TraceStep step) {
    step.number = ++count_;
    if (step.number >= options_.from && step.number <= options_.to) visit_(std::move(step));
  }

 private:
  struct Frame {
    Position position;               // of the last step in it
    std::vector<NamedValue> values;  // as far as they were told
  };

  std::vector<Frame>& frames_of(std::uint32_t fiber) {
    if (fiber >= fibers_.size()) fibers_.resize(fiber + 1);
    return fibers_[fiber];
  }
  Frame& frame_of(const Position& position) { return frames_of(position.fiber)[position.depth]; }

  void close(const Moment& now) {
    if (now.position.routine != nullptr && is_in_one_frame(now.position, last_)) note_changes(now);
    tell(std::move(*open_));
    open_.reset();
  }

  void note_changes(const Moment& now) {
    Frame& frame = frame_of(last_);
    add_changes(open_->changes, difference(frame.values, now.values));
    frame.values = now.values;
  }

  void begin(const Moment& now) {
    if (open_) close(now);
    const Position& here = now.position;
    std::vector<Frame>& frames = frames_of(here.fiber);
    // A branch that begins may have the number of one that ended. What waited never goes on at 0.
    if (here.fiber != last_.fiber && here.pc == 0) frames.clear();
    open_ = step_of(now);
    if (here.depth < frames.size() && frames[here.depth].position.routine == here.routine) {
      frames.resize(here.depth + 1);
      const Frame& frame = frames.back();
      open_->is_continued =
          !options_.by_instruction && is_one_statement(frame.position, here) && here.pc > frame.position.pc;
      if (!open_->is_continued && frame.values != now.values) tell_late(now);
    } else {
      frames.resize(here.depth + 1);
      frames.back() = {};
    }
    Frame& frame = frames.back();
    add_changes(open_->changes, difference(frame.values, now.values));
    frame = {here, now.values};
    last_ = here;
  }

  // A call or a function was the last that a statement did, and its result has a name.
  void tell_late(const Moment& now) {
    Frame& frame = frame_of(now.position);
    const std::vector<NamedValue> changes = difference(frame.values, now.values);
    frame.values = now.values;
    if (changes.empty()) return;
    const Position& earlier = frame.position;
    TraceStep late = step_of(now);
    late.line = earlier.line;
    late.column = earlier.column;
    late.pc = earlier.pc;
    late.instruction = format_instruction(earlier.pc, earlier.routine->code[earlier.pc]);
    late.places.front().line = earlier.line;
    late.is_continued = true;
    late.changes = changes;
    tell(std::move(late));
  }

  TraceStep step_of(const Moment& now) const {
    TraceStep step;
    step.places = machine_.where();
    step.depth = now.position.depth;
    step.line = now.position.line;
    step.column = now.position.column;
    step.pc = now.position.pc;
    step.instruction = now.instruction;
    step.values = now.values;
    step.fuel_used = now.fuel_used;
    step.heap_used = now.heap_used;
    return step;
  }

  const Machine& machine_;
  const TraceOptions& options_;
  const RecordedRun::Visit& visit_;
  const std::function<void()> entered_;
  std::uint64_t count_ = 0;
  std::optional<TraceStep> open_;
  Position last_;                           // the instruction before
  std::vector<std::vector<Frame>> fibers_;  // of each the frames, outermost first
  bool was_in_body_ = false;
};

// Reads the journal along with the machine. Answers are given in the order of the journal, which is all that
// a run's story depends on; between two of them the machine goes as far as it can.
class Replay {
 public:
  Replay(const RunHistory& history, const Program& program, std::uint32_t flow, const TraceOptions& options,
         const RecordedRun::Visit& visit)
      : history_(history),
        module_(program.module()),
        machine_(program, flow),
        steps_(machine_, options, visit, [this] { tell_entered(); }) {
    machine_.watch(&steps_);
  }

  Result<std::uint64_t> run() {
    tell_next();
    std::optional<Step> step = machine_.start(history_.steps[0].result, history_.steps[0].settings);
    while (!is_done_) {
      steps_.close();
      forget_cancelled();
      if (!step) {
        FLOW_TRY(step, pass_answer());
      } else if (const auto* ended = std::get_if<Ended>(&*step)) {
        FLOW_TRY_STATUS(pass_end(*ended));
      } else if (const auto* line = std::get_if<LogLine>(&*step)) {
        FLOW_TRY(step, pass_log(LogLine(*line)));
      } else {
        const Call& call = std::get<Call>(*step);
        calls_[call.number] = call;
        step = machine_.next();
      }
    }
    return steps_.count();
  }

 private:
  // The next entry that decides how the run goes on; those before it are told.
  const RunStep* next_of_flow() {
    while (next_ < history_.steps.size() && !is_of_flow(history_.steps[next_])) tell_next();
    return next_ < history_.steps.size() ? &history_.steps[next_] : nullptr;
  }
  // That the condition held is told where it did.
  void tell_next() {
    if (history_.steps[next_].kind != EntryKind::Entered) tell(history_.steps[next_]);
    ++next_;
  }
  void tell_entered() {
    for (const RunStep& entry : history_.steps)
      if (entry.kind == EntryKind::Entered) return tell(entry);
  }
  void tell(const RunStep& entry) {
    TraceStep step;
    step.kind = TraceStep::Kind::Journal;
    step.line = entry.line;
    step.entry = entry;
    if (entry.kind == EntryKind::Intent && !entry.is_void) went_out_us_[*entry.call] = entry.time_us;
    if (entry.kind == EntryKind::Answered) step.waited_us = entry.time_us - went_out_us_[*entry.call];
    steps_.tell(std::move(step));
  }

  tl::unexpected<Error> differs(const RunStep& entry, const std::string& now) const {
    return error(fmt::format(
        "the journal of run `{}` does not fit its module: at entry {} ({}) {}; nothing after it can be shown",
        history_.run.id, entry.sequence, entry_name(entry.kind), now));
  }
  std::string told(const Call& call) const {
    return fmt::format("{} (line {})", module_.operations[call.operation].full_name(), call.line);
  }
  std::string told_calls() const {
    std::string text;
    for (const auto& [number, call] : calls_) text += (text.empty() ? "" : ", ") + told(call);
    return text.empty() ? "nothing" : text;
  }
  void forget_cancelled() {
    for (const std::uint32_t number : machine_.take_cancelled()) {
      calls_.erase(number);
      cancelled_.insert(number);
    }
  }

  // Tells calls that go out, and what a branch was told that is not there any more.
  Result<const RunStep*> next_after_calls() {
    for (;; tell_next()) {
      const RunStep* entry = next_of_flow();
      if (entry == nullptr || !entry->call) return entry;
      if (cancelled_.contains(*entry->call)) continue;
      if (entry->kind == EntryKind::Answered) return entry;
      const auto call = calls_.find(*entry->call);
      if (call == calls_.end()) return differs(*entry, fmt::format("the replay waits for {}", told_calls()));
      if (entry->kind != EntryKind::Intent) continue;
      if (entry->operation != module_.operations[call->second.operation].full_name())
        return differs(*entry, fmt::format("the replay calls {}", told(call->second)));
      if (entry->arguments != call->second.arguments)
        return differs(*entry, fmt::format("the replay calls {} with other arguments", told(call->second)));
    }
  }

  // All branches wait.
  Result<std::optional<Step>> pass_answer() {
    FLOW_TRY(const RunStep* entry, next_after_calls());
    if (entry == nullptr) {
      std::string reason;
      for (const auto& [number, call] : calls_)
        reason += fmt::format("{}{} has not {}", reason.empty() ? "" : ", ", told(call),
                              went_out_us_.contains(number) ? "answered" : "been called yet");
      wait(reason);
      return std::optional<Step>();
    }
    if (entry->kind == EntryKind::Cancelled) {
      is_done_ = true;
      tell_next();
      return std::optional<Step>();
    }
    if (entry->kind != EntryKind::Answered || !calls_.contains(*entry->call))
      return differs(*entry, fmt::format("the replay waits for {}", told_calls()));
    if (!went_out_us_.contains(*entry->call)) return differs(*entry, "the call was not made before");
    tell_next();
    calls_.erase(*entry->call);
    return machine_.answer_call(*entry->call,
                                entry->fault ? Outcome(*entry->fault) : Outcome(Returned{entry->result}));
  }

  Result<std::optional<Step>> pass_log(const LogLine& line) {
    FLOW_TRY(const RunStep* entry, next_after_calls());
    if (entry == nullptr) {
      wait("the journal ends before it logs here");
      return std::optional<Step>();
    }
    if (entry->kind != EntryKind::Log || entry->text != line.text)
      return differs(*entry, fmt::format("the replay logs `{}` in line {}", line.text, line.line));
    tell_next();
    return machine_.answer_log(line.number);
  }

  Status pass_end(const Ended& ended) {
    is_done_ = true;
    FLOW_TRY(const RunStep* entry, next_after_calls());
    if (entry == nullptr) {
      wait(fmt::format("the journal ends before the run is over as {}", how_name(ended.how)));
      return {};
    }
    const bool is_failed = ended.how == Ended::How::Failed;
    const bool is_same_reason = is_failed ? entry->fault && entry->fault->kind == ended.fault.kind &&
                                                entry->fault->message == ended.fault.message
                                          : entry->text == ended.reason;
    if (entry->kind != EntryKind::Ended || entry->how != how_name(ended.how) || entry->line != ended.line ||
        !is_same_reason) {
      const std::string reason = is_failed ? failure_text(ended) : ended.reason;
      return differs(*entry, fmt::format("the replay is {} in line {}{}", how_name(ended.how), ended.line,
                                         reason.empty() ? "" : ": " + reason));
    }
    tell_next();
    if (const RunStep* more = next_of_flow()) return differs(*more, "the run is over");
    return {};
  }

  void wait(const std::string& reason) {
    is_done_ = true;
    TraceStep step;
    step.kind = TraceStep::Kind::Waiting;
    step.places = machine_.where();
    step.text = history_.run.state == RunState::Parked ? "for a person; " + reason : reason;
    steps_.tell(std::move(step));
  }

  const RunHistory& history_;
  const Module& module_;
  Machine machine_;
  Steps steps_;
  std::size_t next_ = 0;  // entry that was not told yet
  bool is_done_ = false;
  std::map<std::uint32_t, Call> calls_;  // under way
  std::set<std::uint32_t> cancelled_;
  std::map<std::uint32_t, std::int64_t> went_out_us_;
};

Status check_journal(const RunHistory& history) {
  const std::vector<RunStep>& steps = history.steps;
  const auto damaged = [&](const std::string& how) {
    return error(fmt::format("the journal of run `{}` is damaged: {}", history.run.id, how));
  };
  if (steps.empty()) return damaged("it is empty");
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].sequence != i) return damaged(fmt::format("entry {} is missing", i));
    if (steps[i].is_damaged) return damaged(fmt::format("entry {}: {}", i, steps[i].text));
    if ((steps[i].kind == EntryKind::Started) != (i == 0))
      return damaged(fmt::format("entry {} is {} `Started`", i, i == 0 ? "not" : "another"));
  }
  return {};
}

}  // namespace

Result<std::optional<RecordedRun>> RecordedRun::read(Store& store, std::string_view id) {
  FLOW_TRY(std::optional<RunHistory> history, show_run(store, id));
  if (!history) return std::optional<RecordedRun>();
  FLOW_TRY_STATUS(check_journal(*history));
  const std::string& hash = history->run.module;
  FLOW_TRY(const std::optional<std::string> bytes, store.module(hash));
  if (!bytes) return error(fmt::format("the store has no module `{}`, which run `{}` was made by", hash, id));
  const auto unusable = [&](const std::string& why) {
    return error(fmt::format("the module of run `{}` cannot be used: {}", id, why));
  };
  Result<Module> module = decode(*bytes);
  if (!module) return unusable(module.error().message);
  Result<Program> program = Program::load(std::move(*module));
  if (!program) return unusable(program.error().message);
  auto shared = std::make_shared<const Program>(std::move(*program));
  const auto& flows = shared->module().flows;
  const auto flow = std::ranges::find(flows, name_in_module(history->run.flow), &FlowCode::name);
  if (flow == flows.end()) return unusable(fmt::format("it has no flow `{}`", history->run.flow));
  const auto index = static_cast<std::uint32_t>(flow - flows.begin());
  return std::optional<RecordedRun>(RecordedRun(std::move(*history), std::move(shared), index));
}

Result<std::uint64_t> RecordedRun::replay(const TraceOptions& options, const Visit& visit) const {
  return Replay(history_, *program_, flow_, options, visit).run();
}

TraceSteps::TraceSteps(const RecordedRun& run, TraceOptions options, std::uint64_t kept)
    : run_(run), options_(options), kept_(kept) {
  options_.from = 1;
  options_.to = std::numeric_limits<std::uint64_t>::max();
  const auto replayed = run_.replay(options_, [&](TraceStep step) {
    count_ = step.number;
    if (steps_.size() < kept_) steps_.push_back(std::move(step));
  });
  if (!replayed) problem_ = replayed.error();
}

void TraceSteps::keep_from(std::uint64_t first) {
  steps_.clear();
  options_.from = first;
  options_.to = first + kept_ - 1;
  static_cast<void>(run_.replay(options_, [&](TraceStep step) { steps_.push_back(std::move(step)); }));
}

const TraceStep& TraceSteps::at(std::uint64_t number) {
  FLOW_CHECK(number >= 1 && number <= count_, "the trace has this step");
  const std::uint64_t first = steps_.front().number;
  if (number < first) keep_from(number < kept_ ? 1 : number - kept_ + 1);
  if (number >= first + steps_.size()) keep_from(number);
  return steps_[number - steps_.front().number];
}

}  // namespace flow
