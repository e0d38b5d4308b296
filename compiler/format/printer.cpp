#include "compiler/format/printer.hpp"
#include "compiler/format/format.hpp"

#include <algorithm>

namespace flow {
namespace {

// Printed as they stand in the text.
bool is_verbatim(NodeKind kind) {
  switch (kind) {
    case NodeKind::Text:
    case NodeKind::TextBlock:
    case NodeKind::Html:
    case NodeKind::Kql:
    case NodeKind::RawText:
    case NodeKind::Ident:
    case NodeKind::Int:
    case NodeKind::Float:
    case NodeKind::Duration:
    case NodeKind::Dotted:
    case NodeKind::EnumValue: return true;
    default: return false;
  }
}

bool is_parameter(NodeKind kind) {
  return kind == NodeKind::ParameterDecl;
}

}  // namespace

std::string Printer::print() {
  if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
  sequence(tree_.kids(tree_.root), static_cast<std::uint32_t>(text_.size()));
  return layout_.write(kLineWidth);
}

void Printer::children(NodeId id) {
  for (const NodeId kid : tree_.kids(id)) {
    until(tree_.span(kid).begin);
    node(kid);
  }
  until(tree_.span(id).end);
}

void Printer::joined(NodeId id, std::size_t first) {
  const auto kids = tree_.kids(id);
  bool is_broken = false;
  for (std::size_t i = first; i < kids.size(); ++i)
    is_broken = is_broken || lines_between(tree_.span(kids[i - 1]).end, tree_.span(kids[i]).begin) > 0;
  layout_.begin_group(is_broken);
  for (std::size_t i = 0; i < kids.size(); ++i) {
    if (i == first) layout_.indent(kIndent);
    if (i >= first) {
      if (!has_line_comment_) layout_.line();
      if (!has_line_comment_) last_ = {};
    }
    until(tree_.span(kids[i]).begin);
    node(kids[i]);
  }
  until(tree_.span(id).end);
  layout_.dedent(kIndent);
  layout_.end_group();
}

// Breaks before each operator, where it breaks.
void Printer::operands(NodeId id) {
  const bool has_signs = tree_.kind(id) == NodeKind::Sum || tree_.kind(id) == NodeKind::Product;
  chain(tree_.kids(id), has_signs ? 2 : 1, kIndent);
}

// On one line, or a new one before each `step` nodes: an operand, or the sign before it.
void Printer::chain(std::span<const NodeId> nodes, std::size_t step, int indent) {
  bool is_broken = false;
  for (std::size_t i = 1; i < nodes.size(); ++i)
    is_broken = is_broken || lines_between(tree_.span(nodes[i - 1]).end, tree_.span(nodes[i]).begin) > 0;
  layout_.begin_group(is_broken);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (i == 1) layout_.indent(indent);
    if (i > 0 && (step == 1 || i % step == 1)) {
      while (next().is_comment) {
        const Token ahead = next();
        at_ = ahead.end;
        comment(ahead);
      }
      if (has_line_comment_)
        layout_.hard();
      else
        layout_.line();
      has_line_comment_ = false;
      last_ = {};
    }
    until(tree_.span(nodes[i]).begin);
    node(nodes[i]);
  }
  layout_.dedent(indent);
  layout_.end_group();
}

void Printer::member(NodeId id) {
  const NodeId object = tree_.kid(id, 0);
  node(object);
  // A chain of calls over several lines stays one.
  const bool is_broken = !next().is_comment && lines_ahead() > 0;
  if (is_broken) {
    layout_.indent(kIndent);
    layout_.hard();
    last_ = {};
  }
  glue_ = true;
  until(tree_.span(tree_.kid(id, 1)).begin);
  glue_ = !has_line_comment_;
  node(tree_.kid(id, 1));
  if (is_broken) layout_.dedent(kIndent);
}

void Printer::block(NodeId id) {
  if (tree_.text(id).starts_with('{')) return braces(id, tree_.kids(id), false);
  children(id);
}

// The statements of a one-line flow.
void Printer::lone_statements(NodeId id) {
  const auto kids = tree_.kids(id);
  bool is_broken = false;
  for (std::size_t i = 1; i < kids.size(); ++i)
    is_broken = is_broken || lines_between(tree_.span(kids[i - 1]).end, tree_.span(kids[i]).begin) > 0;
  layout_.begin_group(is_broken);
  layout_.indent(3);
  for (std::size_t i = 0; i < kids.size(); ++i) {
    if (i > 0) {
      if (needs_semicolon(kids[i - 1], kids[i]))
        layout_.text(";");
      else
        layout_.if_flat(";");
      for (Token ahead = next(); ahead.begin < tree_.span(kids[i]).begin; ahead = next()) {
        at_ = ahead.end;
        if (ahead.is_comment) comment(ahead);
      }
      if (has_line_comment_)
        layout_.hard();
      else
        layout_.line();
      has_line_comment_ = false;
      last_ = {};
    }
    node(kids[i]);
  }
  layout_.dedent(3);
  layout_.end_group();
  const std::uint32_t end = tree_.span(id).end;
  for (Token ahead = next(); ahead.begin < end && ahead.end > ahead.begin; ahead = next()) {
    at_ = ahead.end;
    if (ahead.is_comment) comment(ahead);
  }
}

// `and` and `or` stand below `when`, to its right.
void Printer::condition(NodeId id) {
  const NodeId value = tree_.kid(id, 0);
  const NodeKind kind = tree_.kind(value);
  if (kind != NodeKind::And && kind != NodeKind::Or) return children(id);
  chain(tree_.kids(value), 1, kind == NodeKind::And ? 1 : 2);
  until(tree_.span(id).end);
}

// All parts on one line, or each on its own.
void Printer::flow(NodeId id) {
  const auto kids = tree_.kids(id);
  const NodeId body = tree_.find(id, NodeKind::Do);
  const bool has_block = tree_.text(tree_.kid(body, 0)).starts_with('{');
  bool is_broken = false;
  std::uint32_t before = tree_.span(id).begin;
  for (const NodeId kid : kids) {
    const bool is_part = tree_.kind(kid) != NodeKind::OnError && kid != kids[0];
    if (is_part) is_broken = is_broken || lines_between(before, tree_.span(kid).begin) > 0;
    before = tree_.span(kid).end;
  }
  layout_.begin_group(is_broken);
  for (std::size_t i = 0; i < kids.size(); ++i) {
    const NodeId kid = kids[i];
    const std::uint32_t begin = tree_.span(kid).begin;
    if (i > 0) {
      while (next().begin < begin && next().is_comment) {
        const Token ahead = next();
        at_ = ahead.end;
        comment(ahead);
      }
      const bool is_handler = tree_.kind(kid) == NodeKind::OnError;
      if (has_line_comment_ || (is_handler && (lines_ahead() > 0 || has_block)))
        layout_.hard();
      else
        layout_.line();
      has_line_comment_ = false;
      last_ = {};
    }
    until(begin);
    if (kid != body) {
      node(kid);
      continue;
    }
    until(tree_.span(tree_.kid(body, 0)).begin);
    if (has_block) {
      layout_.end_group();
      node(tree_.kid(body, 0));
      layout_.begin_group();
    } else {
      lone_statements(tree_.kid(body, 0));
    }
  }
  layout_.end_group();
}

void Printer::node(NodeId id) {
  const auto kids = tree_.kids(id);
  const NodeKind kind = tree_.kind(id);
  if (is_verbatim(kind) || (kind == NodeKind::Key && kids.empty())) return verbatim(id);
  // From `first` on, while they are parameters.
  const auto parameters = [&](bool is_tight) {
    std::size_t first = 0;
    while (first < kids.size() && !is_parameter(tree_.kind(kids[first])) &&
           tree_.kind(kids[first]) != NodeKind::Result && tree_.kind(kids[first]) != NodeKind::Block)
      ++first;
    std::size_t end = first;
    while (end < kids.size() && is_parameter(tree_.kind(kids[end]))) ++end;
    if (first == end && kind == NodeKind::Function && first == kids.size()) first = end = kids.size() - 1;
    for (const NodeId kid : kids.first(first)) {
      until(tree_.span(kid).begin);
      node(kid);
    }
    if (is_next('(')) {
      while (next().is_comment || text_[next().begin] != '(') {
        const Token ahead = next();
        at_ = ahead.end;
        token(ahead);
      }
      glue_ = is_tight;
      bracketed(kids.subspan(first, end - first), ')', false);
    }
    for (const NodeId kid : kids.subspan(end)) {
      until(tree_.span(kid).begin);
      node(kid);
    }
    until(tree_.span(id).end);
  };
  switch (kind) {
    case NodeKind::Flow: return flow(id);
    case NodeKind::When: return condition(id);
    case NodeKind::Block: return block(id);
    case NodeKind::And:
    case NodeKind::Or:
    case NodeKind::Coalesce:
    case NodeKind::Sum:
    case NodeKind::Product: return operands(id);
    case NodeKind::ModifiedCall: return joined(id, 1);
    case NodeKind::Field:
    case NodeKind::OptionalField: return member(id);
    case NodeKind::List: return bracketed(kids, ']', false);
    case NodeKind::Record: return bracketed(kids, '}', true);
    case NodeKind::Call:
      node(kids[0]);
      glue_ = true;
      return bracketed(kids.subspan(1), ')', false);
    case NodeKind::Construct:
    case NodeKind::RecordDecl:
    case NodeKind::EnumDecl:
      until(tree_.span(kids[0]).begin);
      node(kids[0]);
      return bracketed(kids.subspan(1), '}', true);
    case NodeKind::Auth:
      until(tree_.span(kids[0]).begin);
      node(kids[0]);
      if (tree_.span(id).end == tree_.span(kids[0]).end) return;
      return bracketed(kids.subspan(1), '}', true);
    case NodeKind::Query:
    case NodeKind::Headers:
    case NodeKind::Form:
    case NodeKind::Multipart:
      until(static_cast<std::uint32_t>(text_.find('{', tree_.span(id).begin)));
      return bracketed(kids, '}', true);
    case NodeKind::Index:
      node(kids[0]);
      glue_ = true;
      until(tree_.span(kids[1]).begin);
      node(kids[1]);
      return until(tree_.span(id).end);
    case NodeKind::Upload:
      for (std::size_t i = 0; i < kids.size(); ++i) {
        if (i == 1) glue_ = true;
        until(tree_.span(kids[i]).begin);
        if (i == 1) glue_ = true;
        node(kids[i]);
      }
      return until(tree_.span(id).end);
    case NodeKind::Negate:
      until(tree_.span(kids[0]).begin);
      glue_ = !has_line_comment_;
      return node(kids[0]);
    case NodeKind::Function:
    case NodeKind::NativeFunction: return parameters(true);
    case NodeKind::OnManual:
    case NodeKind::OnCall: {
      const Token keyword = next();
      at_ = keyword.end;
      token(keyword);
      return parameters(false);
    }
    case NodeKind::OnWebhook:
    case NodeKind::OnStream: return parameters(false);
    case NodeKind::OnHunt:
      until(static_cast<std::uint32_t>(text_.find('(', tree_.span(id).begin)));
      glue_ = true;
      return children(id);
    case NodeKind::Entity: {
      for (std::size_t i = 0; i < kids.size(); ++i) {
        if (i == 3) glue_ = true;
        until(tree_.span(kids[i]).begin);
        node(kids[i]);
      }
      return until(tree_.span(id).end);
    }
    case NodeKind::TypeName:
    case NodeKind::TypeParameters:
      for (std::size_t i = 0; i < kids.size(); ++i) {
        const bool is_first = i == (kind == NodeKind::TypeName ? 1 : 0);
        if (is_first) glue_ = true;
        until(tree_.span(kids[i]).begin);
        if (is_first) glue_ = true;
        node(kids[i]);
      }
      glue_ = kids.size() > 1 || kind == NodeKind::TypeParameters;
      until(tree_.span(id).end);
      glue_ = false;
      return;
    case NodeKind::Match:
    case NodeKind::MatchExpr:
      until(tree_.span(kids[0]).begin);
      node(kids[0]);
      return braces(id, kids.subspan(1), true);
    case NodeKind::Steps: return braces(id, kids, false);
    case NodeKind::Test:
      until(tree_.span(kids[0]).begin);
      node(kids[0]);
      return braces(id, kids.subspan(1), false);
    case NodeKind::Connector:
    case NodeKind::Trigger:
    case NodeKind::Route: {
      const std::size_t named = kids.size() > 1 && tree_.kind(kids[1]) == NodeKind::RouteName ? 2 : 1;
      for (const NodeId kid : kids.first(named)) {
        until(tree_.span(kid).begin);
        node(kid);
      }
      return braces(id, kids.subspan(named), false);
    }
    case NodeKind::Operation: {
      std::size_t first = 2;
      while (first < kids.size() && is_parameter(tree_.kind(kids[first]))) ++first;
      for (const NodeId kid : kids.first(2)) {
        until(tree_.span(kid).begin);
        node(kid);
      }
      glue_ = true;
      bracketed(kids.subspan(2, first - 2), ')', false);
      if (first < kids.size() && tree_.kind(kids[first]) == NodeKind::Result) {
        until(tree_.span(kids[first]).begin);
        node(kids[first++]);
      }
      return braces(id, kids.subspan(first), false);
    }
    default: return children(id);
  }
}

}  // namespace flow
