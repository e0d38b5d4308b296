// Where files, domains, addresses and users were seen: in the evidence of alerts, and by signing in on
// devices.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "apps/sim/state.hpp"

namespace flow::sim {

enum class Sighted : std::uint8_t { File, Domain, Ip, User };

// Whether the alert's evidence names it: a file by SHA-1 or SHA-256, a domain with all below it, a user by
// account name. Letters' case does not count.
bool names(const Json& alert, Sighted kind, std::string_view value);

struct Sighting {
  std::set<std::string> machine_ids;
  std::set<std::string> file_names;
  std::string first, last;  // event times; empty: never seen
  const Json* evidence = nullptr;
};
// All alerts whose last event is not older than `since_us`.
Sighting seen(const State& state, Sighted kind, std::string_view value, std::int64_t since_us);

// Domains, addresses and files that the alert's evidence names, each once.
std::vector<Json> domains_of(const Json& alert);
std::vector<Json> ips_of(const Json& alert);
std::vector<Json> files_of(const State& state, const Json& alert);
Json file_json(const State& state, const Json& evidence);

// Who signs in on a device: those whom a scenario put there, else one to three of the made-up people.
std::vector<std::string> accounts_on(const State& state, const Json& machine);
Json user_json(const State& state, std::string_view account);

bool is_hash(std::string_view text, std::size_t digits);
bool is_domain(std::string_view text);
bool is_ip(const std::string& text);

}  // namespace flow::sim
