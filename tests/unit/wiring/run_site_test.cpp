// The pages of runs, without a network.
#include "apps/server/run_site.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "runtime/journal.hpp"
#include "runtime/run_id.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kNowUs = 1'795'000'000'000'000;

class FixedClock final : public Clock {
 public:
  std::int64_t now_us() const override { return kNowUs; }
};

class Site : public ::testing::Test {
 protected:
  void SetUp() override {
    store = std::move(*SqliteStore::open(":memory:"));
    Batch batch;
    RunRow row;
    row.id = run;
    row.tenant = "contoso";
    row.flow = "isolate";
    row.trigger = "defender.alert.new";
    row.key = "<script>alert(1)</script>";
    row.created_us = kNowUs;
    batch.runs.push_back(row);
    batch.journal.push_back(
        {run, 0, static_cast<int>(EntryKind::Started), kNowUs,
         encode_entry(StartedEntry{.event = R"({"title":"<b>x</b>"})", .settings = "{}"})});
    QuestionRow question;
    question.id = question_id(run, 3);
    question.run = run;
    question.call = 3;
    question.people = {"ann@contoso.com"};
    question.subject = "Isolate <pc>?";
    question.details = "\"\"";
    question.options = {kApprove, kRefuse};
    question.expires_us = kNowUs + 7'200'000'000;
    batch.questions.push_back(question);
    ASSERT_TRUE(store->commit(batch));
  }
  HttpAnswer ask(const std::string& method, const std::string& target, const std::string& body = {},
                 const std::string& authorization = "Basic " + base64_of("ann:T")) {
    const RunSite site({.api_token = []() -> Result<std::string> { return "T"; },
                        .form_key = "key",
                        .answer =
                            [&](AnswerRequest request, AnswerDone done) {
                              answered = request;
                              AnswerReply told;
                              told.how = AnswerReply::How::Recorded;
                              done(told);
                            }},
                       *store, clock);
    HttpQuestion question;
    question.method = method;
    question.target = target;
    question.body = body;
    if (!authorization.empty()) question.headers.emplace_back("Authorization", authorization);
    HttpAnswer answer;
    answer.status = 0;
    is_ours = site.handle(question, [&](HttpAnswer given) { answer = std::move(given); });
    return answer;
  }

  FixedClock clock;
  std::unique_ptr<SqliteStore> store;
  std::string run = first_run_id(kNowUs);
  AnswerRequest answered;
  bool is_ours = false;
};

TEST_F(Site, ListsRunsAndShowsOneAsTextOnly) {
  const HttpAnswer list = ask("GET", "/runs");
  EXPECT_EQ(list.status, 200);
  EXPECT_THAT(list.body, HasSubstr("/runs/" + run));
  EXPECT_THAT(list.body, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(list.body, Not(HasSubstr("<script>")));
  EXPECT_THAT(std::string(list.header("Content-Security-Policy")), HasSubstr("default-src 'none'"));
  const HttpAnswer one = ask("GET", "/runs/" + run);
  EXPECT_EQ(one.status, 200);
  EXPECT_THAT(one.body, Not(HasSubstr("<b>x</b>")));
  EXPECT_THAT(one.body, HasSubstr("Isolate &lt;pc&gt;?"));
  EXPECT_THAT(ask("GET", "/runs?flow=other").body, HasSubstr("there are none"));
  EXPECT_THAT(ask("GET", "/runs?flow=%22%3E%3Cb%3E").body, Not(HasSubstr("\"><b>")));
}

TEST_F(Site, LetsNobodyInWithoutTheToken) {
  for (const std::string& authorization :
       {std::string(), "Basic " + base64_of("ann:wrong"), "Basic " + base64_of("T"), std::string("Basic %%%"),
        "Basic " + base64_of("ann:"), std::string("Bearer wrong")}) {
    const HttpAnswer answer = ask("GET", "/runs", {}, authorization);
    EXPECT_EQ(answer.status, 401) << authorization;
    EXPECT_THAT(std::string(answer.header("WWW-Authenticate")), HasSubstr("Basic"));
    EXPECT_THAT(answer.body, Not(HasSubstr(run)));
  }
  EXPECT_EQ(ask("GET", "/runs", {}, "Bearer T").status, 200);
}

TEST_F(Site, AnswersOnlyByItsOwnForm) {
  const std::string body = ask("GET", "/runs/" + run).body;
  const std::size_t at = body.find("/runs/answer/");
  ASSERT_NE(at, std::string::npos);
  const std::string link = body.substr(at, body.find('"', at) - at);
  EXPECT_THAT(ask("GET", link).body, HasSubstr("method=\"post\""));
  EXPECT_EQ(answered.question, "") << "opening it decides nothing";
  EXPECT_EQ(ask("POST", link, "confirm=yes", "").status, 401);
  EXPECT_EQ(ask("POST", "/runs/answer/" + question_id(run, 3) + ".0.0.1.x", "confirm=yes").status, 410);
  EXPECT_EQ(ask("POST", link, "other=1").status, 400);
  EXPECT_EQ(answered.question, "");
  EXPECT_EQ(ask("POST", link, "confirm=yes").status, 200);
  EXPECT_EQ(answered.question, question_id(run, 3));
  EXPECT_EQ(answered.answer, kApprove);
  EXPECT_EQ(answered.by, "ann@contoso.com");
  EXPECT_EQ(answered.via, "page");
}

TEST_F(Site, SaysWhatIsWrong) {
  EXPECT_EQ(ask("GET", "/runs/01X").status, 404);
  EXPECT_EQ(ask("POST", "/runs").status, 405);
  EXPECT_EQ(ask("GET", "/runs?state=done").status, 400);
  static_cast<void>(ask("GET", "/runsy"));
  EXPECT_FALSE(is_ours);
  EXPECT_EQ(ask("GET", "/runs/style.css", {}, "").status, 200);
}

}  // namespace
}  // namespace flow
