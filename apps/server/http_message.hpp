// What a server is asked and what it answers, without the network: a handler that only knows these two can be
// tested by calling it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"

namespace flow {

struct HttpQuestion {
  std::string method;  // as sent: `GET`
  std::string target;  // path and query as sent, still percent-encoded: `/api/alerts?%24top=1`
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  // Value of the first header with this name (without regard to case), or empty.
  std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (equals_ignoring_case(key, name)) return value;
    return {};
  }
};

// How the bytes of an answer go out. All but Normal are for pretending to be a broken server.
enum class Wire : std::uint8_t {
  Normal,
  Reset,    // the connection is reset, nothing is written
  Garbage,  // bytes that are no HTTP, then the connection closes
  Cut,      // announces the whole body, writes half of it, closes
  Endless,  // a chunked body that repeats until the client leaves or the write time is over
};

struct HttpAnswer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>>
      headers;                                    // Content-Length and Connection are the server's own
  std::string content_type = "application/json";  // left out when empty
  std::string body;
  std::int64_t delay_ms = 0;  // waits so long before writing; other connections go on
  Wire wire = Wire::Normal;

  std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (equals_ignoring_case(key, name)) return value;
    return {};
  }
};

}  // namespace flow
