// Puts load on an HTTP server: so many requests in flight on as many kept connections, from one thread with
// raw sockets, so that it takes little of the machine from whom it measures. Each request carries a number of
// its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace flow::bench {

struct Load {
  std::uint16_t port = 0;  // on 127.0.0.1
  std::string path;
  std::string headers;  // each with \r\n; Host, Content-Type and Content-Length are added
  std::string body;     // "################" in it becomes the request's number
  std::size_t in_flight = 1;
  double seconds = 1;
};

struct Measured {
  std::uint64_t answers = 0;
  std::uint64_t refusals = 0;  // answers that were not 2xx
  std::string first_refusal;
  double seconds = 0;  // until the last answer
  double p50_ms = 0, p99_ms = 0, longest_ms = 0;
};

// No new requests after `seconds`; those under way are waited for. An Error: it cannot connect, or the server
// went away or was silent for half a minute.
Result<Measured> put_load(const Load& load);

}  // namespace flow::bench
