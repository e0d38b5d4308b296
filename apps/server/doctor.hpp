// `flow doctor`: whether the flows could do what they are to do, before one of them finds out. Each tenant's
// credential is tried, and what its tokens allow is compared with what each flow needs; hosts, clocks, mail
// and the credentials of third parties are looked at. Nothing is changed anywhere.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "apps/server/config.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "stdlib/http/transport.hpp"
#include "stdlib/identity/token_source.hpp"
#include "stdlib/mail/smtp.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

// What one flow needs of one connector: permissions, of each list any one.
struct FlowNeeds {
  std::string flow;
  std::map<std::string, std::vector<std::vector<std::string>>> permissions;  // by connector
};
// By the routes that the configuration chooses for the tenant.
Result<std::vector<FlowNeeds>> needs_of(const Module& module, const TenantAccess& access);

struct Finding {
  enum class Level : std::uint8_t { Good, Note, Warning, Problem };
  Level level = Level::Good;
  std::string tenant;
  std::string
      about;  // `credential`, `permissions`, `host`, `clock`, `mail`, `connector`, `key vault`, `secret`
  std::string what;  // of it: a connector, a flow, a host
  std::string text;
};

// A permission that the app of a tenant lacks for some flows.
struct MissingPermission {
  std::string tenant, connector, permission;
  std::vector<std::string> flows;
};

struct Checkup {
  std::vector<Finding> findings;
  std::vector<MissingPermission> missing;
  std::size_t problems() const;
};

struct DoctorParties {
  Transport& transport;
  TokenSource& tokens;
  const Clock& clock;
  SmtpSender& mail;
};
// Waits for the network. `modules` are those that are, or would be, deployed.
Checkup examine(const Config& config, const std::vector<Module>& modules, const DoctorParties& parties);

// `roles` of an application's token, or `scp` of a person's; nothing when the token is none that can be read.
struct TokenClaims {
  bool is_readable = false;
  std::vector<std::string> permissions;
};
TokenClaims claims_of(const std::string& token);

std::string checkup_text(const Checkup& checkup, const Config& config);
std::string checkup_json(const Checkup& checkup);
// Commands of the `az` command line that grant what is missing in one tenant; empty when nothing is.
std::string grant_script(const Checkup& checkup, const TenantConfig& tenant);

}  // namespace flow
