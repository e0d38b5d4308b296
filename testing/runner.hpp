// Runs one test: the same machine as in earnest, a pretend world, virtual time. No clock, no network, no
// disk.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "testing/test.hpp"
#include "vm/interp/machine.hpp"

namespace flow::testing {

// An expectation that did not come true, or what kept the test from being carried out.
struct Failure {
  Place place;
  std::string message;             // what was expected, and what happened instead
  std::vector<std::string> notes;  // what comes closest; each one line
};

struct TestResult {
  std::vector<Failure> failures;   // the first is the one to look at; none: passed
  std::vector<std::string> story;  // what happened: calls, log lines, the end; one line each
  bool has_passed() const { return failures.empty(); }
};

// The settings are values of the program's parameters as JSON, for tests that give none themselves. `watch`
// is called with each machine that carries a flow out, before it starts.
TestResult run_test(const Program& program, const Test& test,
                    const std::map<std::string, std::string>& settings = {},
                    const std::function<void(Machine&)>& watch = {});

}  // namespace flow::testing
