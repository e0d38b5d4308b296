#include "apps/sim/tenant.hpp"

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "apps/server/http_server.hpp"
#include "apps/sim/model.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/smtp_server.hpp"

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
  return tenant;
}

Status load_file(sim::Tenant& tenant, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return error(path + ": cannot be opened");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (const Status status = tenant.load_alerts(text); !status)
    return error(path + ": " + status.error().message);
  return {};
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
    return hooks;
  }

  SystemClock clock;
  sim::SeededRandom random;
  sim::Tenant tenant;
  std::unique_ptr<HttpServer> http;
  std::unique_ptr<sim::SmtpServer> smtp;
};

Sim::Sim(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Sim::~Sim() {
  stop();
}

Result<std::unique_ptr<Sim>> Sim::start(SimOptions options) {
  auto impl = std::make_unique<Impl>(options);
  if (!options.alerts_file.empty()) FLOW_TRY_STATUS(load_file(impl->tenant, options.alerts_file));
  HttpServerOptions http;
  http.port = options.port;
  http.body_limit = 16u << 20;  // a mail with attachments, or a file of alerts
  FLOW_TRY(impl->http, HttpServer::start(http, [raw = impl.get()](const HttpQuestion& q) {
             return raw->tenant.handle(q);
           }));
  sim::SmtpServerOptions smtp;
  smtp.port = options.smtp_port;
  smtp.session.user = options.smtp_user;
  smtp.session.password = options.smtp_password;
  smtp.session.requires_login = options.smtp_requires_login;
  FLOW_TRY(impl->smtp, sim::SmtpServer::start(smtp, impl->smtp_hooks()));
  return std::unique_ptr<Sim>(new Sim(std::move(impl)));
}

std::uint16_t Sim::port() const {
  return impl_->http->port();
}
std::uint16_t Sim::smtp_port() const {
  return impl_->smtp->port();
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
  std::printf("pretend tenant on %s, mail on 127.0.0.1:%u\n", (*sim)->url().c_str(),
              unsigned{(*sim)->smtp_port()});
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  (*sim)->stop();
  return 0;
}

}  // namespace flow
