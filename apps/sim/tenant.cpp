#include "apps/sim/tenant.hpp"

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>

#include "apps/server/http_server.hpp"
#include "apps/sim/model.hpp"
#include "apps/sim/recording.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/smtp_server.hpp"
#include "apps/sim/upstream.hpp"

namespace flow {
namespace {

class SystemClock final : public Clock {
 public:
  std::int64_t now_us() const override {
    using namespace std::chrono;
    return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
  }
};

sim::TenantOptions tenant_options(const SimOptions& options) {
  sim::TenantOptions tenant;
  tenant.tenant_id = options.tenant_id;
  tenant.client_id = options.client_id;
  tenant.client_secret = options.client_secret;
  tenant.roles = options.roles;
  tenant.machines = options.machines;
  tenant.action_seconds = options.action_seconds;
  tenant.token_seconds = options.token_seconds;
  tenant.has_quota = options.has_quota;
  tenant.speed = options.speed;
  return tenant;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return error(path + ": cannot be opened");
  return std::string{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Status write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  return file ? Status() : error(path + ": cannot be written");
}

Status load_alerts(sim::Tenant& tenant, const std::string& path) {
  FLOW_TRY(const std::string text, read_file(path));
  if (const Status status = tenant.load_alerts(text); !status)
    return error(path + ": " + status.error().message);
  return {};
}

Status load_scenario(sim::Tenant& tenant, const std::string& path) {
  FLOW_TRY(const std::string text, read_file(path));
  if (const Status status = tenant.load_scenario(text); !status)
    return error(path + ":" + status.error().message);
  return {};
}

Status check_options(const SimOptions& options) {
  if (!(options.speed >= 1) || options.speed > 3600)
    return error("the speed must be a number from 1 to 3600");
  if (!options.replay_file.empty() && !(options.record_file.empty() && options.upstream.empty()))
    return error(
        "a recording is either made or played, not both: give --replay without --record and --upstream");
  if (!options.upstream.empty() && options.record_file.empty())
    return error("--upstream is there to be recorded: name the file with --record");
  return {};
}

bool is_control(const HttpQuestion& question) {
  return question.target.starts_with("/sim/") || question.target == "/sim";
}

}  // namespace

// The tenant belongs to the HTTP server's thread; SMTP hands its mails over to it. So SMTP stops first.
struct Sim::Impl {
  Impl(const SimOptions& options) : random(options.seed), tenant(tenant_options(options), clock, random) {}

  sim::SmtpSession::Hooks smtp_hooks() {
    sim::SmtpSession::Hooks hooks;
    hooks.deliver = [this](sim::SmtpEnvelope envelope, const std::string& message) {
      sim::MailMessage mail = sim::parse_mail(message);
      http->call([&] { tenant.receive(envelope.from, envelope.to, std::move(mail)); });
    };
    hooks.fault = [this](std::string_view command) {
      std::optional<sim::SmtpFault> fault;
      http->call([&] { fault = tenant.smtp_fault(command); });
      return fault;
    };
    // In the clear any login is right unless one is set; where it can be read by nobody it is looked at.
    hooks.is_token = [this](std::string_view, std::string_view token) {
      bool is_good = false;
      http->call([&] { is_good = tenant.is_mail_token(token); });
      return is_good;
    };
    return hooks;
  }

  Status open_recordings(const SimOptions& options) {
    if (!options.record_file.empty()) {
      FLOW_TRY(recorder, sim::Recorder::create(options.record_file));
    }
    if (!options.upstream.empty()) {
      FLOW_TRY(upstream, sim::Upstream::make(options.upstream));
    }
    if (options.replay_file.empty()) return {};
    FLOW_TRY(const std::string text, read_file(options.replay_file));
    auto read = sim::Replay::read(text);
    if (!read) return error(options.replay_file + ": " + read.error().message);
    replay = std::move(*read);
    return {};
  }

  void answer(const HttpQuestion& question, const HttpServer::Reply& reply) {
    const bool is_sign_in = sim::is_sign_in(question.target);
    if (is_control(question) || (is_sign_in && upstream == nullptr)) return reply(tenant.handle(question));
    if (replay) return reply(replay->answer(question));
    if (upstream == nullptr) return reply(recorded(question, tenant.handle(question)));
    if (is_sign_in) return reply(no_sign_in());
    upstream->ask(question,
                  [this, question, reply](HttpAnswer given) { reply(recorded(question, std::move(given))); });
  }

  HttpAnswer recorded(const HttpQuestion& question, HttpAnswer given) {
    if (!recorder) return given;
    const Status status = recorder->add(question, given, clock.now_us());
    if (!status) std::fprintf(stderr, "error: %s\n", status.error().message.c_str());
    return given;
  }

  static HttpAnswer no_sign_in() {
    HttpAnswer answer;
    answer.status = 400;
    answer.body =
        R"({"error":"invalid_request","error_description":"Requests are passed on to a real API: sign in at its own authority."})";
    return answer;
  }

  SystemClock clock;
  sim::SeededRandom random;
  sim::Tenant tenant;
  std::optional<sim::Recorder> recorder;
  std::optional<sim::Replay> replay;
  std::unique_ptr<sim::Upstream> upstream;
  std::unique_ptr<HttpServer> http;
  std::shared_ptr<sim::TlsIdentity> identity;
  std::unique_ptr<sim::SmtpServer> smtp, smtps;
};

Sim::Sim(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Sim::~Sim() {
  stop();
}

Result<std::unique_ptr<Sim>> Sim::start(SimOptions options) {
  FLOW_TRY_STATUS(check_options(options));
  auto impl = std::make_unique<Impl>(options);
  if (!options.alerts_file.empty()) FLOW_TRY_STATUS(load_alerts(impl->tenant, options.alerts_file));
  if (!options.scenario_file.empty()) FLOW_TRY_STATUS(load_scenario(impl->tenant, options.scenario_file));
  FLOW_TRY_STATUS(impl->open_recordings(options));
  HttpServerOptions http;
  http.port = options.port;
  http.body_limit = 24u << 20;  // a mail with attachments, a file of alerts, a file for the library
  HttpServer::LaterHandler handler = [raw = impl.get()](const HttpQuestion& question,
                                                        HttpServer::Reply reply) {
    raw->answer(question, reply);
  };
  FLOW_TRY(impl->http, HttpServer::start(http, std::move(handler)));
  FLOW_TRY(impl->identity, sim::TlsIdentity::make());
  if (!options.ca_file.empty()) FLOW_TRY_STATUS(write_file(options.ca_file, impl->identity->authority()));
  sim::SmtpServerOptions smtp;
  smtp.port = options.smtp_port;
  smtp.identity = impl->identity;
  smtp.session.offers_tls = true;
  smtp.session.requires_tls = options.smtp_requires_tls;
  smtp.session.user = options.smtp_user;
  smtp.session.password = options.smtp_password;
  smtp.session.requires_login = options.smtp_requires_login;
  FLOW_TRY(impl->smtp, sim::SmtpServer::start(smtp, impl->smtp_hooks()));
  smtp.port = options.smtps_port;
  smtp.session.is_secure = true;
  FLOW_TRY(impl->smtps, sim::SmtpServer::start(smtp, impl->smtp_hooks()));
  return std::unique_ptr<Sim>(new Sim(std::move(impl)));
}

std::uint16_t Sim::port() const {
  return impl_->http->port();
}
std::uint16_t Sim::smtp_port() const {
  return impl_->smtp->port();
}
std::uint16_t Sim::smtps_port() const {
  return impl_->smtps->port();
}
const std::string& Sim::authority() const {
  return impl_->identity->authority();
}
std::string Sim::url() const {
  return "http://127.0.0.1:" + std::to_string(port());
}

SimAnswer Sim::ask(std::string method, std::string target, std::string body) {
  SimAnswer answer;
  const HttpQuestion question{std::move(method), std::move(target), {}, std::move(body)};
  impl_->http->call([&] {
    HttpAnswer given = impl_->tenant.handle(question);
    answer = {given.status, std::move(given.body)};
  });
  return answer;
}

void Sim::stop() {
  impl_->smtp->stop();
  impl_->smtps->stop();
  impl_->http->stop();
}

int run_sim(SimOptions options) {
  // Blocked before any thread starts, so that sigwait below is the only one to see them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  auto sim = Sim::start(std::move(options));
  if (!sim) {
    std::fprintf(stderr, "error: %s\n", sim.error().message.c_str());
    return 1;
  }
  std::printf("pretend tenant on %s, mail on 127.0.0.1:%u, with TLS on %u\n", (*sim)->url().c_str(),
              unsigned{(*sim)->smtp_port()}, unsigned{(*sim)->smtps_port()});
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  (*sim)->stop();
  return 0;
}

}  // namespace flow
