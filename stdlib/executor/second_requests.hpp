// What a route sends beside its first request: large parts in pieces, then the request that completes what
// the first one prepared. Pure: makes requests, sends none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stdlib/executor/request.hpp"

namespace flow {

// An item that is too large for the first request.
struct LargePart {
  JsonValue item;     // without its bytes, and with their number as `size`
  std::string bytes;  // at least one
};
struct SplitArguments {
  JsonValue rest;  // the arguments without the large items
  std::vector<LargePart> large;
};
// Fails when an item's bytes cannot be read.
Result<SplitArguments> split_large(const JsonValue& arguments, const Upload& upload);

// Whether the route's second request is still to be made, by the answer of the first or what the lookup
// found.
bool is_unfinished(const FollowUp& then, const JsonValue& answer);

// Whether the second request only asks how far it is: a GET, made again until the service is done, as Azure's
// long-running operations say it.
bool is_question(const FollowUp& then);
struct Progress {
  std::string state;  // as the service spells it
  bool is_over = false, is_good = false;
};
// By the field `member` of an answer: `Succeeded` is good, `Failed` and `Canceled` are over, all else goes
// on.
Progress progress_in(std::string_view body, const std::string& member);

// `answer` is that of the first request.
Result<HttpRequest> follow_up_request(const CallText& call, const JsonValue& answer, Redaction& redaction);
Result<HttpRequest> upload_request(const CallText& call, const JsonValue& answer, const LargePart& part);
// Undoes the first request, so that all can be made anew.
Result<HttpRequest> discard_request(const CallText& call, const JsonValue& answer);

// The address that takes the pieces. It carries its own credential, which `redaction` learns. Refuses one
// that is neither HTTPS nor at the route's own address.
Result<std::string> upload_address(const CallText& call, const HttpResponse& answer, Redaction& redaction);

inline constexpr std::size_t kPieceBytes = 10 * 320 * 1024;
// The piece that begins at `from`; without Authorization.
HttpRequest piece_request(const std::string& address, const std::string& bytes, std::size_t from);

}  // namespace flow
