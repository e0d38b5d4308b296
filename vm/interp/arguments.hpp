// The arguments that somebody gives a flow, as one JSON object: a person, or a flow that calls it.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

// Whether a run of `flow`, one of `module`, can start with these: each is one that its trigger names and has
// its type, and what has no default is there. The error names the first argument that is
// wrong, with its type.
Status check_arguments(const Module& module, const FlowCode& flow, std::string_view arguments_json);

// Whether values of the type are texts in JSON.
bool is_text_in_json(const TypeTable& types, TypeId type);

// Whether a text is JSON.
bool is_json_text(std::string_view text);

// The arguments together with some that are written as on a command line: a text without quotes, everything
// else as JSON. Of one that is given twice the written one counts.
std::string with_written(const Module& module, const FlowCode& flow, std::string_view arguments_json,
                         const std::map<std::string, std::string>& written);

}  // namespace flow
