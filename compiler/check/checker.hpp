// The checker's own header: one walk over one source, split over files by idea. check.cpp has flows and
// statements, names.cpp what names mean, expressions.cpp types of expressions, calls.cpp calls and methods,
// narrowing.cpp what a condition proves.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compiler/check/check.hpp"

namespace flow {

class Checker {
 public:
  Checker(const Tree& tree, const Library& library, Diagnostics& diagnostics);
  CheckedFile run();

 private:
  // ---- check.cpp
  void flow(NodeId node, bool is_only);
  void unreadable(NodeId bad);
  void condition(NodeId node);
  void block(NodeId node);
  void statement(NodeId node);
  void let(NodeId node);
  void if_statement(NodeId node);
  void handler(NodeId node);
  bool ends_run(NodeId node) const;
  void report_unused();
  const Trigger* find_trigger(NodeId on);

  // ---- names.cpp
  Meaning lookup(std::string_view name) const;
  TypeId name(NodeId node, TypeId expected);
  TypeId unknown_name(NodeId node, TypeId expected);
  std::vector<std::string> names_in_scope() const;
  TypeId unknown_enum_value(NodeId node, TypeId type);
  void leave_scope(std::size_t size);
  // Told already: not ASCII, or declared by something that could not be read.
  bool is_told(std::string_view name) const;
  std::uint32_t declare_local(NodeId ident, TypeId type);
  const Operation* operation_named(NodeId callee, std::uint32_t& index) const;
  // A name that means nothing in scope: perhaps a value of the enum that is expected.
  bool is_loose_name(NodeId node) const;

  // ---- expressions.cpp
  TypeId expression(NodeId node, TypeId expected = kNoType);  // records and returns the type
  TypeId infer(NodeId node, TypeId expected);
  // Checks `node` where `wanted` is needed, for `what`; reports what does not fit.
  void expect(NodeId node, TypeId wanted, const std::string& what);
  TypeId text(NodeId node, TypeId expected);
  TypeId literal_text(NodeId node, TypeId expected);
  void hole(NodeId node, NodeKind text_kind);
  TypeId list(NodeId node, TypeId expected);
  TypeId field(NodeId node);
  TypeId optional_field(NodeId node);
  TypeId record_field(NodeId node, NodeId object, TypeId object_type);
  TypeId compare(NodeId node);
  TypeId equality(NodeId node, NodeId left, NodeId right);
  TypeId ordering(NodeId node, NodeId left, NodeId right);
  TypeId membership(NodeId node, NodeId list, NodeId item);
  TypeId text_test(NodeId node, NodeId left, NodeId right);
  std::pair<TypeId, TypeId> both_sides(NodeId left, NodeId right);
  TypeId arithmetic(NodeId node);
  TypeId coalesce(NodeId node, TypeId expected);
  TypeId if_expression(NodeId node, TypeId expected);
  TypeId logic(NodeId node);
  TypeId index(NodeId node);
  void boolean(NodeId node, const std::string& what);
  TypeId error_type() const { return out_.types.error(); }
  bool is_error(TypeId type) const { return type == error_type(); }
  std::string type_name(TypeId type) const { return out_.types.name(type); }
  TypeId may_be_null(NodeId node, TypeId type, const std::string& what);
  TypeId not_yet(NodeId node, const std::string& what);

  // ---- calls.cpp
  TypeId call(NodeId node);
  TypeId operation_call(NodeId node, std::uint32_t operation);
  TypeId method(NodeId node, NodeId callee);
  TypeId list_method(NodeId node, NodeId receiver, TypeId type, std::string_view name);
  TypeId text_method(NodeId node, NodeId receiver, TypeId type, std::string_view name);
  TypeId unknown_callee(NodeId callee);
  void lone_argument(NodeId node);
  bool check_effect(NodeId node, const Operation& operation);  // whether it may stand here

  // ---- narrowing.cpp
  // The path of a value that cannot change, as `machine.name`; empty when the expression is no such path.
  std::string path(NodeId node) const;
  // Adds the paths that are not null when `condition` is `truth`.
  void learn(NodeId condition, bool truth, std::set<std::string>& facts) const;
  TypeId narrowed(NodeId node, TypeId type);

  Diagnostic& report(Code code, NodeId node, std::string message) {
    return diagnostics_.report(code, tree_.file, tree_.span(node), std::move(message));
  }
  std::string quoted(NodeId node) const;  // the node's text in backticks, shortened

  const Tree& tree_;
  const Library& library_;
  Diagnostics& diagnostics_;
  CheckedFile out_;

  // Of the flow that is being checked.
  CheckedFlow* flow_ = nullptr;
  const Trigger* trigger_ = nullptr;
  std::vector<std::uint32_t> scope_;                             // locals in scope, innermost last
  std::unordered_map<std::string_view, std::uint32_t> visible_;  // the same by name
  NodeId enum_subject_ = kNoNode;                                // what an enum's value is compared with
  std::set<std::string> facts_;                                  // paths known not to be null here
  bool in_condition_ = false;

  std::unordered_map<std::string_view, std::size_t> flow_names_;  // index into out_.flows
  std::set<std::string_view> unreadable_;  // names of declarations that could not be read
};

}  // namespace flow
