// An alert as Defender has them, invented, with three pieces of evidence: 4.4 KB of JSON.
#pragma once

#include <string>

namespace flow::bench {

std::string sample_alert(const std::string& id);

}  // namespace flow::bench
