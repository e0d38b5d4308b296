// The identity that Azure gives a machine or a service: its token comes from a door that only this machine
// can reach. Which door there is the environment says, as Azure sets it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "stdlib/identity/token_request.hpp"

namespace flow {

// Which of several identities; at most one of the three, and none for that of the machine itself.
struct ManagedIdentity {
  std::string client_id, object_id, resource_id;
  std::string endpoint;  // of the metadata service, in place of the one that the environment says
  std::string key_folder = "/var/opt/azcmagent/tokens";  // of Azure Arc's agent: where its key files are
};

using Environment = std::function<std::optional<std::string>(const std::string& variable)>;

// App Service, Functions and Container Apps say where to ask (IDENTITY_ENDPOINT, or the older MSI_ENDPOINT);
// elsewhere it is the agent of Azure Arc (IDENTITY_ENDPOINT alone), or the metadata service of a virtual
// machine.
Result<TokenDoor> managed_identity_door(const ManagedIdentity& identity, const Environment& environment);

}  // namespace flow
