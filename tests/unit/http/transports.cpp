#include "stdlib/http/cpprest_transport.hpp"
#include "stdlib/http/curl_transport.hpp"
#include "tests/unit/http/conformance.hpp"

namespace flow {
namespace {

std::unique_ptr<Transport> made(Result<std::unique_ptr<Transport>> transport) {
  if (!transport) ADD_FAILURE() << transport.error().message;
  return transport ? std::move(*transport) : nullptr;
}
std::unique_ptr<Transport> make_cpprest(TransportConfig config) {
  return made(make_cpprest_transport(std::move(config)));
}
std::unique_ptr<Transport> make_curl(TransportConfig config) {
  return made(make_curl_transport(std::move(config)));
}

}  // namespace

const std::vector<TransportUnderTest>& transports_under_test() {
  static const std::vector<TransportUnderTest> all{
      {.name = "cpprest",
       .make = make_cpprest,
       .exemptions =
           {
               {"NegativeChunkSizeIsMalformed", "the library aborts the process on a negative chunk size"},
               {"HugeChunkIsTooLarge", "the library buffers a chunk whole before it tells its size"},
               {"EndlessHeaderIsEndedEarly",
                "the library buffers headers without limit; the deadline ends it"},
           }},
      {.name = "curl",
       .make = make_curl,
       .exemptions = {{"ActsHaveConnectionsOfTheirOwn",
                       "an act may go out on a connection that was used a moment ago"}}}};
  return all;
}

}  // namespace flow
