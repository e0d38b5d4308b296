// `test "…" { given … expect … }`: what a test gives has the type its flow reads, what it expects can be.
#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {

// What only tests read is no part of what the flows do.
void Checker::tests() {
  const auto fields = out_.fields_read;
  file_ = &files_[0];
  for (const NodeId kid : tree_.kids(tree_.root))
    if (tree_.kind(kid) == NodeKind::Test) test(kid);
  out_.test_fields_read = std::exchange(out_.fields_read, fields);
  flow_ = nullptr;
  body_ = nullptr;
  trigger_ = nullptr;
}

void Checker::test(NodeId node) {
  CheckedTest made;
  made.node = node;
  made.name = plain_text(tree_, tree_.kid(node, 0), diagnostics_);
  for (const CheckedTest& other : out_.tests)
    if (other.name == made.name) {
      report(Code::DuplicateName, tree_.kid(node, 0),
             fmt::format("test {} is declared twice", quoted(tree_.kid(node, 0))))
          .label(tree_.span(tree_.kid(other.node, 0)), "first declared here");
      break;
    }
  test_ = &made;
  tested_flow(node);
  for (const NodeId kid : tree_.kids(node).subspan(1)) {
    TestStatement statement{.kind = tree_.kind(kid), .node = kid};
    if (test_statement(kid, statement)) made.statements.push_back(std::move(statement));
  }
  test_ = nullptr;
  out_.tests.push_back(std::move(made));
}

// The flow that a test names in `run`, or the only one.
void Checker::tested_flow(NodeId test) {
  bool is_named = false;
  for (const NodeId kid : tree_.kids(test)) {
    if (tree_.kind(kid) != NodeKind::RunFlow) continue;
    test_->needs_run = true;
    if (tree_.kids(kid).empty()) continue;
    is_named = true;
    NodeId name = tree_.kid(kid, 0);
    if (tree_.kind(name) == NodeKind::Call) name = tree_.kid(name, 0);
    const auto found = flow_names_.find(tree_.text(name));
    if (found == flow_names_.end()) {
      std::vector<std::string> names;
      for (const CheckedFlow& flow : out_.flows) names.push_back(flow.name);
      Diagnostic& d = report(Code::UnknownName, name, fmt::format("there is no flow {} here", quoted(name)));
      if (const auto near = nearest_name(tree_.text(name), names))
        d.fix(tree_.span(name), *near, fmt::format("did you mean `{}`?", *near));
      continue;
    }
    const auto index = static_cast<std::uint32_t>(found->second);
    if (test_->flow && *test_->flow != index)
      report(Code::InvalidTest, name, "a test runs one flow, as often as it says")
          .note("write another test for the other flow");
    else
      test_->flow = index;
  }
  if (!is_named && file_flows_ == 1) test_->flow = 0;
  if (is_named && !test_->flow && !out_.flows.empty()) test_->flow = 0;  // told; what it gives is checked
  if (test_->flow || out_.flows.empty()) return;
  for (const NodeId kid : tree_.kids(test))
    if (!is_named && needs_flow(kid)) {
      report(Code::InvalidTest, tree_.kid(test, 0),
             "this file has several flows, and the test does not say which")
          .note("name it: `run NAME`");
      test_->flow = 0;
      return;
    }
}

bool Checker::needs_flow(NodeId statement) const {
  switch (tree_.kind(statement)) {
    case NodeKind::Given:
    case NodeKind::GivenEvent:
    case NodeKind::TimePasses:
    case NodeKind::RunFlow:
    case NodeKind::ExpectNone:
    case NodeKind::ExpectNoActions:
    case NodeKind::ExpectOrder:
    case NodeKind::ExpectResult:
    case NodeKind::ExpectOutcome:
    case NodeKind::ExpectLog: return true;
    default: return false;
  }
}

bool Checker::test_statement(NodeId node, TestStatement& statement) {
  const auto kids = tree_.kids(node);
  if (needs_flow(node)) test_->needs_run = true;
  const NodeId count = tree_.find(node, NodeKind::Count);
  if (count != kNoNode) statement.count = test_count(count);
  const std::size_t errors = diagnostics_.errors();
  switch (statement.kind) {
    case NodeKind::Given: given(node, statement); break;
    case NodeKind::GivenEvent:
      statement.name = plain_text(tree_, kids[0], diagnostics_);
      statement.value = test_value_of(kids[1], kNoType, "what is received", false);
      break;
    case NodeKind::GivenReturns: {
      test_call(kids[0], statement);
      if (statement.calls.empty()) break;
      const Operation& operation = library_.operations[statement.calls[0].operation];
      statement.value =
          test_value_of(kids[1], operation.result, fmt::format("what `{}` gives", operation.name), true);
      break;
    }
    case NodeKind::GivenFails: given_fails(node, statement); break;
    case NodeKind::GivenParam: given_param(node, statement); break;
    case NodeKind::TimePasses:
      statement.value = leaf(test_value(kids[0], kDurationType, "the time that passes", false));
      break;
    case NodeKind::RunFlow: run_flow(node, statement); break;
    case NodeKind::Expect: expectation(node, statement); break;
    case NodeKind::ExpectNone: test_call(kids[0], statement); break;
    case NodeKind::ExpectNoActions: break;
    case NodeKind::ExpectOrder:
      for (const NodeId kid : kids) test_call(kid, statement);
      break;
    case NodeKind::ExpectResult: {
      const TypeId type = tested_trigger() != nullptr ? tested_trigger()->result : kNullType;
      if (type == kNullType)
        report(Code::InvalidTest, node, "this flow gives no result")
            .note("only a flow `on call (…) -> Type` does");
      else
        statement.value = leaf(test_value(kids[0], type, "the result that is expected", true));
      break;
    }
    case NodeKind::ExpectOutcome:
      statement.name = tree_.text(kids[0]);
      if (kids.size() > 1) statement.text = plain_text(tree_, kids[1], diagnostics_);
      break;
    case NodeKind::ExpectLog:
      statement.value = leaf(test_value(kids[0], kStringType, "the line that is expected", true));
      break;
    default: return false;  // could not be read
  }
  return diagnostics_.errors() == errors;
}

std::uint32_t Checker::test_count(NodeId node) {
  if (!tree_.kids(node).empty()) {
    Diagnostics ignored;
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(int_value(tree_, tree_.kid(node, 0), ignored), 0, 1'000'000));
  }
  const std::string_view word = tree_.text(node);
  return word == "never" ? 0 : word == "twice" ? 2 : 1;
}

const Trigger* Checker::tested_trigger() const {
  if (!test_->flow) return nullptr;
  const std::uint32_t index = out_.flows[*test_->flow].trigger;
  return index < out_.triggers.size() ? &out_.triggers[index] : nullptr;  // a mistake in the trigger was told
}

// ---- What is given

void Checker::given(NodeId node, TestStatement& statement) {
  const NodeId ident = tree_.kid(node, 0), value = tree_.kid(node, 1);
  const std::string_view name = tree_.text(ident);
  statement.name = name;
  if (name == "now") {
    const std::string text =
        tree_.kind(value) == NodeKind::Text ? plain_text(tree_, value, diagnostics_) : "";
    if (const auto time = parse_written_time_us(text))
      statement.value.json = json_quoted(format_time_us(*time));
    else
      report(Code::InvalidTest, value, fmt::format("{} is no time", quoted(value)))
          .expecting("expected a text as \"2026-11-20T08:14:00Z\"");
    return;
  }
  const std::string what = fmt::format("the given `{}`", name);
  if (name == "approval") return statement.value = leaf(test_value(value, kBoolType, what, false)), void();
  if (name == "answer") return statement.value = leaf(test_value(value, kStringType, what, false)), void();
  const Trigger* trigger = tested_trigger();
  if (trigger == nullptr) return;  // told
  std::vector<std::string> known;
  for (const Trigger::Entity& entity : trigger->entities) {
    known.push_back(entity.name);
    if (entity.name == name) return statement.value = test_value_of(value, entity.type, what, false), void();
  }
  for (const Trigger::Binding& binding : trigger->bindings) {
    known.push_back(binding.name);
    if (binding.name == name)
      return statement.value = test_value_of(value, binding.type, what, false), void();
  }
  for (const char* const own : {"now", "approval", "answer"}) known.emplace_back(own);
  Diagnostic& d =
      report(Code::InvalidTest, ident, fmt::format("nothing called `{}` can be given to this flow", name));
  if (const auto near = nearest_name(name, known))
    d.fix(tree_.span(ident), *near, fmt::format("did you mean `{}`?", *near));
  else
    d.note(fmt::format("what can be given: {}", fmt::join(known, ", ")));
}

void Checker::given_fails(NodeId node, TestStatement& statement) {
  test_call(tree_.kid(node, 0), statement);
  const NodeId kind = tree_.find(node, NodeKind::ErrorKind), text = tree_.find(node, NodeKind::Text);
  statement.text = text == kNoNode ? "the test says so" : plain_text(tree_, text, diagnostics_);
  if (const auto fault = fault_named(tree_.text(kind))) {
    statement.fault = *fault;
    return;
  }
  std::vector<std::string> names{
#define FLOW_FAULT(name, may_retry, meaning) #name,
#include "base/faults.def"
#undef FLOW_FAULT
  };
  Diagnostic& d = report(Code::InvalidTest, kind, fmt::format("there is no error {}", quoted(kind)));
  if (const auto near = nearest_name(tree_.text(kind), names))
    d.fix(tree_.span(kind), *near, fmt::format("did you mean `{}`?", *near));
}

void Checker::given_param(NodeId node, TestStatement& statement) {
  const NodeId ident = tree_.kid(node, 0), value = tree_.kid(node, 1);
  const std::string_view name = tree_.text(ident);
  statement.name = name;
  const auto setting = files_[0].settings.find(name);
  if (setting == files_[0].settings.end()) {
    std::vector<std::string> names;
    for (const auto& [known, index] : files_[0].settings) names.emplace_back(known);
    Diagnostic& d = report(Code::InvalidTest, ident, fmt::format("there is no parameter `{}`", name));
    if (const auto near = nearest_name(name, names))
      d.fix(tree_.span(ident), *near, fmt::format("did you mean `{}`?", *near));
    return;
  }
  statement.name = out_.settings[setting->second].name;
  statement.value = test_value_of(value, out_.settings[setting->second].type,
                                  fmt::format("the parameter `{}`", name), false);
}

void Checker::run_flow(NodeId node, TestStatement& statement) {
  const Trigger* trigger = tested_trigger();
  if (trigger == nullptr || tree_.kids(node).empty() || tree_.kind(tree_.kid(node, 0)) != NodeKind::Call)
    return;
  const NodeId call = tree_.kid(node, 0);
  std::size_t position = 0;
  for (const NodeId argument : tree_.kids(call).subspan(1)) {
    const bool is_named = tree_.kind(argument) == NodeKind::NamedArgument;
    const NodeId value = is_named ? tree_.kid(argument, 1) : argument;
    auto binding = trigger->bindings.begin();
    if (is_named)
      binding =
          std::ranges::find(trigger->bindings, tree_.text(tree_.kid(argument, 0)), &Trigger::Binding::name);
    else
      binding += static_cast<std::ptrdiff_t>(std::min(position++, trigger->bindings.size()));
    if (binding == trigger->bindings.end()) {
      report(Code::InvalidTest, argument,
             fmt::format("`{}` takes no such argument", out_.flows[*test_->flow].name));
      continue;
    }
    const std::string what = fmt::format("the argument `{}`", binding->name), wire = binding->wire;
    const TypeId type = binding->type;
    statement.arguments.emplace_back(wire, test_value_of(value, type, what, false));
    trigger = tested_trigger();
  }
}

TestValue Checker::leaf(std::uint32_t value) {
  return {.kind = TestValue::Kind::Expression, .value = value, .json = {}, .names = {}, .items = {}};
}

// Records written in place, and lists of them, may leave fields out.
TestValue Checker::test_value_of(NodeId node, TypeId type, const std::string& what, bool knows_trigger) {
  const TypeId bare = type == kNoType ? kNoType : out_.types.without_null(type);
  const NodeKind kind = tree_.kind(node);
  if (bare != kNoType && out_.types.is(bare, TypeKind::Record) && kind == NodeKind::Record) {
    TestValue made{.kind = TestValue::Kind::Object, .json = {}, .names = {}, .items = {}};
    for (const NodeId entry : tree_.kids(node)) {
      const NodeId key = tree_.kid(entry, 0);
      std::string_view name = tree_.text(key);
      if (name.starts_with('"')) name = name.substr(1, name.size() - 2);
      const RecordType& record = out_.types.record(bare);
      const auto field = record.field(name);
      if (!field) {
        std::vector<std::string> names;
        for (const RecordField& known : record.fields) names.push_back(known.name);
        Diagnostic& d =
            report(Code::UnknownField, key, fmt::format("`{}` has no field `{}`", record.name, name));
        if (const auto near = nearest_name(name, names))
          d.fix(tree_.span(key), *near, fmt::format("did you mean `{}`?", *near));
        continue;
      }
      const RecordField known = record.fields[*field];
      if (std::ranges::find(made.names, known.wire) != made.names.end())
        report(Code::DuplicateArgument, key, fmt::format("`{}` is given twice", name));
      made.names.push_back(known.wire);
      made.items.push_back(
          test_value_of(tree_.kid(entry, 1), known.type, fmt::format("`{}`", known.name), knows_trigger));
    }
    return made;
  }
  if (bare != kNoType && out_.types.is(bare, TypeKind::List) && kind == NodeKind::List) {
    TestValue made{.kind = TestValue::Kind::List, .json = {}, .names = {}, .items = {}};
    for (const NodeId item : tree_.kids(node))
      made.items.push_back(
          test_value_of(item, out_.types[bare].element, fmt::format("an item of {}", what), knows_trigger));
    return made;
  }
  return leaf(test_value(node, type, what, knows_trigger));
}

// ---- Expressions of a test

std::uint32_t Checker::test_value(NodeId node, TypeId expected, const std::string& what, bool knows_trigger) {
  const auto index = static_cast<std::uint32_t>(out_.test_values.size());
  CheckedFlow value;
  value.node = node;
  value.name = fmt::format("value {}", index);
  value.body = node;
  value.is_value = true;
  const Trigger* trigger = tested_trigger();
  if (trigger == nullptr && no_trigger_ == kNoType) {
    no_trigger_ = add_trigger({.kind = Trigger::Kind::Manual, .name = "test"});
    trigger = nullptr;
  }
  value.trigger = test_->flow ? out_.flows[*test_->flow].trigger : no_trigger_;
  enter(value);
  flow_ = &value;
  trigger_ = knows_trigger ? trigger : nullptr;
  in_condition_ = true;
  if (expected == kNoType) {
    value.value_type = expression(node);
  } else {
    expect(node, expected, what);
    value.value_type = out_.types.is(expected, TypeKind::Union) ? out_.type[node] : expected;
  }
  in_condition_ = false;
  if (value.value_type == kNothingType || value.value_type == kNoType) value.value_type = error_type();
  leave_scope(0);
  flow_ = nullptr;
  body_ = nullptr;
  trigger_ = nullptr;
  out_.test_values.push_back(std::move(value));
  return index;
}

void Checker::test_call(NodeId node, TestStatement& statement) {
  const bool is_call = tree_.kind(node) == NodeKind::Call;
  const NodeId callee = is_call ? tree_.kid(node, 0) : node;
  TestCall call;
  const Operation* operation = operation_named(callee, call.operation);
  if (operation == nullptr) {
    unknown_callee(callee);
    return;
  }
  if (is_http(callee)) {
    const NodeId method = is_call ? http_argument(node, "method", 0) : kNoNode;
    call.is_any_method = method == kNoNode;
    if (const std::string_view written = is_call ? written_method(node) : std::string_view();
        method != kNoNode && (written == "GET" || written == "HEAD"))
      operation = &library_.operations[call.operation = library_.operation_names.find("http.get")->second];
  }
  std::size_t position = 0;
  for (const NodeId argument : is_call ? tree_.kids(node).subspan(1) : std::span<const NodeId>()) {
    const bool is_named = tree_.kind(argument) == NodeKind::NamedArgument;
    auto parameter = operation->parameters.begin();
    if (is_named)
      parameter =
          std::ranges::find(operation->parameters, tree_.text(tree_.kid(argument, 0)), &Parameter::name);
    else
      parameter += static_cast<std::ptrdiff_t>(std::min(position++, operation->parameters.size()));
    if (parameter == operation->parameters.end()) {
      report(Code::UnknownArgument, argument, fmt::format("`{}` has no such parameter", operation->name));
      continue;
    }
    call.arguments.emplace_back(
        parameter->name, test_value(is_named ? tree_.kid(argument, 1) : argument, parameter->type,
                                    fmt::format("`{}` of `{}`", parameter->name, operation->name), true));
  }
  statement.calls.push_back(std::move(call));
}

// ---- What is expected

void Checker::expectation(NodeId node, TestStatement& statement) {
  const NodeId expected = tree_.kid(node, 0);
  const NodeId callee = tree_.kind(expected) == NodeKind::Call ? tree_.kid(expected, 0) : expected;
  std::uint32_t operation = 0;
  if (operation_named(callee, operation) != nullptr) {
    test_->needs_run = true;
    return test_call(expected, statement);
  }
  if (statement.count)
    report(Code::InvalidTest, tree_.find(node, NodeKind::Count), "only calls of operations are counted");
  statement.value = leaf(test_value(expected, kBoolType, "what is expected", true));
  test_->needs_run = test_->needs_run || names_trigger(expected);
  if (tree_.kind(expected) != NodeKind::Compare) return;
  for (const NodeId side : {tree_.kid(expected, 0), tree_.kid(expected, 2)}) {
    const TypeId type = out_.type[side];
    if (type == kNoType || type == kNullType || is_error(type)) continue;
    CheckedFlow value = out_.test_values.back();  // the same names
    value.body = value.node = side;
    value.value_type = type;
    statement.sides.push_back(static_cast<std::uint32_t>(out_.test_values.size()));
    out_.test_values.push_back(std::move(value));
  }
}

bool Checker::names_trigger(NodeId node) const {
  using Kind = Meaning::Kind;
  const Kind kind = out_.meaning[node].kind;
  return kind == Kind::Binding || kind == Kind::Entity || kind == Kind::EntityField ||
         std::ranges::any_of(tree_.kids(node), [&](NodeId kid) { return names_trigger(kid); });
}

}  // namespace flow
