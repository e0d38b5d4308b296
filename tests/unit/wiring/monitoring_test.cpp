// /health, /ready, /metrics and the log as JSON, without a network and without a runtime.
#include "apps/server/monitoring.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "apps/server/config.hpp"
#include "apps/server/json_log.hpp"
#include "runtime/json_text.hpp"

namespace flow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Watched {
  std::uint64_t turns = 1;
  bool is_ready = false;
  std::int64_t now_us = 0;
  std::string text = "flow_ready 1\n";
  MonitoringOptions options;
  std::unique_ptr<Monitoring> monitoring;

  explicit Watched(bool is_open = true, SecretProvider token = {}) {
    options.is_open = is_open;
    options.token = std::move(token);
    options.turns = [this] { return turns; };
    options.is_ready = [this] { return is_ready; };
    options.now_us = [this] { return now_us; };
    options.metrics = [this](const std::function<void(std::string)>& done) { done(text); };
    options.store_metrics = [] { return Result<std::string>("flow_store_bytes 7\n"); };
    monitoring = std::make_unique<Monitoring>(options);
  }
  HttpAnswer ask(const std::string& target, const std::string& token = "",
                 const std::string& method = "GET") {
    HttpAnswer got;
    got.status = 0;  // for somebody else
    const HttpQuestion question{
        .method = method, .target = target, .headers = {{"Authorization", token}}, .body = {}};
    monitoring->handle(question, [&](HttpAnswer answer) { got = std::move(answer); });
    return got;
  }
};

TEST(Health, IsThatTheLoopTurns) {
  Watched watched;
  EXPECT_EQ(watched.ask("/health").status, 200);
  watched.now_us += Monitoring::kHangsAfterUs - 1;
  EXPECT_EQ(watched.ask("/health").status, 200);
  watched.now_us += 1;
  EXPECT_EQ(watched.ask("/health").status, 503) << "not once in so long";
  ++watched.turns;
  EXPECT_EQ(watched.ask("/health?x=1").status, 200);
  EXPECT_EQ(watched.ask("/health", "", "HEAD").status, 200);
  EXPECT_EQ(watched.ask("/health", "", "POST").status, 405);
}

TEST(Ready, IsWhatTheRuntimeSays) {
  Watched watched;
  EXPECT_EQ(watched.ask("/ready").status, 503);
  watched.is_ready = true;
  EXPECT_EQ(watched.ask("/ready").status, 200);
}

TEST(MetricsPage, IsForWhoMaySeeIt) {
  Watched open;
  const HttpAnswer answer = open.ask("/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "flow_ready 1\nflow_store_bytes 7\n");
  EXPECT_EQ(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
  open.text.clear();
  EXPECT_EQ(open.ask("/metrics").status, 503) << "it stops";
  Watched guarded(false, [] { return Result<std::string>("secret"); });
  EXPECT_EQ(guarded.ask("/metrics").status, 401);
  EXPECT_EQ(guarded.ask("/metrics", "Bearer other").status, 401);
  EXPECT_EQ(guarded.ask("/metrics", "Bearer secret").status, 200);
  EXPECT_EQ(guarded.ask("/health").status, 200) << "says nothing of anybody";
  Watched none(false);
  EXPECT_EQ(none.ask("/metrics").status, 0);
  EXPECT_EQ(none.ask("/other").status, 0);
}

std::string mistake(const std::string& text) {
  const auto config = parse_config(
      "flow.toml", text + "[tenants.a]\ntenant_id = \"t\"\nclient_id = \"c\"\nclient_secret_env = \"S\"\n");
  return config ? "" : config.error().message;
}

TEST(MonitoringConfiguration, MistakesAreToldOf) {
  const std::string http = "[http]\nlisten = \"127.0.0.1:1\"\n";
  EXPECT_EQ(mistake(http + "[metrics]\naccess = \"open\"\n"), "");
  EXPECT_EQ(mistake(http + "[metrics]\ntoken_env = \"T\"\n"), "");
  EXPECT_THAT(mistake(http + "[metrics]\n"), HasSubstr("either `token_env` or `token_file`, or `access"));
  EXPECT_THAT(mistake(http + "[metrics]\ntoken_env = \"T\"\naccess = \"open\"\n"),
              HasSubstr("either `token_env` or `token_file`, or `access"));
  EXPECT_THAT(mistake("[metrics]\naccess = \"open\"\n"), HasSubstr("need `[http]` with `listen`"));
  EXPECT_EQ(mistake("[log]\nformat = \"json\"\n"), "");
  EXPECT_THAT(mistake("[log]\nformat = \"xml\"\n"), HasSubstr("`format` must be one of text, json"));
  EXPECT_THAT(mistake("[log]\nlevel = \"info\"\n"), HasSubstr("level"));
}

class FixedClock final : public Clock {
 public:
  std::int64_t now_us() const override { return 1'795'000'000'000'000; }
};

// What the log has when `tell` was told.
template <class Tell>
std::vector<std::string> lines_of(bool quiet, const Tell& tell) {
  std::FILE* const file = std::tmpfile();
  const FixedClock clock;
  JsonLog log(clock, quiet, file);
  tell(log);
  std::fflush(file);
  std::rewind(file);
  std::vector<std::string> lines;
  for (char line[4096]; std::fgets(line, sizeof line, file) != nullptr;) lines.emplace_back(line);
  std::fclose(file);
  for (const std::string& line : lines) EXPECT_TRUE(is_json(line)) << line;
  return lines;
}

TEST(JsonLog, IsOneObjectALine) {
  RunRow run;
  run.id = "01A";
  run.tenant = "contoso";
  run.flow = "isolate";
  run.trigger = "defender.alert.new";
  run.key = "da1";
  run.created_us = 1'000'000;
  const auto tell = [&](JsonLog& log) {
    log.note(LogEvent::Listening, {.flow = {}, .message = "http://127.0.0.1:1"});
    log.run_started(run);
    log.run_step(run, {run.id, 1, 2, 0, encode_entry(IntentEntry{0, 1, "mail.mail", "{}", 7})});
    log.run_step(run,
                 {run.id, 2, 4, 0,
                  encode_entry(OutcomeEntry{0, Fault{.kind = FaultKind::Forbidden, .message = "a\n\"b\""}})});
    RunRow over = run;
    over.state = RunState::Failed;
    over.ended_us = 3'500'000;
    over.reason = "no luck";
    over.fault = "Forbidden";
    over.line = 7;
    log.run_ended(over);
    log.health({HealthEvent::Kind::StoreFailed, "", "store", "the disk is full"});
  };
  const std::string head = R"({"time":"2026-11-18T11:06:40Z","level":)";
  const std::string who = R"("tenant":"contoso","flow":"isolate","run":"01A")";
  const std::vector<std::string> lines = lines_of(false, tell);
  EXPECT_THAT(
      lines,
      ElementsAre(
          head + R"("info","event":"listening","message":"http://127.0.0.1:1"})" + "\n",
          head + R"("info","event":"run_started",)" + who +
              R"(,"trigger":"defender.alert.new","key":"da1"})" + "\n",
          head + R"("info","event":"call_sent",)" + who +
              R"(,"operation":"mail.mail","call":0,"attempt":1,"line":7})" + "\n",
          head + R"("warning","event":"call_answered",)" + who +
              R"(,"operation":"mail.mail","call":0,"fault":"Forbidden","message":"a\n\"b\""})" + "\n",
          head + R"("warning","event":"run_ended",)" + who +
              R"(,"state":"failed","duration_ms":2500,"line":7,"fault":"Forbidden","message":"no luck"})" +
              "\n",
          head +
              R"("error","event":"health","kind":"store_failed","subject":"store","message":"the disk is full"})" +
              "\n"));
  EXPECT_EQ(lines_of(true, tell).size(), 3u) << "quiet: problems only";
}

}  // namespace
}  // namespace flow
