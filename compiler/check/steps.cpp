// `steps`: a graph of calls. Finds the waves in which they are carried out.
#include <algorithm>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"

namespace flow {

namespace {

constexpr std::size_t kMostSteps = 60;  // each keeps two registers

}  // namespace

void Checker::steps(NodeId node) {
  CheckedSteps checked;
  std::map<std::string_view, std::uint32_t> names;
  for (const NodeId step : tree_.kids(node)) {
    if (tree_.kind(step) != NodeKind::Step) continue;
    const NodeId ident = tree_.kid(step, 0);
    const auto [first, is_new] =
        names.emplace(tree_.text(ident), static_cast<std::uint32_t>(checked.steps.size()));
    if (!is_new)
      report(Code::DuplicateName, ident, fmt::format("`{}` is already a step here", tree_.text(ident)))
          .label(tree_.span(tree_.kid(checked.steps[first->second].node, 0)), "first declared here");
    checked.steps.push_back({.node = step, .call = tree_.kid(step, 1), .after = {}, .wave = 0});
  }
  if (checked.steps.size() > kMostSteps)
    report(Code::TooComplex, node, fmt::format("more than {} steps stand together", kMostSteps));
  TypeId* const outer = std::exchange(yielded_, nullptr);
  for (CheckedStep& step : checked.steps) {
    branch(step.call, "this step", [&] { call_statement(step.call); });
    if (tree_.kids(step.node).size() == 3)
      for (const NodeId after : tree_.kids(tree_.kid(step.node, 2))) after_step(after, names, step);
  }
  yielded_ = outer;
  if (find_waves(checked)) report_dead_steps(checked);
  out_.steps.insert_or_assign(node, std::move(checked));
}

void Checker::after_step(NodeId node, const std::map<std::string_view, std::uint32_t>& names,
                         CheckedStep& step) {
  const NodeId ident = tree_.kid(node, 0);
  const auto found = names.find(tree_.text(ident));
  if (found == names.end()) {
    if (is_told(tree_.text(ident))) return;
    std::vector<std::string> known;
    for (const auto& [name, index] : names) known.emplace_back(name);
    Diagnostic& d =
        report(Code::UnknownStep, ident, fmt::format("there is no step `{}` here", tree_.text(ident)));
    if (const auto near = nearest_name(tree_.text(ident), known))
      d.fix(tree_.span(ident), *near, fmt::format("did you mean `{}`?", *near));
    else
      d.note(fmt::format("the steps are {}", fmt::join(known, ", ")));
    return;
  }
  std::uint8_t statuses = 0;
  for (const NodeId status : tree_.kids(node).subspan(1)) {
    const char first =
        tree_.text(status).front();  // failed, timed out; succeeded and skipped differ in the second
    statuses |= first == 'f'                           ? kStepFailed
                : first == 't'                         ? kStepTimedOut
                : tree_.text(status).starts_with("su") ? kStepSucceeded
                                                       : kStepSkipped;
  }
  if (statuses == 0) statuses = kStepSucceeded;
  const auto known = std::ranges::find(step.after, found->second, &StepEdge::step);
  if (known != step.after.end()) {
    report(Code::DuplicateName, ident, fmt::format("`{}` stands behind `after` twice", tree_.text(ident)))
        .note("several outcomes of one step are joined by `or`: `after a failed or timed out`");
    return;
  }
  step.after.push_back({.step = found->second, .statuses = statuses, .node = node});
}

// A step's wave lies behind those of all it comes after. Reports steps that wait for each other.
bool Checker::find_waves(CheckedSteps& checked) {
  std::vector<bool> is_placed(checked.steps.size());
  std::size_t placed = 0;
  for (std::uint32_t wave = 0; placed < checked.steps.size(); ++wave) {
    std::vector<std::uint32_t> now;
    for (std::uint32_t i = 0; i < checked.steps.size(); ++i) {
      if (is_placed[i]) continue;
      if (std::ranges::all_of(checked.steps[i].after,
                              [&](const StepEdge& edge) { return is_placed[edge.step]; }))
        now.push_back(i);
    }
    if (now.empty()) {
      report_step_circle(checked, is_placed);
      return false;
    }
    for (const std::uint32_t i : now) {
      checked.steps[i].wave = wave;
      is_placed[i] = true;
    }
    placed += now.size();
    checked.waves = wave + 1;
  }
  return true;
}

void Checker::report_step_circle(const CheckedSteps& checked, const std::vector<bool>& is_placed) {
  const auto name = [&](std::uint32_t step) { return tree_.text(tree_.kid(checked.steps[step].node, 0)); };
  std::uint32_t at = 0;
  while (is_placed[at]) ++at;
  // Whoever is not placed waits for one that is not: this leads into a circle.
  std::vector<std::uint32_t> path;
  while (std::ranges::find(path, at) == path.end()) {
    path.push_back(at);
    at = std::ranges::find_if(checked.steps[at].after, [&](const StepEdge& edge) {
           return !is_placed[edge.step];
         })->step;
  }
  path.erase(path.begin(), std::ranges::find(path, at));
  std::string circle;
  for (const std::uint32_t step : path) circle += fmt::format("`{}` after ", name(step));
  circle += fmt::format("`{}`", name(at));
  report(Code::StepCircle, tree_.kid(checked.steps[path[0]].node, 0),
         path.size() == 1 ? fmt::format("step `{}` comes after itself", name(at))
                          : fmt::format("these steps wait for each other: {}", circle));
}

// A step that comes after what never happens.
void Checker::report_dead_steps(const CheckedSteps& checked) {
  std::vector<std::uint8_t> possible(checked.steps.size());
  std::vector<std::uint32_t> order(checked.steps.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return checked.steps[i].wave; });
  for (const std::uint32_t i : order) {
    const CheckedStep& step = checked.steps[i];
    const bool is_attempt = tree_.kind(step.call) == NodeKind::Attempt;  // never fails
    std::uint8_t may = is_attempt ? kStepSucceeded : kStepSucceeded | kStepFailed | kStepTimedOut;
    bool may_be_skipped = false;
    const StepEdge* never = nullptr;
    for (const StepEdge& edge : step.after) {
      if ((possible[edge.step] & ~edge.statuses) != 0) may_be_skipped = true;
      if ((possible[edge.step] & edge.statuses) == 0 && never == nullptr) never = &edge;
    }
    if (never != nullptr) {
      report(Code::Unreachable, never->node,
             fmt::format("step `{}` is never carried out: this never happens",
                         tree_.text(tree_.kid(step.node, 0))));
      may = kStepSkipped;
    }
    possible[i] = static_cast<std::uint8_t>(may | (may_be_skipped ? kStepSkipped : 0));
  }
}

}  // namespace flow
