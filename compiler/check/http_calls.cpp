// `http(method: GET, url: …)`: one name for two operations, of which the method that is written decides. So
// what a flow may change is known before it runs.
#include <algorithm>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

constexpr std::string_view kMethods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};

bool is_read(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

std::string in_capitals(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

// Where the address leads stands in it until here.
std::string_view authority_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  const std::string_view rest = url.substr(scheme + 3);
  return rest.substr(0, rest.find_first_of("/?#"));
}

}  // namespace

NodeId Checker::http_argument(NodeId call, std::string_view name, std::size_t place) const {
  const auto given = tree_.kids(call).subspan(1);
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (tree_.kind(given[i]) != NodeKind::NamedArgument) {
      if (i == place) return given[i];
    } else if (tree_.text(tree_.kid(given[i], 0)) == name) {
      return tree_.kid(given[i], 1);
    }
  }
  return kNoNode;
}

// The method as it is written; empty where it can be any.
std::string_view Checker::written_method(NodeId call) const {
  const NodeId method = http_argument(call, "method", 0);
  if (method == kNoNode) return "GET";
  std::string_view name = tree_.text(method);
  if (tree_.kind(method) == NodeKind::Field && tree_.text(tree_.kid(method, 0)) == "HttpMethod")
    name = tree_.text(tree_.kid(method, 1));
  else if (tree_.kind(method) != NodeKind::Ident || visible_.contains(name))
    return {};
  return std::ranges::find(kMethods, name) == std::end(kMethods) ? std::string_view() : name;
}

bool Checker::is_http(NodeId callee) const {
  return tree_.kind(callee) == NodeKind::Ident && tree_.text(callee) == "http" &&
         library_.operation_names.contains("http.send");
}

TypeId Checker::http_call(NodeId node) {
  const NodeId method = http_argument(node, "method", 0);
  const std::string_view written = written_method(node);
  if (written.empty()) {
    Diagnostic& d = report(Code::NotConstant, method,
                           "the method says whether the call changes anything, so it is written in place");
    if (const auto near = nearest_name(in_capitals(tree_.text(method)),
                                       std::vector<std::string>(std::begin(kMethods), std::end(kMethods)));
        near && tree_.kind(method) != NodeKind::Call)
      d.fix(tree_.span(method), *near, fmt::format("write `{}`", *near));
    else
      d.note("it is one of GET, HEAD, POST, PUT, PATCH, DELETE");
    for (const NodeId argument : tree_.kids(node).subspan(1)) {
      const bool is_named = tree_.kind(argument) == NodeKind::NamedArgument;
      const NodeId value = is_named ? tree_.kid(argument, 1) : argument;
      if (value != method || visible_.contains(tree_.text(value))) lone_argument(argument);
    }
    return error_type();
  }
  const TypeId type = operation_call(
      node, library_.operation_names.find(is_read(written) ? "http.get" : "http.send")->second);
  check_http_address(http_argument(node, "url", 1));
  check_http_credential(node, http_argument(node, "auth", 2));
  return type;
}

void Checker::check_http_address(NodeId url) {
  if (url == kNoNode) return;
  const NodeKind kind = tree_.kind(url);
  if (kind != NodeKind::Text && kind != NodeKind::RawText) return;
  // What stands before the first hole; with none of it the deployment decides when the flow runs.
  std::string text;
  Diagnostics ignored;
  if (!has_holes(tree_, url)) {
    text = plain_text(tree_, url, ignored);
  } else {
    const NodeId first = tree_.kid(url, 0);
    if (tree_.kind(first) != NodeKind::TextPiece) return;
    text = tree_.text(first);
  }
  if (!text.starts_with("https://") && !text.starts_with("http://")) {
    if (has_holes(tree_, url) && std::string_view("https://").starts_with(text)) return;
    report(Code::InvalidLiteral, url, "an address begins with `https://` or `http://`");
    return;
  }
  if (authority_of(text).find('@') != std::string_view::npos)
    report(Code::InvalidLiteral, url,
           "no credentials stand in an address: whoever reads the flow would have them")
        .note("declare `secret name`, and give it as `secrets: { Authorization: name }`");
}

void Checker::check_http_credential(NodeId call, NodeId auth) {
  if (auth == kNoNode || tree_.kind(auth) == NodeKind::Null) return;
  if (tree_.kind(auth) != NodeKind::Text || has_holes(tree_, auth)) {
    report(Code::NotConstant, auth, "whose credential is sent must be known before anything runs")
        .expecting("expected the name of a connector in quotes");
    return;
  }
  Diagnostics ignored;
  const std::string name = plain_text(tree_, auth, ignored);
  const auto connector = std::ranges::find(library_.connectors, name, &Connector::name);
  if (connector != library_.connectors.end() && !connector->base.empty()) {
    out_.http_credentials.insert_or_assign(
        call, static_cast<std::uint32_t>(connector - library_.connectors.begin()));
    return;
  }
  Diagnostic& d =
      report(Code::UnknownName, auth,
             connector == library_.connectors.end()
                 ? fmt::format("there is no connector `{}`", name)
                 : fmt::format("connector `{}` has no address, and its credential goes nowhere", name));
  std::vector<std::string> known;
  for (const Connector& each : library_.connectors)
    if (!each.base.empty()) known.push_back(each.name);
  if (const auto near = nearest_name(name, known))
    d.fix(tree_.span(auth), fmt::format("\"{}\"", *near), fmt::format("did you mean `{}`?", *near));
}

}  // namespace flow
