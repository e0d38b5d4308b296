// Which version of which flow serves which tenant: what a service notes in its store when it begins, so that
// commands can tell, also while none runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "runtime/store.hpp"

namespace flow {

struct Deployment {
  std::string tenant;
  std::string flow;
  std::string module;           // SHA-256 of the encoded module, hexadecimal
  std::string settings = "{}";  // JSON object
  std::int64_t since_us = 0;    // when this version, with these settings, first served
};

// By tenant and flow. Of a store that no service has had yet: none.
Result<std::vector<Deployment>> deployments(Store& store);
// What replaces them.
MetaRow deployments_row(const std::vector<Deployment>& all);

}  // namespace flow
