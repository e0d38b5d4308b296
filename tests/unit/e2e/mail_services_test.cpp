// Mail by services that are not done when they answer, and by servers that want TLS and a token.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scene.hpp"

namespace flow::e2e {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

struct MailServices : testing::Test {
  Scene scene;
  std::string file = scene.folder().write(
      "tell.flow",
      "on alert.new when severity == High do mail(\"soc@contoso.com\", \"High: {title}\", \"{alertId}\")\n");

  RunRow run_one(const Arguments& more) {
    Process service("flow", scene.serve({file}, more));
    EXPECT_TRUE(eventually([&] { return scene.all_over(1); }, 120s)) << service.out() << service.err();
    service.kill();
    const std::vector<RunRow> runs = scene.runs();
    return runs.empty() ? RunRow{} : runs.front();
  }
};

TEST_F(MailServices, AMailByAcsIsDoneWhenItWasSent) {
  scene.control("acs", R"({"status": "Succeeded", "seconds": 2})");
  scene.inject(R"({"severity": "High"})");
  EXPECT_EQ(run_one({"--mail", "acs"}).state, RunState::Finished);
  EXPECT_EQ(scene.list("mails").size(), 1u);
  EXPECT_EQ(scene.requests("acs.send"), 1);
  EXPECT_GE(scene.requests("acs.operation"), 2);
}

TEST_F(MailServices, AMailThatAcsCannotSendIsAnError) {
  scene.control(
      "acs",
      R"({"status": "Failed", "code": "EmailDroppedAllRecipientsSuppressed", "message": "nobody left"})");
  scene.inject(R"({"severity": "High"})");
  const RunRow run = run_one({"--mail", "acs"});
  EXPECT_EQ(run.state, RunState::Failed);
  EXPECT_THAT(run.reason, HasSubstr("EmailDroppedAllRecipientsSuppressed: nobody left"));
  EXPECT_TRUE(scene.list("mails").empty());
  EXPECT_EQ(scene.requests("acs.send"), 1) << "it is not tried again";
}

// Killed while it waits: the mail is offered once more under its name, which the service knows.
TEST_F(MailServices, AMailByAcsIsSentOnceThroughADeathWhileItIsUnderWay) {
  scene.control("acs", R"({"status": "Succeeded", "seconds": 3})");
  scene.inject(R"({"severity": "High"})");
  {
    Process service("flow", scene.serve({file}, {"--mail", "acs"}));
    EXPECT_TRUE(eventually([&] { return scene.requests("acs.operation") > 0; }))
        << service.out() << service.err();
    service.kill();
  }
  EXPECT_TRUE(scene.list("mails").empty());
  EXPECT_EQ(run_one({"--mail", "acs"}).state, RunState::Finished);
  EXPECT_EQ(scene.list("mails").size(), 1u);
  EXPECT_EQ(scene.list("acs").size(), 1u);
  EXPECT_EQ(scene.requests("acs.send"), 2);
}

// As a configuration has it: the authority's file, and a token for mail.
TEST_F(MailServices, AMailBySmtpGoesOverTlsWithAToken) {
  const std::string ca = scene.folder().write("ca.pem", scene.tenant().authority());
  const std::string url = fmt::format("http://127.0.0.1:{}", scene.tenant().port());
  const std::string alert = scene.inject(R"({"severity": "High"})").to_text();
  std::size_t sent = 0;
  for (const auto& [security, port] : {std::pair("starttls", scene.tenant().smtp_port()),
                                       std::pair("implicit", scene.tenant().smtps_port())}) {
    const auto config = [&](const std::string& trust) {
      return scene.folder().write("flow.toml", fmt::format(R"([store]
path = "{}"
[tenants.lab]
tenant_id = "7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3"
client_id = "0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846"
client_secret_env = "LAB_SECRET"
authority = "{}"
[tenants.lab.bases]
defender = "{}"
[tenants.lab.mail]
via = "smtp"
sender = "soc-bot@contoso.com"
[tenants.lab.smtp]
host = "localhost"
port = {}
security = "{}"
user = "soc-bot@contoso.com"
oauth_scope = "https://outlook.office365.com/.default"
{}
)",
                                                           scene.store(), url, url, port, security, trust));
    };
    const auto run = [&](const std::string& trust) {
      return run_flow(
          {"run", file, "--event", scene.folder().write("event.json", alert), "--config", config(trust)},
          {.folder = {}, .environment = {"LAB_SECRET=sim-secret"}});
    };
    const Ended trusted = run("ca_bundle = \"" + ca + "\"");
    EXPECT_EQ(trusted.exit_code, 0) << security << trusted.all();
    EXPECT_EQ(scene.list("mails").size(), ++sent) << security;
    EXPECT_NE(run("").exit_code, 0) << "nobody vouches for the server";
    EXPECT_EQ(scene.list("mails").size(), sent) << security;
  }
}

}  // namespace
}  // namespace flow::e2e
