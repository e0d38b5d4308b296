// The standard functions, as stdlib/functions/*.flow declare them: types, names of parameters, defaults, docs
// and examples. What carries each of them out stands in compiler/check/functions.def.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"
#include "base/type.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow {

// A type in which type parameters stand for others.
struct TypePattern {
  enum class Kind : std::uint8_t {
    Known,     // `type`
    Variable,  // number `variable` of the function's type parameters
    Optional,  // of children[0]
    List,      // of children[0]
    Map,       // of children[0] to children[1]
    Entry,     // a record {key, value} of children[0] and children[1]: `Entry<K, V>`
    Function,  // of all children but the last to the last
  };
  Kind kind = Kind::Known;
  TypeId type = 0;
  std::uint32_t variable = 0;
  std::vector<TypePattern> children;
};

// What a type parameter may stand for follows from its name; any other name may stand for anything.
enum class TypeBound : std::uint8_t {
  Any,
  Text,        // String, and what is kept as text but for Html, Kql and Secret
  Ordered,     // what can be sorted
  Comparable,  // what `==` is defined for
  Key,         // what a map can have as keys
  Number,      // Int, Float, Duration
  Row,         // a record, or a map with keys of String
};
std::string_view bound_name(TypeBound bound);

struct StandardFunction {
  struct Parameter {
    std::string name;
    TypePattern type;
    std::string default_json;  // empty when the argument is required
  };
  std::string name;
  std::string group;  // the declaring file, without folder and ending
  std::string doc;    // without the examples
  std::vector<std::string> examples;
  std::vector<std::string> type_parameters;
  std::vector<TypeBound> bounds;
  std::vector<Parameter> parameters;
  TypePattern result;
  std::string signature;  // as it is declared, `lower<Text>(text: Text) -> Text`
  std::string key;        // names the overload: `map(List<T>, T => U)`
};

// Reads `native fn …`; what is wrong is reported. `types` gains what is new.
StandardFunction read_function(const Tree& tree, NodeId node,
                               const std::map<std::string, TypeId, std::less<>>& type_names, TypeTable& types,
                               Diagnostics& diagnostics);

}  // namespace flow
