#include "scene.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/sqlite_store.hpp"

namespace flow::e2e {
namespace {

Json parsed(const SimAnswer& answer) {
  EXPECT_EQ(answer.status, 200) << answer.body;
  auto json = sim::parse_json(answer.body);
  if (json) return *json;
  ADD_FAILURE() << json.error().message << " in " << answer.body;
  return {};
}

}  // namespace

Scene::Scene(std::size_t machines) {
  SimOptions options;
  options.machines = machines;
  options.has_quota = false;
  options.action_seconds = 0;
  auto tenant = Sim::start(options);
  if (tenant)
    tenant_ = std::move(*tenant);
  else
    throw std::runtime_error(tenant.error().message);
}

Json Scene::control(const std::string& page, const std::string& body) {
  return parsed(tenant_->ask("POST", "/sim/" + page, body));
}

Json Scene::look(const std::string& page) {
  return parsed(tenant_->ask("GET", "/sim/" + page));
}

Json Scene::inject(const std::string& alert) {
  const Json answer = control("alerts", alert);
  return answer["value"].items().empty() ? Json() : answer["value"].items().front();
}

std::int64_t Scene::requests(const std::string& operation) {
  const Json answer = look("requests");
  std::int64_t count = 0;
  for (const sim::Member& member : answer["counts"].members())
    if (member.name.starts_with(operation + " ")) count += member.value.integer();
  return count;
}

Arguments Scene::with_tenant(Arguments words, const Arguments& more) const {
  const Arguments tenant{"--sim", "--sim-port", std::to_string(tenant_->port()), "--sim-smtp-port",
                         std::to_string(tenant_->smtp_port())};
  words.insert(words.end(), tenant.begin(), tenant.end());
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Arguments Scene::serve(const Arguments& files, const Arguments& more) const {
  Arguments words{"serve"};
  words.insert(words.end(), files.begin(), files.end());
  words.insert(words.end(), {"--store", store(), "--poll-every", "50ms", "--look-back", "1h"});
  return with_tenant(std::move(words), more);
}

Arguments Scene::run(const std::string& file, const std::string& event, const Arguments& more) const {
  return with_tenant({"run", file, "--event", folder_.write("event.json", event)}, more);
}

std::vector<RunRow> Scene::runs() const {
  const auto store = SqliteStore::open_read_only(this->store());
  if (!store) return {};
  auto runs = (*store)->list_runs({});
  return runs ? std::move(*runs) : std::vector<RunRow>{};
}

std::vector<RunStep> Scene::steps(const std::string& run) const {
  const auto store = SqliteStore::open_read_only(this->store());
  if (!store) return {};
  auto history = show_run(**store, run);
  if (!history || !*history) return {};
  return std::move((*history)->steps);
}

bool Scene::all_over(std::size_t count) const {
  const std::vector<RunRow> all = runs();
  return all.size() >= count &&
         std::ranges::none_of(all, [](const RunRow& run) { return run.state == RunState::Running; });
}

}  // namespace flow::e2e
