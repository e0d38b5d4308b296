// The pretend tenant checks certificates, federation, the machine's identity and device codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stdlib/identity/certificate.hpp"
#include "tests/unit/sim/tenant_fixture.hpp"
#include "tests/unit/stdlib/made_certificate.hpp"

namespace flow::sim {
namespace {

using testing::HasSubstr;

constexpr const char* kTenantId = "7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3";
constexpr const char* kClient = "0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846";
const std::string kEndpoint = std::string("http://127.0.0.1:8123/") + kTenantId + "/oauth2/v2.0/token";

const test::MadeCertificate& made() {
  static const test::MadeCertificate kMade = test::make_certificate();
  return kMade;
}
const test::MadeCertificate& other() {
  static const test::MadeCertificate kMade = test::make_certificate();
  return kMade;
}

struct SignIn : testing::Test {
  TestTenant tenant;

  void upload(const std::string& pem) {
    EXPECT_EQ(
        tenant.sim("POST", "identity", Json::object({{"certificates", Json(Json::List{pem})}}).to_text())
            .status,
        200);
  }
  // The assertion of a key, for now.
  std::string assertion(const test::MadeCertificate& by, AssertionForm form = AssertionForm::Ps256,
                        Assertion claims = {}) {
    if (claims.client_id.empty()) claims.client_id = kClient;
    if (claims.audience.empty()) claims.audience = kEndpoint;
    if (claims.id.empty()) claims.id = "id-" + std::to_string(++count);
    if (claims.now_us == 0) claims.now_us = tenant.clock.now;
    const auto read = ClientCertificate::read({.certificate = by.certificate, .key = by.key});
    return read ? read->assertion(claims, form).value_or("") : "";
  }
  std::string answer(const std::string& jwt) {
    const Answered answered =
        tenant.ask_token("grant_type=client_credentials&client_id=" + std::string(kClient) +
                         "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-"
                         "bearer&scope=https%3A%2F%"
                         "2Fgraph.microsoft.com%2F.default&client_assertion=" +
                         jwt);
    return answered.status == 200 ? "token" : std::string(answered.json["error_description"].text());
  }
  int count = 0;
};

TEST_F(SignIn, ACertificateOfTheAppGivesTokensInBothForms) {
  EXPECT_THAT(answer(assertion(made())), HasSubstr("AADSTS700027: The certificate"));
  upload(made().certificate);
  EXPECT_EQ(answer(assertion(made())), "token");
  EXPECT_EQ(answer(assertion(made(), AssertionForm::Rs256)), "token");
  EXPECT_THAT(answer(assertion(other())), HasSubstr("AADSTS700027: The certificate"));
}

TEST_F(SignIn, WhatIsWrongWithAnAssertionIsRefused) {
  upload(made().certificate);
  const std::string good = assertion(made());
  const std::size_t first = good.find('.'), second = good.rfind('.');
  const std::string elsewhere =
      assertion(made(), AssertionForm::Ps256, {.client_id = kClient, .audience = "https://x/y", .id = "a"});
  EXPECT_THAT(answer(elsewhere), HasSubstr("AADSTS700023"));
  EXPECT_THAT(answer(assertion(made(), AssertionForm::Ps256, {.now_us = tenant.clock.now - 3'600'000'000})),
              HasSubstr("AADSTS700024"));
  EXPECT_THAT(answer(assertion(made(), AssertionForm::Ps256, {.now_us = tenant.clock.now + 3'600'000'000})),
              HasSubstr("AADSTS700024"));
  // The signature of another text, and no signature at all.
  EXPECT_THAT(answer(good.substr(0, second) + elsewhere.substr(elsewhere.rfind('.'))),
              HasSubstr("AADSTS700027"));
  EXPECT_THAT(answer(good.substr(0, second + 1)), HasSubstr("AADSTS700027"));
  // `none` is no algorithm.
  EXPECT_THAT(answer("eyJhbGciOiJub25lIn0" + good.substr(first)), HasSubstr("AADSTS700027"));
  EXPECT_THAT(answer("a.b.c"), HasSubstr("AADSTS50027"));
  EXPECT_THAT(answer("abc"), HasSubstr("AADSTS50027"));
  EXPECT_EQ(answer(good), "token");
  EXPECT_THAT(answer(good), HasSubstr("AADSTS50013"));  // once is enough
}

TEST_F(SignIn, FederationMatchesToTheLetter) {
  const auto federate = [&](const std::string& issuer, const std::string& subject,
                            const std::string& audience) {
    tenant.sim(
        "POST", "identity",
        Json::object({{"federation", Json(Json::List{Json::object({{"issuer", issuer},
                                                                   {"subject", subject},
                                                                   {"audience", audience},
                                                                   {"certificate", made().certificate}})})}})
            .to_text());
  };
  // An assertion of ours has the same issuer and subject: here those of a runner of builds.
  const auto jwt = [&] {
    return assertion(made(), AssertionForm::Rs256,
                     {.client_id = "repo:soc", .audience = "api://AzureADTokenExchange"});
  };
  EXPECT_THAT(answer(jwt()), HasSubstr("AADSTS700211"));
  federate("repo:soc", "other", "api://AzureADTokenExchange");
  EXPECT_THAT(answer(jwt()), HasSubstr("AADSTS700213"));
  federate("repo:soc", "repo:soc", "api://azureadtokenexchange");
  EXPECT_THAT(answer(jwt()), HasSubstr("AADSTS700212"));
  federate("repo:soc", "repo:soc", "api://AzureADTokenExchange");
  EXPECT_EQ(answer(jwt()), "token");
  EXPECT_THAT(answer(assertion(other(), AssertionForm::Rs256,
                               {.client_id = "repo:soc", .audience = "api://AzureADTokenExchange"})),
              HasSubstr("AADSTS700027"));
}

TEST_F(SignIn, FederationIsInTimeAndSigned) {
  Json known = Json::object({{"issuer", "repo:soc"}, {"subject", "repo:soc"}, {"audience", "api://x"}});
  known.set("certificate", made().certificate);
  tenant.sim("POST", "identity", Json::object({{"federation", Json(Json::List{known})}}).to_text());
  const auto jwt = [&](std::int64_t late_s, AssertionForm form = AssertionForm::Rs256) {
    return assertion(
        made(), form,
        {.client_id = "repo:soc", .audience = "api://x", .now_us = tenant.clock.now + late_s * 1'000'000});
  };
  EXPECT_EQ(answer(jwt(0)), "token");
  EXPECT_EQ(answer(jwt(0, AssertionForm::Ps256)), "token");
  EXPECT_THAT(answer(jwt(-3600)), HasSubstr("AADSTS700024"));
  EXPECT_THAT(answer(jwt(3600)), HasSubstr("AADSTS700024"));
  const std::string good = jwt(0);
  EXPECT_THAT(answer(good.substr(0, good.rfind('.') + 1)), HasSubstr("AADSTS700027"));
  EXPECT_THAT(answer("eyJhbGciOiJIUzI1NiJ9" + good.substr(good.find('.'))), HasSubstr("AADSTS700027"));
}

// The certificate is over, or not yet good, whatever the assertion says.
TEST_F(SignIn, CertificatesEnd) {
  const std::int64_t now_s = tenant.clock.now / 1'000'000;
  const auto over = test::make_certificate({.begins_s = now_s - 1000, .ends_s = now_s - 10});
  const auto later = test::make_certificate({.begins_s = now_s + 10, .ends_s = now_s + 1000});
  tenant.sim(
      "POST", "identity",
      Json::object({{"certificates", Json(Json::List{over.certificate, later.certificate})}}).to_text());
  // Made at a moment at which it was good, which is near enough for the assertion.
  const auto made_at = [&](const test::MadeCertificate& by, std::int64_t late_s) {
    return assertion(by, AssertionForm::Ps256, {.now_us = tenant.clock.now + late_s * 1'000'000});
  };
  EXPECT_THAT(answer(made_at(over, -20)), HasSubstr("AADSTS700024"));
  EXPECT_THAT(answer(made_at(later, 15)), HasSubstr("AADSTS700024"));
  tenant.pass_seconds(20);
  EXPECT_EQ(answer(assertion(later)), "token");
}

TEST_F(SignIn, TheDoorTakesOneNameOfAnIdentity) {
  tenant.sim("POST", "identity",
             R"({"managed_identity": true, "managed_clients": ["c-1", "/subscriptions/s/i"]})");
  const auto ask = [&](const std::string& header, const std::string& value, const std::string& target) {
    return tenant.tenant.handle({"GET", target, {{header, value}}, ""});
  };
  const std::string machine =
      "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fgraph.microsoft.com";
  const std::string service = "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fgraph.microsoft.com";
  EXPECT_EQ(ask("Metadata", "true", machine + "&msi_res_id=%2Fsubscriptions%2Fs%2Fi").status, 200);
  EXPECT_EQ(ask("Metadata", "true", machine + "&object_id=c-2").status, 400);
  EXPECT_EQ(ask("Metadata", "true", machine + "&object_id=c-1&client_id=c-1").status, 400);
  EXPECT_EQ(
      ask("X-IDENTITY-HEADER", "sim-identity-header", service + "&mi_res_id=%2Fsubscriptions%2Fs%2Fi").status,
      200);
  EXPECT_EQ(ask("X-IDENTITY-HEADER", "sim-identity-header", service + "&principal_id=c-2").status, 400);
  // Which version is meant, and what the token is for, must be said.
  EXPECT_EQ(
      ask("Metadata", "true", "/metadata/identity/oauth2/token?resource=https%3A%2F%2Fgraph.microsoft.com")
          .status,
      400);
  EXPECT_THAT(ask("Metadata", "true",
                  "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fx")
                  .body,
              HasSubstr("invalid_resource"));
}

TEST_F(SignIn, TheMachinesDoorWantsItsHeader) {
  const std::string page =
      "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fgraph.microsoft.com";
  const auto ask = [&](const std::string& header, const std::string& value, const std::string& target) {
    return tenant.tenant.handle({"GET", target, {{header, value}}, ""});
  };
  EXPECT_EQ(ask("X", "y", page).status, 400);
  EXPECT_THAT(ask("Metadata", "true", page).body, HasSubstr("Identity not found"));
  tenant.sim("POST", "identity", R"({"managed_identity": true, "managed_clients": ["c-1"]})");
  EXPECT_EQ(ask("Metadata", "true", page).status, 200);
  EXPECT_EQ(ask("Metadata", "true", page + "&client_id=c-1").status, 200);
  EXPECT_EQ(ask("Metadata", "true", page + "&client_id=c-2").status, 400);
  const std::string service =
      "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fgraph.microsoft.com%2F";
  EXPECT_EQ(ask("X-IDENTITY-HEADER", "wrong", service).status, 400);
  const HttpAnswer given = ask("X-IDENTITY-HEADER", "sim-identity-header", service);
  EXPECT_EQ(given.status, 200);
  EXPECT_THAT(given.body, HasSubstr("\"expires_on\":\""));
  EXPECT_THAT(given.body, testing::Not(HasSubstr("expires_in")));
}

TEST_F(SignIn, APersonEntersACodeOnce) {
  const std::string form = "client_id=" + std::string(kClient) + "&scope=offline_access";
  const Answered started = tenant.ask("POST", std::string("/") + kTenantId + "/oauth2/v2.0/devicecode", form,
                                      {}, "application/x-www-form-urlencoded");
  ASSERT_EQ(started.status, 200);
  const std::string poll =
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=" + std::string(kClient) +
      "&device_code=" + std::string(started.json["device_code"].text());
  EXPECT_EQ(tenant.ask_token(poll).json["error"].text(), "authorization_pending");
  tenant.sim("POST", "identity",
             Json::object({{"device", Json::object({{"user_code", started.json["user_code"].text()},
                                                    {"answer", "approve"}})}})
                 .to_text());
  const Answered given = tenant.ask_token(poll);
  ASSERT_EQ(given.status, 200);
  EXPECT_EQ(tenant.ask_token(poll).status, 400);
  const std::string refresh =
      "grant_type=refresh_token&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&client_id=" +
      std::string(kClient) + "&refresh_token=";
  EXPECT_EQ(tenant.ask_token(refresh + std::string(given.json["refresh_token"].text())).status, 200);
  EXPECT_EQ(tenant.ask_token(refresh + "another").status, 400);
}

TEST_F(SignIn, WrongSetUpIsRefusedWhole) {
  upload(made().certificate);
  for (const char* body :
       {R"({"certificates": ["hello"]})", R"({"certificats": []})",
        R"({"federation": [{"issuer": "a", "certificate": "x"}]})",
        R"({"device": {"user_code": "nobody", "answer": "approve"}})", R"({"device": {}})"})
    EXPECT_EQ(tenant.sim("POST", "identity", body).status, 400) << body;
  EXPECT_EQ(tenant.sim("GET", "identity").json["certificates"].items().size(), 1u);
}

}  // namespace
}  // namespace flow::sim
