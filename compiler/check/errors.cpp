// Errors as values, and what is done about them: `try`, `attempt`, `on undo`.
#include <algorithm>

#include "base/fault.hpp"
#include "base/text.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/syntax/clauses.hpp"

namespace flow {

// Result<T> is a record {ok: Bool, value: T?, error: Error?}; without `value` where T is Nothing.
TypeId Checker::result_type(TypeId value) {
  if (is_error(value)) return value;
  const auto [known, is_new] = result_types_.emplace(value, kNoType);
  if (!is_new) return known->second;
  const bool has_value = value != kNothingType;
  RecordType record{.name = fmt::format("Result<{}>", type_name(value)), .fields = {}, .doc = {}};
  record.fields.push_back({.name = "ok", .wire = "ok", .type = kBoolType, .doc = "whether it succeeded"});
  if (has_value)
    record.fields.push_back(
        {.name = "value", .wire = "value", .type = out_.types.optional(value), .doc = {}});
  record.fields.push_back(
      {.name = "error", .wire = "error", .type = out_.types.optional(library_.error_type), .doc = {}});
  const TypeId made = out_.types.add_record(std::move(record));
  known->second = made;
  // They are made in place, so all their fields are needed.
  for (std::uint32_t field = 0; field < (has_value ? 3u : 2u); ++field)
    out_.fields_read.insert({made, field});
  return made;
}

TypeId Checker::attempt(NodeId node) {
  const NodeId call = tree_.kid(node, 0);
  const TypeId type = expression(call);
  if (tree_.kind(call) == NodeKind::Call || is_kept_call(tree_.kind(call)) || is_error(type))
    return result_type(type);
  report(Code::ModifierMismatch, call,
         fmt::format("`attempt` stands before a call, and {} is none", quoted(call)));
  return error_type();
}

// The kind alone would name the error, and every error be handled.
void Checker::refuse_kind_as_name(NodeId ident, bool is_catch) {
  std::vector<std::string> kinds;
#define FLOW_FAULT(name, may_retry, meaning) kinds.emplace_back(#name);
#include "base/faults.def"
#undef FLOW_FAULT
  const std::string_view text = tree_.text(ident);
  if (text[0] < 'A' || text[0] > 'Z') return;
  const auto meant = nearest_name(text, kinds);
  if (!meant) return;
  const char* const name = visible_.contains("e") ? "caught" : "e";
  const bool is_kind = *meant == text;
  Diagnostic& d = report(Code::ErrorKindAsName, ident,
                         is_kind ? fmt::format("`{}` is a kind of error; here stands a name for the error, "
                                               "and all errors would be handled",
                                               text)
                                 : fmt::format("`{}` would be a name for the error here, and all errors be "
                                               "handled",
                                               text));
  if (is_catch)
    d.fix(tree_.span(ident), fmt::format("{}: {}", name, *meant),
          fmt::format("to catch only it write `catch {}: {}`", name, *meant));
  else
    d.fix(tree_.span(ident), name, fmt::format("write `on error {}`, which is told all errors", name))
        .note(
            fmt::format("to handle only it write `try {{ … }} catch e: {} {{ … }}` within the flow", *meant));
}

std::uint32_t Checker::declare_error(NodeId ident) {
  const std::uint32_t local = declare_local(ident, library_.error_type);
  body_->locals[local].is_used = true;  // an unused error is no mistake
  return local;
}

void Checker::try_statement(NodeId node) {
  const TryParts parts = try_parts(tree_, node);
  const std::size_t assigned = assigned_.size();
  const bool has_finally = parts.finally != kNoNode;
  finally_depth_ += has_finally;
  if (parts.body != kNoNode) block(parts.body);
  std::map<std::string, NodeId> caught;
  NodeId all = kNoNode;
  for (const NodeId clause : parts.catches) catch_clause(clause, caught, all);
  finally_depth_ -= has_finally;
  if (has_finally) {
    ++in_finally_;
    block(parts.finally);
    --in_finally_;
  }
  forget_since(assigned);
}

void Checker::catch_clause(NodeId node, std::map<std::string, NodeId>& caught, NodeId& all) {
  const Span word{tree_.span(node).begin, tree_.span(node).begin + 5};
  const std::size_t scope = scope_.size();
  bool has_kinds = false, has_new = false;
  for (const NodeId kid : tree_.kids(node)) {
    if (tree_.kind(kid) != NodeKind::ErrorKind) continue;
    has_kinds = true;
    const std::string kind(tree_.text(kid));
    if (!is_catchable(kid)) {
      has_new = true;
      continue;
    }
    const auto [first, is_new] = caught.emplace(kind, kid);
    has_new = has_new || is_new;
    if (!is_new)
      report(Code::Unreachable, kid, fmt::format("`{}` is caught before", kind))
          .label(tree_.span(first->second), "caught here");
  }
  if (all != kNoNode)
    diagnostics_
        .report(Code::Unreachable, tree_.file, word,
                "this `catch` is never reached: all errors are caught before")
        .label(tree_.span(all), "caught here");
  if (!has_kinds && all == kNoNode) all = node;
  if (const NodeId ident = tree_.find(node, NodeKind::Ident); ident != kNoNode) {
    if (!has_kinds) refuse_kind_as_name(ident, true);
    declare_error(ident);
  }
  if (const NodeId body = tree_.find(node, NodeKind::Block); body != kNoNode) block(body);
  leave_scope(scope);
}

// Reports a kind that does not exist or cannot be caught.
bool Checker::is_catchable(NodeId node) {
  const std::string_view text = tree_.text(node);
  if (text == "OutOfFuel" || text == "OutOfMemory") {
    report(Code::UnknownErrorKind, node, fmt::format("`{}` ends the run and cannot be caught", text))
        .note("what a run has used up it cannot handle");
    return false;
  }
  std::vector<std::string> known;
#define FLOW_FAULT(name, may_retry, meaning) known.emplace_back(#name);
#include "base/faults.def"
#undef FLOW_FAULT
  if (std::ranges::find(known, text) != known.end()) return true;
  std::erase(known, "OutOfFuel");
  std::erase(known, "OutOfMemory");
  Diagnostic& d = report(Code::UnknownErrorKind, node, fmt::format("there is no error `{}`", text));
  if (const auto near = nearest_name(text, known))
    d.fix(tree_.span(node), *near, fmt::format("did you mean `{}`?", *near));
  else
    d.note(fmt::format("errors are {}", fmt::join(known, ", ")));
  return false;
}

// What is to be undone is written down when the statement is reached, with the values it needs as they are
// then; so it must be clear whose end it waits for.
void Checker::undo(NodeId node) {
  const Span words{tree_.span(node).begin, tree_.span(node).begin + 2};
  const auto misplaced = [&](const char* message, const char* note) {
    diagnostics_.report(Code::MisplacedStatement, tree_.file, words, message).note(note);
  };
  if (function_ != nullptr)
    misplaced("`on undo` belongs into a flow, whose failure it waits for",
              "put it behind the call of this function");
  else if (!branches_.empty())
    misplaced("`on undo` cannot stand in a branch", "put it behind the statement whose branch this is");
  else if (in_handler_)
    misplaced("`on undo` cannot stand in `on error`, when the run has failed already",
              "what is to be undone is said where it is done");
  else if (in_undo_)
    misplaced("`on undo` cannot stand in `on undo`", "write both one behind the other");
  const std::uint32_t first = static_cast<std::uint32_t>(body_->locals.size());
  const bool was_in_undo = std::exchange(in_undo_, true);
  branches_.push_back({.first_local = first, .what = "`on undo`"});
  const NodeId body = tree_.kid(node, 0);
  block(body);
  branches_.pop_back();
  in_undo_ = was_in_undo;
  out_.branch_locals[body] = {first, static_cast<std::uint32_t>(body_->locals.size())};
  if (flow_ != nullptr) flow_->undos.push_back(node);
}

}  // namespace flow
