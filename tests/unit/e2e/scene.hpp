// What most tests here need: a pretend tenant in this process, a store in a folder of its own, and the
// command lines that bring `flow` and the two together.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/sim/json.hpp"
#include "apps/sim/tenant.hpp"
#include "process.hpp"
#include "runtime/history.hpp"

namespace flow::e2e {

using sim::Json;

inline const std::string kIsolateHigh = FLOW_SOURCE_DIR "/examples/isolate-high.flow";
inline const std::string kIsolateHighLong = FLOW_SOURCE_DIR "/examples/isolate-high-long.flow";
inline const std::string kTagMedium = FLOW_SOURCE_DIR "/examples/tag-medium.flow";

class Scene {
 public:
  // A tenant without quotas, whose machine actions are over at once.
  explicit Scene(std::size_t machines = 200);

  Sim& tenant() { return *tenant_; }
  const Folder& folder() const { return folder_; }
  std::string store() const { return folder_.path("flow.db"); }

  // What is below /sim: sends `body`, or looks.
  Json control(const std::string& page, const std::string& body);
  Json look(const std::string& page);
  // Adds an alert with these fields; gives the whole of it.
  Json inject(const std::string& alert);
  // Entries of a page that lists things.
  Json::List list(const std::string& page) { return look(page)["value"].items(); }
  // How many requests of an operation the tenant has seen, as `machines.get`, whatever it answered.
  std::int64_t requests(const std::string& operation);

  // `serve FILES --sim …` for this tenant and store, polling as fast as a test wants.
  Arguments serve(const Arguments& files, const Arguments& more = {}) const;
  // `run FILE --event EVENT --sim …`, with the event in a file.
  Arguments run(const std::string& file, const std::string& event, const Arguments& more = {}) const;

  std::vector<RunRow> runs() const;  // none while there is no store
  std::vector<RunStep> steps(const std::string& run) const;
  bool all_over(std::size_t count) const;  // there are so many runs, and none is running

 private:
  Arguments with_tenant(Arguments words, const Arguments& more) const;

  Folder folder_;
  std::unique_ptr<Sim> tenant_;
};

}  // namespace flow::e2e
