// Google's token endpoint checks what a service account has signed: the assertion that Flow makes is right,
// and every wrong one is refused for what is wrong with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/sim/url.hpp"
#include "stdlib/identity/service_account.hpp"
#include "tests/unit/sim/tenant_fixture.hpp"
#include "tests/unit/stdlib/made_certificate.hpp"

namespace flow::sim {
namespace {

using ::testing::HasSubstr;

constexpr const char* kSend = "https://www.googleapis.com/auth/gmail.send";
constexpr const char* kAudience = "https://oauth2.googleapis.com/token";
constexpr const char* kAccount = "flow@soc.iam.gserviceaccount.com";
constexpr const char* kUser = "soc-bot@fabrikam.example";

const test::MadeCertificate& made() {
  static const test::MadeCertificate kMade = test::make_certificate();
  return kMade;
}
const test::MadeCertificate& other() {
  static const test::MadeCertificate kMade = test::make_certificate();
  return kMade;
}

struct ServiceAccounts : testing::Test {
  TestTenant t;

  void SetUp() override {
    Json account = Json::object({{"client_email", kAccount}, {"private_key_id", "k1"}});
    account.set("certificate", made().certificate)
        .set("scopes", Json::texts({kSend}))
        .set("subjects", Json::texts({kUser}));
    EXPECT_EQ(
        t.sim("POST", "identity", Json::object({{"service_accounts", Json(Json::List{account})}}).to_text())
            .status,
        200);
  }
  // The assertion of a key file, for now.
  std::string assertion(const AssertionOf& of, const test::MadeCertificate& by = made(),
                        const char* email = kAccount, const char* id = "k1") {
    const Json file = Json::object({{"type", "service_account"},
                                    {"client_email", email},
                                    {"private_key_id", id},
                                    {"private_key", by.key}});
    const auto jwt = service_account_assertion(file.to_text(), of);
    EXPECT_TRUE(jwt);
    return jwt.value_or("");
  }
  AssertionOf right() const {
    return {.subject = kUser, .scope = kSend, .audience = kAudience, .now_us = t.clock.now};
  }
  Answered answer(const std::string& jwt) {
    return t.ask("POST", "/token",
                 "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + jwt, {},
                 "application/x-www-form-urlencoded");
  }
  std::string refusal(const std::string& jwt) {
    const Answered answered = answer(jwt);
    return answered.status == 200 ? "token" : std::string(answered.json["error_description"].text());
  }
};

TEST_F(ServiceAccounts, WhatFlowSignsGivesATokenForItsUserAndScope) {
  const Answered given = answer(assertion(right()));
  ASSERT_EQ(given.status, 200) << given.whole.body;
  const std::string token(given.json["access_token"].text());
  const std::string mail = "To: a@b.c\r\nSubject: x\r\n\r\nx\r\n";
  EXPECT_EQ(
      t.ask("POST", "/upload/gmail/v1/users/me/messages/send?uploadType=media", mail, token, "message/rfc822")
          .status,
      200);
  EXPECT_EQ(t.sim("GET", "mails").value().at(0)["mailbox"].text(), kUser);
  // Sending is all it may.
  EXPECT_EQ(t.ask("GET", "/gmail/v1/users/me/messages", "", token).status, 403);
}

TEST_F(ServiceAccounts, WrongAssertionsAreRefused) {
  AssertionOf of = right();
  EXPECT_THAT(refusal(assertion(of, other())), HasSubstr("Invalid JWT Signature"));
  EXPECT_THAT(refusal(assertion(of, made(), kAccount, "k2")), HasSubstr("Invalid JWT Signature"));
  EXPECT_THAT(refusal(assertion(of, made(), "other@soc.iam.gserviceaccount.com")),
              HasSubstr("account not found"));
  of = right();
  of.audience = "https://login.microsoftonline.com/x";
  EXPECT_THAT(refusal(assertion(of)), HasSubstr("audience"));
  of = right();
  of.subject = "ceo@fabrikam.example";
  EXPECT_THAT(refusal(assertion(of)), HasSubstr("Invalid email or User ID"));
  of = right();
  of.scope = "https://mail.google.com/";
  const Answered scope = answer(assertion(of));
  EXPECT_EQ(scope.status, 401);
  EXPECT_EQ(scope.json["error"].text(), "unauthorized_client");
  of = right();
  of.scope = "";
  EXPECT_EQ(answer(assertion(of)).json["error"].text(), "invalid_scope");
  for (const std::int64_t shift_s : {-3'700, 3'700}) {
    of = right();
    of.now_us = t.clock.now + shift_s * 1'000'000;
    EXPECT_THAT(refusal(assertion(of)), HasSubstr("short-lived token"));
  }
}

TEST_F(ServiceAccounts, TamperedAssertionsAreRefused) {
  const std::string good = assertion(right());
  const std::size_t first = good.find('.'), second = good.rfind('.');
  std::string claims = base64_decoded(good.substr(first + 1, second - first - 1)).value_or("");
  claims.replace(claims.find("soc-bot"), 7, "ceo-bot");
  EXPECT_THAT(refusal(good.substr(0, first + 1) + base64url_encoded(claims) + good.substr(second)),
              HasSubstr("Invalid JWT Signature"));
  EXPECT_THAT(refusal(good.substr(0, second + 1)), HasSubstr("Invalid JWT Signature"));
  EXPECT_THAT(refusal(base64url_encoded(R"({"alg":"none"})") + good.substr(first)),
              HasSubstr("Invalid JWT Signature"));
  EXPECT_THAT(refusal("a.b.c"), HasSubstr("no JWT"));
  EXPECT_THAT(refusal(""), HasSubstr("no JWT"));
  EXPECT_EQ(refusal(good), "token");
}

TEST_F(ServiceAccounts, WrongSetUpIsRefused) {
  for (const char* body : {R"({"service_accounts":[{"client_email":"a@b.c","certificate":"x"}]})",
                           R"({"service_accounts":[{"email":"a@b.c"}]})"})
    EXPECT_EQ(t.sim("POST", "identity", body).status, 400) << body;
  EXPECT_EQ(t.sim("GET", "identity").json["service_accounts"].items().size(), 1u);
}

}  // namespace
}  // namespace flow::sim
