// People and other services that a run waits for, with the real service: mails of the pretend tenant, the
// pages behind their links, the API, the command line.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/cli/exit_code.hpp"
#include "scene.hpp"
#include "tests/unit/sim/raw_client.hpp"

namespace flow::e2e {
namespace {

using sim::RawClient;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

constexpr const char* kFlows = R"(
flow guarded on manual (machine: String) do {
  let ok = approve(by: ["ann@contoso.com", "bob@contoso.com"], subject: "Isolate {machine}?",
                   details: html"<p>It <b>mines</b>: {machine}</p>") within 3h else false
  log "approved {ok}"
}
flow choosing on manual (machine: String) do {
  let what = ask(to: "ann@contoso.com", question: "What now?", options: ["Isolate", "Ignore"]) within 3h else "Ignore"
  log "chosen {what}"
}
flow hasty on manual (machine: String) do {
  let ok = approve(by: "ann@contoso.com", subject: "Quick?") within 1s else false
  log "approved {ok}"
}
flow called on manual (machine: String) do {
  let answer = receive("callback") within 2h
  log "got {answer}"
}
)";

class WithPeople : public testing::Test {
 protected:
  void SetUp() override {
    const std::string url = fmt::format("http://127.0.0.1:{}", scene.tenant().port());
    flows = scene.folder().write("people.flow", kFlows);
    config = fmt::format(R"([http]
listen = "127.0.0.1:{{0}}"
url = "https://flow.contoso.com/"

[api]
token_env = "TEST_API_TOKEN"

[tenants.sim]
tenant_id = "7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3"
client_id = "0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846"
client_secret_env = "TEST_SECRET"
authority = "{0}"

[tenants.sim.bases]
defender = "{0}"
graph = "{0}"

[tenants.sim.mail]
sender = "soc-bot@contoso.com"
)",
                         url);
    environment = {"TEST_API_TOKEN=api token", "TEST_SECRET=sim-secret"};
    serve();
  }
  void serve() {
    file = scene.folder().write("flow.toml", fmt::format(fmt::runtime(config), port));
    service = std::make_unique<Process>("flow",
                                        Arguments{"serve", flows, "--config", file, "--store", scene.store()},
                                        ProcessOptions{.folder = {}, .environment = environment});
    ASSERT_TRUE(eventually([&] { return service->out().find("listening at") != std::string::npos; }))
        << service->err();
    const std::string said = service->out(), before = "listening at http://127.0.0.1:";
    port = static_cast<std::uint16_t>(std::stoi(said.substr(said.find(before) + before.size())));
    scene.folder().write("flow.toml", fmt::format(fmt::runtime(config), port));
  }
  std::string ask(const std::string& method, const std::string& path, const std::string& body = "",
                  const std::string& headers = "") {
    RawClient client(port);
    client.send(
        fmt::format("{} {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {}\r\n{}\r\n{}",
                    method, path, body.size(), headers, body));
    return client.read_all();
  }
  std::string api(const std::string& method, const std::string& path, const std::string& body = "") {
    return ask(method, path, body, "Authorization: Bearer api token\r\n");
  }
  // A run that waits: its question's ID, once it has one.
  std::string start(const std::string& flow, std::size_t mails) {
    EXPECT_THAT(api("POST", "/api/v1/flows/" + flow + "/runs", R"({"arguments":{"machine":"<b>m1</b>"}})"),
                StartsWith("HTTP/1.1 202 "));
    EXPECT_TRUE(eventually([&] { return scene.list("mails").size() >= mails; })) << service->err();
    const std::string listed = api("GET", "/api/v1/questions");
    const std::size_t at = listed.find(R"("id":")");
    return at == std::string::npos ? listed : listed.substr(at + 6, listed.find('"', at + 6) - at - 6);
  }
  // The paths of the links in the mail to this person, one for each answer.
  std::vector<std::string> links(const std::string& person) {
    std::vector<std::string> paths;
    for (const Json& mail : scene.list("mails")) {
      if (mail["to"].items().at(0).text() != person) continue;
      const std::string html(mail["html"].text()), start = "href=\"https://flow.contoso.com/answer/";
      for (std::size_t at = html.find(start); at != std::string::npos; at = html.find(start, at + 1)) {
        const std::size_t from = at + start.size();
        paths.push_back("/answer/" + html.substr(from, html.find('"', from) - from));
      }
    }
    return paths;
  }
  std::vector<std::string> logs() {
    std::vector<std::string> texts;
    for (const RunRow& run : scene.runs())
      for (const RunStep& step : scene.steps(run.id))
        if (step.kind == EntryKind::Log) texts.push_back(step.text);
    return texts;
  }
  void expect_clean_end() {
    service->send(SIGTERM);
    const Ended ended = service->wait(20s);
    EXPECT_EQ(ended.exit_code, kSuccess) << ended.all();
  }

  Scene scene;
  std::string flows, config, file;
  std::vector<std::string> environment;
  std::unique_ptr<Process> service;
  std::uint16_t port = 0;
};

TEST_F(WithPeople, AMailArrivesItsLinkIsOpenedItsFormDecidesAndTheRunGoesOn) {
  start("guarded", 2);
  const std::vector<std::string> ann = links("ann@contoso.com"), bob = links("bob@contoso.com");
  ASSERT_EQ(ann.size(), 2u);
  ASSERT_EQ(bob.size(), 2u);
  EXPECT_NE(ann[0], bob[0]);
  for (int i = 0; i < 3; ++i) {  // as those do that scan mails
    const std::string page = ask("GET", ann[0]);
    EXPECT_THAT(page, StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(page, HasSubstr("<h1>Isolate &lt;b&gt;m1&lt;/b&gt;?</h1>"));
    EXPECT_THAT(page, HasSubstr("<p>It <b>mines</b>: &lt;b&gt;m1&lt;/b&gt;</p>"));
    EXPECT_THAT(page, HasSubstr("flow guarded of tenant sim"));
    EXPECT_THAT(page, HasSubstr("Your answer: approve"));
    EXPECT_THAT(page, HasSubstr("Content-Security-Policy: default-src 'none'; style-src 'self'; form-action "
                                "'self'; base-uri 'none'; frame-ancestors 'none'"));
    EXPECT_THAT(page, HasSubstr("Referrer-Policy: no-referrer"));
    EXPECT_THAT(page, HasSubstr("Cache-Control: no-store"));
    EXPECT_THAT(ask("HEAD", ann[0]), StartsWith("HTTP/1.1 200 "));
  }
  EXPECT_THAT(ask("POST", ann[0], "other=1"), StartsWith("HTTP/1.1 400 ")) << "only the page's form decides";
  EXPECT_THAT(ask("PUT", ann[0], "confirm=yes"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(ask("POST", ann[0], std::string(5000, 'x')), StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(scene.runs().at(0).state, RunState::Running) << "nothing is decided yet";
  EXPECT_THAT(ask("POST", ann[0], "confirm=yes"), AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("Recorded")));
  ASSERT_TRUE(eventually([&] { return scene.all_over(1); }));
  EXPECT_THAT(logs(), testing::ElementsAre("approved true"));
  for (const std::string& link : {ann[0], ann[1], bob[1]})  // each is good for one answer in all
    for (const char* method : {"GET", "POST"})
      EXPECT_THAT(ask(method, link, "confirm=yes"),
                  AllOf(StartsWith("HTTP/1.1 409 "), HasSubstr("ann@contoso.com has answered")));
  EXPECT_THAT(api("GET", "/api/v1/questions?state=all"),
              AllOf(HasSubstr(R"("state":"answered")"), HasSubstr(R"("by":"ann@contoso.com")"),
                    HasSubstr(R"("via":"link")")));
  EXPECT_THAT(ask("GET", "/style.css"), HasSubstr("text/css"));
  expect_clean_end();
}

TEST_F(WithPeople, ALinkThatIsNotOursSaysNothing) {
  const std::string id = start("guarded", 2);
  const std::string link = links("ann@contoso.com").at(0);
  const std::string unknown = ask("GET", "/answer/whatever");
  EXPECT_THAT(unknown, AllOf(StartsWith("HTTP/1.1 404 "), Not(HasSubstr("Isolate"))));
  const auto body_of = [](const std::string& answer) { return answer.substr(answer.find("\r\n\r\n")); };
  std::string other_option = link;
  other_option.replace(link.find(".0.0."), 5, ".0.1.");
  std::string other_person = link;
  other_person.replace(link.find(".0.0."), 5, ".1.0.");
  for (const std::string& forged :
       {other_option, other_person, link + "A", link.substr(0, link.size() - 1), "/answer/" + id,
        std::string("/answer/"), "/answer/" + std::string(2000, 'A'), std::string("/answer/%00%ff'<script>")})
    for (const char* method : {"GET", "POST"}) {
      const std::string answer = ask(method, forged, "confirm=yes");
      EXPECT_THAT(answer, StartsWith("HTTP/1.1 404 ")) << forged;
      EXPECT_EQ(body_of(answer), body_of(unknown)) << forged;
    }
  EXPECT_EQ(scene.runs().at(0).state, RunState::Running);
  expect_clean_end();
}

TEST_F(WithPeople, LinksAreGoodAfterARestartAndTheRunGoesOn) {
  start("guarded", 2);
  const std::string refuse = links("bob@contoso.com").at(1);
  service->kill();
  serve();
  EXPECT_THAT(ask("POST", refuse, "confirm=yes"), StartsWith("HTTP/1.1 200 "));
  ASSERT_TRUE(eventually([&] { return scene.all_over(1); }));
  EXPECT_THAT(logs(), testing::ElementsAre("approved false"));
  EXPECT_EQ(scene.list("mails").size(), 2u) << "nobody is told twice";
  expect_clean_end();
}

TEST_F(WithPeople, WithoutAnAnswerInTimeTheFlowGoesOnWithElse) {
  start("hasty", 1);
  ASSERT_TRUE(eventually([&] { return scene.all_over(1); }));
  EXPECT_THAT(logs(), testing::ElementsAre("approved false"));
  for (const std::string& link : links("ann@contoso.com"))
    EXPECT_THAT(ask("POST", link, "confirm=yes"), StartsWith("HTTP/1.1 410 "));
  expect_clean_end();
}

TEST_F(WithPeople, TheApiAnswersForThoseWhoWereAsked) {
  const std::string id = start("choosing", 1), path = "/api/v1/questions/" + id;
  EXPECT_THAT(ask("GET", "/api/v1/questions"), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(
      ask("POST", path, R"({"answer":"Isolate","by":"ann@contoso.com"})", "Authorization: Bearer wrong\r\n"),
      StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(api("GET", path),
              AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr(R"("options":["Isolate","Ignore"])")));
  EXPECT_THAT(api("POST", path, "{"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(api("POST", path, R"({"answer":"Isolate"})"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(api("POST", path, R"({"answer":"Isolate","by":"eve@contoso.com"})"),
              StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(api("POST", path, R"({"answer":"Isolat","by":"ann@contoso.com"})"),
              AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("did you mean `Isolate`?")));
  EXPECT_THAT(api("POST", path + "0", R"({"answer":"Isolate","by":"ann@contoso.com"})"),
              StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(api("POST", path, R"({"answer":"Isolate","by":"ann@contoso.com"})"),
              AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr(R"("via":"api")")));
  EXPECT_THAT(api("POST", path, R"({"answer":"Ignore","by":"ann@contoso.com"})"),
              StartsWith("HTTP/1.1 409 "));
  ASSERT_TRUE(eventually([&] { return scene.all_over(1); }));
  EXPECT_THAT(logs(), testing::ElementsAre("chosen Isolate"));
  expect_clean_end();
}

TEST_F(WithPeople, TheCommandLineAsksTheServiceOrWritesToTheStore) {
  const std::string id = start("guarded", 2);
  const ProcessOptions options{.folder = {}, .environment = environment};
  const Arguments store{"--store", scene.store(), "--config", file};
  const auto command = [&](Arguments words) {
    words.insert(words.end(), store.begin(), store.end());
    return run_flow(words, options);
  };
  EXPECT_THAT(command({"questions", "list"}).out,
              AllOf(HasSubstr(id), HasSubstr("to ann@contoso.com, bob@contoso.com: approve, refuse")));
  const Ended locked =
      run_flow({"approve", id, "--by", "ann@contoso.com", "--store", scene.store()}, options);
  EXPECT_EQ(locked.exit_code, kWorldWrong);
  EXPECT_THAT(locked.err, HasSubstr("--config"));
  const Ended wrong = command({"approve", id, "--by", "eve@contoso.com"});
  EXPECT_EQ(wrong.exit_code, kUsage);
  EXPECT_THAT(wrong.err, HasSubstr("was not asked"));
  const Ended approved = command({"approve", id, "--by", "ann@contoso.com"});
  EXPECT_EQ(approved.exit_code, kSuccess) << approved.all();
  ASSERT_TRUE(eventually([&] { return scene.all_over(1); }));
  EXPECT_THAT(command({"questions", "list"}).out, HasSubstr("no questions"));
  EXPECT_THAT(command({"questions", "list", "--all"}).out,
              HasSubstr("approve by ann@contoso.com (command line)"));
  const std::string second = start("guarded", 4);
  expect_clean_end();
  const Ended refused = command({"questions", "answer", second, "refuse", "--by", "bob@contoso.com"});
  EXPECT_EQ(refused.exit_code, kSuccess) << refused.all();
  EXPECT_EQ(command({"approve", second, "--by", "ann@contoso.com"}).exit_code, kUsage) << "bob was first";
  serve();
  ASSERT_TRUE(eventually([&] { return scene.all_over(2); }));
  EXPECT_THAT(logs(), testing::UnorderedElementsAre("approved true", "approved false"));
  expect_clean_end();
}

TEST_F(WithPeople, AMessageWakesTheRunThatWaitsForIt) {
  start("called", 0);
  ASSERT_TRUE(eventually([&] { return scene.runs().size() == 1; }));
  const std::string run = scene.runs().at(0).id, path = "/api/v1/runs/" + run + "/messages/callback";
  EXPECT_THAT(ask("POST", path, "{}"), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(api("GET", path), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(api("POST", path, "{"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(api("POST", "/api/v1/runs/01ABC/messages/callback", "{}"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(api("POST", path, R"({"ticket":7})"), StartsWith("HTTP/1.1 202 "));
  ASSERT_TRUE(eventually([&] { return scene.all_over(1); }));
  EXPECT_THAT(logs().at(0), AllOf(HasSubstr("ticket"), HasSubstr("7")));
  EXPECT_THAT(api("POST", path, "{}"), StartsWith("HTTP/1.1 410 "));
  expect_clean_end();
}

}  // namespace
}  // namespace flow::e2e
