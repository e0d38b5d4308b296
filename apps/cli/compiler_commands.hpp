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
  bool manifest = false;
  bool strict = false;
  std::vector<std::string> params;  // `name=value`, to be checked
};
int run_check(const CheckOptions& options);

struct FmtOptions {
  std::vector<std::string> files;
  bool check = false;
  bool diff = false;
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
  bool json = false;  // of the manifest
};
int run_inspect(const InspectOptions& options);

struct DiffOptions {
  std::string old_file, new_file;
  bool json = false;
};
int run_diff(const DiffOptions& options);

struct TestOptions {
  std::vector<std::string> paths;  // files and folders; none: this folder
  std::string filter;              // text in the names of the tests that are run; empty: all
  bool coverage = false;
  std::string format = "text";      // text, junit, tap
  std::vector<std::string> params;  // `name=value`
};
int run_test_command(const TestOptions& options);

int run_explain(const std::string& code);

}  // namespace flow
