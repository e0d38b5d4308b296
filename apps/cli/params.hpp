// `--param name=value` of commands that take several files: whose parameters there are is known when they are
// compiled. A value is written as in a shell: a text without quotes, everything else as JSON.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "apps/cli/exit_code.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

class GivenParams {
 public:
  // The error names what is not of the form `name=value`, or is given twice.
  static Attempt<GivenParams> read(const std::vector<std::string>& given);

  // The values of the module's settings among them, as JSON by name. The error names one that has not its
  // setting's type.
  Attempt<std::map<std::string, std::string>> of(const Module& module);
  // When all modules are asked: whether each parameter was one of theirs.
  Attempt<void> check_all_known() const;

 private:
  std::map<std::string, std::string> written_;
  std::set<std::string> taken_, known_;  // by some module; of all modules
};

}  // namespace flow
