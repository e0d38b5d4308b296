// Turns matches into nodes: which rule makes which node, and the control that PEGTL calls around each match.
// Nodes live in the tree's arena, so backtracking cuts three vectors back and leaves nothing behind.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/syntax/tree.hpp"
#include "grammar/messages.hpp"

namespace flow {

namespace g = grammar;

// What a failed `must<>` throws; caught by the nearest rule with recovery.
struct SyntaxFailure {
  enum class Kind : std::uint8_t { Expected, TooDeep };
  // What the mark points at: the gap after what stands before, the next word or sign, the whole number that
  // stands before, or what was opened and never closed.
  enum class Mark : std::uint8_t { Gap, Token, Number, Opener };
  Kind kind = Kind::Expected;
  Mark mark = Mark::Gap;
  std::uint32_t offset = 0;
  const char* message = "";
  bool wants_name = false;       // where a reserved word may have been meant as a name
  bool wants_separator = false;  // where a comma may be missing
  bool is_assignment = false;    // `=` for `==`
  bool is_in_lambda = false;
  bool is_argument = false;  // … which would have named an argument
  bool is_closer = false;    // `opener` is to be filled in on the way out
  std::uint32_t opener = 0xffffffff;
};

struct Builder {
  Tree& tree;
  const char* begin = nullptr;  // of the source
  std::vector<NodeId> stack;    // finished nodes whose parent is not finished
  std::vector<SyntaxFailure> failures;
  int nesting = 0;
  int suffixes = 0;                            // of the operand at hand: `a.b().c` has three
  int lambdas = 0;                             // around what is read
  std::uint32_t statement_begin = 0xffffffff;  // of the expression that begins the statement at hand
  std::uint32_t argument_begin = 0xffffffff;   // of the innermost argument at hand

  struct Mark {
    std::size_t stack, nodes, children;
    int nesting, lambdas;
  };
  Mark mark() const { return {stack.size(), tree.nodes.size(), tree.children.size(), nesting, lambdas}; }
  void cut(const Mark& m) {
    nesting = m.nesting;
    lambdas = m.lambdas;
    if (tree.nodes.size() == m.nodes) return;  // most rules that do not match have made nothing
    stack.resize(m.stack);
    tree.nodes.resize(m.nodes);
    tree.children.resize(m.children);
  }
  // A node over [first, last) whose children are what stands on the stack from `from` on.
  void push(NodeKind kind, std::uint32_t first, std::uint32_t last, std::size_t from) {
    Node node;
    node.begin = first;
    node.end = last;
    node.kind = kind;
    node.first_child = static_cast<std::uint32_t>(tree.children.size());
    node.child_count = static_cast<std::uint32_t>(stack.size() - from) & 0xffffffu;
    tree.children.insert(tree.children.end(), stack.begin() + static_cast<std::ptrdiff_t>(from), stack.end());
    stack.resize(from);
    stack.push_back(static_cast<NodeId>(tree.nodes.size()));
    tree.nodes.push_back(node);
  }
};

// How a rule's match becomes a node.
enum class Shape : std::uint8_t {
  None,    // no node
  Node,    // a node over the children matched within
  Fold,    // as Node, but a single child stands for itself (`a + b` is a node, `a` alone is not)
  Suffix,  // as Node, and the operand before it becomes the first child
  End,     // the same, once at the end of a statement
};
template <class Rule>
inline constexpr Shape shape = Shape::None;
template <class Rule>
inline constexpr NodeKind kind_of = NodeKind::Bad;

#define FLOW_BUILD(rule, how, node)                   \
  template <>                                         \
  inline constexpr Shape shape<g::rule> = Shape::how; \
  template <>                                         \
  inline constexpr NodeKind kind_of<g::rule> = NodeKind::node;

FLOW_BUILD(ident, Node, Ident)
FLOW_BUILD(qualified_name, Node, Ident)
FLOW_BUILD(any_word, Node, Ident)
FLOW_BUILD(float_lit, Node, Float)
FLOW_BUILD(duration_lit, Node, Duration)
FLOW_BUILD(int_lit, Node, Int)
FLOW_BUILD(text_piece, Node, TextPiece)
FLOW_BUILD(block_piece, Node, TextPiece)
FLOW_BUILD(raw_piece, Node, TextPiece)
FLOW_BUILD(text_lit, Node, Text)
FLOW_BUILD(text_block, Node, TextBlock)
FLOW_BUILD(html_lit, Node, Html)
FLOW_BUILD(kql_lit, Node, Kql)
FLOW_BUILD(raw_text, Node, RawText)
FLOW_BUILD(plain_text, Node, Text)
FLOW_BUILD(type_name, Node, TypeName)
FLOW_BUILD(optional_mark, Suffix, OptionalType)
FLOW_BUILD(type, Fold, UnionType)
FLOW_BUILD(list_lit, Node, List)
FLOW_BUILD(key, Node, Key)
FLOW_BUILD(entry, Node, Entry)
FLOW_BUILD(record_lit, Node, Record)
FLOW_BUILD(construct, Node, Construct)
FLOW_BUILD(lambda, Node, Lambda)
FLOW_BUILD(named_argument, Node, NamedArgument)
FLOW_BUILD(paren_expr, Node, Paren)
FLOW_BUILD(if_expr, Node, IfExpr)
FLOW_BUILD(true_lit, Node, True)
FLOW_BUILD(false_lit, Node, False)
FLOW_BUILD(null_lit, Node, Null)
FLOW_BUILD(field, Suffix, Field)
FLOW_BUILD(optional_field, Suffix, OptionalField)
FLOW_BUILD(index, Suffix, Index)
FLOW_BUILD(call, Suffix, Call)
FLOW_BUILD(cast, Suffix, As)
FLOW_BUILD(pattern_any, Node, PatternAny)
FLOW_BUILD(pattern_is, Node, PatternIs)
FLOW_BUILD(negative_number, Node, Negate)
FLOW_BUILD(pattern_range, Fold, PatternRange)
FLOW_BUILD(value_arm, Node, MatchArm)
FLOW_BUILD(match_expr, Node, MatchExpr)
FLOW_BUILD(negate, Node, Negate)
FLOW_BUILD(op_multiply, Node, OpMultiply)
FLOW_BUILD(op_divide, Node, OpDivide)
FLOW_BUILD(op_modulo, Node, OpModulo)
FLOW_BUILD(product, Fold, Product)
FLOW_BUILD(op_add, Node, OpAdd)
FLOW_BUILD(op_subtract, Node, OpSubtract)
FLOW_BUILD(sum, Fold, Sum)
FLOW_BUILD(coalesce, Fold, Coalesce)
FLOW_BUILD(op_equal, Node, OpEqual)
FLOW_BUILD(op_not_equal, Node, OpNotEqual)
FLOW_BUILD(op_less_equal, Node, OpLessEqual)
FLOW_BUILD(op_less, Node, OpLess)
FLOW_BUILD(op_greater_equal, Node, OpGreaterEqual)
FLOW_BUILD(op_greater, Node, OpGreater)
FLOW_BUILD(op_in, Node, OpIn)
FLOW_BUILD(op_not_in, Node, OpNotIn)
FLOW_BUILD(op_contains, Node, OpContains)
FLOW_BUILD(op_starts_with, Node, OpStartsWith)
FLOW_BUILD(op_ends_with, Node, OpEndsWith)
FLOW_BUILD(op_matches, Node, OpMatches)
FLOW_BUILD(op_is, Node, OpIs)
FLOW_BUILD(compare, Fold, Compare)
FLOW_BUILD(negation, Node, Not)
FLOW_BUILD(conjunction, Fold, And)
FLOW_BUILD(disjunction, Fold, Or)
FLOW_BUILD(block, Node, Block)
FLOW_BUILD(one_line, Node, Block)
FLOW_BUILD(let, Node, Let)
FLOW_BUILD(var, Node, Var)
FLOW_BUILD(for_statement, Node, For)
FLOW_BUILD(for_expr, Node, ForExpr)
FLOW_BUILD(at_once, Node, AtOnce)
FLOW_BUILD(at_most_times, Node, Times)
FLOW_BUILD(within, Node, Within)
FLOW_BUILD(every, Node, Every)
FLOW_BUILD(on_error_collect, Node, OnErrorCollect)
FLOW_BUILD(on_error_stop, Node, OnErrorStop)
FLOW_BUILD(truncate, Node, Truncate)
FLOW_BUILD(loop_limit, Node, LoopLimit)
FLOW_BUILD(until_clause, Node, Until)
FLOW_BUILD(repeat_statement, Node, Repeat)
FLOW_BUILD(retry, Node, Retry)
FLOW_BUILD(backoff, Node, Backoff)
FLOW_BUILD(timeout, Node, Timeout)
FLOW_BUILD(lease, Node, Lease)
FLOW_BUILD(else_value, Node, Else)
FLOW_BUILD(await_call, Node, Await)
FLOW_BUILD(call_flow, Node, CallFlow)
FLOW_BUILD(start_flow, Node, StartFlow)
FLOW_BUILD(modified, Fold, ModifiedCall)
FLOW_BUILD(attempt, Node, Attempt)
FLOW_BUILD(lone_statement, Node, Block)
FLOW_BUILD(arm, Node, MatchArm)
FLOW_BUILD(match_statement, Node, Match)
FLOW_BUILD(parallel_any, Node, ParallelAny)
FLOW_BUILD(parallel, Node, Parallel)
FLOW_BUILD(step_status, Node, StepStatus)
FLOW_BUILD(after_step, Node, AfterStep)
FLOW_BUILD(after_clause, Node, After)
FLOW_BUILD(step, Node, Step)
FLOW_BUILD(steps, Node, Steps)
FLOW_BUILD(error_kind, Node, ErrorKind)
FLOW_BUILD(catch_clause, Node, Catch)
FLOW_BUILD(finally_clause, Node, Finally)
FLOW_BUILD(try_statement, Node, Try)
FLOW_BUILD(undo, Node, Undo)
FLOW_BUILD(wait_until, Node, WaitUntil)
FLOW_BUILD(wait_statement, Node, Wait)
FLOW_BUILD(respond, Node, Respond)
FLOW_BUILD(yield_statement, Node, Yield)
FLOW_BUILD(return_statement, Node, Return)
FLOW_BUILD(if_statement, Node, If)
FLOW_BUILD(log_statement, Node, Log)
FLOW_BUILD(stop_statement, Node, Stop)
FLOW_BUILD(fail_statement, Node, Fail)
FLOW_BUILD(expr_end, End, ExprStatement)
FLOW_BUILD(assignment_end, End, Assign)
FLOW_BUILD(function, Node, Function)
FLOW_BUILD(type_parameters, Node, TypeParameters)
FLOW_BUILD(function_type, Node, FunctionType)
FLOW_BUILD(native_parameter, Node, ParameterDecl)
FLOW_BUILD(native_function, Node, NativeFunction)
FLOW_BUILD(param, Node, Param)
FLOW_BUILD(secret, Node, Secret)
FLOW_BUILD(use, Node, Use)
FLOW_BUILD(default_value, Node, Default)
FLOW_BUILD(catch_up, Node, CatchUp)
FLOW_BUILD(batch, Node, Batch)
FLOW_BUILD(on_every, Node, OnEvery)
FLOW_BUILD(on_cron, Node, OnCron)
FLOW_BUILD(on_hunt, Node, OnHunt)
FLOW_BUILD(on_webhook, Node, OnWebhook)
FLOW_BUILD(on_stream, Node, OnStream)
FLOW_BUILD(on_manual, Node, OnManual)
FLOW_BUILD(on_call, Node, OnCall)
FLOW_BUILD(on_run_failed, Node, OnRunFailed)
FLOW_BUILD(once_per, Node, OncePer)
FLOW_BUILD(else_ask, Node, ElseAsk)
FLOW_BUILD(else_fail, Node, ElseFail)
FLOW_BUILD(else_skip, Node, ElseSkip)
FLOW_BUILD(limit_policy, Node, LimitPolicy)
FLOW_BUILD(protect, Node, Protect)
FLOW_BUILD(priority, Node, Priority)
FLOW_BUILD(tenants, Node, Tenants)
FLOW_BUILD(dry_run, Node, DryRun)
FLOW_BUILD(counted, Node, Count)
FLOW_BUILD(given_input, Node, Given)
FLOW_BUILD(given_param, Node, GivenParam)
FLOW_BUILD(given_event, Node, GivenEvent)
FLOW_BUILD(given_returns, Node, GivenReturns)
FLOW_BUILD(given_fails, Node, GivenFails)
FLOW_BUILD(time_passes, Node, TimePasses)
FLOW_BUILD(run_flow, Node, RunFlow)
FLOW_BUILD(expect_no_actions, Node, ExpectNoActions)
FLOW_BUILD(expect_none, Node, ExpectNone)
FLOW_BUILD(expect_log, Node, ExpectLog)
FLOW_BUILD(expect_result, Node, ExpectResult)
FLOW_BUILD(expect_outcome, Node, ExpectOutcome)
FLOW_BUILD(expect_order, Node, ExpectOrder)
FLOW_BUILD(expect_value, Node, Expect)
FLOW_BUILD(test, Node, Test)
FLOW_BUILD(on_trigger, Node, On)
FLOW_BUILD(condition, Node, When)
FLOW_BUILD(do_part, Node, Do)
FLOW_BUILD(on_error, Node, OnError)
FLOW_BUILD(named_flow, Node, Flow)
FLOW_BUILD(bare_flow, Node, Flow)
FLOW_BUILD(base_clause, Node, Base)
FLOW_BUILD(auth_clause, Node, Auth)
FLOW_BUILD(quota_clause, Node, Quota)
FLOW_BUILD(enum_value, Node, EnumValue)
FLOW_BUILD(enum_decl, Node, EnumDecl)
FLOW_BUILD(field_decl, Node, FieldDecl)
FLOW_BUILD(record_decl, Node, RecordDecl)
FLOW_BUILD(effect_word, Node, Effect)
FLOW_BUILD(parameter_decl, Node, ParameterDecl)
FLOW_BUILD(function_parameter, Node, ParameterDecl)
FLOW_BUILD(result_type, Node, Result)
FLOW_BUILD(method_word, Node, Method)
FLOW_BUILD(request_clause, Node, Request)
FLOW_BUILD(smtp_clause, Node, Smtp)
FLOW_BUILD(runtime_clause, Node, Runtime)
FLOW_BUILD(egress_clause, Node, Egress)
FLOW_BUILD(mail_clause, Node, Mail)
FLOW_BUILD(quota_each, Node, QuotaEach)
FLOW_BUILD(size_clause, Node, Size)
FLOW_BUILD(allow_clause, Node, Allow)
FLOW_BUILD(then_clause, Node, Then)
FLOW_BUILD(upload_clause, Node, Upload)
FLOW_BUILD(query_clause, Node, Query)
FLOW_BUILD(headers_clause, Node, Headers)
FLOW_BUILD(body_clause, Node, Body)
FLOW_BUILD(form_clause, Node, Form)
FLOW_BUILD(multipart_clause, Node, Multipart)
FLOW_BUILD(pages_clause, Node, Pages)
FLOW_BUILD(gives_clause, Node, Gives)
FLOW_BUILD(dotted, Node, Dotted)
FLOW_BUILD(permission_clause, Node, Permission)
FLOW_BUILD(error_clause, Node, ErrorClause)
FLOW_BUILD(targets_clause, Node, Targets)
FLOW_BUILD(inverse_clause, Node, Inverse)
FLOW_BUILD(completes_clause, Node, Completes)
FLOW_BUILD(several_clause, Node, Several)
FLOW_BUILD(crash_repeat, Node, CrashRepeat)
FLOW_BUILD(crash_ask, Node, CrashAsk)
FLOW_BUILD(crash_lookup, Node, CrashLookup)
FLOW_BUILD(source_clause, Node, Source)
FLOW_BUILD(retires_clause, Node, Retires)
FLOW_BUILD(route_name, Node, RouteName)
FLOW_BUILD(route, Node, Route)
FLOW_BUILD(operation, Node, Operation)
FLOW_BUILD(binding_clause, Node, Binding)
FLOW_BUILD(entity_clause, Node, Entity)
FLOW_BUILD(poll_clause, Node, Poll)
FLOW_BUILD(trigger_key, Node, TriggerKey)
FLOW_BUILD(cursor_clause, Node, Cursor)
FLOW_BUILD(filterable_clause, Node, Filterable)
FLOW_BUILD(trigger_decl, Node, Trigger)
FLOW_BUILD(connector, Node, Connector)
FLOW_BUILD(file, Node, File)

#undef FLOW_BUILD

// What a rule that may hold itself counts towards kMaxNesting. A bracket passes three that count one.
inline constexpr int kCountedPerLevel = 3;
template <class Rule>
inline constexpr int nesting_of = 0;
template <>
inline constexpr int nesting_of<g::expr> = 1;
template <>
inline constexpr int nesting_of<g::not_operand> = 1;
template <>
inline constexpr int nesting_of<g::operand> = 1;
template <>
inline constexpr int nesting_of<g::type> = kCountedPerLevel;
template <>
inline constexpr int nesting_of<g::block> = kCountedPerLevel;
template <>
inline constexpr int nesting_of<g::else_part> = kCountedPerLevel;
template <>
inline constexpr int nesting_of<g::lone_statement> = kCountedPerLevel;

}  // namespace flow
