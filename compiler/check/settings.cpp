// What is set when a program is deployed: `param` and `secret`. They are known in all flows and functions of
// their file; a function that needs one is given it by those that invoke it.
#include <algorithm>

#include "compiler/check/checker.hpp"

namespace flow {

void Checker::settings() {
  for (std::uint32_t i = 0; i < files_.size(); ++i) {
    enter_constants(i);
    if (file_->root == kNoNode) continue;
    for (const NodeId kid : tree_.kids(file_->root))
      if (tree_.kind(kid) == NodeKind::Param || tree_.kind(kid) == NodeKind::Secret) declare_setting(i, kid);
  }
  for (std::uint32_t i = 0; i < out_.settings.size(); ++i) check_setting_default(i);
}

void Checker::declare_setting(std::uint32_t file, NodeId node) {
  const auto kids = tree_.kids(node);
  const std::string_view name = tree_.text(kids[0]);
  const auto index = static_cast<std::uint32_t>(out_.settings.size());
  CheckedSetting setting{.name = file_->prefix + std::string(name),
                         .doc = tree_.doc_above(node),
                         .type = kSecretType,
                         .node = node,
                         .default_value = kids.size() > 2 ? kids[2] : kNoNode,
                         .file = file};
  if (tree_.kind(node) == NodeKind::Param) {
    setting.type = declared_type(kids[1]);
    const TypeId own = own_type_in(setting.type);
    if (own == kSecretType)
      report(Code::InvalidSetting, kids[1], "a secret is no parameter")
          .fix(tree_.span(node), fmt::format("secret {}", name),
               fmt::format("declare it: `secret {}`", name));
    else if (own != kNoType && !is_error(own))
      report(Code::InvalidSetting, kids[1],
             fmt::format("`{}` is made by flows alone, and cannot be set at deployment", type_name(own)));
    if (own != kNoType) setting.type = error_type();
    keep_fields(setting.type);
  }
  std::uint32_t operation = 0;
  setting.is_used = true;  // unless it gets its name: one mistake is told once
  if (operation_named(kids[0], operation) != nullptr)
    report(Code::DuplicateName, kids[0], fmt::format("`{}` is an operation", name));
  else if (name == "range")
    report(Code::DuplicateName, kids[0], "`range` is a function of the language");
  else if (!is_taken(kids[0]))
    setting.is_used = !file_->settings.emplace(name, index).second;
  out_.settings.push_back(std::move(setting));
}

void Checker::check_setting_default(std::uint32_t index) {
  const NodeId value = out_.settings[index].default_value;
  if (value == kNoNode) return;
  const std::string name = fmt::format("the default of `{}`", out_.settings[index].name);
  enter_constants(out_.settings[index].file);
  expect(value, out_.settings[index].type, name);
  if (!is_error(out_.type[value]) && !is_constant(value))
    report(Code::DefaultIsNoConstant, value, name + " must be a constant")
        .note(
            "constants are numbers, texts without holes, values of enums, and lists, maps and records of "
            "these");
}

TypeId Checker::setting_value(NodeId node, std::uint32_t index) {
  CheckedSetting& setting = out_.settings[index];
  setting.is_used = true;
  body_->settings.insert(index);
  out_.meaning[node] = {.kind = Meaning::Kind::Setting, .index = index};
  return narrowed(node, setting.type);
}

void Checker::pass_settings() {
  for (bool has_changed = true; std::exchange(has_changed, false);) {
    const auto pass = [&](CheckedBody& body) {
      const std::size_t before = body.settings.size();
      for (const std::uint32_t function : body.functions)
        body.settings.insert(out_.functions[function].settings.begin(),
                             out_.functions[function].settings.end());
      has_changed = has_changed || body.settings.size() != before;
    };
    for (CheckedFunction& function : out_.functions) pass(function);
    for (CheckedFlow& flow : out_.flows) pass(flow);
    for (CheckedFlow& value : out_.test_values) pass(value);
  }
}

// Those of a module are there for others.
void Checker::report_unused_settings() {
  if (modules_.is_module && tree_.find(tree_.root, NodeKind::Flow) == kNoNode) return;
  if (!unread_.empty()) return;  // which may use them
  for (const CheckedSetting& setting : out_.settings)
    if (!setting.is_used && setting.file == 0 && !is_error(setting.type) && !setting.name.starts_with('_'))
      report(Code::UnusedValue, tree_.kid(setting.node, 0), fmt::format("`{}` is never used", setting.name))
          .note("remove it");
}

}  // namespace flow
