// What was covered, in numbers.
#include <fmt/format.h>

#include "simulation.hpp"

namespace flow::test {

SimulationCounts& SimulationCounts::operator+=(const SimulationCounts& other) {
  seeds += other.seeds;
  steps += other.steps;
  runs += other.runs;
  entries += other.entries;
  simulated_us += other.simulated_us;
  power_losses += other.power_losses;
  kills += other.kills;
  store_failures += other.store_failures;
  failed_starts += other.failed_starts;
  graceful_ends += other.graceful_ends;
  deploys += other.deploys;
  reloads += other.reloads;
  clock_settings += other.clock_settings;
  resumed += other.resumed;
  events += other.events;
  requests += other.requests;
  answers += other.answers;
  messages += other.messages;
  leases += other.leases;
  shadows += other.shadows;
  for (const auto& [state, count] : other.runs_over) runs_over[state] += count;
  disk += other.disk;
  tenant += other.tenant;
  return *this;
}

std::string summary(const SimulationCounts& counts) {
  std::string states;
  for (const auto& [state, count] : counts.runs_over) states += fmt::format(", {} {}", count, state);
  const DiskCounts& disk = counts.disk;
  const TenantCounts& tenant = counts.tenant;
  return fmt::format(
      "simulated: {} seeds, {} hours, {} runs{}; {} of them end leases, {} are shadows\n"
      "processes: {} killed at a write, {} of them with the power lost; {} ended by a failed store, {} that "
      "could not start, {} in good "
      "order; {} deploys, {} configurations read anew, {} clock settings\n"
      "disk: {} writes, {} syncs; {} writes lost, {} torn power losses, {} write errors, {} short writes, {} "
      "failed syncs, {} read errors, {} times full\n"
      "tenant: {} calls, {} acts and mails; {} throttled, {} unavailable, {} failed but done, {} lost "
      "requests, {} "
      "lost answers, {} broken off, {} garbled, {} refused, {} answered twice, {} slow; {} looked up, "
      "{} lists of awaited calls\n"
      "people: {} events, {} requests, {} answers, {} messages; {} parked runs resumed",
      counts.seeds, counts.simulated_us / kHour, counts.runs, states, counts.leases, counts.shadows,
      counts.power_losses + counts.kills, counts.power_losses, counts.store_failures, counts.failed_starts,
      counts.graceful_ends, counts.deploys, counts.reloads, counts.clock_settings, disk.writes, disk.syncs,
      disk.lost, disk.torn, disk.write_errors, disk.short_writes, disk.sync_errors, disk.read_errors,
      disk.no_space, tenant.calls, tenant.acts, tenant.throttled, tenant.unavailable, tenant.lying,
      tenant.lost_requests, tenant.lost_answers, tenant.broken, tenant.garbled, tenant.refused,
      tenant.doubled_answers, tenant.slow, tenant.lookups, tenant.lists, counts.events, counts.requests,
      counts.answers, counts.messages, counts.resumed);
}

}  // namespace flow::test
