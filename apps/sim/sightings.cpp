#include "apps/sim/sightings.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/made_up.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/ticks.hpp"
#include "base/calendar.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

std::string host_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  return lower_ascii(url.substr(0, url.find(':')));
}

bool is_below(std::string_view host, std::string_view domain) {
  return host == domain || (host.size() > domain.size() && host.ends_with(domain) &&
                            host[host.size() - domain.size() - 1] == '.');
}

bool item_names(const Json& item, Sighted kind, std::string_view value) {
  switch (kind) {
    case Sighted::File:
      return equals_ignoring_case(item["sha1"].text(), value) ||
             equals_ignoring_case(item["sha256"].text(), value);
    case Sighted::Domain:
      return item["url"].is_text() && is_below(host_of(item["url"].text()), lower_ascii(value));
    case Sighted::Ip: return equals_ignoring_case(item["ipAddress"].text(), value);
    case Sighted::User: return equals_ignoring_case(item["accountName"].text(), value);
  }
  return false;
}

const Json* item_naming(const Json& alert, Sighted kind, std::string_view value) {
  if (value.empty()) return nullptr;
  for (const Json& item : alert["evidence"].items())
    if (item_names(item, kind, value)) return &item;
  return nullptr;
}

const KnownUser* known_user(const State& state, std::string_view account) {
  for (const KnownUser& user : state.defender.users)
    if (equals_ignoring_case(user.name, account)) return &user;
  return nullptr;
}

// Each text of the alert's evidence under `field`, once.
template <class Make>
std::vector<Json> each_once(const Json& alert, const char* field, const Make& make) {
  std::vector<Json> found;
  std::set<std::string> known;
  for (const Json& item : alert["evidence"].items())
    if (item[field].is_text() && known.insert(lower_ascii(item[field].text())).second)
      found.push_back(make(item));
  return found;
}

}  // namespace

bool names(const Json& alert, Sighted kind, std::string_view value) {
  if (kind == Sighted::User && equals_ignoring_case(alert["relatedUser"]["userName"].text(), value))
    return !value.empty();
  return item_naming(alert, kind, value) != nullptr;
}

Sighting seen(const State& state, Sighted kind, std::string_view value, std::int64_t since_us) {
  Sighting sighting;
  for (const Json& alert : state.alerts) {
    const auto last = parse_ticks(alert["lastEventTime"].text());
    const Json* item = item_naming(alert, kind, value);
    if (item == nullptr) continue;
    if (sighting.evidence == nullptr) sighting.evidence = item;
    if (!last || *last / 10 < since_us) continue;
    if (alert["machineId"].is_text()) sighting.machine_ids.emplace(alert["machineId"].text());
    if ((*item)["fileName"].is_text()) sighting.file_names.emplace((*item)["fileName"].text());
    const std::string first(alert["firstEventTime"].text()), latest(alert["lastEventTime"].text());
    if (sighting.first.empty() || first < sighting.first) sighting.first = first;
    if (latest > sighting.last) sighting.last = latest;
  }
  return sighting;
}

std::vector<Json> domains_of(const Json& alert) {
  std::vector<Json> found;
  std::set<std::string> known;
  for (const Json& item : alert["evidence"].items()) {
    if (!item["url"].is_text()) continue;
    const std::string host = host_of(item["url"].text());
    if (known.insert(host).second) found.push_back(Json::object({{"host", host}}));
  }
  return found;
}

std::vector<Json> ips_of(const Json& alert) {
  return each_once(alert, "ipAddress", [](const Json& item) {
    return Json::object({{"id", item["ipAddress"]}});
  });
}

std::vector<Json> files_of(const State& state, const Json& alert) {
  return each_once(alert, "sha1", [&](const Json& item) { return file_json(state, item); });
}

Json file_json(const State& state, const Json& evidence) {
  SeededRandom random(stable_hash(evidence["sha1"].text()));
  const bool is_system = evidence["filePath"].text().starts_with("C:\\Windows");
  const std::int64_t now = state.now_us();
  Json file =
      Json::object({{"sha1", evidence["sha1"]},
                    {"sha256", evidence["sha256"]},
                    {"md5", hex_digits(random, 32)},
                    {"globalPrevalence", is_system ? 900'000 + below(random, 99'999) : below(random, 400)},
                    {"globalFirstObserved", format_ticks(now - (is_system ? 900 : 4) * kDayUs)},
                    {"globalLastObserved", format_ticks(now - kDayUs / 24)},
                    {"size", 20'000 + below(random, 900'000)},
                    {"fileType", nullptr},
                    {"isPeFile", true}});
  file.set("filePublisher", is_system ? Json("Microsoft Corporation") : Json());
  file.set("fileProductName", is_system ? Json("Windows") : Json());
  file.set("signer", is_system ? Json("Microsoft Windows") : Json());
  file.set("issuer", is_system ? Json("Microsoft Windows Production PCA 2011") : Json());
  file.set("signerHash", is_system ? Json(hex_digits(random, 40)) : Json())
      .set("isValidCertificate", is_system);
  file.set("determinationType", is_system ? Json("Clean") : Json("Unknown"));
  return file.set("determinationValue", nullptr);
}

std::vector<std::string> accounts_on(const State& state, const Json& machine) {
  const std::string id(machine["id"].text());
  std::vector<std::string> accounts;
  for (const KnownUser& user : state.defender.users)
    if (std::ranges::find(user.machine_ids, id) != user.machine_ids.end()) accounts.push_back(user.name);
  if (!accounts.empty()) return accounts;
  SeededRandom random(stable_hash(id + "/users"));
  const std::vector<std::string> all = people();
  for (std::size_t count = 1 + below(random, 3); count > 0; --count) {
    const std::string& person = all[below(random, all.size())];
    if (std::ranges::find(accounts, person) == accounts.end()) accounts.push_back(person);
  }
  return accounts;
}

Json user_json(const State& state, std::string_view account) {
  const KnownUser* known = known_user(state, account);
  const std::string domain = known != nullptr ? known->domain : "EXAMPLE";
  std::vector<const Json*> machines;
  for (const Json& machine : state.machines)
    for (const std::string& name : accounts_on(state, machine))
      if (equals_ignoring_case(name, account)) machines.push_back(&machine);
  const std::int64_t now = state.now_us();
  return Json::object({{"id", lower_ascii(domain) + "\\" + lower_ascii(account)},
                       {"accountName", account},
                       {"accountDomain", domain},
                       {"accountSid", fmt::format("S-1-5-21-1004336348-1177238915-682003330-{}",
                                                  1000 + stable_hash(lower_ascii(account)) % 9000)},
                       {"firstSeen", format_ticks(now - 90 * kDayUs)},
                       {"lastSeen", format_ticks(now - kDayUs / 12)},
                       {"mostPrevalentMachineId", machines.empty() ? Json() : (*machines.front())["id"]},
                       {"leastPrevalentMachineId", machines.empty() ? Json() : (*machines.back())["id"]},
                       {"logonTypes", "Interactive"},
                       {"logOnMachinesCount", machines.size()},
                       {"isDomainAdmin", known != nullptr && known->is_domain_admin},
                       {"isOnlyNetworkUser", false}});
}

bool is_hash(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

bool is_domain(std::string_view text) {
  return !text.empty() && text.size() <= 253 && text.find('.') != std::string_view::npos &&
         text.front() != '.' && text.back() != '.' && text.find("..") == std::string_view::npos &&
         std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
                  c == '-' || c == '_';
         });
}

bool is_ip(const std::string& text) {
  in_addr four{};
  in6_addr six{};
  return ::inet_pton(AF_INET, text.c_str(), &four) == 1 || ::inet_pton(AF_INET6, text.c_str(), &six) == 1;
}

}  // namespace flow::sim
