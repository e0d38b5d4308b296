// Who takes part: Flow's own service, and the peers that are installed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/bench/durable/load.hpp"
#include "tests/bench/durable/service.hpp"

namespace flow::bench {

struct Contestant {
  std::string name;
  std::vector<Process> processes;
  std::string folder;   // with all that it has on the disk
  Load load;            // how it is asked, without in_flight and seconds
  double start_ms = 0;  // until it was ready
};

struct Workload {
  std::string name;               // `durable`, `e2e`: the file with the flow, the hook, the peers' handler
  std::uint16_t tenant_port = 0;  // 0: it needs none
  std::string folder;             // for all of them
};

// `library` as in `[transport]` of the configuration.
Result<Contestant> start_flow(const Workload& workload, const std::string& library);
// With two partitions, its fastest setting here. `peers` is where npm has installed it.
Result<Contestant> start_restate(const Workload& workload, const std::string& peers);
// Node without durability: what the work alone costs there.
Result<Contestant> start_plain_node(const Workload& workload, const std::string& peers);
Result<Contestant> start_dbos(const Workload& workload, const std::string& peers);

}  // namespace flow::bench
