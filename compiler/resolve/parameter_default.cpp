#include "compiler/resolve/parameter_default.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "base/text_forms.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

class DefaultReader {
 public:
  DefaultReader(const Tree& tree, std::string_view name, const TypeTable& types, TypeId type,
                Diagnostics& diagnostics)
      : tree_(tree), name_(name), types_(types), type_(type), diagnostics_(diagnostics) {}

  std::string read(NodeId node) {
    switch (tree_.kind(node)) {
      case NodeKind::Paren: return read(tree_.kid(node, 0));
      case NodeKind::Null: return null(node);
      case NodeKind::True: return typed(node, kBoolType, "true");
      case NodeKind::False: return typed(node, kBoolType, "false");
      case NodeKind::Int: return number(node, node, "");
      case NodeKind::Float: return number(node, node, "");
      case NodeKind::Negate:
        if (is_least_int(tree_, node)) return typed(node, kIntType, std::to_string(INT64_MIN));
        if (const NodeKind kind = tree_.kind(tree_.kid(node, 0));
            kind == NodeKind::Int || kind == NodeKind::Float)
          return number(node, tree_.kid(node, 0), "-");
        break;
      case NodeKind::Duration:
        return typed(node, kDurationType,
                     json_quoted(format_duration_us(duration_value_us(tree_, node, diagnostics_))));
      case NodeKind::Text:
      case NodeKind::TextBlock:
      case NodeKind::RawText:
        if (!has_holes(tree_, node)) return text(node);
        break;
      case NodeKind::Ident:
        if (types_.is(bare(), TypeKind::Enum)) return enum_value(node);
        break;
      case NodeKind::List:
        if (tree_.kids(node).empty() && types_.is(type_of_default(types_, type_, "[]"), TypeKind::List))
          return "[]";
        break;
      default: break;
    }
    report(Code::InvalidDeclaration, node,
           fmt::format("the default must be a constant of type `{}`", types_.name(type_)));
    return {};
  }

 private:
  TypeId bare() const { return types_.without_null(type_); }

  Diagnostic& report(Code code, NodeId node, std::string message) {
    return diagnostics_.report(code, tree_.file, tree_.span(node), std::move(message));
  }

  std::string mismatch(NodeId node, TypeId given) {
    report(Code::TypeMismatch, node,
           fmt::format("the default of `{}` must be `{}`, and `{}` is `{}`", name_, types_.name(type_),
                       printable(tree_.text(node)), types_.name(given)))
        .expecting(fmt::format("is `{}`", types_.name(given)));
    return {};
  }

  std::string null(NodeId node) {
    if (types_.accepts(type_, kNullType)) return "null";
    report(Code::MayBeNull, node,
           fmt::format("`null` cannot be the default of `{}`, which is `{}`", name_, types_.name(type_)))
        .note(fmt::format("write `{}?` for what may be null", types_.name(type_)));
    return {};
  }

  std::string typed(NodeId node, TypeId given, std::string json) {
    if (bare() == kJsonType || types_.accepts(type_, given)) return json;
    return mismatch(node, given);
  }

  std::string number(NodeId node, NodeId literal, std::string_view sign) {
    const TypeId wanted = type_of_default(types_, type_, "0");
    if (tree_.kind(literal) == NodeKind::Float)
      return typed(node, kFloatType, fmt::format("{}{}", sign, float_value(tree_, literal, diagnostics_)));
    std::string json = fmt::format("{}{}", sign, int_value(tree_, literal, diagnostics_));
    return wanted == kFloatType ? json : typed(node, kIntType, std::move(json));
  }

  // A text without holes is of the type that is wanted, when it has its form.
  std::string text(NodeId node) {
    const std::string value = plain_text(tree_, node, diagnostics_);
    const TypeId wanted = type_of_default(types_, type_, "\"\"");
    if (types_.is(wanted, TypeKind::Enum)) return enum_text(node, value, wanted);
    if (wanted == kTimeType) {
      if (const auto time = parse_written_time_us(value)) return json_quoted(format_time_us(*time));
      report(Code::InvalidLiteral, node, fmt::format("`{}` is no `Time`", printable(tree_.text(node))))
          .note(
              "write a day, as \"2026-07-01\", or a moment, as \"2026-07-01T12:00:00Z\" or with \"+02:00\" "
              "behind it");
      return {};
    }
    if (wanted == kStringType || wanted == kJsonType || wanted == types_.error()) return json_quoted(value);
    if (types_.storage(wanted) != Storage::Text || wanted == kSecretType || wanted == kHtmlType ||
        wanted == kKqlType)
      return mismatch(node, kStringType);
    const std::string wrong = text_mistake(wanted, value);
    if (wrong.empty()) return json_quoted(value);
    report(Code::InvalidLiteral, node,
           fmt::format("`{}` is no `{}`: {}", printable(tree_.text(node)), types_.name(wanted), wrong));
    return {};
  }

  std::string enum_text(NodeId node, const std::string& value, TypeId wanted) {
    const EnumType& type = types_.enumeration(wanted);
    const auto index = type.value(value);
    if (!index) return mismatch(node, kStringType);
    report(Code::TypeMismatch, node, fmt::format("a value of `{}` is written without quotes", type.name))
        .fix(tree_.span(node), type.values[*index], fmt::format("write `{}`", type.values[*index]));
    return {};
  }

  std::string enum_value(NodeId node) {
    const EnumType& type = types_.enumeration(bare());
    if (const auto index = type.value(tree_.text(node))) return json_quoted(type.values[*index]);
    Diagnostic& d = report(Code::UnknownEnumValue, node,
                           fmt::format("`{}` has no value `{}`", type.name, tree_.text(node)));
    if (const auto near = nearest_name(tree_.text(node), type.values))
      d.fix(tree_.span(node), *near, fmt::format("did you mean `{}`?", *near));
    else if (type.values.size() <= 24)
      d.note(fmt::format("known are {}", fmt::join(type.values, ", ")));
    return {};
  }

  const Tree& tree_;
  std::string_view name_;
  const TypeTable& types_;
  TypeId type_;
  Diagnostics& diagnostics_;
};

bool is_of_form(const TypeTable& types, TypeId type, std::string_view json) {
  switch (types.storage(type)) {
    case Storage::Bool: return json == "true" || json == "false";
    case Storage::Int: return type == kIntType && (json[0] == '-' || (json[0] >= '0' && json[0] <= '9'));
    case Storage::Float: return json[0] == '-' || (json[0] >= '0' && json[0] <= '9');
    case Storage::Text: return json[0] == '"';
    case Storage::List: return json[0] == '[';
    default: return false;
  }
}

}  // namespace

std::string default_json(const Tree& tree, NodeId value, std::string_view name, const TypeTable& types,
                         TypeId type, Diagnostics& diagnostics) {
  return DefaultReader(tree, name, types, type, diagnostics).read(value);
}

TypeId type_of_default(const TypeTable& types, TypeId type, std::string_view json) {
  const TypeId bare = types.without_null(type);
  if (json.empty() || !types.is(bare, TypeKind::Union)) return bare;
  const std::vector<TypeId>& members = types.members(bare);
  const auto member =
      std::ranges::find_if(members, [&](TypeId each) { return is_of_form(types, each, json); });
  return member == members.end() ? bare : *member;
}

bool is_text_default(std::string_view json) {
  return json.size() >= 2 && json.front() == '"';
}

// As json_quoted wrote it.
std::string text_of_default(std::string_view json) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  json = json.substr(1, json.size() - 2);
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] != '\\') {
      text += json[i];
      continue;
    }
    switch (json[++i]) {
      case 'n': text += '\n'; break;
      case 'r': text += '\r'; break;
      case 't': text += '\t'; break;
      case 'u':  // of a control character
        text += static_cast<char>(kHex.find(json[i + 3]) << 4 | kHex.find(json[i + 4]));
        i += 4;
        break;
      default: text += json[i];
    }
  }
  return text;
}

}  // namespace flow
