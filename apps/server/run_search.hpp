// Which runs are meant, as people say it on the command line and in the API's queries; and the API's answers.
#pragma once

#include <string>
#include <string_view>

#include "apps/server/api.hpp"
#include "base/clock.hpp"
#include "runtime/store.hpp"

namespace flow {

// What is empty was not said.
struct RunSearch {
  std::string tenant, flow, alert, machine, state, since, until, before;
};
// The error says which part of it is wrong, and what it may be.
Result<RunFilter> read_search(const RunSearch& search, std::int64_t now_us);

// The API's runs. Decides who may, and reads them; it knows neither the network nor the runtime.
class RunPages {
 public:
  // `store` is only read, on the thread that calls handle(); both must outlive this. Without a token there is
  // no API.
  RunPages(SecretProvider api_token, Store& store, const Clock& clock)
      : api_token_(std::move(api_token)), store_(store), clock_(clock) {}

  // Answers once. False, and no answer, when the path is not one of these:
  //   GET /api/v1/runs       the newest first, those that the parameters of RunSearch, and `limit`, choose
  //   GET /api/v1/runs/RUN   one with its steps
  bool handle(const HttpQuestion& question, const api::Reply& reply) const;

 private:
  HttpAnswer list(const HttpQuestion& question) const;
  HttpAnswer show(std::string_view id) const;

  SecretProvider api_token_;
  Store& store_;
  const Clock& clock_;
};

}  // namespace flow
