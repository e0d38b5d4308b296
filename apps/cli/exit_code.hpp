// What the `flow` command says by its exit code; documented in docs/cli.md.
#pragma once

#include <string>
#include <utility>

#include "base/result.hpp"

namespace flow {

enum ExitCode : int {
  kSuccess = 0,
  kFlowWrong = 1,   // a flow has errors, or a run failed
  kDifferent = 1,   // diff: the two may do different things
  kUsage = 2,       // the command line is wrong
  kWorldWrong = 3,  // a file, the configuration, the store or the network
};

// Why a command ends without success, and its exit code. What the world did is an Error, and becomes one of
// these.
struct Failure {
  Failure(Error error) : message(std::move(error.message)) {}
  Failure(std::string text, ExitCode by) : message(std::move(text)), code(by) {}

  std::string message;
  ExitCode code = kWorldWrong;
};
template <class T>
using Attempt = tl::expected<T, Failure>;

inline tl::unexpected<Failure> failure(std::string message, ExitCode code) {
  return tl::unexpected<Failure>(Failure(std::move(message), code));
}

}  // namespace flow
