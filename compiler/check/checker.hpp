// The checker's own header: one walk over one source, split over files by idea. check.cpp has flows,
// functions.cpp functions, statements.cpp statements, assignments.cpp what changes, names.cpp what names
// mean, expressions.cpp and operators.cpp types of expressions, collections.cpp lists and maps, calls.cpp
// calls, methods.cpp, calls_of_functions.cpp and function_….cpp standard functions, tables.cpp tables,
// narrowing.cpp what a condition proves, modules.cpp files and the names they know, types.cpp records and
// enums, records.cpp records written in place, settings.cpp what is set at deployment, conversions.cpp `as`
// and `is`, json.cpp foreign data; match.cpp `match`, errors.cpp errors as values, concurrency.cpp branches,
// steps.cpp `steps`, waiting.cpp what takes time, answers.cpp questions to people,
// advice.cpp what was probably meant, effects.cpp what functions
// do besides computing, flow_calls.cpp calls of flows.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compiler/check/check.hpp"
#include "compiler/syntax/clauses.hpp"
#include "compiler/syntax/loop.hpp"

namespace flow {

inline constexpr const char* kSecretNote = "a secret can only be given to a parameter declared `Secret`";

class Checker {
 public:
  Checker(const Tree& tree, const Library& library, const Modules& modules, Diagnostics& diagnostics);
  CheckedFile run();

 private:
  // ---- check.cpp
  struct FlowSignature;
  void report_no_flow(std::size_t declarations, std::size_t tests);
  void flow(const FlowSignature& signature, bool is_only);
  void condition(NodeId node);
  void handler(NodeId node);
  void report_unused();
  bool is_read_wholly(NodeId node) const;
  void enter(CheckedBody& body);  // names, facts and loops begin anew

  // ---- modules.cpp
  // A file, and what is known in it by name.
  struct File {
    struct Module {
      NodeId use = kNoNode;
      std::optional<std::uint32_t> file;
      std::string connector;  // its name; of a file one that it declares. Empty with no file either: it was
                              // not found, and all is told
      bool is_used = false;
    };
    NodeId root = kNoNode;
    std::string prefix;  // `notify.` of a module
    std::map<std::string, TypeId, std::less<>>
        types;  // the library's, its own, and as `notify.Level` its modules'
    std::map<std::string, TypeId, std::less<>> own_types;
    std::unordered_map<std::string_view, std::uint32_t> functions;  // index into out_.functions
    std::unordered_map<std::string_view, std::uint32_t> settings;   // index into out_.settings
    std::map<std::string, std::uint32_t, std::less<>> flows;        // index into flow_signatures_
    std::map<std::string, Module, std::less<>> modules;
  };
  void open_files();
  void declare_module(File& file, NodeId use);
  void declare_connector_of(std::string_view name, File::Module& module);
  void report_unused_modules();
  bool is_declaration_used(std::uint32_t file) const;
  File::Module* module_named(std::string_view name) const;
  File::Module* module_of(NodeId node) const;  // of `notify.page`; nullptr when it is no name of a module
  std::string values_note(std::string_view written, TypeId type) const;
  std::vector<std::string> enums_with(std::string_view value) const;
  bool is_brought_by_trigger(TypeId type) const;
  const std::map<std::string, TypeId, std::less<>>& type_names() const { return file_->types; }
  std::optional<std::uint32_t> function_named(NodeId callee) const;
  std::optional<TypeId> type_named(NodeId node) const;  // `Level`, `notify.Level`
  TypeId module_member(NodeId node, File::Module& module);
  TypeId unknown_member(NodeId node, const File::Module& module, bool is_called);
  bool uses_missing_module(NodeId type) const;  // and notes the modules that it uses
  // Says that a name is taken by what the file declares besides functions, and where.
  bool is_taken(NodeId ident);

  // ---- types.cpp
  void declare_types();
  void declare_enum(NodeId node);
  void declare_record(NodeId node);
  bool declare_type(NodeId node, TypeId type);
  void declare_fields(NodeId node);
  void check_field_defaults(NodeId node);
  void report_endless_records();
  void enter_constants(std::uint32_t file);  // where no name of a flow is known

  // ---- records.cpp
  TypeId construct(NodeId node);
  TypeId record_in_place(NodeId node, std::span<const NodeId> entries, TypeId record);
  void unknown_field(NodeId place, std::string_view wanted, TypeId record);
  void keep_fields(TypeId type);         // all of them, of all records in it
  bool holds_record(NodeId node) const;  // of a constant: whether a record is written in it

  // ---- settings.cpp
  void settings();
  void declare_setting(std::uint32_t file, NodeId node);
  void check_setting_default(std::uint32_t index);
  TypeId setting_value(NodeId node, std::uint32_t index);
  void pass_settings();  // to functions, for those that they invoke
  void report_unused_settings();

  // ---- conversions.cpp
  TypeId conversion(NodeId node);
  TypeId type_test(NodeId node);
  bool becomes(TypeId from, TypeId to) const;  // by `as`; neither is optional
  bool is_list_of_json(TypeId type) const;
  bool is_testable(TypeId from, TypeId to) const;  // whether only the run can tell if one is the other
  std::string what_it_becomes(TypeId from) const;
  // The first of Secret, Html, Kql, Nothing and unions that is in the type; kNoType without one.
  TypeId own_type_in(TypeId type) const;
  bool is_foreign(TypeId type) const { return own_type_in(type) == kNoType; }  // can be read from JSON

  // ---- json.cpp
  TypeId json_member(NodeId node);
  TypeId json_item(NodeId at);
  TypeId json_literal(NodeId node);
  void json_part(NodeId node, const std::string& what);  // of a literal
  bool takes_json(TypeId wanted) const;
  bool make_json(NodeId node, TypeId type);  // whether the value can become Json; notes that it does

  // ---- triggers.cpp
  // What starts the flow, as an index into out_.triggers; reports when it is nothing known.
  std::optional<std::uint32_t> trigger(CheckedFlow& flow);
  NodeId trigger_node(NodeId flow) const;  // kNoNode when it could not be read
  std::optional<std::uint32_t> declared_trigger(NodeId on);
  std::uint32_t add_trigger(Trigger trigger);
  // ---- own_triggers.cpp
  std::optional<std::uint32_t> own_trigger(NodeId node, CheckedFlow& flow);
  std::optional<Trigger> on_every(NodeId node);
  std::optional<Trigger> on_cron(NodeId node);
  std::optional<Trigger> on_hunt(NodeId node);
  std::optional<Trigger> on_endpoint(NodeId node, Trigger::Kind kind);
  std::optional<Trigger> on_arguments(NodeId node, Trigger::Kind kind, CheckedFlow& flow);
  std::optional<Trigger> on_run_failed(NodeId node);
  Trigger::Binding scheduled_at() const;
  Trigger::CatchUp catch_up(NodeId node) const;
  bool check_zone(NodeId node, std::string_view zone);
  bool check_foreign(NodeId node, TypeId type);  // whether values of it can come from outside
  void return_from_flow(NodeId node, Span word, NodeId value);
  void check_result();  // whether each path of a flow that is called gives its result
  TypeId failed_run_type();
  // A time that the module holds, in microseconds; reports with `code` when it is none.
  std::optional<std::int64_t> time_span(NodeId node, const std::string& what, Code code);
  std::optional<std::int64_t> written_duration(NodeId node) const;
  // ---- policies.cpp
  void policies(NodeId flow);
  void policy(NodeId node);
  void once_policy(NodeId node);
  void limit_policy(NodeId node);
  void limit_otherwise(NodeId node, Policies::Limit& limit);
  void protect_policy(NodeId node);
  void tenants_policy(NodeId node);
  // A number of 1 or more that the module holds; reports when it is none.
  std::optional<std::uint32_t> written_count(NodeId node, const std::string& what);
  Span word_of(NodeId node) const;  // the first word of its text

  // ---- tests.cpp
  void tests();
  void test(NodeId node);
  void tested_flow(NodeId test);
  bool needs_flow(NodeId statement) const;
  bool test_statement(NodeId node, TestStatement& statement);  // whether it can be carried out
  std::uint32_t test_count(NodeId node);
  const Trigger* tested_trigger() const;
  void given(NodeId node, TestStatement& statement);
  void given_fails(NodeId node, TestStatement& statement);
  void given_param(NodeId node, TestStatement& statement);
  void run_flow(NodeId node, TestStatement& statement);
  void expectation(NodeId node, TestStatement& statement);
  void test_call(NodeId node, TestStatement& statement);
  static TestValue leaf(std::uint32_t value);
  TestValue test_value_of(NodeId node, TypeId type, const std::string& what, bool knows_trigger);
  // An expression of a test as an index into out_.test_values; `expected` may be kNoType. What is given to a
  // run does not know what its trigger gives.
  std::uint32_t test_value(NodeId node, TypeId expected, const std::string& what, bool knows_trigger);
  bool names_trigger(NodeId node) const;

  // ---- triggers.cpp
  // The triggers whose flows know this name, for a message; empty without any.
  std::string triggers_that_give(std::string_view name) const;
  std::string known_names() const;  // that the trigger gives, for a message

  // ---- functions.cpp
  void functions();
  void declare_function(NodeId node);
  void function_body(std::uint32_t index);
  void parameters(NodeId node);
  TypeId parameter_type(NodeId node);        // as declared_type(), also `T or List<T>`
  TypeId list_of_either(TypeId type) const;  // List<T> of these; otherwise the type itself
  // Functions whose result is not written, each behind those it calls.
  std::vector<std::uint32_t> inference_order();
  void inferred_callees(NodeId node, std::vector<std::uint32_t>& into) const;
  bool is_inferred(std::uint32_t function) const { return out_.functions[function].result == kNoType; }
  bool is_constant(NodeId node) const;
  void return_statement(NodeId node);

  // ---- statements.cpp
  // `until` knows the names of the block.
  void block(NodeId node, NodeId until = kNoNode);
  void statement(NodeId node);
  void unreadable(NodeId bad);
  // Something that is not checked, since it was reported: what it names counts as used.
  void pass_over(NodeId node);
  void let(NodeId node);
  void if_statement(NodeId node);
  void message_statement(NodeId node);
  bool refuse_exit(NodeId node, std::uint32_t word_length, std::string_view what);
  void call_statement(NodeId expr);
  void loop(NodeId node);
  TypeId loop_expression(NodeId node, TypeId expected);
  void yield(NodeId node);
  bool ends(NodeId node) const;       // whether nothing that follows it is reached
  TypeId declared_type(NodeId node);  // of a name, a parameter or a result
  bool has_mistake(NodeId statement) const;
  // A value that is given a name or added to a list; reports one that has no type of its own.
  TypeId kept_value(NodeId node);

  // ---- assignments.cpp
  void assign(NodeId node);
  void assign_name(NodeId target, NodeId value);
  void assign_entry(NodeId target, NodeId value);
  bool is_assignable(NodeId ident, const Meaning& meaning);  // reports when not

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
  bool needs_use(NodeId callee);
  // A name that means nothing in scope: perhaps a value of the enum that is expected.
  bool is_loose_name(NodeId node) const;

  // ---- expressions.cpp
  TypeId expression(NodeId node, TypeId expected = kNoType);  // records and returns the type
  TypeId infer(NodeId node, TypeId expected);
  // Checks `node` where `wanted` is needed, for `what`; reports what does not fit.
  void expect(NodeId node, TypeId wanted, const std::string& what);
  TypeId expected_collection(TypeId expected, TypeKind kind) const;  // of T, T? and unions; kNoType without
  TypeId text(NodeId node, TypeId expected);
  TypeId literal_text(NodeId node, TypeId expected);
  void hole(NodeId node, NodeKind text_kind);

  // ---- template_holes.cpp
  void page_holes(NodeId node);
  void query_holes(NodeId node);
  TypeId field(NodeId node);
  TypeId optional_field(NodeId node);
  TypeId record_field(NodeId node, NodeId object, TypeId object_type);
  TypeId if_expression(NodeId node, TypeId expected);

  // ---- operators.cpp
  TypeId compare(NodeId node);
  TypeId equality(NodeId node, NodeId left, NodeId right);
  TypeId ordering(NodeId node, NodeId left, NodeId right);
  // `list_type` where the list is checked already.
  TypeId membership(NodeId node, NodeId list, NodeId item, TypeId list_type = kNoType);
  TypeId text_test(NodeId node, NodeId left, NodeId right);
  std::pair<TypeId, TypeId> both_sides(NodeId left, NodeId right);
  TypeId arithmetic(NodeId node, TypeId expected);
  TypeId joined_lists(NodeId node, const std::vector<TypeId>& types);
  TypeId coalesce(NodeId node, TypeId expected);
  TypeId logic(NodeId node);

  // ---- collections.cpp
  TypeId list(NodeId node, TypeId expected);
  TypeId map(NodeId node, TypeId expected);
  TypeId key(NodeId node, TypeId expected);
  TypeId index(NodeId node);
  bool is_empty_collection(NodeId node) const;

  void boolean(NodeId node, const std::string& what);
  TypeId error_type() const { return out_.types.error(); }
  bool is_error(TypeId type) const { return type == error_type(); }
  std::string type_name(TypeId type) const { return out_.types.name(type); }
  TypeId may_be_null(NodeId node, TypeId type, const std::string& what);
  TypeId not_yet(NodeId node, const std::string& what);

  // ---- calls.cpp
  TypeId call(NodeId node);
  TypeId operation_call(NodeId node, std::uint32_t operation);
  TypeId invoke(NodeId node, std::uint32_t function);
  TypeId range(NodeId node);
  // The arguments of a call, by parameter; kNoNode where none is given. Reports what does not fit.
  std::vector<NodeId> arguments(NodeId node, std::string_view name, std::span<const Parameter> parameters);

  // ---- methods.cpp
  TypeId method(NodeId node, NodeId callee);
  TypeId unknown_callee(NodeId callee);
  void lone_argument(NodeId node);

  // ---- http_calls.cpp
  bool is_http(NodeId callee) const;
  TypeId http_call(NodeId node);
  NodeId http_argument(NodeId call, std::string_view name, std::size_t place) const;
  std::string_view written_method(NodeId call) const;
  void check_http_address(NodeId url);
  void check_http_credential(NodeId call, NodeId auth);
  bool check_effect(NodeId node, const Operation& operation);  // whether it may stand here

  // ---- answers.cpp
  bool asks_people(const Operation& operation) const;
  NodeId bare(NodeId node) const;           // without the parentheses around it; kNoNode stays
  bool is_written_text(NodeId node) const;  // without holes
  void check_people(const Operation& operation, const std::vector<NodeId>& arguments);
  void check_options(NodeId list);
  void check_answer_without_one(const Operation& operation, NodeId call, NodeId answer);
  void report_unused_answer(NodeId statement);

  // ---- calls_of_functions.cpp, function_arguments.cpp, function_types.cpp, tables.cpp
  // `first` is the value it is called on, or the first argument; `ident` the function's name.
  struct FunctionCall {
    NodeId node, ident, first;
    std::vector<NodeId> rest;
  };
  using Bound = std::vector<TypeId>;  // by type parameter; kNoType where it is not known yet
  TypeId standard_call(NodeId node, NodeId ident, NodeId receiver);
  TypeId first_argument(const FunctionCall& call, const std::vector<std::uint32_t>* overloads);
  bool has_form(const FunctionCall& call, const StandardFunction& function) const;
  TypeId checked_call(const FunctionCall& call, std::uint32_t function, TypeId first_type);
  TypeId no_such_form(const FunctionCall& call, const std::vector<std::uint32_t>& overloads);
  TypeId no_such_function(const FunctionCall& call, TypeId type);
  std::string takers(const std::vector<std::uint32_t>& overloads) const;
  TypeId argument_mistakes(const FunctionCall& call);
  bool sort_arguments(const FunctionCall& call, const StandardFunction& function,
                      std::vector<NodeId>& by_parameter);
  bool plain_argument(const FunctionCall& call, const StandardFunction& function, std::size_t place,
                      NodeId argument, Bound& bound, CheckedMethod& method);
  bool lambda_argument(const FunctionCall& call, const StandardFunction& function, std::size_t place,
                       NodeId argument, Bound& bound, CheckedMethod& method);
  bool literal_fits(NativeId native, std::size_t place, NodeId argument);
  bool unify(const TypePattern& pattern, TypeId type, Bound& bound, bool is_first);
  TypeId substituted(const TypePattern& pattern, const Bound& bound);
  TypeId entry_type(TypeId key, TypeId value);
  bool meets(TypeBound bound, TypeId type) const;
  bool meets_bounds(const StandardFunction& function, const Bound& bound) const;
  bool bounds_hold(const FunctionCall& call, const StandardFunction& function, const Bound& bound);
  bool special_rules(const FunctionCall& call, CheckedMethod& method, TypeId first, TypeId result);
  bool table_columns(const FunctionCall& call, CheckedMethod& method, TypeId rows);
  bool is_cell(TypeId type) const;
  void read_all_fields(TypeId type, std::set<TypeId>& seen);

  // ---- narrowing.cpp
  // The path of a value that cannot change, as `machine.name`; empty when the expression is no such path.
  std::string path(NodeId node) const;
  // Adds the paths that are not null when `condition` is `truth`.
  void learn(NodeId condition, bool truth, std::set<std::string>& facts) const;
  TypeId narrowed(NodeId node, TypeId type);
  void forget(std::uint32_t local);     // what was known of a variable that is assigned
  void forget_assigned(NodeId node);    // the same for every variable that is assigned in a loop's body
  void forget_since(std::size_t mark);  // … and for those assigned since `assigned_` had this size

  // ---- match.cpp
  struct Taken;
  void match_statement(NodeId node);
  TypeId match_expression(NodeId node, TypeId expected);
  TypeId match_subject(NodeId node);
  std::span<const NodeId> patterns_of(NodeId arm) const;
  bool has_constants(TypeId type) const;
  bool has_type_pattern(NodeId match) const;
  bool may_grow(TypeId enumeration) const;  // values may come that no source knows
  void enter_arm(NodeId arm, NodeId subject, TypeId type, Taken& taken);
  void pattern(NodeId node, TypeId subject, Taken& taken);
  void type_pattern(NodeId node, TypeId subject, Taken& taken);
  bool has_holes_in(NodeId node) const;
  void take(Taken& taken, std::string value, NodeId pattern);
  void take_interval(Taken& taken, double from, double to, NodeId pattern);
  bool is_complete(TypeId subject, const Taken& taken) const;
  std::vector<std::string> missing(TypeId subject, const Taken& taken) const;
  void exhaust(NodeId node, TypeId subject, const Taken& taken);
  TypeId either(TypeId a, TypeId b);  // what is one or the other; kNoType without

  // ---- errors.cpp
  TypeId result_type(TypeId value);
  TypeId attempt(NodeId node);
  std::uint32_t declare_error(NodeId ident);
  void refuse_kind_as_name(NodeId ident, bool is_catch);
  void try_statement(NodeId node);
  void catch_clause(NodeId node, std::map<std::string, NodeId>& caught, NodeId& all);
  bool is_catchable(NodeId node);
  void undo(NodeId node);

  // ---- advice.cpp
  static std::string_view unit_of(std::string_view word);
  bool is_unit_behind_number(NodeId node) const;
  void advise_duration(NodeId number, Diagnostic& d) const;
  std::size_t report_alternatives(NodeId node, std::size_t first);
  std::string member_of_module(std::string_view name, bool is_called);
  void advise_type(NodeId node, TypeId wanted, TypeId type, Diagnostic& d) const;
  TypeId operator_result(NodeKind op, TypeId a, TypeId b) const;
  void report_operator(NodeId node, const std::vector<TypeId>& types);
  void advise_page(NodeId a, NodeId b, Diagnostic& d) const;
  void advise_product(NodeId a, NodeId b, Diagnostic& d) const;
  void advise_list_of(NodeId type_node, TypeId from, TypeId to, Diagnostic& d) const;
  bool advise_index(NodeId call, NodeId object, NodeId key, Diagnostic& d) const;
  bool is_value_for_type(NodeId node, NodeId type_node, TypeId from);

  // ---- concurrency.cpp
  struct Branch {
    std::uint32_t first_local = 0;  // the first that is its own
    const char* what = "";          // `this branch`, for messages
  };
  void branch(NodeId node, const char* what, const std::function<void()>& check);
  bool is_own(NodeId ident, std::uint32_t local);
  void parallel(NodeId node);
  void count(NodeId node, const char* what, std::int64_t least);
  void loop_clauses(NodeId node, const LoopParts& parts);
  std::size_t yields_in(NodeId node) const;

  // ---- steps.cpp
  void steps(NodeId node);
  void after_step(NodeId node, const std::map<std::string_view, std::uint32_t>& names, CheckedStep& step);
  bool find_waves(CheckedSteps& checked);
  void report_step_circle(const CheckedSteps& checked, const std::vector<bool>& is_placed);
  void report_dead_steps(const CheckedSteps& checked);

  // ---- waiting.cpp
  static constexpr std::int64_t kMostRetries = 1'000;
  void wait(NodeId node);
  void repeat(NodeId node);
  void note_system(NodeId node, std::string_view name);
  void note_now(NodeId node);
  std::optional<std::int64_t> constant_duration(NodeId node, const char* what);
  TypeId modified_call(NodeId node);
  std::int64_t lease(const CallParts& parts, const Operation& operation);
  TypeId check_modifiers(NodeId node, const CallParts& parts, const Operation& operation, TypeId type);
  void respond(NodeId node);
  std::string operations_where(bool (*holds)(const Operation&)) const;
  bool is_system(const Operation& operation) const;  // answered by the runtime

  // ---- flow_calls.cpp
  // What others need to know of a flow, before any body is checked.
  struct FlowSignature {
    NodeId node = kNoNode;
    std::uint32_t file = 0;
    std::string name;                      // with its module's, as `soc.contain`
    bool is_called = false;                // `on call`
    std::optional<std::uint32_t> trigger;  // of one that is called; none when that has a mistake
    std::map<std::uint32_t, NodeId> defaults;
    std::vector<Parameter> parameters;
    TypeId record = 0;                  // of the arguments
    std::optional<std::uint32_t> flow;  // index into out_.flows, once it is part of the program
  };
  void declare_flows();
  void declare_called(FlowSignature& signature);
  FlowSignature* flow_named(NodeId callee);
  TypeId flow_call(NodeId node, const CallParts& parts);
  TypeId unknown_flow(NodeId node, NodeId callee);
  void check_flow_modifiers(CallParts& parts);
  void judge_flow_calls();
  void report_flow_circles();
  void report_unasked_protections();
  NodeId place_of_flow_call(std::uint32_t from, std::uint32_t to) const;

  // ---- effects.cpp
  struct StopFree {  // an invocation where nothing may stop the run
    NodeId call = kNoNode;
    std::uint32_t callee = 0;
    const char* where = "";
  };
  FunctionEffects* effects();  // of the function or flow that is checked; nullptr in a constant
  void note_operation(std::uint32_t operation);
  void note_invoke(NodeId call, std::uint32_t callee);
  void spread_effects();
  void report_circles();
  void judge_invokes();
  std::vector<std::uint32_t> way(std::uint32_t from, const std::function<bool(std::uint32_t)>& is_end) const;
  std::string way_text(const std::vector<std::uint32_t>& functions) const;

  Diagnostic& report(Code code, NodeId node, std::string message) {
    return diagnostics_.report(code, tree_.file, tree_.span(node), std::move(message));
  }
  std::string quoted(NodeId node) const;  // the node's text in backticks, shortened

  const Tree& tree_;
  const Library& library_;
  const Modules& modules_;
  Diagnostics& diagnostics_;
  CheckedFile out_;

  // Of the flow or function that is being checked.
  CheckedBody* body_ = nullptr;
  CheckedFlow* flow_ = nullptr;                                  // null in a function
  CheckedFunction* function_ = nullptr;                          // null in a flow
  const Trigger* trigger_ = nullptr;                             // null in a function
  std::vector<std::uint32_t> scope_;                             // locals in scope, innermost last
  std::unordered_map<std::string_view, std::uint32_t> visible_;  // the same by name
  NodeId enum_subject_ = kNoNode;                                // what an enum's value is compared with
  std::set<std::string> facts_;                                  // paths known not to be null here
  bool in_condition_ = false;
  std::vector<std::uint32_t> assigned_;  // variables, in the order of their assignments
  TypeId failed_run_type_ = kNoType;
  bool in_protect_ = false;                // where a test of a text that is not there is false
  CheckedTest* test_ = nullptr;            // that is being checked
  std::uint32_t no_trigger_ = 0xffffffff;  // of what is tested without a flow: index into out_.triggers
  TypeId* yielded_ = nullptr;  // type of what the nearest loop that gives a list yields; kNoType at first

  std::vector<Branch> branches_;  // that are open, innermost last
  int finally_depth_ = 0;         // blocks with a `finally` around what is checked
  int in_finally_ = 0;
  bool in_handler_ = false;  // `on error`
  bool in_undo_ = false;
  std::set<NodeId> complete_matches_;  // an arm takes whatever comes
  std::map<TypeId, TypeId> result_types_;
  std::map<std::uint32_t, std::map<std::uint32_t, NodeId>> callees_;  // by function: callee, a call
  std::set<std::pair<std::uint32_t, std::uint32_t>> own_operations_;  // function, what it calls itself
  std::vector<std::pair<NodeId, std::uint32_t>> condition_invokes_;   // call, function
  std::vector<StopFree> stop_free_invokes_;
  std::map<std::pair<TypeId, TypeId>, TypeId> entry_types_;  // by key and value

  std::unordered_map<std::string_view, std::size_t> flow_names_;  // index into out_.flows
  std::vector<FlowSignature> flow_signatures_;                    // of all files
  std::vector<std::uint32_t> own_flows_;                          // the same, in the order of out_.flows
  std::size_t file_flows_ = 0;                                    // of the file itself
  std::vector<File> files_;
  File* file_ = nullptr;                            // of what is checked
  CheckedBody constants_;                           // where defaults are checked
  std::set<TypeId> kept_;                           // records of which all fields are kept
  std::map<NodeId, TypeId> declared_types_;         // by EnumDecl and RecordDecl
  std::vector<std::vector<Parameter>> parameters_;  // of each function, as those of an operation
  std::vector<Span> unread_;                        // what could not be read
  std::set<std::string_view> unreadable_;           // names of declarations that could not be read
};

}  // namespace flow
