#include "apps/sim/smtp_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <list>
#include <optional>
#include <thread>

namespace flow::sim {
namespace {

constexpr std::size_t kMostUnwritten = 1u << 20;  // replies a client does not read

std::int64_t steady_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

struct Client {
  int socket = -1;
  SmtpSession session;
  std::string unwritten;
  std::int64_t active_ms = 0;
  std::shared_ptr<const TlsIdentity> identity = nullptr;
  std::optional<TlsStream> tls = std::nullopt;
  bool has_greeted = false;

  // Gives the session what was said, which after STARTTLS is said in TLS.
  bool hear(std::string_view bytes) {
    std::string plain;
    if (tls && !tls->receive(bytes, plain)) return false;
    if (!tls) plain = bytes;
    if (!tls || tls->is_ready()) say(plain);
    if (tls) unwritten += tls->take_output();
    return true;
  }
  void say(std::string_view plain) {
    if (has_greeted && plain.empty()) return;
    has_greeted = true;
    const std::string replies = session.feed(plain);
    if (tls)
      tls->send(replies);
    else
      unwritten += replies;
    if (!session.wants_tls()) return;
    tls.emplace(identity);
    session.begin_tls();
  }

  // Whether the client stays.
  bool write() {
    while (!unwritten.empty()) {
      const ssize_t size = ::send(socket, unwritten.data(), unwritten.size(), MSG_NOSIGNAL);
      if (size < 0) return errno == EAGAIN || errno == EINTR;
      unwritten.erase(0, static_cast<std::size_t>(size));
    }
    return !session.is_over();
  }
  bool read() {
    char buffer[16384];
    const ssize_t size = ::recv(socket, buffer, sizeof buffer, 0);
    if (size == 0) return false;
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    active_ms = steady_ms();
    return hear(std::string_view(buffer, static_cast<std::size_t>(size))) &&
           unwritten.size() <= kMostUnwritten && write();
  }
};

}  // namespace

struct SmtpServer::Impl {
  SmtpServerOptions options;
  SmtpSession::Hooks hooks;
  int listener = -1;
  int wake[2] = {-1, -1};  // a pipe: what is written ends the poll
  std::uint16_t port = 0;
  std::list<Client> clients;
  std::atomic<bool> stops = false;
  std::thread thread;

  ~Impl() {
    for (const int descriptor : {listener, wake[0], wake[1]})
      if (descriptor >= 0) ::close(descriptor);
  }

  Status listen() {
    const auto failed = [&](const char* what) {
      return error("cannot " + std::string(what) + " 127.0.0.1:" + std::to_string(options.port) +
                   " for SMTP: " + std::strerror(errno));
    };
    if (::pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0) return failed("make a pipe for");
    listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0) return failed("make a socket for");
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof address;
    if (::bind(listener, generic, length) != 0 || ::listen(listener, 128) != 0) return failed("listen on");
    if (::getsockname(listener, generic, &length) != 0) return failed("ask for the port of");
    port = ntohs(address.sin_port);
    return {};
  }

  void accept() {
    const int socket = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) {
      // Out of descriptors, polling again at once would spin.
      if (errno == EMFILE || errno == ENFILE) std::this_thread::sleep_for(std::chrono::milliseconds(100));
      return;
    }
    clients.push_back({socket, SmtpSession(options.session, hooks), "", steady_ms(), options.identity});
    if (options.session.is_secure)
      clients.back().tls.emplace(options.identity);  // the client begins
    else
      clients.back().say("");
    clients.back().write();
  }

  void serve_clients(const std::vector<pollfd>& polled) {
    std::size_t at = 2;
    for (auto client = clients.begin(); client != clients.end() && at < polled.size(); ++at) {
      const short events = polled[at].revents;
      bool stays = steady_ms() - client->active_ms < options.idle_ms;
      if (stays && (events & (POLLERR | POLLNVAL)) != 0) stays = false;
      if (stays && (events & POLLOUT) != 0) stays = client->write();
      if (stays && (events & (POLLIN | POLLHUP)) != 0) stays = client->read();
      if (!stays) ::close(client->socket);
      client = stays ? std::next(client) : clients.erase(client);
    }
  }

  void run() {
    while (!stops) {
      const bool has_room = clients.size() < options.connection_limit;
      std::vector<pollfd> polled{{wake[0], POLLIN, 0}, {has_room ? listener : -1, POLLIN, 0}};
      for (const Client& client : clients)
        polled.push_back(
            {client.socket, static_cast<short>(client.unwritten.empty() ? POLLIN : POLLIN | POLLOUT), 0});
      if (::poll(polled.data(), polled.size(), 1000) < 0 && errno != EINTR) break;
      serve_clients(polled);
      if ((polled[1].revents & POLLIN) != 0) accept();
    }
    for (const Client& client : clients) ::close(client.socket);
    clients.clear();
  }
};

SmtpServer::SmtpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SmtpServer::~SmtpServer() {
  stop();
}

Result<std::unique_ptr<SmtpServer>> SmtpServer::start(SmtpServerOptions options, SmtpSession::Hooks hooks) {
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  impl->hooks = std::move(hooks);
  FLOW_TRY_STATUS(impl->listen());
  impl->thread = std::thread([raw = impl.get()] { raw->run(); });
  return std::unique_ptr<SmtpServer>(new SmtpServer(std::move(impl)));
}

std::uint16_t SmtpServer::port() const {
  return impl_->port;
}

void SmtpServer::stop() {
  if (!impl_->thread.joinable()) return;
  impl_->stops = true;
  const char byte = 0;
  static_cast<void>(::write(impl_->wake[1], &byte, 1) == 1);
  impl_->thread.join();
}

}  // namespace flow::sim
