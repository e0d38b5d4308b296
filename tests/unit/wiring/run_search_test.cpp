// Looking for runs over the API, without a network; and the moments that people write.
#include "apps/server/run_search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/server/moment.hpp"
#include "base/text.hpp"
#include "runtime/run_id.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kNowUs = 1'795'000'000'000'000;

class FixedClock final : public Clock {
 public:
  std::int64_t now_us() const override { return kNowUs; }
};

class Runs : public ::testing::Test {
 protected:
  void SetUp() override {
    store = std::move(*SqliteStore::open(":memory:"));
    Batch batch;
    for (const char letter : {'A', 'B', 'C'}) {
      RunRow row;
      row.id = id(letter);
      row.tenant = "contoso";
      row.flow = "isolate";
      row.trigger = "defender.alert.new";
      row.key = std::string("da-") + letter;
      row.created_us = kNowUs;
      row.machine = letter == 'B' ? "m b" : "m1";
      batch.runs.push_back(row);
    }
    ASSERT_TRUE(store->commit(batch));
  }
  static std::string id(char letter) { return first_run_id(kNowUs).substr(0, 25) + letter; }
  HttpAnswer get(const std::string& target, const std::string& method = "GET",
                 const std::string& token = "T") {
    const RunPages pages([]() -> Result<std::string> { return "T"; }, *store, clock);
    HttpQuestion question;
    question.method = method;
    question.target = target;
    if (!token.empty()) question.headers.emplace_back("Authorization", "Bearer " + token);
    HttpAnswer answer;
    answer.status = 0;
    is_ours = pages.handle(question, [&](HttpAnswer given) { answer = std::move(given); });
    return answer;
  }
  // The last letters of the IDs, in their order.
  std::string listed(const std::string& query) {
    const HttpAnswer answer = get("/api/v1/runs" + query);
    EXPECT_EQ(answer.status, 200) << answer.body;
    std::string letters;
    for (std::size_t at = answer.body.find("\"id\":"); at != std::string::npos;
         at = answer.body.find("\"id\":", at + 1))
      letters += answer.body[at + 31];
    return letters;
  }

  FixedClock clock;
  std::unique_ptr<SqliteStore> store;
  bool is_ours = false;
};

TEST_F(Runs, AreListedAndPaged) {
  EXPECT_EQ(listed(""), "CBA");
  EXPECT_EQ(listed("?limit=2"), "CB");
  EXPECT_THAT(get("/api/v1/runs?limit=2").body, HasSubstr(R"("next":")" + id('B') + "\"}"));
  EXPECT_EQ(listed("?limit=2&before=" + id('B')), "A");
  EXPECT_THAT(get("/api/v1/runs?limit=2&before=" + id('B')).body, HasSubstr(R"("next":null})"));
  EXPECT_EQ(listed("?machine=m1"), "CA");
  EXPECT_EQ(listed("?machine=m%20b"), "B");
  EXPECT_EQ(listed("?alert=da-C&tenant=contoso"), "C");
  EXPECT_EQ(listed("?tenant=fabrikam"), "");
  EXPECT_EQ(listed("?state=failed"), "");
  EXPECT_EQ(listed("?since=1h&until=" + format_time_us(kNowUs + 1'000'000)), "CBA");
  EXPECT_EQ(listed("?until=1h"), "");
}

TEST_F(Runs, WhatIsWrongIsSaid) {
  EXPECT_EQ(get("/api/v1/runs", "POST").status, 405);
  EXPECT_EQ(get("/api/v1/runs", "GET", "other").status, 401);
  EXPECT_EQ(get("/api/v1/runs", "GET", "").status, 401);
  EXPECT_EQ(get("/api/v1/runs/01X").status, 404);
  for (const auto& [query, words] : {std::pair("?machin=m1", "there is no parameter `machin`"),
                                     {"?limit=0", "from 1 to 1000"},
                                     {"?limit=x", "from 1 to 1000"},
                                     {"?state=done", "there is no state `done`"},
                                     {"?flow=%zz", "the value of the parameter `flow` cannot be decoded"},
                                     {"?flow=a&flow=b", "the parameter `flow` is there twice"},
                                     {"?since=yesterday", "`yesterday` is no moment"}}) {
    const HttpAnswer answer = get(std::string("/api/v1/runs") + query);
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr(words));
  }
  EXPECT_EQ(get("/api/v1/runs/" + id('A')).status, 200);
  static_cast<void>(get("/api/v1/runs/" + id('A') + "/messages/callback", "POST"));
  EXPECT_FALSE(is_ours) << "somebody else answers this";
}

TEST(Moments, AreWrittenInThreeWays) {
  EXPECT_EQ(parse_moment("2h", kNowUs), kNowUs - 2 * 3600 * std::int64_t{1'000'000});
  EXPECT_EQ(parse_moment("2026-11-22", kNowUs), parse_time_us("2026-11-22T00:00:00Z"));
  EXPECT_EQ(parse_moment("2026-11-22T06:04:00Z", kNowUs), parse_time_us("2026-11-22T06:04:00Z"));
  for (const char* text : {"", "yesterday", "2026-13-01", "2026-11", "2h ago", "-2h"})
    EXPECT_EQ(parse_moment(text, kNowUs), std::nullopt) << text;
}

}  // namespace
}  // namespace flow
