#include "apps/server/world.hpp"

#include <fmt/format.h>

#include <chrono>

#include "stdlib/executor/request.hpp"
#include "stdlib/http/cpprest_transport.hpp"
#include "stdlib/http/curl_transport.hpp"

namespace flow {

std::int64_t SystemClock::now_us() const {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

SystemRandom::SystemRandom() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device()};
  engine_.seed(seed);
}

// The runtime's interface, in the words of the standard library's.
class World::Adapter final : public Executor {
 public:
  explicit Adapter(OperationExecutor& operations) : operations_(operations) {}

  void perform(OperationCall call, std::function<void(Outcome)> done) override {
    operations_.perform(request(std::move(call)), std::move(done));
  }
  void progress(OperationCall call, std::string result, std::function<void(Outcome)> done) override {
    operations_.progress(request(std::move(call)), result, std::move(done));
  }
  void progress_of_several(std::vector<BegunCall> calls, std::function<void(Outcome)> done) override {
    std::vector<BegunRequest> begun;
    for (BegunCall& each : calls) begun.push_back({request(std::move(each.call)), std::move(each.result)});
    operations_.progress_of_several(std::move(begun), std::move(done));
  }
  void settle(OperationCall call, std::function<void(Settlement)> done) override {
    operations_.settle(request(std::move(call)), [done = std::move(done)](CallFinding finding) {
      if (auto* happened = std::get_if<CallHappened>(&finding))
        return done(Happened{std::move(happened->json)});
      if (auto* unknown = std::get_if<CallUnknown>(&finding))
        return done(NobodyKnows{std::move(unknown->fault)});
      done(DidNotHappen{});
    });
  }

 private:
  static OperationRequest request(OperationCall call) {
    return {.tenant = std::move(call.tenant),
            .module = call.module,
            .operation = call.operation,
            .arguments = std::move(call.arguments),
            .key = std::move(call.key),
            .deadline_us = call.deadline_us,
            .asks_again = std::move(call.asks_again)};
  }
  OperationExecutor& operations_;
};

World::World() = default;
// Exchanges that are under way refer to tokens and mail: they end first.
World::~World() {
  if (vaults_ != nullptr) vaults_->stop();
  for (Transport* const each : {transport_.get(), third_.get(), guarded_.get()})
    if (each != nullptr) each->drain(2'000'000);
}
Executor& World::executor() {
  return *adapter_;
}

Result<std::unique_ptr<World>> World::make(const Config& config) {
  FLOW_TRY(std::unique_ptr<World> world, make_without_secrets(config));
  if (config.vaults.secrets.empty()) return world;
  const VaultParties parties{*world->transport_, *world->tokens_, world->clock_,
                             config.vaults.options.api_version};
  if (const Status fetched = fetch_secrets(config.vaults.secrets, parties); !fetched)
    return error(fmt::format("secrets of key vaults are missing:\n  {}", fetched.error().message));
  world->vaults_ =
      std::make_unique<VaultRefresh>(config.vaults.secrets, parties, config.vaults.options.refresh_us);
  return world;
}

Result<std::unique_ptr<World>> World::make_without_secrets(const Config& config) {
  std::unique_ptr<World> world(new World());
  FLOW_TRY(world->transport_, config.http_library == HttpLibrary::Curl
                                  ? make_curl_transport(config.transport)
                                  : make_cpprest_transport(config.transport));
  world->tokens_ = std::make_unique<TokenSource>(*world->transport_, world->clock_);
  world->mail_ = make_curl_smtp_sender();
  world->operations_ = std::make_unique<OperationExecutor>(*world->transport_, *world->tokens_, world->clock_,
                                                           world->mail_.get());
  FLOW_TRY_STATUS(world->open_ways(config));
  world->adapter_ = std::make_unique<Adapter>(*world->operations_);
  for (const TenantConfig& tenant : config.tenants) {
    world->operations_->configure(tenant.name, tenant.access);
    world->tenants_.emplace(tenant.name, tenant.access);
  }
  return world;
}

// Connectors of others always go by libcurl, which bounds what a stranger's server can send; and so does what
// flows address themselves, where names are judged by their addresses.
Status World::open_ways(const Config& config) {
  WaysOut ways;
  if (config.http_library != HttpLibrary::Curl) {
    FLOW_TRY(third_, make_curl_transport(config.transport));
    ways.third = third_.get();
  }
  if (!config.egress.allows_nothing()) {
    TransportConfig guarded = config.transport;
    guarded.resolve = config.egress.guarded(guarded.resolve, guarded.proxies);
    FLOW_TRY(guarded_, make_curl_transport(std::move(guarded)));
    ways.guarded = guarded_.get();
  }
  operations_->open(ways, config.egress);
  return {};
}

std::size_t World::chosen_route(const std::string& tenant, const Operation& operation) const {
  const auto access = tenants_.find(tenant);
  if (access == tenants_.end()) return 0;
  const auto route = flow::chosen_route(operation, access->second);
  return route ? static_cast<std::size_t>(*route - operation.routes.data()) : 0;
}

}  // namespace flow
