#include "compiler/resolve/functions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "compiler/resolve/parameter_default.hpp"
#include "compiler/resolve/type_syntax.hpp"

namespace flow {
namespace {

constexpr std::string_view kBounds[] = {"", "Text", "Ordered", "Comparable", "Key", "Number", "Row"};

TypeBound bound_of(std::string_view name) {
  const auto found = std::ranges::find(kBounds, name);
  return found == std::end(kBounds) ? TypeBound::Any : static_cast<TypeBound>(found - std::begin(kBounds));
}

class FunctionReader {
 public:
  FunctionReader(const Tree& tree, const std::map<std::string, TypeId, std::less<>>& type_names,
                 TypeTable& types, Diagnostics& diagnostics)
      : tree_(tree), type_names_(type_names), types_(types), diagnostics_(diagnostics) {}

  StandardFunction read(NodeId node) {
    made_.name = tree_.text(tree_.kid(node, 0));
    const std::string& file = tree_.source->name();
    made_.group = file.substr(file.rfind('/') + 1);
    made_.group = made_.group.substr(0, made_.group.find('.'));
    made_.result = {.kind = TypePattern::Kind::Known, .type = kNothingType, .variable = 0, .children = {}};
    std::string keys, result;
    for (const NodeId kid : tree_.kids(node)) {
      switch (tree_.kind(kid)) {
        case NodeKind::TypeParameters:
          for (const NodeId name : tree_.kids(kid)) made_.type_parameters.emplace_back(tree_.text(name));
          break;
        case NodeKind::ParameterDecl:
          parameter(kid);
          keys += fmt::format("{}{}", keys.empty() ? "" : ", ", one_line(tree_.text(tree_.kid(kid, 1))));
          break;
        case NodeKind::Result: made_.result = pattern(tree_.kid(kid, 0)); break;
        default: break;
      }
    }
    for (const std::string& name : made_.type_parameters) made_.bounds.push_back(bound_of(name));
    made_.key = fmt::format("{}({})", made_.name, keys);
    made_.signature = one_line(tree_.text(node).substr(std::string_view("native fn ").size()));
    read_doc(tree_.doc_above(node));
    return std::move(made_);
  }

 private:
  static std::string one_line(std::string_view text) {
    std::string out;
    for (const char c : text) {
      const bool is_blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
      if (!is_blank)
        out += c;
      else if (!out.empty() && out.back() != ' ')
        out += ' ';
    }
    return out;
  }

  void read_doc(std::string_view doc) {
    while (!doc.empty()) {
      const std::size_t end = std::min(doc.find('\n'), doc.size());
      std::string_view line = doc.substr(0, end);
      while (line.starts_with(' ')) line.remove_prefix(1);
      while (line.ends_with(' ')) line.remove_suffix(1);
      if (line.size() > 2 && line.starts_with('`') && line.find('`', 1) == line.size() - 1)
        made_.examples.emplace_back(line.substr(1, line.size() - 2));
      else
        made_.doc += fmt::format("{}{}", made_.doc.empty() ? "" : "\n", line);
      doc.remove_prefix(std::min(end + 1, doc.size()));
    }
  }

  void parameter(NodeId node) {
    const auto parts = tree_.kids(node);
    StandardFunction::Parameter parameter{
        .name = std::string(tree_.text(parts[0])), .type = pattern(parts[1]), .default_json = {}};
    if (parts.size() > 2)
      parameter.default_json =
          default_json(tree_, parts[2], parameter.name, types_, known_type(parameter.type), diagnostics_);
    made_.parameters.push_back(std::move(parameter));
  }

  // Of a pattern without type parameters.
  TypeId known_type(const TypePattern& pattern) {
    if (pattern.kind == TypePattern::Kind::Known) return pattern.type;
    if (pattern.kind == TypePattern::Kind::Optional) return types_.optional(known_type(pattern.children[0]));
    if (pattern.kind == TypePattern::Kind::List) return types_.list(known_type(pattern.children[0]));
    return types_.error();
  }

  TypePattern pattern(NodeId node) {
    using Kind = TypePattern::Kind;
    TypePattern made;
    const auto add = [&](NodeId kid) { made.children.push_back(pattern(kid)); };
    switch (tree_.kind(node)) {
      case NodeKind::OptionalType:
        made.kind = Kind::Optional;
        add(tree_.kid(node, 0));
        return made;
      case NodeKind::FunctionType:
        made.kind = Kind::Function;
        for (const NodeId kid : tree_.kids(node)) add(kid);
        return made;
      case NodeKind::TypeName: {
        const std::string_view name = tree_.text(tree_.kid(node, 0));
        const auto variable = std::ranges::find(made_.type_parameters, name);
        const auto arguments = tree_.kids(node).subspan(1);
        const bool is_list = name == "List" && arguments.size() == 1;
        if (variable != made_.type_parameters.end()) {
          made.kind = Kind::Variable;
          made.variable = static_cast<std::uint32_t>(variable - made_.type_parameters.begin());
          return made;
        }
        if (!is_list && (arguments.size() != 2 || (name != "Map" && name != "Entry"))) break;
        made.kind = is_list ? Kind::List : name == "Map" ? Kind::Map : Kind::Entry;
        for (const NodeId kid : arguments) add(kid);
        return made;
      }
      default: break;
    }
    made.type = resolve_type(tree_, node, type_names_, types_, diagnostics_);
    return made;
  }

  const Tree& tree_;
  const std::map<std::string, TypeId, std::less<>>& type_names_;
  TypeTable& types_;
  Diagnostics& diagnostics_;
  StandardFunction made_;
};

}  // namespace

std::string_view bound_name(TypeBound bound) {
  return kBounds[static_cast<std::size_t>(bound)];
}

StandardFunction read_function(const Tree& tree, NodeId node,
                               const std::map<std::string, TypeId, std::less<>>& type_names, TypeTable& types,
                               Diagnostics& diagnostics) {
  return FunctionReader(tree, type_names, types, diagnostics).read(node);
}

}  // namespace flow
