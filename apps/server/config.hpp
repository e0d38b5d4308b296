// flow.toml: tenants, credentials, mail, store. Every key is known by name: an unknown one is an error that
// says where it stands and which was probably meant. Secrets are never in the file; it names where they come
// from.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "apps/server/config_identity.hpp"
#include "apps/server/protection_rules.hpp"
#include "apps/server/vault_references.hpp"
#include "base/result.hpp"
#include "stdlib/executor/executor.hpp"
#include "stdlib/http/egress.hpp"
#include "stdlib/http/transport_config.hpp"
#include "vm/interp/machine.hpp"

namespace flow {

struct TenantConfig {
  std::string name;      // key in `[tenants.NAME]`
  AppIdentity identity;  // what `access` was given of it
  TenantAccess access;
  std::map<std::string, SecretProvider> secrets;  // of flows, by name; what `access.secret` gives out
  bool knows_every_secret = false;                // of the pretend tenant
};

// Requests that come from outside. Nothing listens unless the file says where.
struct HookConfig {
  std::string tenant;  // whose flow it starts
  // One of the two: the key of the signature of each request's body, or what it sends as `Authorization:
  // Bearer`.
  SecretProvider secret, token;
  std::string signature_header;
  std::string delivery_header;  // empty: no request says which delivery it is
};
struct InboundConfig {
  std::string address;  // empty: nothing listens
  std::uint16_t port = 0;
  std::size_t body_bytes = 0;
  std::int64_t respond_within_us = 0;
  SecretProvider api_token;  // empty: the API is off
  SecretProvider metrics_token;
  bool are_metrics_open = false;  // without a token; when neither is said, there are none
  std::string url;                // of this service as people reach it; empty: mails have no links
  SecretProvider link_key;        // that links are signed with; empty: one that the store keeps
  std::map<std::string, HookConfig> hooks;
};

// What HTTP goes out through: docs/transport.md says how they differ.
enum class HttpLibrary : std::uint8_t { Cpprest, Curl };

enum class LogFormat : std::uint8_t { Text, Json };

struct Config {
  std::string store = "flow.db";
  LogFormat log_format = LogFormat::Text;
  std::int64_t keep_us = 90 * 86'400 * std::int64_t{1'000'000};  // runs that ended; 0: for ever
  std::int64_t keep_audit_us = 0;                                // rows of the audit trail; 0: for ever
  std::int64_t poll_every_us = 0;                                // 0: as the trigger declares
  std::int64_t look_back_us = 0;                                 // first poll of a new trigger
  std::int64_t settle_after_us = 30'000'000;                     // as of RuntimeOptions
  Limits limits;                                                 // of each run
  std::int64_t reuse_reads_us = 5'000'000;  // how long the answer of a read serves equal ones
  HttpLibrary http_library = HttpLibrary::Cpprest;
  TransportConfig transport;
  VaultReferences vaults;
  Egress egress;  // where flows may send requests of their own
  InboundConfig inbound;
  std::vector<TenantConfig> tenants;
  // Values of settings as JSON, by name: of `[params]`, for all files that have a setting of that name, and
  // of
  // `[params.FILE]`, for one file, named without its folder and ending.
  using Params = std::map<std::string, std::string>;
  Params params;
  std::map<std::string, Params> params_of_file;
  std::vector<ProtectionText> protection_texts;  // of `[protect]`
  Protections protections;                       // made of them by load_config()
  // Every key that stands in the file, as `tenants.contoso.mail.sender`, with what is written there.
  std::map<std::string, std::string> written;
};

// `name` is shown in errors. Paths in the text are taken relative to the working folder.
Result<Config> parse_config(const std::string& name, const std::string& text);

// Reads the file, and compiles what of it is in the language of flows; mistakes there are printed, with their
// places.
Attempt<Config> load_config(const std::string& file);
// The same, but nothing is printed: the error has all of it.
Attempt<Config> load_config_quietly(const std::string& file);

// The tenant that `flow sim` pretends, on these ports of this machine. Mail goes by `graph`, `graph-draft`,
// `smtp`, `gmail` or `acs`.
TenantConfig sim_tenant(std::uint16_t port, std::uint16_t smtp_port, const std::string& mail_via);

}  // namespace flow
