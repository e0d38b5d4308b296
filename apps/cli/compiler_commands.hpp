// The commands that need no network: each takes what was said on the command line and gives the exit code.
#pragma once

#include <string>
#include <vector>

namespace flow {

struct CheckOptions {
  std::vector<std::string> files;
  bool json = false;
  bool plan = false;
  bool tree = false;
};
int run_check(const CheckOptions& options);

struct FmtOptions {
  std::vector<std::string> files;
  bool check = false;
};
int run_fmt(const FmtOptions& options);

struct BuildOptions {
  std::string file;
  std::string output;
};
int run_build(const BuildOptions& options);

struct InspectOptions {
  std::string file;
  bool manifest_only = false;
};
int run_inspect(const InspectOptions& options);

int run_explain(const std::string& code);

}  // namespace flow
