// `flow doctor` and `flow login` against the pretend tenant, and every way to prove who one is.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>

#include "apps/cli/exit_code.hpp"
#include "scene.hpp"
#include "tests/unit/stdlib/made_certificate.hpp"

namespace flow::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Doctor : testing::Test {
  Scene scene;

  // A configuration for the pretend tenant, with this credential.
  std::string config(const std::string& credential, const std::string& more = {}) {
    const std::string url = fmt::format("http://127.0.0.1:{}", scene.tenant().port());
    return scene.folder().write("flow.toml", fmt::format(R"([store]
path = "{}"

[tenants.lab]
tenant_id = "7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3"
authority = "{}"
{}
[tenants.lab.bases]
defender = "{}"
graph = "{}"

[tenants.lab.mail]
sender = "soc-bot@contoso.com"
{})",
                                                         scene.store(), url, credential, url, url, more));
  }
  static std::string client() { return "client_id = \"0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846\"\n"; }
  Ended doctor(const std::string& file, Arguments more = {}) {
    Arguments words{"doctor", kIsolateHigh, "--config", file};
    words.insert(words.end(), more.begin(), more.end());
    return run_flow(words, {.folder = {}, .environment = {"LAB_SECRET=sim-secret"}});
  }
  std::string url() { return fmt::format("http://127.0.0.1:{}", scene.tenant().port()); }
};

TEST_F(Doctor, SignsInToTheMailServerAndSendsNothing) {
  const auto smtp = [&](std::uint16_t port, const std::string& more) {
    return config(
        client() + "client_secret_env = \"LAB_SECRET\"\n",
        fmt::format("via = \"smtp\"\n\n[tenants.lab.smtp]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = "
                    "\"none\"\n{}",
                    port, more));
  };
  const Ended good = doctor(smtp(scene.tenant().smtp_port(), ""));
  EXPECT_THAT(good.out, HasSubstr("answers without TLS; nothing was sent")) << good.all();
  const Ended signed_in =
      doctor(smtp(scene.tenant().smtp_port(),
                  "user = \"soc\"\npassword_env = \"LAB_SECRET\"\nallow_login_without_tls = true\n"));
  EXPECT_THAT(signed_in.out, HasSubstr("127.0.0.1")) << signed_in.all();
  EXPECT_TRUE(scene.list("mails").empty());
  const Ended nobody = doctor(smtp(1, ""));
  EXPECT_EQ(nobody.exit_code, kFlowWrong);
  EXPECT_THAT(nobody.out, HasSubstr("the mail server refuses"));
}

TEST_F(Doctor, SaysWhatIsMissingAndWhatIsTooMuch) {
  scene.control("config",
                R"({"roles": ["Alert.Read.All", "Machine.Read.All", "Machine.Scan", "Mail.ReadBasic.All"]})");
  const std::string file = config(client() + "client_secret_env = \"LAB_SECRET\"\n");
  const Ended ended = doctor(file);
  EXPECT_EQ(ended.exit_code, kFlowWrong) << ended.all();
  EXPECT_THAT(ended.out, HasSubstr("isolate_high       lacks Machine.Isolate of defender"));
  EXPECT_THAT(ended.out, HasSubstr("lacks Mail.Send of graph, unless Exchange grants it"));
  EXPECT_THAT(ended.out, HasSubstr("granted, and no flow needs it: Machine.Scan"));
  EXPECT_THAT(ended.out, HasSubstr("--query \"appRoles[?value=='Machine.Isolate'].id | [0]\""));
  EXPECT_THAT(ended.out, HasSubstr("1 problem\n"));
  const Ended json = doctor(file, {"--json"});
  EXPECT_THAT(
      json.out,
      HasSubstr(
          R"("missing":[{"tenant":"lab","connector":"defender","permission":"Machine.Isolate","flows":["isolate_high"]})"));
  const Ended script = doctor(file, {"--script"});
  EXPECT_THAT(script.out,
              AllOf(HasSubstr("set -eu\n"), HasSubstr("WindowsDefenderATP"), HasSubstr("Microsoft Graph")));
  scene.control(
      "config",
      R"({"roles": ["Alert.Read.All", "Machine.Read.All", "Machine.Isolate", "Mail.ReadBasic.All", "Mail.Send"]})");
  const Ended good = doctor(file);
  EXPECT_EQ(good.exit_code, kSuccess) << good.all();
  EXPECT_THAT(good.out, AllOf(HasSubstr("has all it needs of defender"), HasSubstr("no problems")));
}

TEST_F(Doctor, TriesTheSecretsOfKeyVaults) {
  const std::string file =
      config(client() + "client_secret_env = \"LAB_SECRET\"\n",
             fmt::format("[tenants.lab.secrets]\nintel_keyvault = \"{0}/secrets/intel\"\n"
                         "other_keyvault = \"{0}/secrets/flow-secret\"\n",
                         url()));
  Ended ended = doctor(file);
  EXPECT_EQ(ended.exit_code, kFlowWrong) << ended.all();
  EXPECT_THAT(ended.out, AllOf(HasSubstr("tenants.lab.secrets.intel"), HasSubstr("no such secret"),
                               HasSubstr("secrets/flow-secret` can be read")));
  const Ended served = run_flow({"serve", kIsolateHigh, "--config", file},
                                {.folder = {}, .environment = {"LAB_SECRET=sim-secret"}});
  EXPECT_EQ(served.exit_code, kWorldWrong) << "not an alert later, but at start";
  EXPECT_THAT(served.err, AllOf(HasSubstr("secrets of key vaults are missing"), HasSubstr("no such secret")));
  scene.control("secrets", R"({"intel":{"value":"x","enabled":false}})");
  ended = doctor(file);
  EXPECT_THAT(ended.out, HasSubstr("the secret is disabled"));
  scene.control("secrets", R"({"intel":{"value":"k3y-of-intel","exp":1600000000}})");
  ended = doctor(file);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("ended at 2020-09-13"), Not(HasSubstr("k3y-of-intel"))));
}

TEST_F(Doctor, SaysWhyThereIsNoToken) {
  const std::string file = config(client() + "client_secret_env = \"LAB_SECRET\"\n");
  scene.control("config", R"({"client_secret": "another"})");
  const Ended ended = doctor(file);
  EXPECT_EQ(ended.exit_code, kFlowWrong);
  EXPECT_THAT(ended.out, HasSubstr("[AADSTS7000215]"));
  EXPECT_THAT(ended.all(), Not(HasSubstr("sim-secret")));
}

TEST_F(Doctor, NamesCredentialsOfThirdPartiesThatAreNotThere) {
  const std::string flows = scene.folder().write(
      "ask.flow", "use tickets\non alert.new when severity == High do open_ticket(title)\n");
  scene.folder().write("tickets.flow", R"(connector tickets {
    base "https://tickets.invalid"
    auth basic
    act open_ticket(title: String) { POST "/tickets" body { title: title } }
}
)");
  const std::string file =
      config(client() + "client_secret_env = \"LAB_SECRET\"\n",
             "[tenants.lab.connectors.tickets]\nuser = \"flow\"\npassword_env = \"NOT_SET_AT_ALL\"\n");
  const Ended ended =
      run_flow({"doctor", flows, "--config", file}, {.folder = {}, .environment = {"LAB_SECRET=sim-secret"}});
  EXPECT_EQ(ended.exit_code, kFlowWrong);
  EXPECT_THAT(ended.out, HasSubstr("environment variable NOT_SET_AT_ALL is not set"));
  EXPECT_THAT(ended.out, HasSubstr("https://tickets.invalid cannot be reached"));
}

TEST_F(Doctor, ACertificateIsTried) {
  const test::MadeCertificate made = test::make_certificate({.ends_s = std::time(nullptr) + 10 * 86'400});
  scene.folder().write("app.pem", made.certificate);
  scene.folder().write("app.key", made.key);
  const std::string file =
      config(client() + fmt::format("client_certificate = \"{}\"\nclient_key = \"{}\"\n",
                                    scene.folder().path("app.pem"), scene.folder().path("app.key")));
  EXPECT_THAT(doctor(file).out, HasSubstr("[AADSTS700027]"));
  scene.control("identity", Json::object({{"certificates", Json(Json::List{made.certificate})}}).to_text());
  const Ended ended = doctor(file);
  EXPECT_EQ(ended.exit_code, kSuccess) << ended.all();
  EXPECT_THAT(ended.out, HasSubstr("was given, by a certificate"));
  EXPECT_THAT(ended.out, HasSubstr(" ends in 9 days"));
}

TEST_F(Doctor, AnExpiredCertificateIsNotSent) {
  const test::MadeCertificate made = test::make_certificate({.ends_s = 1'750'000'000});
  scene.folder().write("app.pem", made.certificate + made.key);
  const Ended ended =
      doctor(config(client() + fmt::format("client_certificate = \"{}\"\n", scene.folder().path("app.pem"))));
  EXPECT_EQ(ended.exit_code, kFlowWrong);
  EXPECT_THAT(ended.out, HasSubstr("ended at 2025-06-15T15:06:40Z"));
}

TEST_F(Doctor, TheMachinesIdentityIsTried) {
  const std::string file = config(fmt::format(
      "[tenants.lab.managed_identity]\nendpoint = \"{}/metadata/identity/oauth2/token\"\n", url()));
  EXPECT_THAT(doctor(file).out, HasSubstr("this machine has no managed identity"));
  scene.control("identity", R"({"managed_identity": true})");
  const Ended ended = doctor(file);
  EXPECT_EQ(ended.exit_code, kSuccess) << ended.all();
  EXPECT_THAT(ended.out, HasSubstr("was given, by a managed identity"));
}

TEST_F(Doctor, APersonSignsInAndFlowsActForThem) {
  const std::string file =
      config(client() + fmt::format("[tenants.lab.login]\nfile = \"{}\"\n", scene.folder().path("login")));
  EXPECT_THAT(doctor(file).out, HasSubstr("nobody has signed in"));
  scene.control("identity", R"({"device": {"answer": "approve"}})");
  const Ended in = run_flow({"login", "--config", file});
  EXPECT_EQ(in.exit_code, kSuccess) << in.all();
  EXPECT_THAT(in.out, AllOf(HasSubstr("open  https://microsoft.com/devicelogin\nenter "),
                            HasSubstr("signed in for tenant lab")));
  const Ended ended = doctor(file);
  EXPECT_EQ(ended.exit_code, kSuccess) << ended.all();
  EXPECT_THAT(ended.out, HasSubstr("by a person's sign-in"));
  std::filesystem::permissions(scene.folder().path("login"), std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_THAT(doctor(file).out, HasSubstr("can be read by others"));
}

TEST_F(Doctor, WrongIdentitiesAreNamed) {
  const std::pair<std::string, std::string> cases[] = {
      {client() + "client_secret_env = \"A\"\nclient_certificate = \"b\"\n",
       "has two credentials, a secret and a certificate"},
      {client() + "client_key = \"b\"\nclient_secret_env = \"A\"\n", "needs `client_certificate`"},
      {client() + "cloud = \"usgv\"\nclient_secret_env = \"A\"\n", "did you mean `usgov`?"},
      {client() + "[tenants.lab.federation]\n", "needs one of `token_file`"},
      {client() + "[tenants.lab.login]\n", "needs `file`"},
      {client(), "`client_certificate`, or one of the tables"}};
  for (const auto& [credential, said] : cases) {
    const Ended ended = run_flow({"config", "check", config(credential)});
    EXPECT_EQ(ended.exit_code, kWorldWrong) << credential;
    EXPECT_THAT(ended.err, HasSubstr(said));
  }
}

}  // namespace
}  // namespace flow::e2e
