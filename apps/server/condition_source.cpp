#include "apps/server/condition_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "apps/cli/source.hpp"
#include "apps/server/stored_conditions.hpp"
#include "base/mail_digest.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow {
namespace {

constexpr std::size_t kMostSubjects = 20;

bool is_within(const Span& inner, const Span& outer) {
  return outer.begin <= inner.begin && inner.end <= outer.end;
}

}  // namespace

std::unique_ptr<ConditionSource> ConditionSource::find(const std::string& module_bytes,
                                                       const std::string& source) {
  const Result<Module> deployed = decode(module_bytes);
  if (!deployed) return nullptr;
  const std::string& path = source.empty() ? deployed->source_name : source;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return nullptr;
  Result<Compilation> compiled = compile_file(path);
  if (!compiled || !compiled->module) return nullptr;
  compiled->module->source_name = deployed->source_name;
  if (encode(*compiled->module) != module_bytes) return nullptr;
  CoveragePoints points;
  std::optional<Module> plain = compile_tests(*compiled, &points);
  if (!plain) return nullptr;
  Result<Program> program = Program::load(std::move(*plain));
  if (!program) return nullptr;
  return std::unique_ptr<ConditionSource>(
      new ConditionSource(std::move(*compiled), std::move(*program), std::move(points)));
}

ConditionSource::ConditionSource(Compilation compilation, Program program, CoveragePoints points)
    : compilation_(std::move(compilation)), program_(std::move(program)), points_(std::move(points)) {}

// What `and` joins, in the order in which it is decided.
std::vector<NodeId> ConditionSource::parts_of(std::size_t flow) const {
  const Tree& tree = compilation_.tree;
  NodeId whole = compilation_.checked.flows[flow].condition;
  if (whole == kNoNode) return {};
  const auto& order = compilation_.plans[flow].condition_order;
  if (!order.empty()) return {order.begin(), order.end()};
  while (tree.kind(whole) == NodeKind::Paren) whole = tree.kid(whole, 0);
  if (tree.kind(whole) != NodeKind::And) return {whole};
  const auto kids = tree.kids(whole);
  return {kids.begin(), kids.end()};
}

ConditionParts ConditionSource::condition(const std::string& name) const {
  const Tree& tree = compilation_.tree;
  const auto& flows = program_.module().flows;
  const auto found = std::ranges::find(flows, name, &FlowCode::name);
  ConditionParts made{
      .program = &program_, .flow = static_cast<std::uint32_t>(found - flows.begin()), .parts = {}};
  if (found == flows.end()) return made;
  const CheckedFlow& flow = compilation_.checked.flows[made.flow];
  std::uint32_t end = 0;
  for (const NodeId node : parts_of(made.flow)) {
    ConditionPart part{.begin = static_cast<std::uint32_t>(found->code.size()),
                       .end = 0,
                       .line = tree.line(node),
                       .text = std::string(tree.text(node)),
                       .subjects = {}};
    for (const CoveragePoint& point : points_) {
      if (point.routine != name || !is_within(tree.span(point.condition), tree.span(node))) continue;
      part.begin = std::min(part.begin, point.begin);
      part.end = std::max(part.end, point.end);
    }
    if (part.begin >= part.end) continue;  // known before a run
    end = std::max(end, part.end);
    add_subjects(node, flow, *found, part.subjects);
    made.parts.push_back(std::move(part));
  }
  if (flow.once_key == kNoNode) return made;
  ConditionPart once{
      .begin = end,
      .end = static_cast<std::uint32_t>(std::ranges::find(found->code, Op::EnterBody, &Instruction::op) -
                                        found->code.begin()),
      .line = tree.line(flow.once_key),
      .text = fmt::format("once per {} within {}", tree.text(flow.once_key), tree.text(flow.once_window)),
      .subjects = {}};
  add_subjects(flow.once_key, flow, *found, once.subjects);
  made.parts.push_back(std::move(once));
  return made;
}

std::string ConditionSource::stored() const {
  std::vector<FlowCondition> flows;
  for (const FlowCode& flow : program_.module().flows) {
    if (is_made_by_compiler(program_.module().triggers[flow.trigger])) continue;
    flows.push_back({.flow = flow.name, .parts = condition(flow.name).parts});
  }
  return encode_conditions(program_.module(), flows);
}

// The longest names: of `machine.owner.name` neither `machine` nor `machine.owner`.
void ConditionSource::add_subjects(NodeId node, const CheckedFlow& flow, const FlowCode& code,
                                   std::vector<ConditionPart::Subject>& subjects) const {
  if (subjects.size() >= kMostSubjects) return;
  if (auto found = subject(node, flow, code)) {
    if (std::ranges::find(subjects, found->text, &ConditionPart::Subject::text) == subjects.end())
      subjects.push_back(std::move(*found));
    return;
  }
  for (const NodeId kid : compilation_.tree.kids(node)) add_subjects(kid, flow, code, subjects);
}

// Nothing for what is no value that the trigger or the settings give. What is secret stays so.
std::optional<ConditionPart::Subject> ConditionSource::subject(NodeId node, const CheckedFlow& flow,
                                                               const FlowCode& code) const {
  using Subject = std::optional<ConditionPart::Subject>;
  const Tree& tree = compilation_.tree;
  const NodeKind kind = tree.kind(node);
  if (kind != NodeKind::Ident && kind != NodeKind::Field && kind != NodeKind::OptionalField)
    return std::nullopt;
  const Meaning& what = compilation_.checked.meaning[node];
  const Trigger& trigger = compilation_.checked.triggers[flow.trigger];
  const TypeTable& types = compilation_.checked.types;
  const auto input = [&](const std::string& name, bool is_entity, std::vector<std::string> path) -> Subject {
    for (std::uint32_t i = 0; i < code.inputs.size(); ++i) {
      const Input::Source source = code.inputs[i].source;
      const bool is_of_entity = source == Input::Source::Entity || source == Input::Source::Fetched;
      if (code.inputs[i].name == name && is_of_entity == is_entity)
        return ConditionPart::Subject{std::string(tree.text(node)), i, std::move(path)};
    }
    return std::nullopt;
  };
  const auto below = [&](std::string member) -> Subject {
    Subject object = subject(tree.kid(node, 0), flow, code);
    if (!object) return std::nullopt;
    object->text = tree.text(node);
    object->path.push_back(std::move(member));
    return object;
  };
  switch (what.kind) {
    case Meaning::Kind::Binding: return input(trigger.bindings[what.index].name, false, {});
    case Meaning::Kind::Entity: return input(trigger.entities[what.index].name, true, {});
    case Meaning::Kind::EntityField: {
      const Trigger::Entity& entity = trigger.entities[what.index];
      return input(entity.name, true, {types.record(entity.type).fields[what.field].wire});
    }
    case Meaning::Kind::Setting: {
      const CheckedSetting& setting = compilation_.checked.settings[what.index];
      return setting.is_secret() ? std::nullopt : input(setting.name, false, {});
    }
    case Meaning::Kind::RecordField: return below(types.record(what.type).fields[what.field].wire);
    case Meaning::Kind::JsonMember: return below(std::string(tree.text(tree.kid(node, 1))));
    case Meaning::Kind::None:
    case Meaning::Kind::Local:
    case Meaning::Kind::EnumValue: break;
  }
  return std::nullopt;
}

}  // namespace flow
