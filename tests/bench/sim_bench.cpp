// How many requests a second the pretend tenant answers on one core, TLS off: GETs by libcurl, 32 in flight,
// keeping connections.
//
//   cd build/release && ./bench_sim [GETS]
//
// The tenant is a process of its own, held on one core. What is limited by the client shows in the column of
// the server's processor time: from it comes how many requests one core can take.
#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <future>
#include <semaphore>
#include <string>

#include "apps/sim/json.hpp"
#include "apps/sim/tenant.hpp"
#include "stdlib/http/cpprest_transport.hpp"
#include "stdlib/http/curl_transport.hpp"
#include "tests/bench/http/beast_peer.hpp"

namespace flow {
namespace {

constexpr std::ptrdiff_t kInFlight = 32;

[[noreturn]] void serve(int out) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  ::sched_setaffinity(0, sizeof one, &one);
  SimOptions options;
  options.has_quota = false;
  auto sim = Sim::start(options);
  if (!sim) std::abort();
  std::string alerts = "[{}";
  for (int i = 1; i < 500; ++i) alerts += ",{}";
  (*sim)->ask("POST", "/sim/alerts", alerts + "]");
  const std::uint16_t port = (*sim)->port();
  if (::write(out, &port, sizeof port) != sizeof port) std::abort();
  for (;;) ::pause();
}

double processor_us(pid_t process) {
  clockid_t clock{};
  timespec spent{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &spent) != 0) return 0;
  return 1e6 * static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e3;
}

HttpResponse answer_to(Transport& transport, HttpRequest request) {
  std::promise<HttpResponse> promise;
  transport.send(std::move(request), [&](const HttpResult& result) {
    const auto* response = std::get_if<HttpResponse>(&result);
    promise.set_value(response != nullptr ? *response : HttpResponse{});
  });
  return promise.get_future().get();
}

std::string sign_in(Transport& transport, const std::string& url) {
  const HttpResponse answer = answer_to(
      transport,
      {.method = "POST",
       .url = url + "/7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3/oauth2/v2.0/token",
       .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
       .body = "grant_type=client_credentials&client_id=0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846&client_secret="
               "sim-secret&scope=https%3A%2F%2Fapi.securitycenter.microsoft.com%2F.default"});
  const auto json = sim::parse_json(answer.body);
  return json ? std::string((*json)["access_token"].text()) : "";
}

// Prints a row, unless `name` is empty.
void measure(Transport& transport, pid_t server, const std::string& name, const HttpRequest& request,
             int calls) {
  std::counting_semaphore<kInFlight> room(kInFlight);
  std::atomic<int> failed = 0;
  std::atomic<std::size_t> bytes = 0;
  const auto begun = std::chrono::steady_clock::now();
  const double spent = processor_us(server);
  for (int i = 0; i < calls; ++i) {
    room.acquire();
    transport.send(request, [&](const HttpResult& result) {
      const auto* answer = std::get_if<HttpResponse>(&result);
      if (answer == nullptr || answer->status != 200) ++failed;
      if (answer != nullptr) bytes = answer->body.size();
      room.release();
    });
  }
  for (int i = 0; i < kInFlight; ++i) room.acquire();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  const double each_us = (processor_us(server) - spent) / calls;
  if (failed > 0) fmt::print("{} calls failed\n", failed.load());
  if (name.empty()) return;
  fmt::print("{:<34} {:>8} {:>12.0f} {:>16.1f} {:>18.0f}\n", name, bytes.load(), calls / took.count(),
             each_us, 1e6 / each_us);
}

int run(int calls) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) return 1;
  const pid_t server = ::fork();
  if (server == 0) serve(pipe[1]);
  std::uint16_t port = 0;
  if (::read(pipe[0], &port, sizeof port) != sizeof port) return 1;
  auto curl = make_curl_transport({});
  if (!curl) return 1;
  const std::string url = "http://127.0.0.1:" + std::to_string(port);
  const std::string token = sign_in(**curl, url);
  const auto get = [&](const std::string& target) {
    return HttpRequest{
        .method = "GET", .url = url + target, .headers = {{"Authorization", "Bearer " + token}}};
  };
  const auto list = sim::parse_json(answer_to(**curl, get("/api/alerts?$top=1")).body);
  if (!list || (*list)["value"].items().empty()) return 1;
  const sim::Json& alert = (*list)["value"].items().front();
  fmt::print("{:<34} {:>8} {:>12} {:>16} {:>18}\n", "request", "bytes", "requests/s", "server CPU us",
             "a core can take/s");
  const std::string id(alert["id"].text()), machine(alert["machineId"].text());
  for (const auto& [name, target] :
       {std::pair<std::string, std::string>{"GET /api/alerts/{id}", "/api/alerts/" + id},
        {"GET /api/machines/{id}", "/api/machines/" + machine},
        {"GET /api/alerts, one of 500", "/api/alerts?$top=1"},
        {"GET /api/alerts, new and high",
         "/api/alerts?$filter=severity%20eq%20'High'%20and%20status%20eq%20'New'&$top=10"},
        {"GET /api/machines/{id}/software", "/api/machines/" + machine + "/software"}}) {
    measure(**curl, server, "", get(target), calls / 20);
    measure(**curl, server, name, get(target), calls);
  }
  // The same requests by other clients: how much of the rate is theirs.
  const auto cpprest = make_cpprest_transport({});
  const auto beast = make_beast_peer(kInFlight);
  if (!cpprest) return 1;
  const HttpRequest alike = get("/api/alerts/" + id);
  for (int round = 0; round < 3; ++round)
    for (const auto& [name, transport] : {std::pair<std::string, Transport*>{"curl", curl->get()},
                                          {"cpprest", cpprest->get()},
                                          {"Boost.Beast", beast.get()}}) {
      measure(*transport, server, "", alike, calls / 20);
      measure(*transport, server, "that alert, by " + name, alike, calls);
    }
  ::kill(server, SIGKILL);
  std::fflush(stdout);
  std::_Exit(0);
}

}  // namespace
}  // namespace flow

int main(int argc, char** argv) {
  return flow::run(argc > 1 ? std::atoi(argv[1]) : 20'000);
}
