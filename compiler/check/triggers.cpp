// What starts a flow: a trigger that a connector declares, as `alert.new`.
#include <algorithm>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"

namespace flow {

NodeId Checker::trigger_node(NodeId flow) const {
  const NodeId on = tree_.find(flow, NodeKind::On);
  if (on == kNoNode || tree_.kids(on).empty()) return kNoNode;
  return tree_.kind(tree_.kid(on, 0)) == NodeKind::Ident ? on : tree_.kid(on, 0);
}

std::optional<std::uint32_t> Checker::trigger(CheckedFlow& flow) {
  const NodeId on = trigger_node(flow.node);
  if (on == kNoNode) return std::nullopt;  // told already
  return tree_.kind(on) == NodeKind::On ? declared_trigger(on) : own_trigger(on, flow);
}

std::uint32_t Checker::add_trigger(Trigger trigger) {
  out_.triggers.push_back(std::move(trigger));
  return static_cast<std::uint32_t>(out_.triggers.size() - 1);
}

std::optional<std::uint32_t> Checker::declared_trigger(NodeId on) {
  if (on == kNoNode || tree_.kind(tree_.kid(on, 0)) != NodeKind::Ident) return std::nullopt;  // told already
  std::string name;
  for (const NodeId part : tree_.kids(on)) name += (name.empty() ? "" : ".") + std::string(tree_.text(part));
  if (const Trigger* declared = library_.trigger(name)) {
    // Flows on one trigger share it.
    const auto used = std::ranges::find_if(out_.triggers, [&](const Trigger& other) {
      return other.connector == declared->connector && other.name == declared->name;
    });
    if (used != out_.triggers.end()) return static_cast<std::uint32_t>(used - out_.triggers.begin());
    return add_trigger(*declared);
  }
  std::vector<std::string> known;
  for (const Trigger& trigger : library_.triggers) known.push_back(trigger.name);
  for (const char* const own : {"every", "cron", "hunt", "webhook", "manual", "call", "run.failed", "stream"})
    known.emplace_back(own);
  const Span span{tree_.span(tree_.kid(on, 0)).begin, tree_.span(on).end};
  Diagnostic& d = diagnostics_.report(Code::UnknownTrigger, tree_.file, span,
                                      fmt::format("there is no trigger `{}`", name));
  if (const auto near = nearest_name(name, known))
    d.fix(span, *near, fmt::format("did you mean `{}`?", *near));
  else
    d.note(fmt::format("triggers are: {}", fmt::join(known, ", ")));
  return std::nullopt;
}

// ---- Names that triggers give

namespace {

bool is_given_by(const Trigger& trigger, const TypeTable& types, std::string_view name) {
  return std::ranges::find(trigger.bindings, name, &Trigger::Binding::name) != trigger.bindings.end() ||
         std::ranges::find(trigger.entities, name, &Trigger::Entity::name) != trigger.entities.end() ||
         (!trigger.entities.empty() && types.record(trigger.entities[0].type).field(name));
}

}  // namespace

std::string Checker::triggers_that_give(std::string_view name) const {
  struct Own {
    std::string_view name, trigger;
  };
  static constexpr Own kOwn[] = {{"scheduledAt", "every"}, {"scheduledAt", "cron"}, {"row", "hunt"},
                                 {"rows", "hunt … batch"}, {"payload", "webhook"},  {"headers", "webhook"},
                                 {"event", "stream"},      {"run", "run.failed"},   {"error", "run.failed"}};
  std::vector<std::string> givers;
  for (const Own& own : kOwn)
    if (own.name == name) givers.push_back(fmt::format("`{}`", own.trigger));
  for (const Trigger& trigger : library_.triggers)
    if (is_given_by(trigger, out_.types, name)) givers.push_back(fmt::format("`{}`", trigger.name));
  return fmt::format("{}", fmt::join(givers, " or "));
}

std::string Checker::known_names() const {
  std::vector<std::string> names;
  for (const Trigger::Binding& binding : trigger_->bindings) names.push_back(binding.name);
  for (const Trigger::Entity& entity : trigger_->entities) names.push_back(entity.name);
  if (names.empty()) return fmt::format("`{}` gives no names", trigger_->name);
  std::string text = fmt::format("known here: {}", fmt::join(names, ", "));
  if (!trigger_->entities.empty())
    text += fmt::format(", and the fields of `{}`", type_name(trigger_->entities[0].type));
  return text;
}

}  // namespace flow
