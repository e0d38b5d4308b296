// Instructions of one routine: what flows and functions have in common. Split over files by idea:
// routine_emitter.cpp has statements, loops.cpp everything that repeats, expressions.cpp values,
// arithmetic.cpp sums and products, conditions.cpp comparisons and the jumps they become, texts.cpp texts,
// collections.cpp lists and maps, methods.cpp and collection_methods.cpp their methods, function_calls.cpp
// and tables.cpp other standard functions, records.cpp records, conversions.cpp what becomes something else,
// calls.cpp calls, flow_calls.cpp those of flows, protections.cpp what is asked before them, match.cpp
// `match`, errors.cpp what guards code, concurrency.cpp and steps.cpp what runs side by side, waiting.cpp
// what takes time.
//
// Everywhere a `target` register is written last by what reads variables, or is read by nothing in the
// expression (is_written_last()).
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fault.hpp"
#include "compiler/check/protection.hpp"
#include "compiler/emit/builder.hpp"
#include "compiler/emit/code_writer.hpp"
#include "compiler/emit/emit.hpp"
#include "compiler/emit/folder.hpp"
#include "compiler/syntax/clauses.hpp"
#include "compiler/syntax/loop.hpp"

namespace flow {

class RoutineEmitter {
 public:
  virtual ~RoutineEmitter() = default;

 protected:
  using Register = CodeWriter::Register;
  using Label = CodeWriter::Label;

  // Writes to `routine`, which is not looked at before it is begun; `body` has the locals and the name.
  RoutineEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedBody& body, Routine& routine,
                 EmitOptions options);

  // ---- What only a flow has: names of its trigger
  virtual void trigger_value(NodeId, Register) {}
  // Where it stands, when nothing must be done to it.
  virtual std::optional<Register> trigger_register(NodeId) const { return std::nullopt; }
  // The same when it may be null.
  virtual std::optional<Register> printable_register(NodeId) const { return std::nullopt; }
  // Fetches what the plan says must be there before this node.
  virtual void ensure_entities(NodeId) {}
  // What a name of the trigger stands in: as it is given to branches.
  struct Given {
    Register reg = 0;
    TypeId type = 0;    // of the module
    TypeId entity = 0;  // of the checker, where it is an entity
  };
  virtual std::optional<Given> given(const Meaning&) const { return std::nullopt; }
  struct Capture {  // what a branch is given
    Meaning meaning;
    Given given;
    std::string name;
  };
  virtual void undo(NodeId) {}
  // What `return` does with a value: a flow that is called ends with it.
  virtual void give_result(Register result) { code_.add(Op::Return, result); }
  // Asks what protects the target of a call; the arguments stand from `first` on.
  virtual void guard_call(const CheckedCall& call, Register first);
  // Fetches what the function is given to ask.
  virtual void ready_for(const CheckedInvoke&) {}

  // ---- routine_emitter.cpp: statements
  void block(NodeId node);
  void statement(NodeId node);
  void declare(NodeId node);
  void assign(NodeId node);
  void if_statement(NodeId node);
  void return_statement(NodeId node);
  void stop_statement(NodeId node);
  void text_statement(Op op, NodeId node);
  void name_local(std::uint32_t local, Register reg);
  // Frees the registers taken since, and ends the names given since.
  void end_locals(std::uint32_t taken, std::size_t names);
  bool mentions(NodeId node, std::uint32_t local) const;
  bool is_written_last(NodeId node, std::uint32_t local) const;
  // Reports what did not fit; `kind` is "flow" or "function". Gives whether all did.
  bool finish(const char* kind, Diagnostics& diagnostics);
  void complete();  // the routine's name, place and registers

  // ---- loops.cpp
  struct Yields {  // where the values of a loop that is open go
    Register list = 0;
    TypeId result = 0;      // of the module: Result<T>, where the loop collects
    bool collects = false;  // makes a Result of each
    bool returns = false;   // a branch gives the one value
  };
  struct Loop {
    Op next = Op::NextItem;
    Register first = 0;       // of those that `next` uses
    Register item = 0;        // in the body
    std::uint32_t body = 0;   // where it begins
    Label again, end;         // at `next`; behind the loop
    std::uint32_t taken = 0;  // registers and names before it
    std::size_t names = 0;
  };
  // Whether the lambdas of `map` and `filter` may be carried out item by item as the loop goes: where what
  // the loop does may fault, or end it early, only those that can be carried out at any time.
  enum class Fuse : std::uint8_t { Never, WhenPure, Always };
  // Begins a loop through a list; close_loop() ends it and frees its registers.
  void open_loop(NodeId items, Fuse fuse, Loop& loop);
  void close_loop(Loop& loop);
  void open_items(NodeId items, Fuse fuse, Loop& loop);
  void open_list(Register list, Loop& loop);
  void begin_list(Register first, Loop& loop);
  void open_range(std::span<const NodeId> bounds, Loop& loop);
  void open_entries(const CheckedMethod& method, Loop& loop);
  bool open_fused(const CheckedMethod& method, Fuse fuse, Loop& loop);
  bool may_fault(NodeId node) const;
  void for_statement(NodeId node, std::optional<Yields> yields = std::nullopt);
  void for_expression(NodeId node, Register target);
  void yield(NodeId node);
  void append(NodeId item, Register list);

  // ---- expressions.cpp
  void value(NodeId node, Register target);      // the node's value into `target`
  Register operand(NodeId node);                 // a register that holds it: an existing one, or a temporary
  void own_value(NodeId node, Register target);  // the same before it becomes Json where that is wanted
  void raw_value(NodeId node, Register target);  // without unwrapping and widening
  std::optional<Register> existing(NodeId node) const;
  void name(NodeId node, Register target);
  void field(NodeId node, Register target);
  void optional_field(NodeId node, Register target);
  void coalesce(NodeId node, Register target);
  void if_expression(NodeId node, Register target);
  void constant(const Constant& constant, Register target);
  void integer(std::int64_t number, Register target);
  void load_text(std::string text, TypeId type, Register target);
  std::optional<Constant> folded(NodeId node) { return folder_.value(node); }
  bool is_temporary(Register reg) const { return code_.is_topmost(reg) && !holds_local_[reg]; }

  // ---- arithmetic.cpp
  void arithmetic(NodeId node, Register target);
  bool arithmetic_with_number(NodeKind op, Register x, NodeId right, Register target);
  void joined_lists(NodeId node, Register target);

  // ---- conditions.cpp
  // Goes to `target` when the Bool is `when`, otherwise on.
  void branch(NodeId node, bool when, Label& target);
  void branch_logic(NodeId node, bool when, Label& target);
  void branch_compare(NodeId node, bool when, Label& target);
  void branch_equal(NodeId left, NodeId right, bool when, Label& target);
  void branch_null(NodeId node, bool when, Label& target);
  struct Side;  // of a comparison
  Side side(NodeId node);
  Register loaded(Side& side);
  void branch_same(Side& left, Side& right, bool when, Label& target);
  void branch_less(NodeKind op, NodeId left, NodeId right, bool when, Label& target);
  void materialised(NodeId node, Register target);  // a Bool by way of branch()
  void compare(NodeId node, Register target);
  void membership(NodeId collection, NodeId item, bool is_item_first, Register target);
  void text_test(NodeKind op, NodeId left, NodeId right, Register target);

  // ---- texts.cpp
  struct TextPart {
    NodeId node;  // of a value; kNoNode when `text` is the part
    std::string text;
  };
  void text(NodeId node, Register target);
  void joined_texts(NodeId node, Register target);  // of the templates and sums that make up one text
  void collect_parts(NodeId node, std::vector<TextPart>& parts);
  void add_literal(std::string text, std::vector<TextPart>& parts) const;
  void join(const std::vector<TextPart>& parts, NodeKind kind, Register target);
  void hole(NodeId node, NodeKind text_kind, Register target);

  // ---- collections.cpp
  void list(NodeId node, Register target);
  void map(NodeId node, Register target);
  void entries(NodeId node, TypeId type, Register target);  // as a map of that type of the module
  void map_key(NodeId key, Register target);
  void index(NodeId node, Register target);
  void assign_entry(NodeId target, NodeId value);
  // Maps that a variable holds change in place; these keep values that were taken before as they are.
  bool is_map_variable(NodeId node) const;
  Register kept_operand(NodeId node);  // an operand that will be reachable from elsewhere as well
  bool is_fresh(NodeId node) const;    // reachable from nowhere else
  bool may_hold_map(TypeId type, int depth = 0) const;

  // ---- records.cpp
  void construct(NodeId node, Register target);

  // ---- conversions.cpp
  void conversion(NodeId node, Register target);
  void type_test(NodeId node, Register target);
  void json_made(NodeId node, Register target);
  void json_of(Register from, TypeId type, Register target);  // `target` is not `from` when it may be null
  void json_member(NodeId node, Register target);
  void json_list(NodeId node, Register target);
  void json_object(NodeId node, Register target);

  // ---- methods.cpp
  void method(NodeId node, const CheckedMethod& method, Register target);
  // `any` goes to `target` when an item passes, `all` when one does not; the opposite when not `when_found`.
  void branch_any(const CheckedMethod& method, bool is_any, bool when_found, Label& target);
  void map_list(NodeId node, const CheckedMethod& method, Register target);
  void filter(NodeId node, const CheckedMethod& method, Register target);
  void flat_map(NodeId node, const CheckedMethod& method, Register target);
  void first(const CheckedMethod& method, Register target);
  void last(const CheckedMethod& method, Register target);
  void count(const CheckedMethod& method, Register target);
  void sum(NodeId node, const CheckedMethod& method, Register target);
  void extreme(const CheckedMethod& method, bool is_least, Register target);
  void sort_by(const CheckedMethod& method, Register target);
  void slice(const CheckedMethod& method, bool is_take, Register target);
  void list_contains(Register list, Register item, bool may_be_null, Register target);
  void item_or_null(Register list, bool is_first, Register target);
  TypeId item_type(NodeId list) const { return types()[type_of(list)].element; }

  // ---- collection_methods.cpp
  void is_empty(Op length, const CheckedMethod& method, Register target);
  void index_of(NodeId node, const CheckedMethod& method, Register target);
  void map_placed(NodeId node, const CheckedMethod& method, Register target);
  void flatten(NodeId node, const CheckedMethod& method, Register target);
  void slice_list(const CheckedMethod& method, Register target);
  void chunk(NodeId node, const CheckedMethod& method, Register target);
  void common_items(NodeId node, const CheckedMethod& method, bool are_wanted, Register target);
  void average(NodeId node, const CheckedMethod& method, Register target);
  Register keys_of(const CheckedMethod& method, Register list);  // what the lambda gives for each item
  void group_by(NodeId node, const CheckedMethod& method, Register target);
  void to_map(NodeId node, const CheckedMethod& method, Register target);
  void zip(NodeId node, const CheckedMethod& method, Register target);
  void open_map(Register map, Loop& loop);  // the key stands in its item, the value behind it
  Register kept_map(NodeId map);
  void map_entries(NodeId node, const CheckedMethod& method, Register target);
  void map_entries_by_lambda(NodeId node, const CheckedMethod& method, Register target);
  void changed_map(const CheckedMethod& method, Register target);
  void map_without(NodeId node, const CheckedMethod& method, Register target);
  void equal_items(Register a, Register b, TypeId type, Register target);

  // ---- function_calls.cpp
  void native_function(const CheckedMethod& method, Register target);
  void native_argument(const CheckedMethod& method, std::size_t place, Register target);
  void weekday(NodeId node, const CheckedMethod& method, Register target);
  void extract_iocs(NodeId node, const CheckedMethod& method, Register target);

  // ---- tables.cpp
  void html_table(const CheckedMethod& method, Register target);
  void csv_table(const CheckedMethod& method, Register target);
  Register table_columns(const CheckedMethod& method, Register rows);  // of maps: a list of their names
  void cell(Register value, TypeId type, bool is_html, Register target);
  void grow(Register text, std::string more, TypeId type);

  // ---- calls.cpp
  void call(NodeId node, Register target);
  void operation_call(NodeId node, const CheckedCall& call, Register target);
  void invoke(NodeId node, const CheckedInvoke& call, Register target);
  void default_argument(const Parameter& parameter, Register target);
  Constant constant_of_default(TypeId type, const std::string& json);
  void native(NativeId native, std::span<const NodeId> arguments, Register target);

  // ---- protections.cpp
  bool is_protected(std::uint32_t operation) const;
  // The flow whose protections the function must ask; nullptr when there are none.
  const CheckedFlow* protecting(std::uint32_t function) const;
  ProtectionNeeds needs_of_function(std::uint32_t function) const;
  void ask(const Protection& protection, const Operation& operation, Register target);
  // Ends in an error. `target` is Json, which may be null.
  void refuse(const Protection& protection, const Operation& operation, Register target);
  void remember_asked(const std::set<std::uint32_t>& subjects);
  void capture_protections(NodeId node, std::map<std::pair<Meaning::Kind, std::uint32_t>, Capture>& found);

  // ---- flow_calls.cpp
  void flow_call(NodeId node, const CheckedFlowCall& call, Register target);

  // ---- match.cpp
  void match(NodeId node, std::optional<Register> target);  // `target` gets the value of a MatchExpr
  void branch_pattern(Register subject, TypeId type, NodeId pattern, Label& target);
  void branch_type(Register subject, TypeId type, NodeId pattern, const std::map<NodeId, Register>& named,
                   Label& target);

  // ---- errors.cpp
  struct Guard {
    std::uint32_t begin = 0, end = 0;
    NodeId finally = kNoNode;                                    // carried out on each way out
    std::vector<std::pair<std::uint32_t, std::uint32_t>> holes;  // code within that is not guarded
  };
  void cleanup(NodeId node);
  void note_cleanup(std::uint32_t begin);  // from there to here
  void open_guard(Guard& guard, NodeId finally = kNoNode);
  void close_guard(Guard& guard);
  Register place_handler(const Guard& guard);
  void leave_guards();
  TypeId error_type();
  void caught(Register target);
  void raise(FaultKind kind, Register message);
  bool handles_errors(NodeId node) const;
  bool needs_error(NodeId node, std::uint32_t local) const;
  std::optional<std::uint32_t> message_of(NodeId node) const;
  void name_error(std::uint32_t local, Register message, std::optional<Register> error);
  void try_statement(NodeId node);
  void catches(std::span<const NodeId> clauses, Register message, Label& end);
  void attempt(NodeId node, Register target);
  void failed_result(Register first, bool has_value, TypeId result, Register target);
  static std::int64_t fault_number(std::string_view name);

  // ---- concurrency.cpp
  static std::pair<Meaning::Kind, std::uint32_t> capture_key(const Meaning& what);
  std::vector<Capture> captured(std::span<const NodeId> bodies);
  void find_captures(NodeId node, std::pair<std::uint32_t, std::uint32_t> own,
                     std::map<std::pair<Meaning::Kind, std::uint32_t>, Capture>& found);
  void capture_setting(std::uint32_t index,
                       std::map<std::pair<Meaning::Kind, std::uint32_t>, Capture>& found);
  void give(std::span<const Capture> captures, std::uint32_t first);
  void limit_list(const LoopParts& parts, Register list);
  void raise_collected(Register count, Register message);
  void raise_failed_items(Register messages);
  bool yields_once(NodeId body) const;
  std::size_t yields_in(NodeId node) const;
  void each(NodeId node, std::optional<Register> target);
  void parallel(NodeId node);

  // ---- steps.cpp
  void steps(NodeId node);
  void want_step(const CheckedStep& step, Register status, Register target);
  void carry_out(NodeId node, std::span<const NodeId> calls, std::span<const Capture> captures, Register list,
                 Register results);
  void settle_step(Register wanted, Register results, std::int64_t place, Register status, Register error);
  void raise_unhandled(const CheckedSteps& checked, Register status, Register error);

  // ---- waiting.cpp
  void system_call(std::uint32_t operation, Register first, Register target);
  void now(Register target);
  void wait(NodeId node);
  void respond(NodeId node);
  void repeat(NodeId node);
  void repeat_body(const RepeatParts& parts, Label& done);
  void kept_call(NodeId node, Register target);

  TypeId type_of(NodeId node) const { return builder_.checked().type[node]; }
  const TypeTable& types() const { return builder_.checked().types; }
  const Meaning& meaning(NodeId node) const { return builder_.checked().meaning[node]; }
  NodeId without_parens(NodeId node) const;

  ModuleBuilder& builder_;
  const Tree& tree_;
  const CheckedBody& body_;
  Routine& routine_;
  const EmitOptions options_;
  CodeWriter code_;
  Folder folder_;
  std::vector<Register> local_registers_;
  std::map<std::uint32_t, Register> setting_registers_;  // by setting of the file, those it takes
  std::vector<bool> holds_local_;                        // by register
  std::vector<Yields> yields_;
  std::vector<Guard*> guards_;                           // that are open, innermost last
  const CheckedFlow* protected_by_ = nullptr;            // whose protections are asked
  std::map<std::uint32_t, Register> asked_;              // by entity: two registers, see remember_asked()
  std::map<std::uint32_t, Register> message_registers_;  // of locals that are errors
};

}  // namespace flow
