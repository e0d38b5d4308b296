#include "compiler/emit/settings.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "compiler/emit/builder.hpp"
#include "compiler/emit/folder.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

class ConstantWriter {
 public:
  ConstantWriter(const Tree& tree, const CheckedFile& checked) : tree_(tree), checked_(checked) {}

  std::string value(NodeId node) {
    if (tree_.kind(node) == NodeKind::Paren) return value(tree_.kid(node, 0));
    if (checked_.constructs.contains(node)) return record(node);
    if (tree_.kind(node) == NodeKind::List) {
      std::string items;
      for (const NodeId kid : tree_.kids(node)) items += (items.empty() ? "" : ",") + value(kid);
      return "[" + items + "]";
    }
    if (tree_.kind(node) == NodeKind::Record) {
      std::string members;
      for (const NodeId entry : tree_.kids(node))
        add(members, key(tree_.kid(entry, 0)), value(tree_.kid(entry, 1)));
      return "{" + members + "}";
    }
    Folder folder(tree_, checked_, true);
    const auto known = folder.own_value(node);
    return known ? scalar(*known) : "null";
  }

 private:
  static void add(std::string& members, std::string_view name, const std::string& value) {
    if (!members.empty()) members += ',';
    members += json_quoted(name) + ":" + value;
  }

  std::string scalar(const Constant& constant) const {
    const TypeTable& types = checked_.types;
    if (constant.type == kNullType) return "null";
    if (constant.type == kDurationType) return json_quoted(format_duration_us(constant.number));
    if (constant.type == kTimeType) return json_quoted(format_time_us(constant.number));
    switch (types.storage(constant.type)) {
      case Storage::Bool: return constant.number != 0 ? "true" : "false";
      case Storage::Int: return std::to_string(constant.number);
      case Storage::Float: return fmt::format("{}", constant.real);
      case Storage::Enum:
        return json_quoted(
            types.enumeration(constant.type).values[static_cast<std::size_t>(constant.number)]);
      default: return json_quoted(constant.text);
    }
  }

  std::string key(NodeId node) {
    Diagnostics told;  // by the checker
    if (!is_computed_key(tree_, node)) return key_text(tree_, node, told);
    Folder folder(tree_, checked_, true);
    const auto known = folder.own_value(tree_.kid(node, 0));
    if (!known) return {};
    const std::string json = scalar(*known);
    return checked_.types.storage(known->type) == Storage::Text ? known->text
           : json.starts_with('"')                              ? json.substr(1, json.size() - 2)
                                                                : json;
  }

  std::string record(NodeId node) {
    const CheckedConstruct& made = checked_.constructs.at(node);
    const std::vector<RecordField>& fields = checked_.types.record(made.record).fields;
    std::vector<NodeId> values(fields.size(), kNoNode);
    if (const auto defaults = checked_.field_defaults.find(made.record);
        defaults != checked_.field_defaults.end())
      values = defaults->second;
    for (const auto& [field, given] : made.given) values[field] = given;
    std::string members;
    for (std::size_t i = 0; i < fields.size(); ++i)
      if (values[i] != kNoNode) add(members, fields[i].wire, value(values[i]));
    return "{" + members + "}";
  }

  const Tree& tree_;
  const CheckedFile& checked_;
};

}  // namespace

std::string constant_json(const Tree& tree, const CheckedFile& checked, NodeId node) {
  return ConstantWriter(tree, checked).value(node);
}

Setting setting_of(ModuleBuilder& builder, const Tree& tree, const CheckedSetting& setting) {
  const CheckedFile& checked = builder.checked();
  const bool has_default = setting.default_value != kNoNode;
  return {.name = setting.name,
          .type = builder.type(setting.type),
          .default_json = has_default ? constant_json(tree, checked, setting.default_value) : std::string(),
          .is_secret = setting.is_secret(),
          .is_required = !has_default && !setting.is_secret() && !checked.types.is_optional(setting.type),
          .doc = setting.doc};
}

}  // namespace flow
