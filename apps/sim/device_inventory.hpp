// The inventory of the tenant's devices as they are now.
#pragma once

#include "apps/sim/state.hpp"

namespace flow::sim {

const Inventory& inventory(State& state);
// Null when there is no such device.
const DeviceInventory* device_inventory(State& state, std::string_view id_or_name);
// The installation that has the weakness.
const Installation* installation_of(const DeviceInventory& device, std::size_t weakness);

}  // namespace flow::sim
