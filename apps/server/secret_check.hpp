// Whether the configuration has the secrets that flows declare by `secret NAME`, said before anything runs.
#pragma once

#include <string>
#include <vector>

#include "apps/server/config.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

struct MissingSecret {
  std::string tenant, name;
  std::string used_by;  // the file that declares it
  std::string text() const;
};

// Of this module for this tenant. A parameter of the configuration can give a secret another name.
std::vector<MissingSecret> missing_secrets(const Config& config, const TenantConfig& tenant,
                                           const Module& module);

// What the service itself goes by and cannot read, as sentences: tokens of the API and of the metrics, the
// key of links, secrets and tokens of hooks. Whoever comes with the right one is turned away then.
std::vector<std::string> unreadable_secrets(const InboundConfig& config);

}  // namespace flow
