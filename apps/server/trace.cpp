// flow trace: a recorded run once more, offline, with its values.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <iostream>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/source.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/run_json.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/trace_text.hpp"
#include "base/text.hpp"
#include "runtime/digest.hpp"
#include "runtime/sqlite_store.hpp"
#include "vm/bytecode/encode.hpp"
#include "vm/interp/place_text.hpp"

namespace flow {
namespace {

constexpr std::size_t kLongValue = 64 * 1024;  // bytes of one that is asked for by name

// The text at `path`, when it is what the run's module was compiled from.
Result<SourceText> source_at(const std::string& path, const RecordedRun& run) {
  FLOW_TRY(std::string text, read_file(path, kMaxSourceBytes));
  const Compilation compiled = compile({run.module().source_name, text}, standard_library());
  if (!compiled.module || sha256_hex(encode(*compiled.module)) != run.row().module)
    return error(
        fmt::format("`{}` is not what run `{}` was compiled from, or another version of Flow compiled it",
                    path, run.row().id));
  return SourceText(run.module(), text);
}

// A module holds no source. Where the file is still there and unchanged, its lines are shown.
Attempt<SourceText> find_source(const TraceCommandOptions& options, const RecordedRun& run) {
  if (!options.source.empty()) {
    FLOW_TRY(SourceText source, source_at(options.source, run));
    return source;
  }
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(run.module().source_name, ignored)) return SourceText();
  auto source = source_at(run.module().source_name, run);
  return source ? std::move(*source) : SourceText();
}

// Goes through a trace by what is typed.
class Stepper {
 public:
  Stepper(const RecordedRun& run, const TraceOptions& options, TraceLook look)
      : run_(run), options_(options), look_(look), steps_(run, options) {}

  Attempt<int> go() {
    if (options_.from > steps_.count()) return beyond(options_.from, steps_.count());
    last_ = std::min(options_.to, steps_.count());
    at_ = options_.from;
    show();
    prompt();
    for (std::string typed; std::getline(std::cin, typed); prompt())
      if (!obey(typed)) break;
    if (steps_.problem()) return tl::unexpected(Failure(*steps_.problem()));
    return static_cast<int>(kSuccess);
  }

  static tl::unexpected<Failure> beyond(std::uint64_t from, std::uint64_t count) {
    return failure(fmt::format("there is no step {}: the trace has {}", from, count), kUsage);
  }

 private:
  void prompt() const {
    if (isatty(STDIN_FILENO) != 0)
      say(stdout, "(n)ext (b)ack (l)ine N (g)o N (p)rint [NAME] (w)here (q)uit: ");
  }
  void show() { say(stdout, trace_text(steps_.at(at_), look_)); }

  // False to quit.
  bool obey(std::string_view typed) {
    const std::size_t begin = std::min(typed.find_first_not_of(" \t\r"), typed.size());
    typed.remove_prefix(begin);
    const std::string_view word = typed.substr(0, typed.find_first_of(" \t\r"));
    std::string_view rest = typed.substr(word.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r"), rest.size()));
    rest = rest.substr(0, rest.find_last_not_of(" \t\r") + 1);
    if (word == "q") return false;
    if (word.empty() || word == "n")
      next();
    else if (word == "b")
      back();
    else if (word == "l")
      number(rest, [this](std::uint64_t line) { to_line(line); });
    else if (word == "g")
      number(rest, [this](std::uint64_t step) { to_step(step); });
    else if (word == "p")
      print(rest);
    else if (word == "w")
      where();
    else
      say(stdout, fmt::format("there is no command `{}`: Enter or n next, b back, l N to line N, g N to step "
                              "N, p NAME print a value, p all of them, w where, q quit\n",
                              printable(word)));
    return true;
  }

  template <class Use>
  void number(std::string_view text, Use use) {
    std::uint64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size())
      return say(stdout, fmt::format("`{}` is no number\n", printable(text)));
    use(value);
  }

  void next() {
    for (std::uint64_t to = at_ + 1; to <= last_; ++to)
      if (move_to(to)) return;
    say(stdout, "the trace ends here\n");
  }
  void back() {
    for (std::uint64_t to = at_; to-- > options_.from;)
      if (move_to(to)) return;
    say(stdout, "the trace begins here\n");
  }
  // False for a step in which nothing happened.
  bool move_to(std::uint64_t step) {
    const std::string text = trace_text(steps_.at(step), look_);
    if (text.empty()) return false;
    at_ = step;
    say(stdout, text);
    return true;
  }
  void to_line(std::uint64_t line) {
    const auto is_there = [&](std::uint64_t step) {
      const TraceStep& there = steps_.at(step);
      return there.kind == TraceStep::Kind::Code && there.line == line && move_to(step);
    };
    for (std::uint64_t step = at_ + 1; step <= last_; ++step)
      if (is_there(step)) return;
    for (std::uint64_t step = options_.from; step <= at_; ++step)
      if (is_there(step)) return;
    say(stdout, fmt::format("the run does not come to line {}\n", line));
  }
  void to_step(std::uint64_t step) {
    if (step < options_.from || step > last_)
      return say(stdout, fmt::format("steps are {} to {}\n", options_.from, last_));
    at_ = step;
    show();
  }

  // The last step of code up to here; values are what it left.
  std::optional<TraceStep> code(std::size_t value_bytes) {
    std::uint64_t step = at_;
    while (step > 0 && steps_.at(step).kind != TraceStep::Kind::Code) --step;
    if (step == 0) return std::nullopt;
    TraceOptions options = options_;
    options.value_bytes = value_bytes;
    options.from = options.to = step;
    std::optional<TraceStep> found;
    static_cast<void>(run_.replay(options, [&](TraceStep told) { found = std::move(told); }));
    return found;
  }
  void print(std::string_view name) {
    const auto step = code(name.empty() ? options_.value_bytes : kLongValue);
    bool is_found = false;
    if (step) {
      std::map<std::string, std::string> values;
      for (const NamedValue& value : step->values) values[value.name] = value.value;
      for (const NamedValue& value : step->changes) values[value.name] = value.value;
      for (const auto& [known, value] : values)
        if (name.empty() || name == known) {
          is_found = true;
          say(stdout, fmt::format("{} = {}\n", printable(known), printable(value)));
        }
    }
    if (!is_found)
      say(stdout, name.empty() ? "there are no values here\n"
                               : fmt::format("there is no value `{}` here\n", printable(name)));
  }
  void where() {
    const auto step = code(options_.value_bytes);
    say(stdout, step ? place_text(step->places) + "\n" : "at the beginning\n");
  }

  const RecordedRun& run_;
  const TraceOptions options_;
  const TraceLook look_;
  TraceSteps steps_;
  std::uint64_t at_ = 1, last_ = 1;
};

void print_head(const RecordedRun& run, bool json) {
  const RunRow& row = run.row();
  if (json) return say(stdout, fmt::format("{{\"run\":{}}}\n", json_run(row)));
  say(stdout, fmt::format("run {} of {} for tenant {}: {}\n  because of {} {}\n", row.id, row.flow,
                          row.tenant, run_state_name(row.state), row.trigger, printable(row.key)));
}

Attempt<int> print_all(const RecordedRun& run, const TraceCommandOptions& options, const TraceOptions& asked,
                       TraceLook look) {
  const auto print = [&](const TraceStep& step) {
    const std::string text = options.json ? trace_json(step, look) : trace_text(step, look);
    std::fwrite(text.data(), 1, text.size(), stdout);
  };
  if (!options.backwards) {
    const auto count = run.replay(asked, print);
    std::fflush(stdout);
    if (!count) return tl::unexpected(Failure(count.error()));
    if (asked.from > *count) return Stepper::beyond(asked.from, *count);
    return static_cast<int>(kSuccess);
  }
  TraceSteps steps(run, asked);
  if (asked.from > steps.count()) return Stepper::beyond(asked.from, steps.count());
  for (std::uint64_t step = std::min(asked.to, steps.count()); step >= asked.from; --step)
    print(steps.at(step));
  std::fflush(stdout);
  if (steps.problem()) return tl::unexpected(Failure(*steps.problem()));
  return static_cast<int>(kSuccess);
}

Attempt<int> trace(const TraceCommandOptions& options) {
  TraceOptions asked{.by_instruction = options.by_instruction, .from = options.from};
  if (options.to != 0) asked.to = options.to;
  if (asked.from > asked.to)
    return failure(fmt::format("--from {} is behind --to {}", asked.from, asked.to), kUsage);
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open_read_only(options.store));
  FLOW_TRY(const std::optional<RecordedRun> run, RecordedRun::read(*store, options.id));
  if (!run)
    return error(
        fmt::format("there is no run `{}` in `{}`; `flow runs list` shows them. An event for which "
                    "the condition was false without asking anyone leaves no run",
                    options.id, options.store));
  FLOW_TRY(const SourceText source, find_source(options, *run));
  const TraceLook look{.source = source, .by_instruction = options.by_instruction};
  print_head(*run, options.json);
  if (options.step) return Stepper(*run, asked, look).go();
  return print_all(*run, options, asked, look);
}

}  // namespace

int run_trace(const TraceCommandOptions& options) {
  const Attempt<int> traced = trace(options);
  if (traced) return *traced;
  complain(traced.error().message);
  return traced.error().code;
}

}  // namespace flow
