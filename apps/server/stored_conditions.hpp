// The conditions of a module's flows as they were written, kept in the store beside the module, so that `flow
// why` needs no file. They refer to a form of the module that decides each part by itself, which is kept with
// them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "runtime/why.hpp"

namespace flow {

struct FlowCondition {
  std::string flow;
  std::vector<ConditionPart> parts;
};

std::string encode_conditions(const Module& module, const std::vector<FlowCondition>& flows);

class StoredConditions {
 public:
  // The error says what is wrong with the bytes.
  static Result<std::unique_ptr<StoredConditions>> decode(std::string_view bytes);

  // Of the flow with this name; without parts when it is none of them. Refers to this object.
  ConditionParts condition(const std::string& flow) const;

 private:
  StoredConditions(Program program, std::vector<FlowCondition> flows)
      : program_(std::move(program)), flows_(std::move(flows)) {}

  Program program_;
  std::vector<FlowCondition> flows_;
};

// What is to be kept for the module with these bytes, made from its source: empty when that is not where it
// was, or is another version. See ConditionSource::find().
std::string conditions_to_store(const std::string& module_bytes, const std::string& source);

}  // namespace flow
