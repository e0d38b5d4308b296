// The parts of flow.toml about requests from outside: [http], [api] and [webhooks.NAME].
#pragma once

#include "apps/server/config.hpp"
#include "apps/server/config_section.hpp"

namespace flow {

Result<InboundConfig> read_inbound(Section& root);

}  // namespace flow
