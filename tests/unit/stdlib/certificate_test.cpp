#include "stdlib/identity/certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "stdlib/identity/certificate_assertion.hpp"
#include "tests/unit/stdlib/made_certificate.hpp"

namespace flow {
namespace {

using testing::HasSubstr;

const test::MadeCertificate& made() {
  static const test::MadeCertificate kMade = test::make_certificate();
  return kMade;
}

constexpr std::int64_t kNow = 1'791'882'900'000'000;
const Assertion kClaims{.client_id = "client",
                        .audience = "https://login.example/t/oauth2/v2.0/token",
                        .id = "one",
                        .now_us = kNow};

std::string refusal(const ClientCertificate::Files& files) {
  const auto certificate = ClientCertificate::read(files);
  return certificate ? "read" : certificate.error().message;
}

TEST(Certificates, ThumbprintsMatchTheVectors) {
  EXPECT_EQ(thumbprint_sha1("not-a-real-certificate"), "lwE5fLyw8oYOZNvwRLKRv-jV3Pg");
  EXPECT_EQ(thumbprint_sha256("not-a-real-certificate"), "gm-l1-4vyW7qq1izO9P0g8P3wf7MK7-C5Cj6gFlQAIE");
}

TEST(Certificates, AreReadFromPemInOneFileOrTwoAndFromPfx) {
  EXPECT_EQ(refusal({.certificate = made().certificate, .key = made().key}), "read");
  EXPECT_EQ(refusal({.certificate = made().key + made().certificate}), "read");
  EXPECT_EQ(refusal({.certificate = made().certificate, .key = made().encrypted_key, .password = "password"}),
            "read");
  EXPECT_EQ(refusal({.certificate = made().pfx, .password = "password"}), "read");
}

TEST(Certificates, SignAssertionsInBothForms) {
  const auto certificate = ClientCertificate::read({.certificate = made().certificate, .key = made().key});
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->subject(), "flow test");
  for (const AssertionForm form : {AssertionForm::Ps256, AssertionForm::Rs256}) {
    const bool is_pss = form == AssertionForm::Ps256;
    const auto jwt = certificate->assertion(kClaims, form);
    ASSERT_TRUE(jwt);
    const std::size_t first = jwt->find('.'), second = jwt->rfind('.');
    const std::string header = bytes_of_base64(jwt->substr(0, first)).value_or("");
    EXPECT_EQ(header,
              is_pss ? R"({"alg":"PS256","typ":"JWT","x5t#S256":")" + thumbprint_sha256(made().der) + "\"}"
                     : R"({"alg":"RS256","typ":"JWT","x5t":")" + thumbprint_sha1(made().der) + "\"}");
    EXPECT_EQ(
        bytes_of_base64(jwt->substr(first + 1, second - first - 1)).value_or(""),
        R"({"aud":"https://login.example/t/oauth2/v2.0/token","iss":"client","sub":"client","jti":"one",)"
        R"("nbf":1791882900,"iat":1791882900,"exp":1791883500})");
    const std::string signature = bytes_of_base64(jwt->substr(second + 1)).value_or("");
    EXPECT_TRUE(test::is_signature(made().certificate, jwt->substr(0, second), signature, is_pss));
    EXPECT_FALSE(test::is_signature(made().certificate, jwt->substr(0, second) + "x", signature, is_pss));
    EXPECT_EQ(jwt->find_first_of("+/="), std::string::npos);
  }
}

TEST(Certificates, NoTwoAssertionsAreTheSame) {
  const auto read = [] {
    return ClientCertificate::read({.certificate = made().certificate, .key = made().key});
  };
  const AssertionProvider provider = signed_assertion(read, AssertionForm::Rs256);
  const AssertionFor what{.client_id = "c", .audience = "a", .now_us = kNow};
  const auto one = provider(what), two = provider(what);
  ASSERT_TRUE(one && two);
  EXPECT_NE(*one, *two);
}

TEST(Certificates, OutsideTheirTimeSignNothing) {
  const auto certificate = ClientCertificate::read({.certificate = made().certificate, .key = made().key});
  ASSERT_TRUE(certificate);
  Assertion late = kClaims, early = kClaims;
  late.now_us = 2'000'000'000'000'000;
  early.now_us = 1'600'000'000'000'000;
  EXPECT_EQ(certificate->assertion(late, AssertionForm::Ps256).error().message,
            "certificate `flow test` ended at 2033-05-18T03:33:20Z; make a new one and upload it to the app");
  EXPECT_THAT(certificate->assertion(early, AssertionForm::Ps256).error().message,
              HasSubstr("is this machine's clock right?"));
}

TEST(Certificates, WhatIsWrongWithThemIsSaid) {
  const test::MadeCertificate other = test::make_certificate(),
                              elliptic = test::make_certificate({.is_elliptic = true}),
                              small = test::make_certificate({.bits = 1024});
  EXPECT_EQ(refusal({.certificate = made().certificate, .key = other.key}),
            "the private key is not that of the certificate");
  EXPECT_EQ(refusal({.certificate = made().certificate}), "the file has a certificate and no private key");
  EXPECT_EQ(refusal({.certificate = elliptic.certificate, .key = elliptic.key}),
            "Entra takes RSA keys only, and this is another");
  EXPECT_EQ(refusal({.certificate = small.certificate, .key = small.key}),
            "the key has 1024 bits; Entra takes 2048 or more");
  EXPECT_EQ(refusal({.certificate = made().certificate, .key = made().encrypted_key}),
            "the private key is encrypted, and no password is configured");
  EXPECT_EQ(refusal({.certificate = made().certificate, .key = made().encrypted_key, .password = "wrong"}),
            "the password does not open the private key");
  EXPECT_EQ(refusal({.certificate = made().pfx, .password = "wrong"}),
            "the password does not open the PFX file");
  EXPECT_EQ(refusal({.certificate = made().pfx, .key = made().key, .password = "password"}),
            "a PFX file has its own key; leave out the file of the key");
  EXPECT_EQ(refusal({.certificate = "hello"}), "the certificate is neither PEM nor PFX, or it is damaged");
  EXPECT_EQ(refusal({.certificate = made().certificate, .key = "hello"}), "the key is no PEM file");
  EXPECT_EQ(refusal({.certificate = std::string(2u << 20, 'x')}),
            "a certificate and its key are not longer than 1 MiB");
}

TEST(Certificates, DamageIsNoCrash) {
  for (const std::string& whole : {made().certificate + made().key, made().pfx})
    for (std::size_t at = 0; at < whole.size(); at += 13) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ 0x15);
      const auto damaged = ClientCertificate::read({.certificate = bytes, .password = "password"});
      const auto cut = ClientCertificate::read({.certificate = whole.substr(0, at), .password = "password"});
      EXPECT_FALSE(cut) << at;
      EXPECT_TRUE(!damaged || !damaged->subject().empty());
    }
}

}  // namespace
}  // namespace flow
