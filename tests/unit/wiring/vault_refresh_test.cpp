// A renewed secret of a key vault takes effect without a restart.
#include "apps/server/vault_refresh.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/unit/stdlib/fakes.hpp"

namespace flow {
namespace {

TEST(VaultRefresh, FetchesAgainAndEndsWhenItIsTold) {
  FakeClock clock;
  FakeTransport transport;
  TokenSource tokens(transport, clock);
  transport.tokens = {token_answer("t")};
  transport.answers = {response(200, R"({"value":"old"})"), response(200, R"({"value":"new"})")};
  const auto secret = std::make_shared<VaultSecret>(
      *vault_address("https://soc.vault.azure.net/secrets/jira", {}), "api.token");
  secret->as = {.tenant = "t", .client_id = "c", .secret = [] { return Result<std::string>("s"); }};
  const VaultParties parties{transport, tokens, clock, "7.4"};
  ASSERT_TRUE(fetch_secrets({secret}, parties));
  EXPECT_EQ(*secret->value(), "old");
  const VaultRefresh refresh({secret}, parties, 1000);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (*secret->value() == "old" && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(*secret->value(), "new");
}

}  // namespace
}  // namespace flow
