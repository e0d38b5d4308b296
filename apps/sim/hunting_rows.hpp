// Rows for the hunting tables, made up from one device or one alert.
#pragma once

#include <cstdint>

#include "apps/sim/hunting_tables.hpp"

namespace flow::sim {

// DeviceInfo's row of the device as it is now.
Json device_row(const State& state, const Json& machine);
// What the device did in the week before `began_us`: processes, files, connections, logons, registry. Only
// the first few hundred devices do anything.
void insert_device_events(HuntingTables& tables, const Json& machine, std::size_t index,
                          std::int64_t began_us);
// Software and weaknesses of all devices, as the vulnerability API tells them.
void insert_inventory(HuntingTables& tables, State& state);
// AlertInfo, AlertEvidence, SecurityAlert, and the events that the evidence tells of.
void insert_alert(HuntingTables& tables, const State& state, const Json& alert);

}  // namespace flow::sim
