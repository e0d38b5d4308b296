// The credential that a connector declares.
#include <fmt/format.h>

#include "compiler/resolve/library_builder.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

struct Member {
  std::string_view name;
  std::string Auth::*value;
};
constexpr Member kMembers[] = {{"scope", &Auth::scope},
                               {"token", &Auth::token},
                               {"header", &Auth::header},
                               {"prefix", &Auth::prefix},
                               {"query", &Auth::query}};

std::vector<std::string> members_of(Auth::Kind kind) {
  switch (kind) {
    case Auth::Kind::Entra: return {"scope"};
    case Auth::Kind::Key: return {"header", "prefix", "query"};
    case Auth::Kind::OAuth2: return {"token", "scope"};
    default: return {};
  }
}

bool is_plain_text(const Tree& tree, NodeId node) {
  const NodeKind kind = tree.kind(node);
  return (kind == NodeKind::Text || kind == NodeKind::TextBlock || kind == NodeKind::RawText) &&
         !has_holes(tree, node);
}

}  // namespace

Auth LibraryBuilder::auth_of(const Tree& tree, NodeId node) {
  Auth auth;
  const NodeId word = tree.kid(node, 0);
  if (const auto kind = auth_named(tree.text(word))) {
    auth.kind = *kind;
  } else {
    unknown(tree, word, Code::UnknownName, fmt::format("there is no credential `{}`", tree.text(word)),
            {"entra", "key", "basic", "bearer", "oauth2", "url", "none"});
    return auth;
  }
  const std::vector<std::string> known = members_of(auth.kind);
  for (const NodeId entry : tree.kids(node).subspan(1)) {
    const NodeId name = tree.kid(entry, 0);
    if (std::ranges::find(known, tree.text(name)) == known.end()) {
      unknown(tree, name, Code::UnknownName,
              fmt::format("`auth {}` has no `{}`", auth_name(auth.kind), tree.text(name)), known);
      return {};
    }
    const NodeId value = tree.kid(entry, 1);
    if (!is_plain_text(tree, value)) {
      report(tree, value, Code::InvalidDeclaration,
             fmt::format("`{}` is a text without holes", tree.text(name)));
      return {};
    }
    auth.*std::ranges::find(kMembers, tree.text(name), &Member::name)->value =
        plain_text(tree, value, diagnostics_);
  }
  if (const std::string problem = auth_problem(auth); !problem.empty())
    report(tree, tree.kids(node).size() > 1 ? node : word, Code::InvalidDeclaration, problem);
  return auth;
}

}  // namespace flow
