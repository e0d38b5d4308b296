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
    Local,        // index into CheckedFlow::locals
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

struct CheckedCall {
  std::uint32_t operation = 0;    // index into Library::operations
  std::vector<NodeId> arguments;  // by parameter; kNoNode takes the default
};

// Calls of the machine's own functions and of methods that the compiler writes out as loops.
struct CheckedMethod {
  enum class Kind : std::uint8_t { Native, ListLength, ListContains, Any, All };
  Kind kind = Kind::Native;
  NativeId native = NativeId::lower;
  NodeId receiver = kNoNode;
  std::vector<NodeId> arguments;
  std::uint32_t parameter = 0;  // Any, All: the local that the lambda's parameter is
};

struct Local {
  std::string name;
  TypeId type = 0;
  NodeId declared = kNoNode;
  bool is_used = false;
};

struct CheckedFlow {
  NodeId node = kNoNode;
  std::string name;
  std::string doc;
  std::uint32_t trigger = 0;  // index into Library::triggers
  NodeId condition = kNoNode;
  NodeId body = kNoNode;
  NodeId handler = kNoNode;       // the block of `on error`
  std::uint32_t error_local = 0;  // valid when the handler names the error
  bool has_error_local = false;
  std::vector<Local> locals;
};

struct CheckedFile {
  TypeTable types;           // the library's, and those this file adds
  std::vector<TypeId> type;  // of an expression's value; 0xffffffff where there is none
  std::vector<Meaning> meaning;
  std::vector<std::uint8_t> is_unwrapped;  // stored as T?, known not to be null here
  std::vector<std::uint8_t> is_widened;    // an Int where a Float is needed
  std::map<NodeId, CheckedCall> calls;
  std::map<NodeId, CheckedMethod> methods;
  std::set<std::pair<TypeId, std::uint32_t>> fields_read;  // record type, field
  std::vector<CheckedFlow> flows;
};
inline constexpr TypeId kNoType = 0xffffffff;

}  // namespace flow
