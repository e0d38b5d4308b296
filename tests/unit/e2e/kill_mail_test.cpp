// Exactly one mail: the service is killed at every commit, and while a request of the mail is out, for each
// service that can say whether it has the mail. Of Graph's drafts also between the draft and its sending.
// What arrived is read from the tenant's record.
#include <gtest/gtest.h>

#include <algorithm>

#include "scene.hpp"

namespace flow::e2e {
namespace {

using namespace std::chrono_literals;

constexpr const char* kHighAlert = R"({"severity": "High"})";
constexpr int kMostDeaths = 100;
constexpr const char* kCreate = "POST /v1.0/users/*/messages";
constexpr const char* kSend = "POST /v1.0/users/*/send";

struct MailScene {
  explicit MailScene(std::string route) : via(std::move(route)) {
    file = scene.folder().write(
        "tell.flow",
        "on alert.new when severity == High do mail(\"soc@contoso.com\", \"High: {title}\", "
        "\"{alertId}\")\n");
    scene.inject(kHighAlert);
  }

  Arguments serve(const Arguments& more = {}) const {
    Arguments all{"--mail", via};
    all.insert(all.end(), more.begin(), more.end());
    return scene.serve({file}, all);
  }
  // Until its run is over, if it lives that long.
  bool live(int crash_at = 0) {
    Process service("flow", serve({"--crash-at-append", std::to_string(crash_at)}));
    EXPECT_TRUE(eventually([&] { return !service.is_running() || scene.all_over(1); }, 120s))
        << service.out() << service.err();
    const bool has_survived = service.is_running();
    service.kill();
    return has_survived;
  }
  // Killed as soon as the tenant has seen a request of this operation.
  void die_during(const std::string& operation) {
    Process service("flow", serve());
    EXPECT_TRUE(eventually([&] { return scene.requests(operation) > 0; })) << service.out() << service.err();
    service.kill();
  }
  void fault(const std::string& match, const std::string& what) {
    scene.control("faults", R"({"match": ")" + match + "\", " + what + "}");
  }
  void expect_one_mail() {
    const std::vector<RunRow> runs = scene.runs();
    ASSERT_EQ(runs.size(), 1u);
    EXPECT_EQ(runs[0].state, RunState::Finished) << runs[0].reason;
    // A mail of Azure Communication Services leaves when its operation is over.
    EXPECT_TRUE(eventually([&] { return !scene.list("mails").empty(); }, 10s));
    const sim::Json::List mails = scene.list("mails");
    ASSERT_EQ(mails.size(), 1u);
    EXPECT_TRUE(via.starts_with(mails[0]["via"].text())) << mails[0]["via"].text();
    EXPECT_TRUE(scene.list("drafts").empty());
  }

  Scene scene;
  std::string via, file;
};

class KillMail : public testing::TestWithParam<const char*> {};

TEST_P(KillMail, AtEveryAppendOneMailArrives) {
  int n = 1;
  for (; n < kMostDeaths && !HasFailure(); ++n) {
    SCOPED_TRACE("killed at append " + std::to_string(n));
    MailScene mail(GetParam());
    const bool has_died = !mail.live(n);
    EXPECT_TRUE(mail.live());
    mail.expect_one_mail();
    if (!has_died) break;
  }
  EXPECT_GT(n, 4) << "a mail has more commits than that";
  EXPECT_LT(n, kMostDeaths);
}

INSTANTIATE_TEST_SUITE_P(By, KillMail, testing::Values("graph", "graph-draft", "gmail", "acs"),
                         [](const auto& each) {
                           std::string name = each.param;
                           std::erase(name, '-');
                           return name;
                         });

// ---- Drafts: what can happen between the two requests, and to each

struct Mishap {
  const char* name;
  const char* match;
  const char* what;
};
void PrintTo(const Mishap& mishap, std::ostream* out) {
  *out << mishap.name;
}

class DraftMishaps : public testing::TestWithParam<Mishap> {};

TEST_P(DraftMishaps, LeadToOneMail) {
  MailScene mail("graph-draft");
  mail.fault(GetParam().match, GetParam().what);
  EXPECT_TRUE(mail.live());
  mail.expect_one_mail();
}

INSTANTIATE_TEST_SUITE_P(
    Each, DraftMishaps,
    testing::Values(Mishap{"CreateNeverArrives", kCreate, R"("reset": "before")"},
                    Mishap{"CreateIsNotAnswered", kCreate, R"("reset": "after")"},
                    Mishap{"CreateFails", kCreate, R"("status": 503)"},
                    Mishap{"CreateFailsAndHappened", kCreate, R"("status": 504, "executes": true)"},
                    Mishap{"CreateIsAnsweredByNonsense", kCreate, R"("body": "malformed")"},
                    Mishap{"SendNeverArrives", kSend, R"("reset": "before")"},
                    Mishap{"SendIsNotAnswered", kSend, R"("reset": "after")"},
                    Mishap{"SendFails", kSend, R"("status": 503)"},
                    Mishap{"SendFailsAndHappened", kSend, R"("status": 504, "executes": true)"},
                    Mishap{"SendFailsTwice", kSend, R"("status": 500, "times": 2)"},
                    Mishap{"SendIsThrottled", kSend, R"("status": 429, "retry_after": 1)"}),
    [](const auto& each) { return each.param.name; });

struct Death {
  const char* name;
  const char* match;
  const char* what;       // the answer waits, so that the service dies before it
  const char* operation;  // that is out when it dies
};
void PrintTo(const Death& death, std::ostream* out) {
  *out << death.name;
}

class DraftDeaths : public testing::TestWithParam<Death> {};

TEST_P(DraftDeaths, LeadToOneMail) {
  MailScene mail("graph-draft");
  mail.fault(GetParam().match, GetParam().what);
  mail.die_during(GetParam().operation);
  EXPECT_TRUE(mail.live());
  mail.expect_one_mail();
}

TEST_P(DraftDeaths, TwiceInARowLeadToOneMail) {
  MailScene mail("graph-draft");
  mail.fault(GetParam().match, GetParam().what);
  mail.die_during(GetParam().operation);
  mail.live(3);
  mail.fault("GET /v1.0/users/*/messages", R"("delay_ms": 2000)");
  mail.live(2);
  EXPECT_TRUE(mail.live());
  mail.expect_one_mail();
}

INSTANTIATE_TEST_SUITE_P(
    Each, DraftDeaths,
    testing::Values(
        Death{"WhileTheDraftIsMade", kCreate, R"("delay_ms": 20000)", "graph.createDraft"},
        Death{"WhileTheDraftIsNotMade", kCreate, R"("delay_ms": 20000, "status": 503)", "graph.createDraft"},
        Death{"WhileTheDraftIsSent", kSend, R"("delay_ms": 20000)", "graph.sendDraft"},
        Death{"WhileTheDraftIsNotSent", kSend, R"("delay_ms": 20000, "status": 503)", "graph.sendDraft"}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace flow::e2e
