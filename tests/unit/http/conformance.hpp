// The list that every Transport must pass: each case ends in a clear outcome, in time, with the process alive
// and the next request right. An implementation adds itself in transports.cpp.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "stdlib/http/transport.hpp"
#include "stdlib/http/transport_config.hpp"

namespace flow {

struct TransportUnderTest {
  std::string name;
  std::unique_ptr<Transport> (*make)(TransportConfig config);
  // Cases this implementation cannot pass, each with its reason; docs/transport.md tells the consequence.
  struct Exemption {
    std::string test;
    std::string reason;
  };
  std::vector<Exemption> exemptions;
};
inline void PrintTo(const TransportUnderTest& transport, std::ostream* out) {
  *out << transport.name;
}
const std::vector<TransportUnderTest>& transports_under_test();

class TransportConformance : public testing::TestWithParam<TransportUnderTest> {
 protected:
  void SetUp() override;

  std::unique_ptr<Transport> make(TransportConfig config = {}) const {
    return GetParam().make(std::move(config));
  }
};

// Sends and waits; fails the test when `done` is not called within the deadline and a second more.
HttpResult exchange(Transport& transport, HttpRequest request);
HttpRequest get(const std::string& url, std::int64_t deadline_ms = 2000);
HttpRequest post(const std::string& url, const std::string& body = "{}", std::int64_t deadline_ms = 2000);

// The status of a response; minus one for an error.
int status_of(const HttpResult& result);
std::string body_of(const HttpResult& result);
// The error; one of kind Refused with an empty message when there is none.
TransportError error_of(const HttpResult& result);

}  // namespace flow
