// A test as the checker leaves it. What it gives and expects are expressions of the language; each becomes a
// flow of its own without effects, CheckedFile::test_values, whose result is the value. So `flow test` needs
// to know nothing about expressions: it runs those flows on the same machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fault.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow {

// A value that a test gives. Records need not be whole: `flow test` fills in what the flow reads.
struct TestValue {
  enum class Kind : std::uint8_t { Expression, Json, Object, List };
  Kind kind = Kind::Json;
  std::uint32_t value = 0;         // of Expression: index into CheckedFile::test_values
  std::string json = "null";       // of Json
  std::vector<std::string> names;  // of Object: as JSON spells them
  std::vector<TestValue> items;    // of Object and List
};

// A call as a test speaks of it; arguments that are not given may be anything.
struct TestCall {
  std::uint32_t operation = 0;                                   // index into Library::operations
  bool is_any_method = false;                                    // of `http`: whichever it is called with
  std::vector<std::pair<std::string, std::uint32_t>> arguments;  // parameter, index into test_values
};

struct TestStatement {
  NodeKind kind = NodeKind::Expect;  // one of those of a test
  NodeId node = kNoNode;
  std::string name;             // Given, GivenParam, GivenEvent: of what; ExpectOutcome: the outcome
  std::string text;             // GivenFails: the message; ExpectOutcome: the reason
  TestValue value;              // what is given, passes, or is expected
  std::vector<TestCall> calls;  // GivenReturns, GivenFails, Expect, ExpectNone: one; ExpectOrder
  std::optional<std::uint32_t> count;
  FaultKind fault = FaultKind::Failed;                       // GivenFails
  std::vector<std::pair<std::string, TestValue>> arguments;  // RunFlow: member of the event, value
  std::vector<std::uint32_t> sides;                          // Expect of a comparison: its two sides
};

struct CheckedTest {
  std::string name;
  NodeId node = kNoNode;
  std::optional<std::uint32_t> flow;  // index into CheckedFile::flows; none: only functions are tested
  bool needs_run = false;
  std::vector<TestStatement> statements;
};

}  // namespace flow
