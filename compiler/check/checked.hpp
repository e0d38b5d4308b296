// What the checker knows about a source: the type of every expression, what every name means, which operation
// every call makes. Tables are indexed by NodeId of the source's Tree; the tree itself is not changed.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

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
    ErrorText,    // `e.message` of an `on error e`: index of the local
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
};

struct CheckedFlow : CheckedBody {
  std::uint32_t trigger = 0;  // index into CheckedFile::triggers
  NodeId condition = kNoNode;
  NodeId handler = kNoNode;       // the block of `on error`
  std::uint32_t error_local = 0;  // valid when the handler names the error
  bool has_error_local = false;
};

// Its parameters are its first locals, in order.
struct CheckedFunction : CheckedBody {
  // By parameter: a constant expression that names no local, so that it can be written out at each call;
  // kNoNode where the argument is required.
  std::vector<NodeId> defaults;
  TypeId result = kNothingType;  // Nothing: the call gives no value
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
  std::map<NodeId, CheckedMethod> methods;
  std::set<std::pair<TypeId, std::uint32_t>> fields_read;  // record type, field
  std::vector<Trigger> triggers;  // the library's that are used, and those that flows write themselves
  std::vector<CheckedFlow> flows;
  std::vector<CheckedFunction> functions;  // in the order of the file
};
inline constexpr TypeId kNoType = 0xffffffff;

}  // namespace flow
