// What a file is called in flows.
#pragma once

#include <string>
#include <string_view>

namespace flow {

// The name of a flow or module from that of its file: `lib/isolate-high.flow` is `isolate_high`, `2nd.flow`,
// which would be no name, `flow_2nd`.
std::string name_from_file(std::string_view file);

}  // namespace flow
