#include "testing/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <memory>
#include <optional>

#include "base/text.hpp"
#include "testing/json.hpp"
#include "testing/world.hpp"

namespace flow::testing {
namespace {

constexpr int kMostSteps = 1'000'000;  // of all runs of a test
constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

std::string short_name(const std::string& operation) {
  return operation.substr(operation.find('.') + 1);
}

std::string shown_value(std::string_view json) {
  constexpr std::size_t kLongest = 60;
  std::string text = printable(json);
  if (text.size() <= kLongest) return text;
  std::size_t cut = kLongest;
  while (cut > 0 && (text[cut] & '\xc0') == '\x80') --cut;
  return text.substr(0, cut) + "…";
}

std::string shown_arguments(const std::string& arguments) {
  std::string out;
  for (const auto& [name, value] : members(arguments))
    if (value != "null") out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", name, shown_value(value));
  return out;
}

std::string times(std::size_t count) {
  return count == 0 ? "never" : count == 1 ? "once" : count == 2 ? "twice" : fmt::format("{} times", count);
}

// A text within Html or Kql, as calls carry it.
std::string_view unwrapped(std::string_view json) {
  if (!json.starts_with("{\"$")) return json;
  const auto inner = members(json);
  return inner.empty() ? json : inner[0].second;
}

class Runner {
 public:
  Runner(const Program& program, const Test& test, const std::map<std::string, std::string>& settings,
         const std::function<void(Machine&)>& watch)
      : program_(program), test_(test), watch_(watch), world_(program) {
    for (const auto& [name, json] : settings) {
      Value value;
      value.json = json;
      world_.give_param(name, value);
    }
    for (const Statement& statement : test.statements)
      has_time_ = has_time_ || statement.kind == Statement::Kind::TimePasses;
  }

  TestResult run() {
    world_.advance_to(0);
    for (const Statement& statement : test_.statements) {
      statement_ = &statement;
      take(statement);
    }
    statement_ = nullptr;
    if (test_.needs_run && runs_.empty()) begin({});
    check_unexpected_failure();
    tell_story();
    return std::move(result_);
  }

 private:
  struct Pending {
    Call call;
    std::int64_t asked_us = 0;
    std::optional<Answer> answer;
    bool is_late = false;  // depends on what the test gives
  };
  struct Run {
    std::uint32_t flow = 0;
    std::unique_ptr<Machine> machine;
    std::string event;
    std::vector<Pending> pending;
    std::optional<Ended> ended;
    std::int64_t began_us = 0;
    bool is_overdue = false;      // beyond its `within`: only cleaning up is still done
    const Run* origin = nullptr;  // the run of the test that this one came of; none: it is one itself
    Run* caller = nullptr;        // which waits for its result, as the answer to the call of this number
    std::uint32_t number = 0;
  };
  struct Line {
    std::int64_t at_us;
    std::string text;
  };

  // ---- Statements
  void take(const Statement& statement) {
    using Kind = Statement::Kind;
    switch (statement.kind) {
      case Kind::GivenInput: return world_.give(statement.name, statement.value);
      case Kind::GivenParam: return world_.give_param(statement.name, statement.value);
      case Kind::GivenEvent: return world_.give_event(statement.name, statement.value);
      case Kind::GivenReturns:
      case Kind::GivenFails: return give_rule(statement);
      case Kind::TimePasses: return pass_time(statement);
      case Kind::Run: return begin(statement.arguments);
      case Kind::ExpectCall:
      case Kind::ExpectNone:
      case Kind::ExpectNoActions:
      case Kind::ExpectOrder:
      case Kind::ExpectCondition:
      case Kind::ExpectResult:
      case Kind::ExpectOutcome:
      case Kind::ExpectLog: break;
    }
    if (test_.needs_run && runs_.empty()) begin({});
    expect(statement);
  }

  void give_rule(const Statement& statement) {
    World::Rule rule{.call = statement.calls[0],
                     .arguments = arguments_of(statement.calls[0]),
                     .result = {},
                     .fault = statement.fault,
                     .message = statement.text,
                     .left = statement.count,
                     .event = {}};
    if (statement.kind == Statement::Kind::GivenReturns) rule.result = statement.value;
    world_.add_rule(std::move(rule));
  }

  void pass_time(const Statement& statement) {
    if (runs_.empty()) begin({});
    const auto json = computed(statement.value.flow);
    const std::int64_t until = world_.now_us() + (json ? duration_of(*json).value_or(0) : 0);
    settle(until);
    world_.advance_to(until);
  }

  void begin(const std::vector<std::pair<std::string, Value>>& arguments) {
    if (!test_.flow) return fail("there is no flow to run");
    Run& run = add_run(*test_.flow, world_.event_for(*test_.flow, arguments));
    last_ = &run;
    start(run);
    settle(has_time_ ? world_.now_us() : kForever);
  }

  Run& add_run(std::uint32_t flow, std::string event) {
    runs_.emplace_back();
    Run& run = runs_.back();
    run.flow = flow;
    run.machine = std::make_unique<Machine>(program_, flow);
    run.event = std::move(event);
    run.began_us = world_.now_us();
    return run;
  }

  void start(Run& run) {
    if (watch_) watch_(*run.machine);
    Step first = run.machine->start(run.event, world_.settings());
    carry_on(run, std::move(first));
  }

  // ---- Runs of other flows
  bool runs_flow(const Call& call) const {
    return is_flow_call(program_.module().operations[call.operation]);
  }

  // The flow that a run calls or starts, in the same world. The call is among what the run waits for.
  void run_flow(Run& caller, std::size_t place) {
    const Call call = caller.pending[place].call;
    const Module& module = program_.module();
    const auto arguments = members(call.arguments);
    const std::string name = arguments.empty() ? std::string() : text_of(arguments[0].second).value_or("");
    const auto flow = std::ranges::find(module.flows, name, &FlowCode::name);
    if (arguments.size() < 2 || flow == module.flows.end()) return;
    Run& run =
        add_run(static_cast<std::uint32_t>(flow - module.flows.begin()), std::string(arguments[1].second));
    run.origin = caller.origin != nullptr ? caller.origin : &caller;
    if (module.operations[call.operation].name == "start") {
      caller.pending[place].answer =
          Answer{world_.now_us(), Returned{json_quoted(fmt::format("run {}", runs_.size()))}};
    } else {
      run.caller = &caller;
      run.number = call.number;
      if (call.options && call.options->await_within_us > 0)
        caller.pending[place].answer =
            Answer{world_.now_us() + call.options->await_within_us,
                   failure(FaultKind::Timeout, fmt::format("`{}` gave no result in time", name))};
    }
    start(run);
  }

  static Fault failure(FaultKind kind, std::string message) {
    Fault fault;
    fault.kind = kind;
    fault.message = std::move(message);
    return fault;
  }

  // What a run that has ended is to the one that waits for it.
  Outcome outcome_of(const Run& run) const {
    const FlowCode& flow = program_.module().flows[run.flow];
    const Ended& ended = *run.ended;
    if (ended.how == Ended::How::Failed) return failure(ended.fault.kind, ended.fault.message);
    const bool may_be_null = flow.result == kNullType || program_.module().types.is_optional(flow.result);
    if (ended.how == Ended::How::Finished || may_be_null)
      return Returned{ended.result.empty() ? "null" : ended.result};
    return failure(FaultKind::Failed, fmt::format("`{}` gave no result: it {}", flow.name, how(ended)));
  }

  void end(Run& run) {
    run.pending.clear();
    if (run.caller == nullptr) return;
    for (Pending& pending : run.caller->pending)
      if (pending.call.number == run.number) pending.answer = Answer{world_.now_us(), outcome_of(run)};
  }

  // ---- Runs
  void carry_on(Run& run, std::optional<Step> step) {
    while (step && steps_++ < kMostSteps) {
      if (auto* ended = std::get_if<Ended>(&*step)) {
        run.ended = std::move(*ended);
        return end(run);
      }
      if (const auto* log = std::get_if<LogLine>(&*step)) {
        logs_.push_back(log->text);
        lines_.push_back({world_.now_us(), fmt::format("log {}", shown_value(json_quoted(log->text)))});
        step = run.machine->answer_log(log->number);
        if (!step) step = run.machine->next();
        continue;
      }
      Pending pending{.call = std::get<Call>(*step), .asked_us = world_.now_us(), .answer = {}};
      if (run.is_overdue && !pending.call.is_cleanup) {
        pending.answer = overdue();
        run.pending.push_back(std::move(pending));
        step = run.machine->next();
        continue;
      }
      const std::size_t made = world_.calls().size();
      const Run& origin = run.origin == nullptr ? run : *run.origin;
      pending.answer = world_.answer({.flow = run.flow, .event = run.event},
                                     {.flow = origin.flow, .event = origin.event}, pending.call);
      pending.is_late = is_late(pending.call);
      for (std::size_t i = made; i < world_.calls().size(); ++i) note(world_.calls()[i]);
      const bool is_run = runs_flow(pending.call) && !pending.answer;
      run.pending.push_back(std::move(pending));
      if (is_run) run_flow(run, run.pending.size() - 1);
      step = run.machine->next();
    }
    for (const std::uint32_t number : run.machine->take_cancelled())
      std::erase_if(run.pending, [&](const Pending& p) { return p.call.number == number; });
  }

  bool is_late(const Call& call) const {
    const Operation& operation = program_.module().operations[call.operation];
    return operation.connector == "flow" &&
           (operation.name == "approve" || operation.name == "ask" || operation.name == "receive");
  }

  // Answers what is answered until then, in the order of time.
  void settle(std::int64_t until) {
    while (steps_ < kMostSteps) {
      Run* next_run = nullptr;
      std::size_t next = 0;
      std::int64_t at_us = kForever;
      for (Run& run : runs_) {
        for (std::size_t i = 0; i < run.pending.size(); ++i) {
          Pending& pending = run.pending[i];
          if (pending.is_late) pending.answer = world_.late_answer(pending.call, pending.asked_us);
          if (pending.answer && pending.answer->at_us < at_us) {
            next_run = &run;
            next = i;
            at_us = pending.answer->at_us;
          }
        }
      }
      const auto lease_us = world_.next_lease_us();
      if (until != kForever && lease_us && *lease_us <= until && *lease_us <= at_us) {
        const std::size_t made = world_.calls().size();
        world_.advance_to(*lease_us);
        for (std::size_t i = made; i < world_.calls().size(); ++i) note(world_.calls()[i]);
        continue;
      }
      if (end_late(until, at_us)) continue;
      if (next_run == nullptr || at_us > until) return;
      world_.advance_to(at_us);
      const Pending pending = std::move(next_run->pending[next]);
      next_run->pending.erase(next_run->pending.begin() + static_cast<std::ptrdiff_t>(next));
      auto step = next_run->machine->answer_call(pending.call.number, pending.answer->outcome);
      if (!step) step = next_run->machine->next();
      carry_on(*next_run, std::move(step));
    }
  }

  // Tells the first run that would wait beyond its deadline, as the runtime does: what it waits for is
  // answered with Timeout, and `on error`, `on undo` and `finally` follow; whether there is one.
  bool end_late(std::int64_t until, std::int64_t next_us) {
    for (Run& run : runs_) {
      const std::int64_t within_us = program_.module().flows[run.flow].policies.within_us;
      if (within_us == 0) continue;
      const std::int64_t deadline_us = run.began_us + within_us;
      if (run.ended || run.is_overdue || deadline_us > until || deadline_us > next_us) continue;
      if (next_us == kForever && until == kForever) continue;  // time does not pass by itself
      world_.advance_to(deadline_us);
      run.is_overdue = true;
      for (Pending& pending : run.pending)
        if (!pending.call.is_cleanup) pending.answer = overdue(), pending.is_late = false;
      return true;
    }
    return false;
  }

  Answer overdue() const {
    return {world_.now_us(), failure(FaultKind::Timeout, "the run passed its deadline")};
  }

  // ---- Expectations
  void expect(const Statement& statement) {
    using Kind = Statement::Kind;
    switch (statement.kind) {
      case Kind::ExpectCall: return expect_call(statement);
      case Kind::ExpectNone: {
        const std::size_t made = count_of(statement.calls[0]);
        if (made > 0)
          fail(fmt::format("expected no {}, and it was called {}", statement.calls[0].shown, times(made)));
        return;
      }
      case Kind::ExpectNoActions: return expect_no_actions();
      case Kind::ExpectOrder: return expect_order(statement);
      case Kind::ExpectCondition: return expect_condition(statement);
      case Kind::ExpectResult: return expect_result(statement);
      case Kind::ExpectOutcome: return expect_outcome(statement);
      case Kind::ExpectLog: return expect_log(statement);
      default: return;
    }
  }

  std::map<std::string, std::string> arguments_of(const ExpectedCall& call) {
    std::map<std::string, std::string> wanted;
    for (const auto& [name, flow] : call.arguments)
      if (auto json = computed(flow)) wanted.emplace(name, std::move(*json));
    return wanted;
  }

  static std::vector<std::string> differences(const MadeCall& made,
                                              const std::map<std::string, std::string>& wanted) {
    std::vector<std::string> out;
    const auto given = members(made.arguments);
    for (const auto& [name, json] : wanted) {
      const auto found = std::ranges::find(given, name, [](const auto& member) { return member.first; });
      const std::string_view actual = found == given.end() ? "null" : found->second;
      if (actual != json && unwrapped(actual) != json)
        out.push_back(fmt::format("{} is {}, expected {}", name, shown_value(actual), shown_value(json)));
    }
    return out;
  }

  std::size_t count_of(const ExpectedCall& expected) {
    const auto wanted = arguments_of(expected);
    return static_cast<std::size_t>(std::ranges::count_if(world_.calls(), [&](const MadeCall& made) {
      return is_meant(expected, made.operation) && differences(made, wanted).empty();
    }));
  }

  void expect_call(const Statement& statement) {
    const ExpectedCall& expected = statement.calls[0];
    const std::size_t made = count_of(expected);
    if (statement.count ? made == *statement.count : made > 0) return;
    if (made > 0 || statement.count == 0u) {
      return fail(fmt::format("expected {} to be called {}, and it was called {}", expected.shown,
                              times(statement.count.value_or(1)), times(made)));
    }
    fail(fmt::format("expected {}, and it was not called{}", expected.shown,
                     expected.arguments.empty() ? "" : " so"));
    // The call that is most like it.
    const auto wanted = arguments_of(expected);
    const MadeCall* nearest = nullptr;
    std::vector<std::string> least;
    for (const MadeCall& call : world_.calls()) {
      if (!is_meant(expected, call.operation)) continue;
      std::vector<std::string> differing = differences(call, wanted);
      if (nearest == nullptr || differing.size() < least.size()) {
        nearest = &call;
        least = std::move(differing);
      }
    }
    if (nearest == nullptr) return;
    for (const std::string& difference : least)
      result_.failures.back().notes.push_back(
          fmt::format("the call in line {} comes closest: {}", nearest->line, difference));
  }

  void expect_no_actions() {
    const auto acts = [](const MadeCall& call) { return call.effect == Effect::Act; };
    const auto first = std::ranges::find_if(world_.calls(), acts);
    if (first == world_.calls().end()) return;
    const auto count = static_cast<std::size_t>(std::ranges::count_if(world_.calls(), acts));
    fail(fmt::format("expected no actions, and `{}` was called in line {}{}", short_name(first->operation),
                     first->line, count == 1 ? "" : fmt::format(", and {} more", count - 1)));
  }

  void expect_order(const Statement& statement) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < statement.calls.size(); ++i) {
      const auto wanted = arguments_of(statement.calls[i]);
      while (at < world_.calls().size() && !(is_meant(statement.calls[i], world_.calls()[at].operation) &&
                                             differences(world_.calls()[at], wanted).empty()))
        ++at;
      if (at++ < world_.calls().size()) continue;
      return fail(i == 0 ? fmt::format("expected {}, and it was not called", statement.calls[0].shown)
                         : fmt::format("expected {} behind {}, and it was not called there",
                                       statement.calls[i].shown, statement.calls[i - 1].shown));
    }
  }

  void expect_condition(const Statement& statement) {
    const auto truth = computed(statement.value.flow);
    if (!truth || *truth == "true") return;  // what cannot be computed is told
    fail(fmt::format("expected {}", statement.shown));
    for (const auto& [text, flow] : statement.sides)
      if (const auto side = computed(flow); side && *side != text && *side != json_quoted(text))
        result_.failures.back().notes.push_back(fmt::format("{} is {}", text, shown_value(*side)));
  }

  void expect_result(const Statement& statement) {
    const Ended* ended = last_end();
    const auto wanted = computed(statement.value.flow);
    if (ended == nullptr || !wanted) return;
    if (ended->how != Ended::How::Finished)
      return fail(fmt::format("expected the result {}, and the run {}", shown_value(*wanted), how(*ended)));
    if (ended->result != *wanted)
      fail(fmt::format("expected the result {}, and it is {}", shown_value(*wanted),
                       shown_value(ended->result)));
  }

  void expect_outcome(const Statement& statement) {
    const Ended* ended = last_end();
    if (ended == nullptr) return;
    using How = Ended::How;
    const How wanted = statement.name == "finished"  ? How::Finished
                       : statement.name == "skipped" ? How::Skipped
                       : statement.name == "stopped" ? How::Stopped
                                                     : How::Failed;
    if (wanted == How::Failed) is_failure_expected_ = true;
    if (ended->how != wanted)
      return fail(fmt::format("expected that the run {}, and it {}", statement.name, how(*ended)));
    const std::string& reason = wanted == How::Failed ? ended->fault.message : ended->reason;
    if (!statement.text.empty() && reason.find(statement.text) == std::string::npos)
      fail(fmt::format("expected that the run {} because of {}, and it {}", statement.name,
                       json_quoted(statement.text), how(*ended)));
  }

  void expect_log(const Statement& statement) {
    const auto wanted = computed(statement.value.flow);
    const auto text = wanted ? text_of(*wanted) : std::nullopt;
    if (!text) return;
    if (std::ranges::any_of(logs_,
                            [&](const std::string& line) { return line.find(*text) != std::string::npos; }))
      return;
    fail(fmt::format("expected a log line with {}, and there is none", shown_value(*wanted)));
  }

  // ---- What is told
  static std::string how(const Ended& ended) {
    switch (ended.how) {
      case Ended::How::Skipped: return "was skipped";
      case Ended::How::Finished: return "finished";
      case Ended::How::Stopped:
        return ended.reason.empty() ? "stopped"
                                    : fmt::format("stopped because of {}", json_quoted(ended.reason));
      case Ended::How::Failed: break;
    }
    return fmt::format("failed{}: {}: {}", ended.line > 0 ? fmt::format(" in line {}", ended.line) : "",
                       fault_name(ended.fault.kind), printable(ended.fault.message));
  }

  const Ended* last_end() {
    if (last_ != nullptr && last_->ended) return &*last_->ended;
    fail("the run has not ended yet");
    return nullptr;
  }

  std::optional<std::string> computed(std::uint32_t flow) {
    Result<std::string> json = world_.compute(flow, last_ == nullptr ? event_now() : last_->event);
    if (json) return std::move(*json);
    fail(fmt::format("this cannot be computed: {}", json.error().message));
    return std::nullopt;
  }

  std::string event_now() { return test_.flow ? world_.event_for(*test_.flow, {}) : "{}"; }

  void check_unexpected_failure() {
    for (const Run& run : runs_)
      if (run.caller == nullptr && run.ended && run.ended->how == Ended::How::Failed &&
          !is_failure_expected_ && !world_.has_failed_as_given())
        return result_.failures.push_back({.place = test_.place,
                                           .message = fmt::format("{} {}", run_text(run), how(*run.ended)),
                                           .notes = {"a test that expects this says `expect failed`"}});
    if (steps_ >= kMostSteps)
      result_.failures.push_back({.place = test_.place, .message = "the run does not end", .notes = {}});
  }

  void fail(std::string message) {
    result_.failures.push_back({.place = statement_ == nullptr ? test_.place : statement_->place,
                                .message = std::move(message),
                                .notes = {}});
  }

  std::string run_text(const Run& run) const {
    return run.origin == nullptr ? "the run"
                                 : fmt::format("the run of `{}`", program_.module().flows[run.flow].name);
  }

  // `isolate(machine: …)`, `call contain(device: …)`
  static std::string call_text(const MadeCall& call) {
    const auto arguments = members(call.arguments);
    if (!call.runs_flow || arguments.size() < 2)
      return fmt::format("{}({})", short_name(call.operation), shown_arguments(call.arguments));
    return fmt::format("{} {}({})", short_name(call.operation), text_of(arguments[0].second).value_or("?"),
                       shown_arguments(std::string(arguments[1].second)));
  }

  void note(const MadeCall& call) {
    lines_.push_back({call.at_us, fmt::format("{}{}{}", call_text(call),
                                              call.line > 0 ? fmt::format("  line {}", call.line) : "",
                                              call.remark.empty() ? "" : ", " + call.remark)});
  }

  void tell_story() {
    for (const Line& line : lines_)
      result_.story.push_back(
          fmt::format("{:<8}{}", format_duration_us(line.at_us - world_.began_us()), line.text));
    for (const Run& run : runs_)
      if (run.caller == nullptr)
        result_.story.push_back(fmt::format("{} {}", run_text(run), run.ended ? how(*run.ended) : "waits"));
  }

  const Program& program_;
  const Test& test_;
  const std::function<void(Machine&)>& watch_;
  World world_;
  std::deque<Run> runs_;  // each stays where it is
  Run* last_ = nullptr;   // that the test itself began
  std::vector<std::string> logs_;
  std::vector<Line> lines_;
  TestResult result_;
  const Statement* statement_ = nullptr;
  bool has_time_ = false, is_failure_expected_ = false;
  int steps_ = 0;
};

}  // namespace

TestResult run_test(const Program& program, const Test& test,
                    const std::map<std::string, std::string>& settings,
                    const std::function<void(Machine&)>& watch) {
  return Runner(program, test, settings, watch).run();
}

}  // namespace flow::testing
