// Questions to people: whom they are put to, what may be answered, and that the answer decides something.
#include <algorithm>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {

bool Checker::asks_people(const Operation& operation) const {
  return is_system(operation) && (operation.name == "approve" || operation.name == "ask");
}

NodeId Checker::bare(NodeId node) const {
  while (node != kNoNode && tree_.kind(node) == NodeKind::Paren) node = tree_.kid(node, 0);
  return node;
}

bool Checker::is_written_text(NodeId node) const {
  return tree_.kind(node) == NodeKind::Text && !has_holes(tree_, node);
}

// A question that nobody is asked, or that has nothing to choose from, would never be answered.
void Checker::check_people(const Operation& operation, const std::vector<NodeId>& arguments) {
  if (!asks_people(operation)) return;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const NodeId given = bare(arguments[i]);
    if (given == kNoNode || tree_.kind(given) != NodeKind::List) continue;
    const bool is_options = operation.parameters[i].name == "options";
    if (is_options) check_options(given);
    if (!tree_.kids(given).empty()) continue;
    report(Code::InvalidLiteral, given,
           is_options ? fmt::format("`{}` has no options to choose from", operation.name)
                      : fmt::format("`{}` asks nobody", operation.name))
        .note(is_options ? "list what may be answered: `options: [\"Isolate\", \"Ignore\"]`"
                         : "name one address, or a list of them: the first who answers decides");
  }
}

void Checker::check_options(NodeId list) {
  std::map<std::string, NodeId> seen;
  for (const NodeId option : tree_.kids(list)) {
    if (!is_written_text(option)) continue;
    Diagnostics told;  // by the parser
    const auto [first, is_new] = seen.emplace(plain_text(tree_, option, told), option);
    if (!is_new)
      report(Code::InvalidLiteral, option, fmt::format("the option {} is offered twice", quoted(option)))
          .label(tree_.span(first->second), "first offered here");
  }
}

// `ask(…, options: ["Isolate", "Ignore"]) within 1h else "ignore"`: no branch would expect that answer.
// Another word, as "nobody", says that there was none.
void Checker::check_answer_without_one(const Operation& operation, NodeId call, NodeId answer) {
  const auto options = std::ranges::find(operation.parameters, "options", &Parameter::name);
  const auto checked = out_.calls.find(call);
  if (!asks_people(operation) || options == operation.parameters.end() || checked == out_.calls.end()) return;
  const NodeId list =
      bare(checked->second.arguments[static_cast<std::size_t>(options - operation.parameters.begin())]);
  const NodeId given = bare(answer);
  if (list == kNoNode || tree_.kind(list) != NodeKind::List || tree_.kids(list).empty() ||
      !is_written_text(given))
    return;
  Diagnostics told;
  const std::string text = plain_text(tree_, given, told);
  std::vector<std::string> offered;
  for (const NodeId option : tree_.kids(list)) {
    if (!is_written_text(option)) return;
    offered.push_back(plain_text(tree_, option, told));
    if (offered.back() == text) return;
  }
  const auto alike = std::ranges::find_if(
      offered, [&](const std::string& option) { return equals_ignoring_case(option, text); });
  if (alike == offered.end()) return;
  report(Code::UnknownAnswer, given, fmt::format("{} is none of the options of this `ask`", quoted(given)))
      .label(tree_.span(list), "which are offered here")
      .fix(tree_.span(given), fmt::format("\"{}\"", *alike), fmt::format("did you mean `\"{}\"`?", *alike));
}

// A statement that asks and goes on whatever is answered.
void Checker::report_unused_answer(NodeId statement) {
  const NodeId called = tree_.kind(statement) == NodeKind::Attempt ? tree_.kid(statement, 0) : statement;
  const CallParts parts = call_parts(tree_, called);
  const auto checked = parts.kind == NodeKind::Call ? out_.calls.find(parts.call) : out_.calls.end();
  if (checked == out_.calls.end()) return;
  const Operation& operation = library_.operations[checked->second.operation];
  if (!asks_people(operation)) return;
  const bool is_approval = operation.name == "approve";
  report(Code::UnusedValue, parts.call,
         fmt::format("the answer of `{}` is not used: the flow goes on whatever is answered", operation.name))
      .note(is_approval ? "write `let ok = approve(…) within 1h else false`, and behind it `if ok { … }`"
                        : "write `let answer = ask(…) within 1h else \"…\"`, and decide by `answer`");
}

}  // namespace flow
