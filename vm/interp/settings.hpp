// The settings a run starts with: values of Module::settings, given as one JSON object when a module is
// deployed. A setting the object does not have has its default. A secret's value is the name of a secret, as
// a text or as {"$secret": "name"}; by default it is named like the setting.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "vm/bytecode/module.hpp"
#include "vm/interp/heap.hpp"
#include "vm/interp/json_read.hpp"

namespace flow {

bool takes_settings(const FlowCode& flow);

// Fills the registers of the flow's inputs that are settings, with values whose bytes are in `heap`. Messages
// begin with the setting, as `setting `threshold`: expected Int, found text`.
std::optional<JsonProblem> fill_settings(std::string_view settings_json, const Module& module,
                                         const FlowCode& flow, Heap& heap, Slot* registers);

// Whether runs of the module can start with these: each setting that is required is there, and each that is
// there has its type. Names the first that is wrong, or a member that is no setting of the module.
Status check_settings(const Module& module, std::string_view settings_json);

// Whether JSON is a value of one setting.
Status check_setting(const Module& module, const Setting& setting, std::string_view json);

}  // namespace flow
