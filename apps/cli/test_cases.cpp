#include "apps/cli/test_cases.hpp"

#include <algorithm>

namespace flow {
namespace {

using testing::ExpectedCall;
using testing::Statement;

Statement::Kind kind_of(const TestStatement& statement) {
  switch (statement.kind) {
    case NodeKind::Given: return Statement::Kind::GivenInput;
    case NodeKind::GivenParam: return Statement::Kind::GivenParam;
    case NodeKind::GivenEvent: return Statement::Kind::GivenEvent;
    case NodeKind::GivenReturns: return Statement::Kind::GivenReturns;
    case NodeKind::GivenFails: return Statement::Kind::GivenFails;
    case NodeKind::TimePasses: return Statement::Kind::TimePasses;
    case NodeKind::RunFlow: return Statement::Kind::Run;
    case NodeKind::ExpectNone: return Statement::Kind::ExpectNone;
    case NodeKind::ExpectNoActions: return Statement::Kind::ExpectNoActions;
    case NodeKind::ExpectOrder: return Statement::Kind::ExpectOrder;
    case NodeKind::ExpectResult: return Statement::Kind::ExpectResult;
    case NodeKind::ExpectOutcome: return Statement::Kind::ExpectOutcome;
    case NodeKind::ExpectLog: return Statement::Kind::ExpectLog;
    default: return statement.calls.empty() ? Statement::Kind::ExpectCondition : Statement::Kind::ExpectCall;
  }
}

class Converter {
 public:
  Converter(const Compilation& compilation, std::uint32_t first_value)
      : tree_(compilation.tree),
        checked_(compilation.checked),
        library_(*compilation.library),
        first_value_(first_value) {}

  testing::Test test(const CheckedTest& checked) const {
    testing::Test made{.name = checked.name,
                       .place = place_of(tree_, tree_.kid(checked.node, 0)),
                       .flow = checked.flow,
                       .needs_run = checked.needs_run,
                       .statements = {}};
    for (const TestStatement& statement : checked.statements) made.statements.push_back(converted(statement));
    return made;
  }

 private:
  testing::Value value(const TestValue& from) const {
    testing::Value made;
    made.flow = first_value_ + from.value;
    made.json = from.json;
    made.names = from.names;
    for (const TestValue& item : from.items) made.items.push_back(value(item));
    switch (from.kind) {
      case TestValue::Kind::Expression: made.kind = testing::Value::Kind::Computed; break;
      case TestValue::Kind::Json: made.kind = testing::Value::Kind::Json; break;
      case TestValue::Kind::Object: made.kind = testing::Value::Kind::Object; break;
      case TestValue::Kind::List: made.kind = testing::Value::Kind::List; break;
    }
    return made;
  }

  Statement converted(const TestStatement& from) const {
    Statement made{
        .kind = kind_of(from), .place = place_of(tree_, from.node), .name = from.name, .text = from.text};
    made.shown = tree_.text(from.node);
    if (made.shown.starts_with("expect"))
      made.shown = made.shown.substr(made.shown.find_first_not_of(" \t\n", 6));
    made.value = value(from.value);
    made.count = from.count;
    made.fault = from.fault;
    for (const TestCall& call : from.calls) made.calls.push_back(expected(call));
    for (const auto& [name, given] : from.arguments) made.arguments.emplace_back(name, value(given));
    for (const std::uint32_t side : from.sides)
      made.sides.emplace_back(std::string(tree_.text(checked_.test_values[side].body)), first_value_ + side);
    return made;
  }

  ExpectedCall expected(const TestCall& call) const {
    const Operation& operation = library_.operations[call.operation];
    ExpectedCall made{
        .operation = call.is_any_method ? operation.connector + ".*" : operation.full_name(),
        .shown = "`" + (operation.connector == "http" ? operation.connector : operation.name) + "`",
        .arguments = {}};
    for (const auto& [parameter, index] : call.arguments)
      made.arguments.emplace_back(parameter, first_value_ + index);
    return made;
  }

  const Tree& tree_;
  const CheckedFile& checked_;
  const Library& library_;
  std::uint32_t first_value_;
};

}  // namespace

testing::Place place_of(const Tree& tree, NodeId node) {
  const LineColumn at = tree.position(node);
  testing::Place place{.line = at.line, .column = at.column, .text = {}, .length = 0};
  const std::string& text = tree.source->text();
  const Span span = tree.span(node);
  const std::size_t begin = span.begin == 0 ? 0 : text.rfind('\n', span.begin - 1) + 1;
  const std::size_t end = std::min(text.find('\n', span.begin), text.size());
  place.text = text.substr(begin, end - begin);
  for (std::size_t i = span.begin; i < std::min<std::size_t>(span.end, end); ++i)
    place.length += (text[i] & '\xc0') != '\x80';
  return place;
}

std::vector<testing::Test> test_cases(const Compilation& compilation, std::uint32_t first_value) {
  const Converter converter(compilation, first_value);
  std::vector<testing::Test> tests;
  for (const CheckedTest& test : compilation.checked.tests) tests.push_back(converter.test(test));
  return tests;
}

}  // namespace flow
