// What the runtime asks of whoever can reach the world. apps/ plugs the standard library's executor in; tests
// plug in a fake. Implementations may call `done` from any thread, exactly once, perhaps before the method
// returns.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "vm/bytecode/call.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

// One operation to perform for one tenant. Pointers stay valid until `done` was called.
struct OperationCall {
  std::string tenant;  // key of the tenant in the configuration
  const Module* module = nullptr;
  std::uint32_t operation = 0;  // index into module->operations
  std::string arguments;        // JSON object
  std::string key;              // idempotency key, the same each time this call of this run is made
  std::int64_t deadline_us = 30'000'000;
};

struct Happened {
  std::string json;
};                       // it did; this is its result
struct DidNotHappen {};  // certainly not: it may be made again
struct NobodyKnows {
  Fault fault;
};
using Settlement = std::variant<Happened, DidNotHappen, NobodyKnows>;

// A call that was answered and goes on: what it gave.
struct BegunCall {
  OperationCall call;
  std::string result;
};

class Executor {
 public:
  virtual ~Executor() = default;
  // Makes the call, once.
  virtual void perform(OperationCall call, std::function<void(Outcome)> done) = 0;
  // Asks how far that is which `call` began: performs the operation's Completion, with `result` what the call
  // gave. The answer is the completing operation's.
  virtual void progress(OperationCall call, std::string result, std::function<void(Outcome)> done) = 0;
  // The same of several calls of one tenant at once, whose operations are completed by one operation that has
  // a Several. The answer is a JSON list: at each call's place what progress() would give, or null where
  // nothing was said of it. An executor that cannot says so by a fault.
  virtual void progress_of_several(std::vector<BegunCall> /*calls*/, std::function<void(Outcome)> done) {
    done(Fault{.kind = FaultKind::BadRequest, .message = "calls can be asked about one by one only"});
  }
  // Finds out by the operation's CrashRule `lookup` whether an in-doubt call happened.
  virtual void settle(OperationCall call, std::function<void(Settlement)> done) = 0;
};

}  // namespace flow
