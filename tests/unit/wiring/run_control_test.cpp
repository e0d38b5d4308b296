// Resuming and cancelling runs over HTTP, without a network and without a runtime.
#include "apps/server/run_control.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace flow {
namespace {

using ::testing::HasSubstr;
using What = ControlRequest::What;
using Fate = ResumeRequest::Fate;

struct Service {
  std::optional<ControlRequest> asked;
  ControlReply reply{.how = ControlReply::How::Done, .problem = {}, .run = "01A"};
  RunControl control{[] { return Result<std::string>("token"); },
                     [this](ControlRequest request, const ControlDone& done) {
                       asked = std::move(request);
                       done(reply);
                     }};

  // 0: the path is for somebody else.
  HttpAnswer ask(const std::string& target, const std::string& body = "", const std::string& method = "POST",
                 const std::string& token = "Bearer token") {
    asked.reset();
    HttpAnswer got;
    got.status = 0;
    const HttpQuestion question{
        .method = method, .target = target, .headers = {{"Authorization", token}}, .body = body};
    control.handle(question, [&](HttpAnswer answer) { got = std::move(answer); });
    return got;
  }
};

TEST(RunControl, ReadsWhatIsAsked) {
  Service service;
  EXPECT_EQ(service.ask("/api/v1/runs/01A/resume").status, 200);
  ASSERT_TRUE(service.asked);
  EXPECT_EQ(service.asked->what, What::Resume);
  EXPECT_EQ(service.asked->run, "01A");
  EXPECT_EQ(service.asked->resume.fate, Fate::Unknown);
  EXPECT_EQ(service.ask("/api/v1/runs/01A/resume", R"({"by":"ana","happened":{"id":7}})").status, 200);
  EXPECT_EQ(service.asked->resume.fate, Fate::Happened);
  EXPECT_EQ(service.asked->resume.result, R"({"id":7})");
  EXPECT_EQ(service.asked->resume.by, "ana");
  EXPECT_EQ(service.ask("/api/v1/runs/01A/resume", R"({"didNotHappen":true})").status, 200);
  EXPECT_EQ(service.asked->resume.fate, Fate::DidNotHappen);
  EXPECT_EQ(service.ask("/api/v1/runs/01A/cancel", R"({"by":"ana","reason":"why"})").body,
            R"({"run":"01A"})");
  EXPECT_EQ(service.asked->what, What::Cancel);
  EXPECT_EQ(service.asked->reason, "why");
  service.reply.run = "01B";
  EXPECT_EQ(service.ask("/api/v1/runs/01A/retry", R"({"by":"ana"})").body, R"({"run":"01B"})");
  EXPECT_EQ(service.asked->what, What::Retry);
}

TEST(RunControl, RefusesWhatItCannotRead) {
  Service service;
  for (const char* body : {"[1]", "{", R"({"by":1})", R"({"reason":"x"})", R"({"didNotHappen":false})",
                           R"({"happened":1,"didNotHappen":true})", R"({"bye":"x"})"}) {
    EXPECT_EQ(service.ask("/api/v1/runs/01A/resume", body).status, 400) << body;
    EXPECT_FALSE(service.asked);
  }
  EXPECT_THAT(service.ask("/api/v1/runs/01A/cancel", R"({"happened":1})").body,
              HasSubstr("unknown member `happened`; known are by and reason"));
  EXPECT_THAT(service.ask("/api/v1/runs/01A/retry", R"({"reason":"x"})").body,
              HasSubstr("unknown member `reason`; known is by"));
}

TEST(RunControl, OnlyForWhoHasTheToken) {
  Service service;
  EXPECT_EQ(service.ask("/api/v1/runs/01A/cancel", "", "POST", "Bearer other").status, 401);
  EXPECT_EQ(service.ask("/api/v1/runs/01A/cancel", "", "POST", "").status, 401);
  EXPECT_EQ(service.ask("/api/v1/runs/01A/cancel", "", "GET").status, 405);
  EXPECT_FALSE(service.asked);
  for (const char* other : {"/api/v1/runs/01A", "/api/v1/runs//cancel", "/api/v1/runs/01A/delete",
                            "/api/v1/runs/01A/cancel/x", "/api/v1/runs/%zz/cancel", "/hooks/x"})
    EXPECT_EQ(service.ask(other).status, 0) << other;
  const RunControl off({}, [](const ControlRequest&, const ControlDone&) { FAIL(); });
  EXPECT_FALSE(off.handle({.method = "POST", .target = "/api/v1/runs/01A/cancel", .headers = {}, .body = {}},
                          [](const HttpAnswer&) { FAIL(); }));
}

TEST(RunControl, SaysWhatCameOfIt) {
  Service service;
  service.reply = {.how = ControlReply::How::NotFound, .problem = "there is no run `01A`", .run = {}};
  EXPECT_EQ(service.ask("/api/v1/runs/01A/cancel").status, 404);
  service.reply = {.how = ControlReply::How::Refused, .problem = "run `01A` is over: finished", .run = {}};
  const HttpAnswer refused = service.ask("/api/v1/runs/01A/cancel");
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("is over: finished"));
  service.reply = {};
  EXPECT_EQ(service.ask("/api/v1/runs/01A/cancel").status, 503);
}

TEST(RunControl, TheCommandLineSaysItSo) {
  Service service;
  const ControlRequest request{.what = What::Resume,
                               .run = "01 A",
                               .resume = {.fate = Fate::Happened, .result = "[1]", .by = "\"ana\""},
                               .reason = {}};
  EXPECT_EQ(service.ask(control_path(request), control_body(request)).status, 200);
  EXPECT_EQ(service.asked->run, "01 A");
  EXPECT_EQ(service.asked->resume.result, "[1]");
  EXPECT_EQ(service.asked->resume.by, "\"ana\"");
}

}  // namespace
}  // namespace flow
