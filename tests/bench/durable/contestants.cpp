#include "tests/bench/durable/contestants.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/bench/durable/alert.hpp"

namespace flow::bench {
namespace {

constexpr const char* kSource = FLOW_SOURCE_DIR "/tests/bench/";

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path);
}

Result<std::string> new_folder(const Workload& workload, const std::string& name) {
  std::string folder = absolute(workload.folder + "/" + name);
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem) return error(fmt::format("{}: {}", folder, problem.message()));
  return folder;
}

Load load_on(std::uint16_t port, std::string path, std::string headers = {}) {
  return {.port = port,
          .path = std::move(path),
          .headers = std::move(headers),
          .body = sample_alert("da################_-880718168")};
}

double ms_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
}

std::string tenant_url(const Workload& workload) {
  return fmt::format("TENANT=http://127.0.0.1:{}", workload.tenant_port);
}

// One that answers a request is ready.
Status wait_until_it_answers(Load load, double seconds) {
  load.in_flight = 1;
  load.seconds = 0;
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    const Result<Measured> measured = put_load(load);
    if (measured && measured->refusals == 0) return {};
    if (std::chrono::steady_clock::now() > until)
      return error(measured ? "it answers " + measured->first_refusal : measured.error().message);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace

Result<Contestant> start_flow(const Workload& workload, const std::string& library) {
  Contestant flow{.name = "Flow, " + library, .processes = {}, .folder = {}, .load = {}};
  FLOW_TRY(flow.folder, new_folder(workload, "flow-" + library));
  const std::uint16_t port = free_port();
  std::ofstream(flow.folder + "/flow.toml") << fmt::format(
      R"([store]
path = "flow.db"

[http]
listen = "127.0.0.1:{}"

[webhooks.{}]
token_env = "BENCH_TOKEN"

[transport]
library = "{}"

[tenants.bench]
tenant_id = "7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3"
client_id = "0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846"
client_secret_env = "BENCH_TOKEN"
authority = "http://127.0.0.1:{}"
{})",
      port, workload.name, library, workload.tenant_port == 0 ? 1 : workload.tenant_port,
      workload.tenant_port == 0
          ? ""
          : fmt::format("\n[tenants.bench.bases]\ndouble = \"http://127.0.0.1:{}\"\n", workload.tenant_port));
  const auto begun = std::chrono::steady_clock::now();
  FLOW_TRY(Process process,
           Process::start({.command = {FLOW_BINARY_DIR "/flow-runtime", "serve", "--quiet", "--config",
                                       "flow.toml", fmt::format("{}durable/{}.flow", kSource, workload.name)},
                           .environment = {"BENCH_TOKEN=bench"},
                           .folder = flow.folder,
                           .log = flow.folder + "/log"}));
  FLOW_TRY_STATUS(process.wait_for("listening at", 10));
  flow.start_ms = ms_since(begun);
  flow.processes.push_back(std::move(process));
  flow.load = load_on(port, "/hooks/" + workload.name, "Authorization: Bearer bench\r\n");
  FLOW_TRY_STATUS(wait_until_it_answers(flow.load, 5));
  return flow;
}

Result<Contestant> start_restate(const Workload& workload, const std::string& peers) {
  Contestant restate{.name = "Restate, 2 partitions", .processes = {}, .folder = {}, .load = {}};
  FLOW_TRY(restate.folder, new_folder(workload, "restate"));
  const std::string modules = absolute(peers) + "/node_modules/";
  const std::uint16_t handlers = free_port(), ingress = free_port(), admin = free_port(), node = free_port();
  FLOW_TRY(
      Process worker,
      Process::start({.command = {modules + ".bin/node", std::string(kSource) + "peers/durable/restate.mjs"},
                      .environment = {"PEERS=" + absolute(peers), fmt::format("PORT={}", handlers),
                                      tenant_url(workload), "NODE_ENV=production"},
                      .folder = restate.folder,
                      .log = restate.folder + "/handlers.log"}));
  const auto begun = std::chrono::steady_clock::now();
  FLOW_TRY(
      Process server,
      Process::start({.command = {modules + "@restatedev/restate-server-linux-x64/bin/restate-server"},
                      .environment = {"RESTATE_BASE_DIR=" + restate.folder + "/data",
                                      "RESTATE_DISABLE_TELEMETRY=true", "RESTATE_DEFAULT_NUM_PARTITIONS=2",
                                      "RUST_LOG=warn", fmt::format("RESTATE_BIND_ADDRESS=127.0.0.1:{}", node),
                                      fmt::format("RESTATE_INGRESS__BIND_ADDRESS=127.0.0.1:{}", ingress),
                                      fmt::format("RESTATE_ADMIN__BIND_ADDRESS=127.0.0.1:{}", admin)},
                      .folder = restate.folder,
                      .log = restate.folder + "/server.log"}));
  restate.processes.push_back(std::move(server));
  restate.processes.push_back(std::move(worker));
  FLOW_TRY_STATUS(wait_until_it_answers({.port = admin,
                                         .path = "/deployments",
                                         .headers = {},
                                         .body = fmt::format(R"({{"uri":"http://127.0.0.1:{}"}})", handlers)},
                                        40));
  restate.load = load_on(ingress, "/flow/" + workload.name);
  FLOW_TRY_STATUS(wait_until_it_answers(restate.load, 40));
  restate.start_ms = ms_since(begun);
  return restate;
}

Result<Contestant> start_plain_node(const Workload& workload, const std::string& peers) {
  Contestant node{.name = "Node, not durable", .processes = {}, .folder = {}, .load = {}};
  FLOW_TRY(node.folder, new_folder(workload, "node"));
  const std::uint16_t port = free_port();
  FLOW_TRY(Process process,
           Process::start({.command = {absolute(peers) + "/node_modules/.bin/node",
                                       std::string(kSource) + "peers/durable/plain.mjs"},
                           .environment = {fmt::format("PORT={}", port), tenant_url(workload)},
                           .folder = node.folder,
                           .log = node.folder + "/log"}));
  node.processes.push_back(std::move(process));
  FLOW_TRY_STATUS(node.processes.back().wait_for("ready", 40));
  node.load = load_on(port, "/" + workload.name);
  FLOW_TRY_STATUS(wait_until_it_answers(node.load, 20));
  return node;
}

Result<Contestant> start_dbos(const Workload& workload, const std::string& peers) {
  Contestant dbos{.name = "DBOS, PostgreSQL", .processes = {}, .folder = {}, .load = {}};
  FLOW_TRY(dbos.folder, new_folder(workload, "dbos"));
  const std::uint16_t database = free_port(), port = free_port();
  FLOW_TRY(Process server,
           Process::start({.command = {FLOW_SOURCE_DIR "/tests/bench/peers/durable/postgresql", dbos.folder,
                                       fmt::format("{}", database)},
                           .environment = {},
                           .folder = dbos.folder,
                           .log = dbos.folder + "/postgresql.log"}));
  dbos.processes.push_back(std::move(server));
  FLOW_TRY_STATUS(dbos.processes.front().wait_for("ready to accept connections", 20));
  FLOW_TRY(
      Process worker,
      Process::start(
          {.command = {absolute(peers) + "/node_modules/.bin/node",
                       std::string(kSource) + "peers/durable/dbos.mjs"},
           .environment = {"PEERS=" + absolute(peers), fmt::format("PORT={}", port), tenant_url(workload),
                           fmt::format("PGURL=postgresql://bench@127.0.0.1:{}/bench", database)},
           .folder = dbos.folder,
           .log = dbos.folder + "/handlers.log"}));
  dbos.processes.push_back(std::move(worker));
  FLOW_TRY_STATUS(dbos.processes.back().wait_for("ready", 40));
  dbos.load = load_on(port, "/" + workload.name);
  FLOW_TRY_STATUS(wait_until_it_answers(dbos.load, 20));
  return dbos;
}

}  // namespace flow::bench
