#include "compiler/resolve/type_syntax.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace flow {
namespace {

class TypeResolver {
 public:
  TypeResolver(const Tree& tree, const std::map<std::string, TypeId, std::less<>>& names, TypeTable& types,
               Diagnostics& diagnostics)
      : tree_(tree), names_(names), types_(types), diagnostics_(diagnostics) {}

  TypeId resolve(NodeId node) {
    switch (tree_.kind(node)) {
      case NodeKind::OptionalType: return types_.optional(resolve(tree_.kid(node, 0)));
      case NodeKind::UnionType: {
        std::vector<TypeId> members;
        for (const NodeId kid : tree_.kids(node)) members.push_back(resolve(kid));
        return types_.union_of(std::move(members));
      }
      default: return named(node);
    }
  }

 private:
  TypeId named(NodeId node) {
    const NodeId ident = tree_.kid(node, 0);
    const std::string_view name = tree_.text(ident);
    const std::size_t arguments = tree_.kids(node).size() - 1;
    if (name == "List" && arguments == 1) return types_.list(resolve(tree_.kid(node, 1)));
    if (name == "Map" && arguments == 2) return map(node);
    if (arguments != 0 || name == "List" || name == "Map") {
      diagnostics_
          .report(Code::UnknownType, tree_.file, tree_.span(node),
                  fmt::format("`{}` is no type", tree_.text(node)))
          .note("types with arguments are List<T> and Map<K, V>");
      return types_.error();
    }
    if (const auto builtin = builtin_type(name)) return *builtin;
    if (const auto found = names_.find(name); found != names_.end()) return found->second;
    Diagnostic& d = diagnostics_.report(Code::UnknownType, tree_.file, tree_.span(ident),
                                        fmt::format("there is no type `{}`", name));
    const std::string member = fmt::format(".{}", name);  // of a module, as `notify.Level`
    const auto in_module = std::ranges::find_if(
        names_, [&](const auto& known) { return std::string_view(known.first).ends_with(member); });
    if (in_module != names_.end())
      d.fix(tree_.span(ident), in_module->first, fmt::format("a module has one: `{}`", in_module->first));
    else if (const auto near = nearest_name(name, known()))
      d.fix(tree_.span(ident), *near, fmt::format("did you mean `{}`?", *near));
    return types_.error();
  }

  TypeId map(NodeId node) {
    const TypeId key = resolve(tree_.kid(node, 1)), element = resolve(tree_.kid(node, 2));
    if (key == types_.error() || element == types_.error()) return types_.error();
    if (types_.is_map_key(key)) return types_.map(key, element);
    diagnostics_
        .report(Code::UnknownType, tree_.file, tree_.span(tree_.kid(node, 1)),
                fmt::format("`{}` cannot be the key of a map", types_.name(key)))
        .note("keys are String, Int, Bool, enums, and types kept as text, as Email");
    return types_.error();
  }

  std::vector<std::string> known() const {
    std::vector<std::string> names;
#define FLOW_TYPE(type, text, storage, meaning) names.emplace_back(text);
#include "base/types.def"
#undef FLOW_TYPE
    for (const auto& [name, id] : names_) names.push_back(name);
    return names;
  }

  const Tree& tree_;
  const std::map<std::string, TypeId, std::less<>>& names_;
  TypeTable& types_;
  Diagnostics& diagnostics_;
};

}  // namespace

TypeId resolve_type(const Tree& tree, NodeId node, const std::map<std::string, TypeId, std::less<>>& names,
                    TypeTable& types, Diagnostics& diagnostics) {
  return TypeResolver(tree, names, types, diagnostics).resolve(node);
}

}  // namespace flow
