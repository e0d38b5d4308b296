// How the world's failures travel: Result<T> is a T or an Error that a person can read. Errors of the user's
// flow are Diagnostics (base/diagnostics.hpp), errors of a step of a run are Faults (base/fault.hpp), and our
// own bugs end the process at once (FLOW_CHECK). Exceptions never cross one of our interfaces.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace flow {

struct Error {
  std::string message;  // starts lower case, no full stop; names the file, key or host it speaks of
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> error(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message)});
}

// Ends the process with file, line and message. Called by FLOW_CHECK; never caught.
[[noreturn]] void check_failed(const char* file, int line, const char* condition, const char* message);

}  // namespace flow

// A claim about our own code. False means a bug here, whatever the input was.
#define FLOW_CHECK(condition, message) \
  (static_cast<bool>(condition) ? void(0) : ::flow::check_failed(__FILE__, __LINE__, #condition, message))

#define FLOW_CONCAT_(a, b) a##b
#define FLOW_CONCAT(a, b) FLOW_CONCAT_(a, b)

// FLOW_TRY(const Module module, decode(bytes)); declares `module`, or returns the Error to the caller.
#define FLOW_TRY(declaration, expression)                                       \
  auto FLOW_CONCAT(flow_try_, __LINE__) = (expression);                         \
  if (!FLOW_CONCAT(flow_try_, __LINE__))                                        \
    return tl::unexpected(std::move(FLOW_CONCAT(flow_try_, __LINE__)).error()); \
  declaration = std::move(*FLOW_CONCAT(flow_try_, __LINE__))

// FLOW_TRY_STATUS(store.open()); returns the Error to the caller, if there is one.
#define FLOW_TRY_STATUS(expression)                                                  \
  do {                                                                               \
    auto flow_try_status = (expression);                                             \
    if (!flow_try_status) return tl::unexpected(std::move(flow_try_status).error()); \
  } while (false)
