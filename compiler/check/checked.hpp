// What the checker knows about a source: the type of every expression, what every name means, which operation
// every call makes. Tables are indexed by NodeId of the source's Tree; the tree itself is not changed.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compiler/check/checked_test.hpp"
#include "compiler/resolve/library.hpp"
#include "compiler/syntax/tree.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

// What a name, or a field of an entity, stands for.
struct Meaning {
  enum class Kind : std::uint8_t {
    None,
    Local,        // index into CheckedBody::locals
    Binding,      // index into the trigger's bindings
    Entity,       // index into the trigger's entities
    EntityField,  // entity index, field of its record: an alert's field by its bare name
    RecordField,  // field of the record that the object is
    EnumValue,    // type and value
    Setting,      // index into CheckedFile::settings
    JsonMember,   // of the Json that the object is, by the name that is written
  };
  Kind kind = Kind::None;
  std::uint32_t index = 0;
  std::uint32_t field = 0;
  TypeId type = 0;  // of EnumValue
};

// A call of an operation.
struct CheckedCall {
  std::uint32_t operation = 0;    // index into Library::operations
  std::vector<NodeId> arguments;  // by parameter; kNoNode takes the default
};

// A call of a function of this file.
struct CheckedInvoke {
  std::uint32_t function = 0;     // index into CheckedFile::functions
  std::vector<NodeId> arguments;  // by parameter; where the call leaves one out, its default
  std::set<std::size_t> as_list;  // arguments that are one item where the parameter is a list
};

// `call flow(…)`, `start flow(…)`.
struct CheckedFlowCall {
  std::uint32_t flow = 0;         // index into CheckedFile::flows
  TypeId record = 0;              // of its arguments, in the order of the trigger's bindings
  std::vector<NodeId> arguments;  // by binding; where the call leaves one out, its default
  bool is_started = false;        // and not waited for
};

// A record written in place.
struct CheckedConstruct {
  TypeId record = 0;
  std::vector<std::pair<std::uint32_t, NodeId>> given;  // field and value, in the order of the text
};

// A call of a standard function.
struct CheckedMethod {
  enum class Kind : std::uint8_t {
    Native,  // the machine's
#define FLOW_COMPILED_KIND(kind) kind,
#include "compiler/check/functions.def"
  };
  Kind kind = Kind::Native;
  NativeId native = NativeId::lower;
  std::uint32_t function = 0;     // index into Library::functions
  NodeId receiver = kNoNode;      // the first argument; `range` has none
  std::vector<NodeId> arguments;  // the others by parameter: of lambdas the body; kNoNode takes the default
  std::vector<std::uint32_t> locals;  // that the parameters of the lambdas are, in order
  bool has_lambda = false;
  std::vector<std::uint32_t> columns;  // of a table of records: their fields
};
// Whether it may raise a fault beside those of used up fuel and memory; says yes when in doubt.
bool may_fault(const CheckedMethod& method);

// What a function or a flow does besides computing, by itself or through functions.
struct FunctionEffects {
  std::set<std::uint32_t> operations;  // index into Library::operations
  bool logs = false;
  bool stops = false;  // may end the run
  bool waits = false;
  std::set<std::uint32_t> flows;  // index into CheckedFile::flows: those it calls or starts
};

// A step of `steps`, and what it comes after.
inline constexpr std::uint8_t kStepSucceeded = 1, kStepFailed = 2, kStepTimedOut = 4, kStepSkipped = 8;
struct StepEdge {
  std::uint32_t step = 0;
  std::uint8_t statuses = 0;  // any of which suffices
  NodeId node = kNoNode;
};
struct CheckedStep {
  NodeId node = kNoNode;
  NodeId call = kNoNode;
  std::vector<StepEdge> after;
  std::uint32_t wave = 0;  // the steps of one wave are carried out side by side
};
struct CheckedSteps {
  std::vector<CheckedStep> steps;
  std::uint32_t waves = 0;
};

struct Local {
  std::string name;
  TypeId type = 0;
  NodeId declared = kNoNode;  // in an Assign and a name, `meaning` has Kind::Local with this local's index
  bool is_used = false;
  bool is_var = false;  // may be assigned; all others never change
};

// What flows and functions have in common.
struct CheckedBody {
  NodeId node = kNoNode;
  std::string name;
  std::string doc;
  NodeId body = kNoNode;  // a Block; for a function perhaps the expression behind `=`
  std::vector<Local> locals;
  std::uint32_t file = 0;             // the part of a joined tree it stands in
  std::set<std::uint32_t> settings;   // that it, or a function it invokes, takes
  std::set<std::uint32_t> functions;  // that it invokes
};

// A `param` or a `secret`.
struct CheckedSetting {
  std::string name;  // with its module's, as `notify.soc`, unless the program itself declares it
  std::string doc;
  TypeId type = 0;
  NodeId node = kNoNode;
  NodeId default_value = kNoNode;  // a constant
  std::uint32_t file = 0;
  bool is_used = false;

  bool is_secret() const { return type == kSecretType; }
};

struct CheckedFlow : CheckedBody {
  std::uint32_t trigger = 0;  // index into CheckedFile::triggers
  // Of a trigger with arguments, by binding: what is taken when one is not given.
  std::map<std::uint32_t, NodeId> argument_defaults;
  bool is_value = false;  // a value of a test: `body` is an expression of `value_type`
  TypeId value_type = kNullType;
  NodeId condition = kNoNode;
  Policies policies;  // operations are indices into Library::operations
  NodeId once_key = kNoNode, once_window = kNoNode;
  std::vector<NodeId> protects;   // conditions
  NodeId handler = kNoNode;       // the block of `on error`
  std::uint32_t error_local = 0;  // valid when the handler names the error
  bool has_error_local = false;
  std::vector<NodeId> undos;  // `on undo`, in the order of the text
  FunctionEffects effects;
};

// Its parameters are its first locals, in order.
struct CheckedFunction : CheckedBody {
  // By parameter: a constant expression that names no local, so that it can be written out at each call;
  // kNoNode where the argument is required.
  std::vector<NodeId> defaults;
  TypeId result = kNothingType;  // Nothing: the call gives no value
  FunctionEffects effects;
};

struct CheckedFile {
  TypeTable types;  // the library's, and those this file adds
  // Of an expression's value, of a map's Key, of what an Assign assigns; 0xffffffff where there is none.
  std::vector<TypeId> type;
  std::vector<Meaning> meaning;
  std::vector<std::uint8_t> is_unwrapped;  // stored as T?, known not to be null here
  std::vector<std::uint8_t> is_widened;    // an Int where a Float is needed
  std::map<NodeId, CheckedCall> calls;
  std::map<NodeId, CheckedInvoke> invokes;
  std::map<NodeId, CheckedFlowCall> flow_calls;
  std::map<NodeId, CheckedMethod> methods;
  std::map<NodeId, CallOptions> options;             // of a Call: how it is made
  std::map<NodeId, std::uint32_t> http_credentials;  // of a Call of `http`: index into Library::connectors
  bool is_leased(NodeId call) const {
    const auto found = options.find(call);
    return found != options.end() && found->second.lease_us > 0;
  }
  std::map<NodeId, std::uint32_t> system_calls;  // of a statement: the operation of the runtime that it calls
  std::map<NodeId, CheckedSteps> steps;
  // Of what becomes a function of its own (a branch, the block of `on undo`): its own locals, from the first
  // up to the second. What else it mentions is given to it.
  std::map<NodeId, std::pair<std::uint32_t, std::uint32_t>> branch_locals;
  std::set<std::pair<TypeId, std::uint32_t>> fields_read;  // record type, field
  std::set<NodeId> address_holes;  // holes of pages that begin an address: their scheme is looked at
  std::vector<Trigger> triggers;   // the library's that are used, and those that flows write themselves
  std::vector<CheckedFlow> flows;  // of the file itself, then those of modules that are called
  std::vector<CheckedTest> tests;
  std::vector<CheckedFlow> test_values;
  std::set<std::pair<TypeId, std::uint32_t>> test_fields_read;  // by flows or tests
  std::vector<CheckedFunction> functions;                       // in the order of the file
  std::vector<CheckedSetting> settings;                         // in the order of the files
  std::map<NodeId, CheckedConstruct> constructs;
  // By record that a source declares and its field: a constant, kNoNode where there is none.
  std::map<TypeId, std::vector<NodeId>> field_defaults;
  std::vector<std::uint8_t> is_json_made;  // another value where Json is needed
};
inline constexpr TypeId kNoType = 0xffffffff;

}  // namespace flow
