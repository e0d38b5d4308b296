// A tenant's devices and alerts from a seed, exactly in the shape in which Defender's API shows them. Pure:
// the same Random gives the same tenant.
#pragma once

#include <string>
#include <vector>

#include "apps/sim/json.hpp"
#include "base/clock.hpp"

namespace flow::sim {

inline constexpr char kDomain[] = "corp.example.com";

// One device, seen up to now. About one in eight carries the tag `VIP`, one in twenty is not reporting.
Json make_machine(Random& random, std::int64_t now_us);
std::vector<Json> make_machines(Random& random, std::size_t count, std::int64_t now_us);

// One alert created at `now_us`, on one of `machines` that is Active; one in twenty-five has no device.
Json make_alert(Random& random, const std::vector<Json>& machines, const std::string& tenant_id,
                std::int64_t now_us);

// Account names of the made-up people.
std::vector<std::string> people();

// Fills in the fields that name the device; nulls when `machine` is null.
void put_on_machine(Json& alert, const Json& machine);

// `count` offsets into a day, rising, in microseconds: few at night, two peaks in office hours, some in
// bursts.
std::vector<std::int64_t> arrivals_of_a_day(Random& random, std::size_t count);

// The closed lists of the API, as it spells them.
const std::vector<std::string>& severities();
const std::vector<std::string>& alert_statuses();
const std::vector<std::string>& classifications();
const std::vector<std::string>& determinations();
// All names of an alert and of a device, in order.
std::vector<std::string> alert_fields();
std::vector<std::string> machine_fields();

}  // namespace flow::sim
