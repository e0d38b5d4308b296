// The tables `[tenants.NAME.connectors.CONNECTOR]` and `[tenants.NAME.routes]` of flow.toml: where a
// connector is, as whom it is called, and by which route an operation goes. Any connector can be named, also
// one that a flow brings along; whether the credential is the one it wants is known only beside the flows
// (connector_check.hpp).
#pragma once

#include "apps/server/config_section.hpp"
#include "base/result.hpp"
#include "stdlib/executor/executor.hpp"

namespace flow {

// Of the tenant's table. What `[tenants.NAME.bases]` and `.scopes` say as well is a contradiction.
Status read_connectors(Section& tenant, TenantAccess& access);

// `what` is a connector, or an operation as `mail.mail`; `place` the table that says so.
Status choose_route(TenantAccess& access, const std::string& what, const std::string& route,
                    const std::string& place);

}  // namespace flow
