// The one way out over HTTP. An exchange ends exactly once, within its deadline, in a response or a
// TransportError; a request that may change something is never sent twice. Implementations:
// cpprest_transport.cpp (cpprestsdk), curl_transport.cpp (libcurl), and fakes in tests. All that reach a
// network pass tests/unit/http/conformance_test.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace flow {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;   // GET HEAD POST PATCH PUT DELETE
  std::string url;      // absolute, http or https, already percent-encoded
  HttpHeaders headers;  // Host, Content-Length, Transfer-Encoding are refused; so are control characters
  std::string body;
  std::int64_t deadline_us = 30'000'000;  // for the whole exchange, from send() on
  std::size_t max_response_bytes = 8u << 20;
};

struct HttpResponse {
  int status = 0;  // 200 … 599
  HttpHeaders headers;
  std::string body;

  // Value of the first header with this name (without regard to case), or empty.
  std::string_view header(std::string_view name) const;
};

struct TransportError {
  enum class Kind : std::uint8_t {
    Refused,
    Resolve,
    Connect,
    Tls,
    Timeout,
    Cancelled,
    Closed,
    TooLarge,
    Malformed
  };
  Kind kind = Kind::Connect;
  std::string message;
  bool maybe_executed = false;  // false only when no byte of the request can have been acted upon
};
using HttpResult = std::variant<HttpResponse, TransportError>;

class Transport {
 public:
  virtual ~Transport() = default;
  // Calls `done` exactly once, from any thread, perhaps before send() returns. Never blocks on the network.
  virtual void send(HttpRequest request, std::function<void(HttpResult)> done) = 0;
  // Refuses new exchanges, waits for those under way, and ends what is left after `timeout_us` as Cancelled.
  // True when nothing is under way any more. A process calls it before it exits.
  virtual bool drain(std::int64_t timeout_us) {
    static_cast<void>(timeout_us);
    return true;
  }
};

}  // namespace flow
