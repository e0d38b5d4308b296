// A test as the runner takes it: plain data, no syntax. What it gives and expects are values that flows of
// the program compute (`value N`); records that are given need not be whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fault.hpp"

namespace flow::testing {

// Where something stands, for a person.
struct Place {
  std::uint32_t line = 0;    // from 1
  std::uint32_t column = 0;  // from 1
  std::string text;          // the line
  std::uint32_t length = 0;  // code points that are marked
};

struct Value {
  enum class Kind : std::uint8_t { Computed, Json, Object, List };
  Kind kind = Kind::Json;
  std::uint32_t flow = 0;          // Computed: the flow of the program whose result it is
  std::string json = "null";       // Json
  std::vector<std::string> names;  // Object: of `items`, as JSON spells them
  std::vector<Value> items;        // Object, List
};

struct ExpectedCall {
  std::string operation;                                         // full name, `defender.isolate`; `http.*`
  std::string shown;                                             // as the test writes it
  std::vector<std::pair<std::string, std::uint32_t>> arguments;  // parameter, flow that computes it
};

struct Statement {
  enum class Kind : std::uint8_t {
    GivenInput,    // name: an entity, what the trigger gives, `now`, `approval`, `answer`
    GivenParam,    // name
    GivenEvent,    // name: what `receive` waits for
    GivenReturns,  // calls[0], count
    GivenFails,    // calls[0], fault, text, count
    TimePasses,    // value: a duration
    Run,           // arguments
    ExpectCall,    // calls[0], count
    ExpectNone,    // calls[0]
    ExpectNoActions,
    ExpectOrder,      // calls
    ExpectCondition,  // value, sides
    ExpectResult,     // value
    ExpectOutcome,    // name, text
    ExpectLog,        // value
  };
  Kind kind = Kind::Run;
  Place place;
  std::string shown;  // its text
  std::string name, text;
  Value value;
  std::vector<ExpectedCall> calls;
  std::optional<std::uint32_t> count;
  FaultKind fault = FaultKind::Failed;
  std::vector<std::pair<std::string, Value>> arguments;
  std::vector<std::pair<std::string, std::uint32_t>> sides;  // text, flow that computes it
};

struct Test {
  std::string name;
  Place place;
  std::optional<std::uint32_t> flow;  // of the program; none: only functions are tested
  bool needs_run = false;
  std::vector<Statement> statements;
};

}  // namespace flow::testing
