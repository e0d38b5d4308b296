#include "runtime/trace.hpp"

#include <fmt/format.h>

#include <algorithm>

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

// What decides how a run goes on; other entries tell of the process that ran it.
bool is_of_flow(EntryKind kind) {
  return kind != EntryKind::Recovered && kind != EntryKind::Parked && kind != EntryKind::Entered;
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
    if (open_ && !options_.by_instruction && here.depth == last_.depth && is_one_statement(here, last_) &&
        here.pc > last_.pc) {
      last_ = here;
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

  void close(const Moment& now) {
    if (now.position.depth == last_.depth && now.position.routine == last_.routine) {
      add_changes(open_->changes, difference(frames_.back().values, now.values));
      frames_.back().values = now.values;
    }
    tell(std::move(*open_));
    open_.reset();
  }

  void begin(const Moment& now) {
    if (open_) close(now);
    const Position& here = now.position;
    open_ = step_of(now);
    if (here.depth >= frames_.size()) {
      frames_.push_back({here, {}});
    } else {
      frames_.resize(here.depth + 1);
      const Frame& frame = frames_.back();
      open_->is_continued =
          !options_.by_instruction && is_one_statement(frame.position, here) && here.pc > frame.position.pc;
      if (!open_->is_continued && frame.values != now.values) tell_late(now);
    }
    add_changes(open_->changes, difference(frames_.back().values, now.values));
    frames_.back() = {here, now.values};
    last_ = here;
  }

  // A call or a function was the last that a statement did, and its result has a name.
  void tell_late(const Moment& now) {
    const std::vector<NamedValue> changes = difference(frames_.back().values, now.values);
    frames_.back().values = now.values;
    if (changes.empty()) return;
    const Position& earlier = frames_.back().position;
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
  Position last_;  // the instruction before
  std::vector<Frame> frames_;
  bool was_in_body_ = false;
};

// Reads the journal along with the machine.
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
    tell_through(0);
    Step step = machine_.start(history_.steps[0].result);
    for (;;) {
      steps_.close();
      std::optional<Outcome> outcome;
      if (const auto* ended = std::get_if<Ended>(&step)) {
        FLOW_TRY_STATUS(pass_end(*ended));
      } else if (const auto* line = std::get_if<LogLine>(&step)) {
        FLOW_TRY(outcome, pass_log(*line));
      } else {
        FLOW_TRY(outcome, pass_call(std::get<Call>(step)));
      }
      if (!outcome) return steps_.count();
      step = machine_.resume(*outcome);
    }
  }

 private:
  const RunStep* next_of_flow() const {
    for (std::size_t i = next_; i < history_.steps.size(); ++i)
      if (is_of_flow(history_.steps[i].kind)) return &history_.steps[i];
    return nullptr;
  }

  void tell(const RunStep& entry) {
    TraceStep step;
    step.kind = TraceStep::Kind::Journal;
    step.line = entry.line;
    step.entry = entry;
    if (entry.kind == EntryKind::Answered) {
      for (const RunStep& earlier : history_.steps)
        if (earlier.kind == EntryKind::Intent && earlier.call == entry.call &&
            earlier.sequence < entry.sequence)
          step.waited_us = entry.time_us - earlier.time_us;
    }
    steps_.tell(std::move(step));
  }
  void tell_entered() {
    for (const RunStep& entry : history_.steps)
      if (entry.kind == EntryKind::Entered) return tell(entry);
  }
  // All that was not told up to the entry at `last`. That the condition held is told where it did.
  void tell_through(std::size_t last) {
    for (; next_ <= last && next_ < history_.steps.size(); ++next_)
      if (history_.steps[next_].kind != EntryKind::Entered) tell(history_.steps[next_]);
  }
  void tell_through(const RunStep& entry) {
    tell_through(static_cast<std::size_t>(&entry - history_.steps.data()));
  }

  std::nullopt_t wait(std::string reason) {
    tell_through(history_.steps.size());
    TraceStep step;
    step.kind = TraceStep::Kind::Waiting;
    const Position here = machine_.position();
    step.places = machine_.where();
    step.depth = here.depth;
    step.line = here.line;
    step.column = here.column;
    step.text = history_.run.state == RunState::Parked ? "waits for a person, " + reason : std::move(reason);
    steps_.tell(std::move(step));
    return std::nullopt;
  }

  tl::unexpected<Error> differs(const RunStep& entry, const std::string& now) const {
    return error(fmt::format(
        "the journal of run `{}` does not fit its module: at entry {} ({}) {}; nothing after it can be shown",
        history_.run.id, entry.sequence, entry_name(entry.kind), now));
  }

  Result<std::optional<Outcome>> pass_log(const LogLine& line) {
    const RunStep* entry = next_of_flow();
    if (entry == nullptr) return wait("the journal ends before it logs here");
    if (entry->kind != EntryKind::Log || entry->text != line.text)
      return differs(*entry, fmt::format("the replay logs `{}` in line {}", line.text, line.line));
    tell_through(*entry);
    return Outcome(Returned{"null"});
  }

  Result<std::optional<Outcome>> pass_call(const Call& call) {
    const std::string operation = module_.operations[call.operation].full_name();
    const RunStep* entry = next_of_flow();
    if (entry == nullptr) return wait(fmt::format("{} has not been called yet", operation));
    if (entry->kind != EntryKind::Intent || entry->operation != operation || entry->call != call.number)
      return differs(*entry, fmt::format("the replay calls {} in line {}", operation, call.line));
    if (entry->arguments != call.arguments)
      return differs(*entry, fmt::format("the replay calls {} with other arguments", operation));
    for (const RunStep& later : history_.steps)
      if (later.kind == EntryKind::Answered && later.call == call.number) {
        tell_through(later);
        return Outcome(later.fault ? Outcome(*later.fault) : Outcome(Returned{later.result}));
      }
    return wait(fmt::format("{} has not answered", operation));
  }

  Status pass_end(const Ended& ended) {
    const RunStep* entry = next_of_flow();
    if (entry == nullptr) {
      wait(fmt::format("the journal ends before the run is over as {}", how_name(ended.how)));
      return {};
    }
    const std::string reason = ended.how == Ended::How::Failed ? failure_text(ended) : ended.reason;
    const std::string recorded =
        entry->fault ? failure_text({.fault = *entry->fault, .line = entry->line, .trace = entry->trace})
                     : entry->text;
    if (entry->kind != EntryKind::Ended || entry->how != how_name(ended.how) || entry->line != ended.line ||
        (ended.how == Ended::How::Failed ? !entry->fault || entry->fault->kind != ended.fault.kind ||
                                               entry->fault->message != ended.fault.message
                                         : recorded != reason))
      return differs(*entry, fmt::format("the replay is {} in line {}{}", how_name(ended.how), ended.line,
                                         reason.empty() ? "" : ": " + reason));
    tell_through(history_.steps.size());
    return {};
  }

  const RunHistory& history_;
  const Module& module_;
  Machine machine_;
  Steps steps_;
  std::size_t next_ = 0;  // entry that was not told yet
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
  const auto flow = std::ranges::find(flows, history->run.flow, &FlowCode::name);
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
