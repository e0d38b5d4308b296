// What an exchange costs each Transport: GETs of 4 KB over loopback, by cpprestsdk and by libcurl in turn;
// and, beside them, by bare Boost.Beast.
//
//   cd build/release && ./bench_http [GETS [ROUNDS]]
//
// The server is a process of its own, so that the processor time counted is the client's alone. Of the rounds
// the median stands in the table.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <semaphore>
#include <string>
#include <vector>

#include "stdlib/http/cpprest_transport.hpp"
#include "stdlib/http/curl_transport.hpp"
#include "tests/bench/http/beast_peer.hpp"

namespace flow {
namespace {

constexpr std::size_t kBodyBytes = 4096;
constexpr std::ptrdiff_t kMostInFlight = 32;

int listening_socket(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 256) != 0)
    std::abort();
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

// Answers every head that ends with an empty line, in one thread.
[[noreturn]] void serve(int listener) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::string answer =
      fmt::format("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                  kBodyBytes, std::string(kBodyBytes, 'x'));
  const int poller = ::epoll_create1(EPOLL_CLOEXEC);
  const auto watch = [&](int fd) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    ::epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  };
  watch(listener);
  std::map<int, std::string> heads;
  std::array<epoll_event, 64> events{};
  std::array<char, 16384> chunk{};
  for (;;) {
    const int count = ::epoll_wait(poller, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        const int peer = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        const int on = 1;
        ::setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(peer);
        continue;
      }
      const ssize_t got = ::recv(fd, chunk.data(), chunk.size(), 0);
      if (got <= 0) {
        heads.erase(fd);
        ::close(fd);
        continue;
      }
      std::string& head = heads[fd].append(chunk.data(), static_cast<std::size_t>(got));
      if (!head.ends_with("\r\n\r\n")) continue;
      head.clear();
      ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }
}

double processor_us() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& time) {
    return 1e6 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec);
  };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

struct Figure {
  double calls_per_s = 0;
  double processor_us = 0;  // of one call
};

Figure measure(Transport& transport, const std::string& url, const std::string& method, int calls,
               int in_flight) {
  std::counting_semaphore<kMostInFlight> room(in_flight);
  std::atomic<int> failed = 0;
  const auto begun = std::chrono::steady_clock::now();
  const double spent = processor_us();
  for (int i = 0; i < calls; ++i) {
    room.acquire();
    transport.send({.method = method, .url = url}, [&](const HttpResult& result) {
      const auto* answer = std::get_if<HttpResponse>(&result);
      if (answer == nullptr || answer->body.size() != kBodyBytes) ++failed;
      room.release();
    });
  }
  for (int i = 0; i < in_flight; ++i) room.acquire();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  if (failed > 0) fmt::print("{} calls failed\n", failed.load());
  return {calls / took.count(), (processor_us() - spent) / calls};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

int run(int calls, int rounds) {
  std::uint16_t port = 0;
  const int listener = listening_socket(port);
  if (::fork() == 0) serve(listener);
  ::close(listener);
  const std::string url = fmt::format("http://127.0.0.1:{}/api/alerts?$top=1", port);
  auto cpprest = make_cpprest_transport({});
  auto curl = make_curl_transport({});
  if (!cpprest || !curl) return 1;
  const auto beast = make_beast_peer(kMostInFlight);
  const std::array<std::pair<const char*, Transport*>, 3> transports{
      {{"cpprest", cpprest->get()}, {"curl", curl->get()}, {"Beast", beast.get()}}};
  std::map<std::string, std::array<double, 3>> cost;
  fmt::print("{:>6} {:>10} {:>9} {:>12} {:>16}\n", "method", "in flight", "", "calls/s", "CPU us per call");
  for (const char* method : {"GET", "POST"}) {
    for (const int in_flight : {1, 32}) {
      std::array<std::vector<double>, 3> speed, processor;
      for (int round = 0; round < rounds; ++round)
        for (std::size_t i = 0; i < transports.size(); ++i) {
          measure(*transports[i].second, url, method, calls / 20, in_flight);
          const Figure figure = measure(*transports[i].second, url, method, calls, in_flight);
          speed[i].push_back(figure.calls_per_s);
          processor[i].push_back(figure.processor_us);
        }
      for (std::size_t i = 0; i < transports.size(); ++i) {
        cost[fmt::format("{} {}", method, in_flight)][i] = median(processor[i]);
        fmt::print("{:>6} {:>10} {:>9} {:>12.0f} {:>16.1f}\n", method, in_flight, transports[i].first,
                   median(speed[i]), median(processor[i]));
      }
    }
  }
  const auto [one, other, bare] = cost["GET 32"];
  fmt::print(
      "http: {:.1f} times less processor time by curl than by cpprest, GET at 32 in flight; {:.1f} times "
      "that of Beast\n",
      one / other, other / bare);
  for (const auto& [name, transport] : transports) transport->drain(1'000'000);
  std::fflush(stdout);
  std::_Exit(0);
}

}  // namespace
}  // namespace flow

int main(int argc, char** argv) {
  return flow::run(argc > 1 ? std::atoi(argv[1]) : 20'000, argc > 2 ? std::atoi(argv[2]) : 3);
}
