// What everyone who reads an answer needs: when to come back, what a failed exchange is to a run, and how
// foreign text may stand in a message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fault.hpp"
#include "stdlib/http/transport.hpp"

namespace flow {

// Retry-After as a number of seconds or an HTTP date, from now on; at most a day. Nothing when absent or
// malformed.
std::optional<std::int64_t> retry_after_us(const HttpResponse& response, std::int64_t now_us);
// `Tue, 13 Oct 2026 09:15:00 GMT` as microseconds since 1970.
std::optional<std::int64_t> parse_http_date_us(std::string_view text);

// The first `limit` bytes of foreign text, cut at a character, with control characters, invalid UTF-8 and
// what changes the direction of writing replaced: it cannot forge a line of a log or hide what it says.
std::string excerpt(std::string_view text, std::size_t limit = 200);

Fault fault_of(const TransportError& error);

// `text` with every occurrence of `secret` (as it is, or as JSON writes it) replaced by `***`.
std::string without_secret(std::string text, std::string_view secret);

}  // namespace flow
