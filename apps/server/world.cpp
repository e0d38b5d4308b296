#include "apps/server/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include "stdlib/executor/request.hpp"
#include "stdlib/http/cpprest_transport.hpp"
#include "stdlib/http/curl_transport.hpp"

namespace flow {
namespace {

constexpr std::int64_t kLongestCallUs = 3'600'000'000;  // for so long a transport stays that is used no more

}  // namespace

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
            .deadline_us = call.deadline_us};
  }
  OperationExecutor& operations_;
};

World::World() = default;
// Exchanges that are under way refer to tokens and mail: they end first.
World::~World() {
  if (vaults_ != nullptr) vaults_->stop();
  for (Transport* const each : {transport_.get(), third_.get(), guarded_.get()})
    if (each != nullptr) each->drain(2'000'000);
  for (const Retired& each : retired_)
    if (each.transport != nullptr) each.transport->drain(2'000'000);
}
Executor& World::executor() {
  return *adapter_;
}

Result<std::unique_ptr<World>> World::make(const Config& config) {
  FLOW_TRY(std::unique_ptr<World> world, make_without_secrets(config));
  FLOW_TRY(const auto vaults, world->vaults_of(config));
  world->vaults_ = std::move(*vaults);
  return world;
}

// Fetches what it names, and goes on doing so; nothing where it names none.
Result<std::shared_ptr<std::unique_ptr<VaultRefresh>>> World::vaults_of(const Config& config) {
  auto made = std::make_shared<std::unique_ptr<VaultRefresh>>();
  if (config.vaults.secrets.empty()) return made;
  const VaultParties parties{*transport_, *tokens_, clock_, config.vaults.options.api_version};
  if (const Status fetched = fetch_secrets(config.vaults.secrets, parties); !fetched)
    return error(fmt::format("secrets of key vaults are missing:\n  {}", fetched.error().message));
  *made = std::make_unique<VaultRefresh>(config.vaults.secrets, parties, config.vaults.options.refresh_us);
  return made;
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
  FLOW_TRY(guarded_, guarded_way(config));
  ways.guarded = guarded_.get();
  operations_->open(ways, config.egress);
  return {};
}

// None when flows may reach nothing.
Result<std::unique_ptr<Transport>> World::guarded_way(const Config& config) const {
  if (config.egress.allows_nothing()) return std::unique_ptr<Transport>();
  TransportConfig guarded = config.transport;
  guarded.resolve = config.egress.guarded(guarded.resolve, guarded.proxies);
  return make_curl_transport(std::move(guarded));
}

Result<std::function<void()>> World::reconfigured(const Config& config,
                                                  const std::vector<std::string>& keys) {
  // Nobody else looks at what is retired now: one configuration is taken over after the other.
  old_vaults_.clear();
  std::erase_if(retired_,
                [&](const Retired& each) { return clock_.now_us() - each.since_us > kLongestCallUs; });
  FLOW_TRY(std::shared_ptr<std::unique_ptr<VaultRefresh>> vaults, vaults_of(config));
  // A connection that is open was judged by the list of then: another list has connections of its own.
  const bool is_egress_other =
      std::ranges::any_of(keys, [](const std::string& key) { return key.starts_with("egress"); });
  std::shared_ptr<std::unique_ptr<Transport>> guarded;
  if (is_egress_other) {
    FLOW_TRY(auto made, guarded_way(config));
    guarded = std::make_shared<std::unique_ptr<Transport>>(std::move(made));
  }
  return [this, config, guarded, vaults, keys] {
    if (vaults_ != nullptr) {
      vaults_->stop();
      old_vaults_.push_back(std::move(vaults_));
    }
    vaults_ = std::move(*vaults);
    if (guarded) {
      retired_.push_back({clock_.now_us(), std::exchange(guarded_, std::move(*guarded))});
      operations_->open({.third = third_.get(), .guarded = guarded_.get()}, config.egress);
    }
    take_over(config.tenants, keys);
  };
}

namespace {

// What of a tenant's table is not about who it is.
bool is_about_identity(std::string_view rest) {
  constexpr std::array<std::string_view, 7> kOther = {"bases.", "scopes.",     "routes.", "mail.",
                                                      "smtp.",  "connectors.", "secrets."};
  return std::ranges::none_of(kOther, [&](std::string_view other) { return rest.starts_with(other); });
}

}  // namespace

void World::take_over(const std::vector<TenantConfig>& tenants, const std::vector<std::string>& keys) {
  for (const TenantConfig& tenant : tenants) {
    const std::string table = "tenants." + tenant.name + ".", connectors = table + "connectors.";
    const std::string of = tenants_[tenant.name].tenant_id;
    operations_->configure(tenant.name, tenant.access);
    tenants_[tenant.name] = tenant.access;
    for (const std::string& key : keys) {
      const std::string_view rest = std::string_view(key).substr(std::min(key.size(), table.size()));
      if (key.starts_with("app.") || (key.starts_with(table) && is_about_identity(rest))) tokens_->forget(of);
      if (key.starts_with(connectors))
        tokens_->forget(of,
                        key.substr(connectors.size(), key.find('.', connectors.size()) - connectors.size()));
    }
  }
}

std::size_t World::chosen_route(const std::string& tenant, const Operation& operation) const {
  const auto access = tenants_.find(tenant);
  if (access == tenants_.end()) return 0;
  const auto route = flow::chosen_route(operation, access->second);
  return route ? static_cast<std::size_t>(*route - operation.routes.data()) : 0;
}

}  // namespace flow
