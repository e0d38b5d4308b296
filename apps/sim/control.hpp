// The pages below /sim, shared by those that serve them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "apps/sim/state.hpp"

namespace flow::sim {

struct ControlPage {
  std::string_view method, name;
  HttpAnswer (*run)(State&, const Json& body, const Target& target);
};

// model_control_defender.cpp
std::span<const ControlPage> defender_pages();

// {"error": {"code", "message"}}
HttpAnswer refuse(int status, const std::string& message);

// How many of `count` entries to show: as many as `?last=` says, else at most a thousand.
std::size_t last_of(const Target& target, std::size_t count);

// The last entries of `all`, each as `show` makes it, and how many there are.
template <class Entries, class Show>
Json last_entries(const Target& target, const Entries& all, const Show& show) {
  Json::List list;
  for (std::size_t i = all.size() - last_of(target, all.size()); i < all.size(); ++i)
    list.push_back(show(all[i]));
  return Json::object({{"value", Json(std::move(list))}}).set("total", all.size());
}

}  // namespace flow::sim
