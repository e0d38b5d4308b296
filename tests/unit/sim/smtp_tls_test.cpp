// The pretend tenant's mail server with TLS: what Flow sends arrives when the certificate is trusted and the
// login is right, and in no other case.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <iterator>

#include "apps/sim/json.hpp"
#include "apps/sim/smtp_session.hpp"
#include "apps/sim/tenant.hpp"
#include "base/base64.hpp"
#include "stdlib/mail/smtp.hpp"
#include "tests/unit/sim/raw_client.hpp"

namespace flow::sim {
namespace {

using Security = SmtpServer::Security;
using Login = SmtpServer::Login;
using ::testing::HasSubstr;
using ::testing::Not;

struct SmtpTls : testing::Test {
  std::string ca_file = testing::TempDir() + "flow-sim-ca-" + std::to_string(getpid()) + ".pem";
  std::unique_ptr<Sim> sim;

  void SetUp() override {
    SimOptions options;
    options.machines = 1;
    options.smtp_user = "soc-bot@contoso.com";
    options.smtp_password = "p:4ss wörd";
    options.smtp_requires_login = true;
    options.smtp_requires_tls = true;
    options.ca_file = ca_file;
    auto started = Sim::start(options);
    ASSERT_TRUE(started) << started.error().message;
    sim = std::move(*started);
  }
  void TearDown() override { std::remove(ca_file.c_str()); }

  flow::SmtpServer server(Security security, Login login = Login::Password) const {
    return {.host = "localhost",
            .port = security == Security::Implicit ? sim->smtps_port() : sim->smtp_port(),
            .security = security,
            .login = login,
            .user = "soc-bot@contoso.com",
            .ca_bundle = ca_file};
  }
  // Empty when the server has taken it; else what was wrong.
  std::string send(const flow::SmtpServer& to, const std::string& credential = "p:4ss wörd") {
    const auto sender = make_curl_smtp_sender();
    std::promise<MailResult> got;
    SmtpJob job{.server = to, .credential = credential, .message = {}, .deadline_us = 20'000'000};
    job.message.from = "soc-bot@contoso.com";
    job.message.to = {"soc@contoso.com"};
    job.message.subject = "Isolated";
    job.message.text = "x";
    sender->send(std::move(job), [&](MailResult result) { got.set_value(std::move(result)); });
    const MailResult result = got.get_future().get();
    return result ? "" : std::string(fault_name(result.error().kind)) + ": " + result.error().message;
  }
  std::size_t mails() {
    const auto page = parse_json(sim->ask("GET", "/sim/mails").body);
    return page ? (*page)["value"].items().size() : 0;
  }
  std::string token(const std::string& resource) {
    const std::string body =
        "grant_type=client_credentials&client_id=0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846&client_secret=sim-"
        "secret&"
        "scope=https%3A%2F%2F" +
        resource + "%2F.default";
    RawClient client(sim->port());
    client.send(
        "POST /7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3/oauth2/v2.0/token HTTP/1.1\r\nHost: x\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
    const std::string answer = client.read_all();
    const auto json = parse_json(answer.substr(answer.find("\r\n\r\n") + 4));
    return json ? std::string((*json)["access_token"].text()) : "";
  }
};

TEST_F(SmtpTls, TakesMailsByStartTlsAndByTlsFromTheFirstByte) {
  EXPECT_EQ(send(server(Security::StartTls)), "");
  EXPECT_EQ(send(server(Security::Implicit)), "");
  for (const auto mechanism : {flow::SmtpServer::Mechanism::Plain, flow::SmtpServer::Mechanism::Login}) {
    flow::SmtpServer to = server(Security::StartTls);
    to.mechanism = mechanism;
    EXPECT_EQ(send(to), "");
  }
  EXPECT_EQ(mails(), 4u);
}

TEST_F(SmtpTls, TakesTokensForMailAlone) {
  const flow::SmtpServer to = server(Security::StartTls, Login::Bearer);
  EXPECT_EQ(send(to, token("outlook.office365.com")), "");
  EXPECT_EQ(send(server(Security::Implicit, Login::Bearer), token("outlook.office365.com")), "");
  EXPECT_THAT(send(to, token("graph.microsoft.com")), HasSubstr("Unauthorized"));
  EXPECT_THAT(send(to, "made-up"), HasSubstr("Unauthorized"));
  EXPECT_EQ(mails(), 2u);
}

TEST_F(SmtpTls, RefusesAWrongPassword) {
  EXPECT_THAT(send(server(Security::StartTls), "wrong"), HasSubstr("Unauthorized"));
  EXPECT_THAT(send(server(Security::Implicit), ""), Not(""));
  flow::SmtpServer other = server(Security::StartTls);
  other.user = "ceo@contoso.com";
  EXPECT_THAT(send(other), HasSubstr("Unauthorized"));
  EXPECT_EQ(mails(), 0u);
}

// Without the file nobody vouches for the server: neither password nor mail goes there.
TEST_F(SmtpTls, IsNotTrustedByThoseWhoWereNotTold) {
  flow::SmtpServer to = server(Security::StartTls);
  to.ca_bundle.clear();
  EXPECT_THAT(send(to), Not(""));
  to.security = Security::Implicit;
  to.port = sim->smtps_port();
  EXPECT_THAT(send(to), Not(""));
  // Nor by another name than the certificate has.
  to = server(Security::StartTls);
  to.host = "127.0.0.2";
  EXPECT_THAT(send(to), Not(""));
  EXPECT_EQ(mails(), 0u);
}

TEST_F(SmtpTls, TakesNothingInTheClear) {
  flow::SmtpServer to = server(Security::None);
  to.sends_login_in_clear = true;
  EXPECT_THAT(send(to), Not(""));
  to.login = Login::None;
  EXPECT_THAT(send(to), HasSubstr("530"));
  EXPECT_EQ(mails(), 0u);
}

TEST_F(SmtpTls, WritesTheCertificateThatItTells) {
  std::ifstream file(ca_file);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(text, sim->authority());
  EXPECT_THAT(text, HasSubstr("BEGIN CERTIFICATE"));
  SimOptions options;
  options.ca_file = "/nowhere/at/all.pem";
  const auto failed = Sim::start(options);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("/nowhere/at/all.pem: cannot be written"));
}

TEST_F(SmtpTls, OutlivesClientsThatSpeakNoTls) {
  RawClient client(sim->smtps_port());
  client.send("EHLO me\r\n");
  EXPECT_THAT(client.read_all(), Not(HasSubstr("220")));
  RawClient half(sim->smtp_port());
  half.read_until("\r\n");
  half.send("EHLO me\r\n");
  EXPECT_THAT(half.read_until("ENHANCEDSTATUSCODES\r\n"),
              testing::AllOf(HasSubstr("STARTTLS"), Not(HasSubstr("AUTH"))));
  half.send("STARTTLS\r\n");
  EXPECT_THAT(half.read_until("\r\n"), HasSubstr("220"));
  half.send("QUIT\r\nQUIT\r\n");
  half.read_all();
  EXPECT_EQ(send(server(Security::StartTls)), "");
}

// ---- The dialogue alone

struct Dialogue {
  SmtpSession session;
  explicit Dialogue(SmtpOptions options)
      : session(std::move(options), {.deliver = nullptr,
                                     .fault = nullptr,
                                     .is_token = [](std::string_view user, std::string_view token) {
                                       return user == "a@b.c" && token == "good";
                                     }}) {
    session.feed("");
  }
  std::string code(const std::string& line) { return session.feed(line + "\r\n").substr(0, 3); }
};

TEST(SmtpStartTls, ForgetsWhatWasSaidInTheClear) {
  Dialogue d({.offers_tls = true, .requires_tls = true});
  d.code("EHLO me");
  EXPECT_EQ(d.code("AUTH PLAIN AGEAYg=="), "530");
  EXPECT_EQ(d.code("MAIL FROM:<a@b.c>"), "530");
  EXPECT_EQ(d.code("STARTTLS now"), "501");
  // What somebody has put behind the command is not heard.
  EXPECT_EQ(d.session.feed("STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@b.c>\r\n"),
            "220 2.0.0 go on with TLS\r\n");
  ASSERT_TRUE(d.session.wants_tls());
  d.session.begin_tls();
  EXPECT_FALSE(d.session.wants_tls());
  EXPECT_EQ(d.code("MAIL FROM:<a@b.c>"), "503");
  EXPECT_THAT(d.session.feed("EHLO me\r\n"), testing::AllOf(HasSubstr("AUTH"), Not(HasSubstr("STARTTLS"))));
  EXPECT_EQ(d.code("STARTTLS"), "503");
  EXPECT_EQ(d.code("MAIL FROM:<a@b.c>"), "250");
  Dialogue without({});
  without.code("EHLO me");
  EXPECT_EQ(without.code("STARTTLS"), "503");
}

// A token may be too long for the line of the command.
TEST(SmtpXoauth2, TakesTheTokenOnALineOfItsOwn) {
  Dialogue d({});
  d.code("EHLO me");
  EXPECT_EQ(d.code("AUTH XOAUTH2"), "334");
  EXPECT_EQ(d.code(base64_of("user=a@b.c\x01"
                             "auth=Bearer good\x01\x01")),
            "235");
}

TEST(SmtpXoauth2, ChecksUserAndToken) {
  const auto login = [](const std::string& text) {
    Dialogue d({});
    d.code("EHLO me");
    return d.code("AUTH XOAUTH2 " + base64_of(text));
  };
  EXPECT_EQ(login("user=a@b.c\x01"
                  "auth=Bearer good\x01\x01"),
            "235");
  for (const std::string text : {"user=x@b.c\x01"
                                 "auth=Bearer good\x01\x01",
                                 "user=a@b.c\x01"
                                 "auth=Bearer bad\x01\x01",
                                 "user=a@b.c\x01"
                                 "auth=Bearer good\x01",
                                 "user=a@b.c", "x"})
    EXPECT_EQ(login(text), "535") << text;
}

}  // namespace
}  // namespace flow::sim
