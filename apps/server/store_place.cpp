#include "apps/server/store_place.hpp"

#include "apps/server/setup.hpp"

namespace flow {

Attempt<StorePlace> store_place(const std::string& config, const std::string& store) {
  StorePlace place{.config = std::nullopt, .store = store.empty() ? Config().store : store};
  if (config.empty()) return place;
  FLOW_TRY(place.config, choose_config({.file = config}));
  if (store.empty()) place.store = place.config->store;
  return place;
}

Attempt<std::unique_ptr<SqliteStore>> open_to_change(const StorePlace& place, Absent absent) {
  if (absent == Absent::IsAnError) {  // or opening it to write would make one
    FLOW_TRY(const std::unique_ptr<SqliteStore> looking, SqliteStore::open_read_only(place.store));
  }
  auto store = SqliteStore::open(place.store);
  if (store) return std::move(*store);
  if (place.config && place.config->inbound.api_token) return std::unique_ptr<SqliteStore>();
  return failure(store.error().message +
                     "; if a service has it open, name its configuration with --config: it needs `[http]` "
                     "and `[api]`",
                 kWorldWrong);
}

}  // namespace flow
