// Every row of the reference's table of errors, as an answer to a call that acts: which error a flow sees,
// whether the call may be made again, and whether it may have happened.
#include <gtest/gtest.h>

#include "apps/library/standard_library.hpp"
#include "base/fault.hpp"
#include "stdlib/executor/response.hpp"

namespace flow::test {
namespace {

struct Row {
  int status;
  const char* code;
  FaultKind kind;
  bool may_be_repeated;
  bool may_have_happened;
  const char* message = "Something is wrong.";
};
void PrintTo(const Row& row, std::ostream* out) {
  *out << row.status << " " << row.code;
}

constexpr Row kRows[] = {
    {400, "BadRequest", FaultKind::BadRequest, false, false},
    {400, "ODataError", FaultKind::BadRequest, false, false},
    {400, "InvalidInput", FaultKind::BadRequest, false, false},
    {400, "InvalidRequestBody", FaultKind::BadRequest, false, false},
    {400, "InvalidHashValue", FaultKind::BadRequest, false, false},
    {400, "InvalidDomainName", FaultKind::BadRequest, false, false},
    {400, "InvalidIpAddress", FaultKind::BadRequest, false, false},
    {400, "InvalidUrl", FaultKind::BadRequest, false, false},
    {400, "MaximumBatchSizeExceeded", FaultKind::BadRequest, false, false},
    {400, "MissingRequiredParameter", FaultKind::BadRequest, false, false},
    {400, "OsPlatformNotSupported", FaultKind::BadRequest, false, false},
    {400, "ClientVersionNotSupported", FaultKind::BadRequest, false, false},
    {400, "ActiveRequestAlreadyExists", FaultKind::Conflict, false, false},
    {400, "BadRequest", FaultKind::Conflict, false, false, "Action is already in progress"},
    // A new token is tried once before this is an error: executor_test.cpp.
    {401, "Unauthorized", FaultKind::Unauthorized, false, false},
    {403, "Forbidden", FaultKind::Forbidden, false, false},
    {403, "DisabledFeature", FaultKind::Forbidden, false, false},
    {403, "DisallowedOperation", FaultKind::Forbidden, false, false},
    {404, "NotFound", FaultKind::NotFound, false, false},
    {404, "ResourceNotFound", FaultKind::NotFound, false, false},
    {429, "TooManyRequests", FaultKind::Throttled, true, false},
    {429, "429", FaultKind::Throttled, true, false},
    // May have happened: the runtime looks the action up before it makes the call again.
    {500, "InternalServerError", FaultKind::Unavailable, true, true},
    {502, "", FaultKind::Unavailable, true, true},
    {503, "", FaultKind::Unavailable, true, true},
    {504, "", FaultKind::Timeout, true, true},
};

class DefenderErrors : public testing::TestWithParam<Row> {};

Fault fault_of_row(const Row& row, const Operation& operation) {
  HttpResponse response{.status = row.status, .headers = {}, .body = {}};
  if (*row.code != 0)
    response.body = std::string(R"({"error":{"code":")") + row.code + R"(","message":")" + row.message +
                    R"(","target":"2c9e6b70-15fd-4d38-bb42-81a7c3e05d96"}})";
  return std::get<Fault>(outcome_of(response, operation, operation.routes.front(), 0));
}

// Of every call that asks something of a device: they share the reference's table.
TEST_P(DefenderErrors, IsTheRightErrorAndRetry) {
  const Row& row = GetParam();
  int held = 0;
  for (const Operation& operation : standard_library().operations) {
    if (operation.connector != "defender" || !operation.completes) continue;
    SCOPED_TRACE(operation.name);
    const Fault fault = fault_of_row(row, operation);
    EXPECT_EQ(fault_name(fault.kind), fault_name(row.kind));
    EXPECT_EQ(may_retry(fault.kind), row.may_be_repeated);
    EXPECT_EQ(fault.maybe_executed, row.may_have_happened);
    EXPECT_EQ(fault.status, row.status);
    ++held;
  }
  EXPECT_GE(held, 10);
}

TEST_P(DefenderErrors, OfAReadNeverHappened) {
  const Operation* const read = standard_library().operation("defender", "get_machine");
  ASSERT_NE(read, nullptr);
  const Fault fault = fault_of_row(GetParam(), *read);
  EXPECT_FALSE(fault.maybe_executed);
  if (GetParam().kind != FaultKind::Conflict) {
    EXPECT_EQ(fault_name(fault.kind), fault_name(GetParam().kind));
  }
}

INSTANTIATE_TEST_SUITE_P(Reference, DefenderErrors, testing::ValuesIn(kRows));

// The wait that a throttled caller is told, in each way the service tells it.
TEST(DefenderThrottling, SaysWhenToComeBack) {
  const Operation* const read = standard_library().operation("defender", "get_machine");
  const auto wait_s = [&](const HttpResponse& response) {
    return std::get<Fault>(outcome_of(response, *read, read->routes.front(), 0)).retry_after_us / 1'000'000;
  };
  const std::string body =
      R"({"error":{"code":"429","message":"API calls quota exceeded! Maximum allowed 100 per 00:01:00 for the key )"
      R"(Destination+TenantID+AppID. You can send requests again in 8 seconds.","target":"x"}})";
  EXPECT_EQ(wait_s({.status = 429, .headers = {{"Retry-After", "11"}}, .body = body}), 11);
  EXPECT_EQ(wait_s({.status = 429, .headers = {}, .body = body}), 8);
  EXPECT_EQ(wait_s({.status = 429, .headers = {}, .body = "slow down"}), 60);
}

}  // namespace
}  // namespace flow::test
