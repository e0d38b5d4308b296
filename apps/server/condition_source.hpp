// The conditions of a module, part by part, as its source has them. A module holds no source: its file must
// still be there, unchanged. So it is asked when the module is deployed, and what it says is kept.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compiler/compile.hpp"
#include "runtime/why.hpp"

namespace flow {

class ConditionSource {
 public:
  // Of the module with these bytes. `source` is the file; empty: where it was compiled. nullptr when there is
  // no such file, or it is another version.
  static std::unique_ptr<ConditionSource> find(const std::string& module_bytes, const std::string& source);

  // Of the flow with this name, which the module has. Its program does what the module does.
  ConditionParts condition(const std::string& flow) const;
  // Of all flows, as stored_conditions.hpp keeps them.
  std::string stored() const;

 private:
  ConditionSource(Compilation compilation, Program program, CoveragePoints points);
  std::vector<NodeId> parts_of(std::size_t flow) const;
  void add_subjects(NodeId node, const CheckedFlow& flow, const FlowCode& code,
                    std::vector<ConditionPart::Subject>& subjects) const;
  std::optional<ConditionPart::Subject> subject(NodeId node, const CheckedFlow& flow,
                                                const FlowCode& code) const;

  Compilation compilation_;
  Program program_;
  CoveragePoints points_;
};

}  // namespace flow
