#include "compiler/resolve/contradictions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

bool is_text(NodeKind kind) {
  return kind == NodeKind::Text || kind == NodeKind::TextBlock || kind == NodeKind::RawText;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// RFC 9110, section 5.1.
bool is_header_name(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

std::string in_lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::string address_mistake(std::string_view base) {
  const bool is_https = base.starts_with("https://");
  if (!is_https && !base.starts_with("http://")) return "a base begins with https:// or http://";
  const std::string_view rest = base.substr(is_https ? 8 : 7);
  const std::string_view host = rest.substr(0, rest.find('/'));
  if (host.empty() || host.front() == ':') return "a base names a host";
  if (host.find('@') != std::string_view::npos) return "credentials do not stand in a base: see `auth`";
  if (rest.find_first_of("?#") != std::string_view::npos) return "a base has neither `?` nor `#`";
  if (std::ranges::any_of(rest, [](char c) { return is_control(c) || c == ' '; }))
    return "a base has no blanks";
  if (rest.find("/../") != std::string_view::npos || rest.ends_with("/.."))
    return "a base has no `..` in its path";
  return {};
}

class ContradictionFinder {
 public:
  ContradictionFinder(const Tree& tree, const Library& library, Diagnostics& diagnostics)
      : tree_(tree), library_(library), diagnostics_(diagnostics) {}

  void connector(NodeId node) {
    connector_ = tree_.text(tree_.kid(node, 0));
    once(node, {{NodeKind::Base, "base"}, {NodeKind::Auth, "auth"}});
    for (const NodeId member : tree_.kids(node)) {
      switch (tree_.kind(member)) {
        case NodeKind::Base: base(tree_.kid(member, 0)); break;
        case NodeKind::EnumDecl:
          if (tree_.kids(member).size() == 1) report(tree_.kid(member, 0), "an enum has a value at least");
          break;
        case NodeKind::RecordDecl: record(member); break;
        case NodeKind::Quota: quota(member); break;
        case NodeKind::Operation: operation(member); break;
        default: break;
      }
    }
  }

 private:
  Diagnostic& report(NodeId node, std::string message) {
    return diagnostics_.report(Code::InvalidDeclaration, tree_.file, tree_.span(node), std::move(message));
  }

  // Without holes; mistakes in it are told where it is read.
  std::string plain(NodeId node) const {
    Diagnostics told;
    return plain_text(tree_, node, told);
  }

  struct Clause {
    NodeKind kind;
    std::string_view word;
  };
  void once(NodeId node, std::initializer_list<Clause> clauses) {
    for (const Clause& clause : clauses) {
      NodeId first = kNoNode;
      for (const NodeId kid : tree_.kids(node)) {
        if (tree_.kind(kid) != clause.kind) continue;
        if (first == kNoNode)
          first = kid;
        else
          report(kid, fmt::format("`{}` is said twice", clause.word)).label(tree_.span(first), "first here");
      }
    }
  }

  void base(NodeId text) {
    if (!is_text(tree_.kind(text)) || has_holes(tree_, text)) return;
    if (const std::string mistake = address_mistake(plain(text)); !mistake.empty()) report(text, mistake);
  }

  void record(NodeId node) {
    std::map<std::string, std::pair<NodeId, std::string_view>> wires;  // the place, the field's name
    for (const NodeId field : tree_.kids(node).subspan(1)) {
      if (tree_.kind(field) != NodeKind::FieldDecl) continue;
      const NodeId name = tree_.kid(field, 0), wire = tree_.find(field, NodeKind::Text);
      const NodeId shown = wire == kNoNode ? name : wire;
      const auto [first, is_new] = wires.emplace(
          wire == kNoNode ? std::string(tree_.text(name)) : plain(wire), std::pair(shown, tree_.text(name)));
      // Two fields of one name are told as that.
      if (!is_new && first->second.second != tree_.text(name))
        report(shown, fmt::format("two fields are read from `{}`", printable(first->first)))
            .label(tree_.span(first->second.first), "the other one");
    }
  }

  void quota(NodeId node) {
    for (const NodeId kid : tree_.kids(node))
      if (tree_.kind(kid) == NodeKind::Int) {
        Diagnostics told;
        if (int_value(tree_, kid, told) < 1) report(kid, "a quota allows one call at least");
      }
  }

  void operation(NodeId node) {
    once(node, {{NodeKind::Retires, "retires"},
                {NodeKind::Inverse, "inverse"},
                {NodeKind::Targets, "targets"},
                {NodeKind::Source, "source"}});
    route(node);
    for (const NodeId kid : tree_.kids(node)) {
      if (tree_.kind(kid) == NodeKind::Route) route(kid);
      if (tree_.kind(kid) == NodeKind::Inverse) inverse(tree_.kid(kid, 0));
    }
  }

  void inverse(NodeId name) {
    if (library_.operation(connector_, tree_.text(name)) != nullptr) return;
    std::vector<std::string> known;
    for (std::uint32_t i = 0; i < library_.operations.size(); ++i)
      if (library_.operations[i].connector == connector_) known.push_back(library_.operations[i].name);
    Diagnostic& d =
        diagnostics_.report(Code::UnknownOperation, tree_.file, tree_.span(name),
                            fmt::format("this connector has no operation `{}`", tree_.text(name)));
    if (const auto near = nearest_name(tree_.text(name), known))
      d.fix(tree_.span(name), *near, fmt::format("did you mean `{}`?", *near));
  }

  void route(NodeId node) {
    once(node, {{NodeKind::Query, "query"}, {NodeKind::Headers, "headers"}, {NodeKind::Pages, "pages"}});
    NodeId request = kNoNode, body = kNoNode;
    const bool is_followed = tree_.find(node, NodeKind::Then) != kNoNode;
    for (const NodeId kid : tree_.kids(node)) {
      switch (tree_.kind(kid)) {
        case NodeKind::Request:
          if (request != kNoNode)
            report(kid, "a route makes one request").label(tree_.span(request), "the first");
          request = kid;
          path(tree_.kid(kid, 1));
          break;
        case NodeKind::Query: keys(kid, false); break;
        case NodeKind::Headers: keys(kid, true); break;
        case NodeKind::Body:
        case NodeKind::Form:
        case NodeKind::Multipart:
          if (body != kNoNode) report(kid, "a request has one body").label(tree_.span(body), "the first");
          body = kid;
          break;
        case NodeKind::Quota: quota(kid); break;
        case NodeKind::ErrorClause: error(tree_.kid(kid, 0)); break;
        default: break;
      }
    }
    if (request != kNoNode && body != kNoNode && !is_followed && tree_.text(tree_.kid(request, 0)) == "GET")
      report(body, "a GET has no body").label(tree_.span(request), "the request");
  }

  void path(NodeId text) {
    if (tree_.kind(text) != NodeKind::Text) return;
    Diagnostics told;
    for (const NodeId piece : tree_.kids(text)) {
      if (tree_.kind(piece) != NodeKind::TextPiece) continue;
      const std::string part = decode_piece(tree_, piece, told);
      if (std::ranges::any_of(part, [](char c) { return c == ' ' || c == '#' || is_control(c); }))
        report(piece, "a path has neither blanks nor `#`: write %20 and %23");
    }
  }

  void keys(NodeId node, bool are_headers) {
    std::map<std::string, NodeId> seen;
    for (const NodeId entry : tree_.kids(node)) {
      const NodeId key = tree_.kid(entry, 0), value = tree_.kid(entry, 1);
      Diagnostics told;
      const std::string name = key_text(tree_, key, told);
      if (are_headers && !is_header_name(name))
        report(key, fmt::format("no header can be called `{}`", printable(name)));
      if (are_headers && is_text(tree_.kind(value)) &&
          std::ranges::any_of(plain(value), [](char c) { return is_control(c) && c != '\t'; }))
        report(value, "a header is one line");
      const auto [first, is_new] = seen.emplace(are_headers ? in_lower_case(name) : name, key);
      if (!is_new)
        report(key, fmt::format("`{}` is given twice", printable(name)))
            .label(tree_.span(first->second), "first given here");
    }
  }

  void error(NodeId status) {
    Diagnostics told;
    const std::int64_t number = int_value(tree_, status, told);
    if (number != 0 && (number < 200 || number > 599))
      report(status, "an answer has a status from 200 to 599; 0 stands for every error");
  }

  const Tree& tree_;
  const Library& library_;
  Diagnostics& diagnostics_;
  std::string_view connector_;
};

}  // namespace

void report_contradictions(const Tree& tree, const Library& library, Diagnostics& diagnostics) {
  if (tree.root == kNoNode) return;
  for (const NodeId kid : tree.kids(tree.root))
    if (tree.kind(kid) == NodeKind::Connector) ContradictionFinder(tree, library, diagnostics).connector(kid);
}

}  // namespace flow
