// What the `flow` command says by its exit code; documented in docs/cli.md.
#pragma once

namespace flow {

enum ExitCode : int {
  kSuccess = 0,
  kFlowWrong = 1,    // a flow has errors, or a run failed
  kUsage = 2,        // the command line is wrong
  kWorldWrong = 3,   // a file, the configuration, the store or the network
};

}  // namespace flow
