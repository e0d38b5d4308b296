// What functions do besides computing: which operations they call, by themselves and through others. Found
// from their bodies, so that nobody has to write it.
#include <algorithm>
#include <deque>

#include "compiler/check/checker.hpp"

namespace flow {

namespace {

bool does_more_than_compute(const FunctionEffects& effects) {
  return !effects.operations.empty() || effects.logs || effects.stops || effects.waits ||
         !effects.flows.empty();
}

// Adds what a callee does; gives whether that was news.
bool add(FunctionEffects& to, const FunctionEffects& from) {
  const auto before = std::tuple(to.operations.size(), to.logs, to.stops, to.waits, to.flows.size());
  to.operations.insert(from.operations.begin(), from.operations.end());
  to.logs = to.logs || from.logs;
  to.stops = to.stops || from.stops;
  to.waits = to.waits || from.waits;
  to.flows.insert(from.flows.begin(), from.flows.end());
  return before != std::tuple(to.operations.size(), to.logs, to.stops, to.waits, to.flows.size());
}

}  // namespace

FunctionEffects* Checker::effects() {
  if (function_ != nullptr) return &function_->effects;
  return flow_ == nullptr ? nullptr : &flow_->effects;
}

void Checker::note_operation(std::uint32_t operation) {
  if (FunctionEffects* here = effects()) {
    here->operations.insert(operation);
    if (function_ != nullptr)
      own_operations_.insert({static_cast<std::uint32_t>(function_ - out_.functions.data()), operation});
  }
}

void Checker::note_invoke(NodeId call, std::uint32_t callee) {
  if (function_ != nullptr)
    callees_[static_cast<std::uint32_t>(function_ - out_.functions.data())].try_emplace(callee, call);
  if (in_condition_) condition_invokes_.emplace_back(call, callee);
  if (!branches_.empty())
    stop_free_invokes_.push_back({call, callee, "a branch"});
  else if (finally_depth_ > 0)
    stop_free_invokes_.push_back({call, callee, "a `try` with `finally`"});
}

// What functions do through others, until nothing is news.
void Checker::spread_effects() {
  std::map<std::uint32_t, std::vector<std::uint32_t>> callers;
  for (const auto& [caller, callees] : callees_)
    for (const auto& [callee, call] : callees) callers[callee].push_back(caller);
  std::deque<std::uint32_t> changed;
  for (std::uint32_t i = 0; i < out_.functions.size(); ++i)
    if (does_more_than_compute(out_.functions[i].effects)) changed.push_back(i);
  while (!changed.empty()) {
    const std::uint32_t callee = changed.front();
    changed.pop_front();
    for (const std::uint32_t caller : callers[callee])
      if (add(out_.functions[caller].effects, out_.functions[callee].effects)) changed.push_back(caller);
  }
  report_circles();
}

// The shortest way of calls from `from` to a function of which `is_end` holds: each with the call that leads
// to the next; at least one call long. Empty when there is none.
std::vector<std::uint32_t> Checker::way(std::uint32_t from,
                                        const std::function<bool(std::uint32_t)>& is_end) const {
  std::map<std::uint32_t, std::uint32_t> came_from;
  std::deque<std::uint32_t> next{from};
  while (!next.empty()) {
    const std::uint32_t at = next.front();
    next.pop_front();
    const auto callees = callees_.find(at);
    if (callees == callees_.end()) continue;
    for (const auto& [callee, call] : callees->second) {
      if (!came_from.emplace(callee, at).second) continue;
      if (!is_end(callee)) {
        next.push_back(callee);
        continue;
      }
      std::vector<std::uint32_t> found{callee};
      for (std::uint32_t step = at;; step = came_from.at(step)) {
        found.insert(found.begin(), step);
        if (step == from) return found;
      }
    }
  }
  return {};
}

std::string Checker::way_text(const std::vector<std::uint32_t>& functions) const {
  std::string text;
  for (const std::uint32_t function : functions)
    text += fmt::format("{}`{}`", text.empty() ? "" : " calls ", out_.functions[function].name);
  return text;
}

// How often a run calls an operation must be known, so who calls out does not call itself.
void Checker::report_circles() {
  std::set<std::uint32_t> told;
  for (std::uint32_t i = 0; i < out_.functions.size(); ++i) {
    const FunctionEffects& effects = out_.functions[i].effects;
    if (told.contains(i) || (effects.operations.empty() && !effects.waits)) continue;
    const std::vector<std::uint32_t> circle = way(i, [&](std::uint32_t at) { return at == i; });
    if (circle.empty()) continue;
    told.insert(circle.begin(), circle.end());
    const NodeId call = callees_.at(circle[0]).at(circle[1]);
    std::string what = "waits";
    if (!effects.operations.empty())
      what = fmt::format("`{}` is called", library_.operations[*effects.operations.begin()].name);
    report(Code::RecursiveCalls, call,
           fmt::format("a function that calls out cannot call itself: {}", way_text(circle)))
        .note(fmt::format("how often {} in a run must be known; go through a list with `for` instead",
                          effects.operations.empty() ? std::string("a run waits") : what));
  }
}

// What could not be judged before the effects of all functions were known.
void Checker::judge_invokes() {
  for (const auto& [call, callee] : condition_invokes_) {
    const FunctionEffects& effects = out_.functions[callee].effects;
    const auto acting = std::ranges::find_if(effects.operations, [&](std::uint32_t operation) {
      return library_.operations[operation].effect != Effect::Read;
    });
    std::string does;
    std::function<bool(std::uint32_t)> is_culprit;
    if (acting != effects.operations.end()) {
      does = library_.operations[*acting].effect == Effect::Act ? "acts" : "notifies";
      does = fmt::format("`{}`, which {}", library_.operations[*acting].name, does);
      is_culprit = [&](std::uint32_t at) { return own_operations_.contains({at, *acting}); };
    } else if (effects.waits || effects.stops || effects.logs || !effects.flows.empty()) {
      does = !effects.flows.empty() ? fmt::format("the flow `{}`", out_.flows[*effects.flows.begin()].name)
             : effects.waits        ? "`wait`"
             : effects.stops        ? "`stop`"
                                    : "`log`";
      is_culprit = [](std::uint32_t) { return false; };
    } else {
      continue;
    }
    std::vector<std::uint32_t> path{callee};
    if (!is_culprit(callee))
      if (std::vector<std::uint32_t> found = way(callee, is_culprit); !found.empty()) path = std::move(found);
    report(Code::ConditionActs, call,
           fmt::format("a condition must not change anything, and {} calls {}", way_text(path), does))
        .note("move it behind `do`");
  }
  for (const StopFree& site : stop_free_invokes_)
    if (out_.functions[site.callee].effects.stops)
      report(Code::MisplacedStatement, site.call,
             fmt::format("`{}` may stop the run, which is not possible from within {}",
                         out_.functions[site.callee].name, site.where))
          .note("give back what is to be done, and `stop` outside of it");
}

}  // namespace flow
