#include "compiler/analyse/keys.hpp"

#include "base/text.hpp"
#include "compiler/analyse/facts.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {

std::string Keys::name(NodeId node) const {
  const Meaning& meaning = checked_.meaning[node];
  switch (meaning.kind) {
    case Meaning::Kind::Local: {
      if (body_.locals[meaning.index].is_var) return {};
      const auto known = aliases_.find(meaning.index);
      return known != aliases_.end() ? known->second : std::string(1, kLocal) + std::to_string(meaning.index);
    }
    case Meaning::Kind::Binding:
      return trigger_ == nullptr ? "" : "$" + trigger_->bindings[meaning.index].name;
    case Meaning::Kind::Entity: return trigger_ == nullptr ? "" : trigger_->entities[meaning.index].name;
    case Meaning::Kind::EntityField: {
      if (trigger_ == nullptr) return {};
      const Trigger::Entity& entity = trigger_->entities[meaning.index];
      return entity.name + "." + checked_.types.record(entity.type).fields[meaning.field].name;
    }
    case Meaning::Kind::RecordField: {
      const std::string object = of(tree_.kid(node, 0));
      return object.empty() ? object
                            : object + "." + checked_.types.record(meaning.type).fields[meaning.field].name;
    }
    case Meaning::Kind::EnumValue: {
      const EnumType& type = checked_.types.enumeration(meaning.type);
      return type.name + "." + type.values[meaning.index];
    }
    default: return {};
  }
}

std::string Keys::call(NodeId node) const {
  const auto method = checked_.methods.find(node);
  if (method == checked_.methods.end() || method->second.has_lambda ||
      method->second.kind == CheckedMethod::Kind::Range)
    return {};
  if (method->second.receiver == kNoNode) return {};
  std::string out = of(method->second.receiver);
  if (out.empty()) return out;
  // The function by its number in the library: its name may have several.
  out += "." + std::to_string(method->second.function) + "(";
  for (const NodeId argument : method->second.arguments) {
    const std::string part = argument == kNoNode ? "_" : of(argument);
    if (part.empty()) return {};
    out += part + ",";
  }
  return out + ")";
}

std::string Keys::parts(NodeId node) const {
  std::string out = "(";
  for (const NodeId kid : tree_.kids(node)) {
    const bool is_operator = tree_.kind(kid) >= NodeKind::OpEqual && tree_.kind(kid) <= NodeKind::OpModulo;
    const std::string part = is_operator ? std::string(node_name(tree_.kind(kid))) : of(kid);
    if (part.empty()) return {};
    out += " " + part;
  }
  return out + ")";
}

// A name goes by the key of what it was given: without a limit, keys of names of names would grow without
// end.
std::string Keys::of(NodeId node) const {
  constexpr std::size_t kLongest = 500;
  std::string key = made(node);
  return key.size() > kLongest ? std::string() : key;
}

std::string Keys::made(NodeId node) const {
  Diagnostics told;  // by the checker
  switch (tree_.kind(node)) {
    case NodeKind::Paren: return of(tree_.kid(node, 0));
    case NodeKind::Ident:
    case NodeKind::Field:
    case NodeKind::OptionalField: return name(node);
    case NodeKind::Int:
    case NodeKind::Float:
    case NodeKind::Duration:
    case NodeKind::True:
    case NodeKind::False:
    case NodeKind::Null: return std::string(tree_.text(node));
    case NodeKind::Text:
    case NodeKind::TextBlock:
    case NodeKind::RawText:
      return has_holes(tree_, node) ? std::string() : json_quoted(plain_text(tree_, node, told));
    case NodeKind::Call: return call(node);
    case NodeKind::Index:
    case NodeKind::List:
    case NodeKind::Compare:
    case NodeKind::Sum:
    case NodeKind::Product: {
      const std::string inner = parts(node);
      return inner.empty() ? inner : std::string(node_name(tree_.kind(node))) + inner;
    }
    case NodeKind::Negate: {
      const std::string inner = of(tree_.kid(node, 0));
      return inner.empty() ? inner : "-" + inner;
    }
    default: return {};
  }
}

}  // namespace flow
