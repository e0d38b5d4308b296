// What the vendor's reference says of the calls of Defender and of Graph's security (defender_api.def), and
// which of our operations make each of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "compiler/resolve/library.hpp"

namespace flow {

struct ApiCall {
  std::string key;    // `machines.isolate`
  std::string title;  // in Power Automate's connector; empty when it lacks the call
  std::string method;
  std::string path;                     // `/api/machines/{machineId}/isolate`
  std::vector<std::string> parameters;  // `query:$filter`, `body:Comment`, `form:file`, `path:machineId`
  std::string returns;                  // `list<Alert>`, `Machine`, `none`
  std::vector<std::string> permissions;
  std::uint32_t per_minute = 0;  // 0: no limit is published
  std::uint32_t per_hour = 0;
  std::string retires;  // ISO date, or empty
  std::string page;
};

const std::vector<ApiCall>& defender_api();
// The members of what calls return, by the name of the entity.
const std::map<std::string, std::vector<std::string>>& defender_entities();

// `defender`, `graph` or `xdr`; empty for the triggers of Power Automate's connector, which are no calls of
// the API.
std::string connector_of(const ApiCall& call);
// The operations that send this method to this path. Several may: one adds a tag, another removes it.
std::vector<const Operation*> declared(const Library& library, const ApiCall& call);

}  // namespace flow
