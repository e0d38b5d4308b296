// Who asks from outside that a run begins, a person or a request to a hook, and what becomes of it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace flow {

struct StartRequest {
  enum class By : std::uint8_t {
    Manual,   // `name` is the flow's
    Webhook,  // `name` is the hook's
  };
  By by = By::Manual;
  std::string tenant;
  std::string name;
  std::string event;  // JSON object: the arguments, or `payload` and `headers`
  std::map<std::string, std::string>
      written;      // Manual: arguments as on a command line (vm/interp/arguments.hpp)
  std::string key;  // what comes twice with one key starts one run; empty: each time a new one
  std::int64_t respond_within_us = 20'000'000;  // so long the flow may take to say `respond`
};

struct StartAnswer {
  enum class How : std::uint8_t {
    Started,    // the run is durable; it has not responded, or not in time
    Responded,  // the same, and it has: `status` and `body`
    Known,      // what came before with this key had started the run
    Skipped,    // the condition is false: there is no run
    NotFound,   // nobody starts on this: `problem`
    Refused,    // the flow cannot take it: `problem`
    Busy,       // later, perhaps
    Stopping,   // this process ends
  };
  How how = How::Stopping;
  std::string run;  // Started, Responded, Known
  std::string problem;
  int status = 0;
  std::string body;
};

// Called once, on the loop's thread or on the asker's. Must be quick and must not call back into the runtime.
using StartDone = std::function<void(StartAnswer)>;

}  // namespace flow
