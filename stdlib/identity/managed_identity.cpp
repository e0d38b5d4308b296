#include "stdlib/identity/managed_identity.hpp"

#include "base/text.hpp"

namespace flow {
namespace {

// Names of the parameters that choose an identity: each door has its own.
struct Names {
  const char* client_id;
  const char* object_id;
  const char* resource_id;
};

std::string with_identity(std::string url, const ManagedIdentity& identity, const Names& names) {
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) url += "&" + std::string(name) + "=" + percent_encoded(value);
  };
  add(names.client_id, identity.client_id);
  add(names.object_id, identity.object_id);
  add(names.resource_id, identity.resource_id);
  return url;
}

std::string with_version(const std::string& url, const char* version) {
  return url + (url.find('?') == std::string::npos ? "?" : "&") + "api-version=" + version;
}

SecretProvider constant(std::string value) {
  return [value = std::move(value)] { return Result<std::string>(value); };
}

}  // namespace

Result<TokenDoor> managed_identity_door(const ManagedIdentity& identity, const Environment& environment) {
  const int chosen =
      !identity.client_id.empty() + !identity.object_id.empty() + !identity.resource_id.empty();
  if (chosen > 1) return error("a managed identity is named by one of client_id, object_id and resource_id");
  const auto endpoint = environment("IDENTITY_ENDPOINT"), header = environment("IDENTITY_HEADER");
  const auto old_endpoint = environment("MSI_ENDPOINT"), old_secret = environment("MSI_SECRET");
  TokenDoor door;
  door.resource_name = "resource";
  if (identity.endpoint.empty() && endpoint && header) {
    door.header = "X-IDENTITY-HEADER";
    door.header_value = constant(*header);
    door.url = with_identity(with_version(*endpoint, "2019-08-01"), identity,
                             {"client_id", "principal_id", "mi_res_id"});
    return door;
  }
  if (identity.endpoint.empty() && endpoint) {
    if (chosen > 0)
      return error("a machine of Azure Arc has one identity: leave client_id, object_id and resource_id out");
    door.header = "Metadata";
    door.header_value = constant("true");
    door.challenge_folder = identity.key_folder;
    door.url = with_version(*endpoint, "2020-06-01");
    return door;
  }
  if (identity.endpoint.empty() && old_endpoint && old_secret) {
    if (!identity.object_id.empty() || !identity.resource_id.empty())
      return error("this service knows identities by client_id only");
    door.header = "secret";
    door.header_value = constant(*old_secret);
    door.url = with_identity(with_version(*old_endpoint, "2017-09-01"), identity, {"clientid", "", ""});
    return door;
  }
  door.header = "Metadata";
  door.header_value = constant("true");
  const std::string imds = "http://169.254.169.254/metadata/identity/oauth2/token";
  door.url = with_identity(with_version(identity.endpoint.empty() ? imds : identity.endpoint, "2018-02-01"),
                           identity, {"client_id", "object_id", "msi_res_id"});
  return door;
}

}  // namespace flow
