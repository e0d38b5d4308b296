#include "tests/unit/http/tls_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <mutex>

namespace flow {
namespace {

std::string pem(const auto& write) {
  BIO* memory = BIO_new(BIO_s_mem());
  write(memory);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  std::string out(text, static_cast<std::size_t>(size));
  BIO_free(memory);
  return out;
}

template <class T, class Read>
T* from_pem(const std::string& text, Read read) {
  BIO* memory = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
  T* object = read(memory, nullptr, nullptr, nullptr);
  BIO_free(memory);
  return object;
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* unsigned_certificate(EVP_PKEY* key, const std::string& common_name, bool is_expired) {
  X509* certificate = X509_new();
  static std::atomic<long> serial = 1;
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
  X509_gmtime_adj(X509_getm_notAfter(certificate), is_expired ? -3600 : 86400);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  return certificate;
}

Identity packed(X509* certificate, EVP_PKEY* key) {
  Identity identity{.certificate = pem([&](BIO* out) { PEM_write_bio_X509(out, certificate); }),
                    .key = pem([&](BIO* out) {
                      PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
                    })};
  X509_free(certificate);
  EVP_PKEY_free(key);
  return identity;
}

std::mutex name_mutex;
std::string name_seen;

int on_name(SSL* connection, int*, void*) {
  const char* name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
  const std::lock_guard lock(name_mutex);
  name_seen = name == nullptr ? "" : name;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Identity make_authority(const std::string& name) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = unsigned_certificate(key, name, false);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(certificate, key, EVP_sha256());
  return packed(certificate, key);
}

Identity make_certificate(const std::string& names, const Identity& authority, bool is_expired) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = unsigned_certificate(key, "flow test", is_expired);
  X509* issuer = from_pem<X509>(authority.certificate, PEM_read_bio_X509);
  EVP_PKEY* issuer_key = from_pem<EVP_PKEY>(authority.key, PEM_read_bio_PrivateKey);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  extend(certificate, issuer, NID_subject_alt_name, names);
  X509_sign(certificate, issuer_key, EVP_sha256());
  X509_free(issuer);
  EVP_PKEY_free(issuer_key);
  return packed(certificate, key);
}

std::string written(const std::string& text) {
  std::string path = "/tmp/flow_test_XXXXXX";
  ::close(::mkstemp(path.data()));
  std::ofstream(path) << text;
  return path;
}

struct TlsServer::Context {
  SSL_CTX* tls = SSL_CTX_new(TLS_server_method());
  ~Context() { SSL_CTX_free(tls); }
};

TlsServer::TlsServer(const Identity& identity, TlsOptions options) : context_(std::make_unique<Context>()) {
  X509* certificate = from_pem<X509>(identity.certificate, PEM_read_bio_X509);
  EVP_PKEY* key = from_pem<EVP_PKEY>(identity.key, PEM_read_bio_PrivateKey);
  SSL_CTX_use_certificate(context_->tls, certificate);
  SSL_CTX_use_PrivateKey(context_->tls, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  SSL_CTX_callback_ctrl(context_->tls, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                        reinterpret_cast<void (*)()>(on_name));
  if (options.only_old_versions) {
    SSL_CTX_set_security_level(context_->tls, 0);
    SSL_CTX_set_min_proto_version(context_->tls, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_->tls, TLS1_1_VERSION);
  }
  if (!options.client_authority.empty()) {
    X509* authority = from_pem<X509>(options.client_authority, PEM_read_bio_X509);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_->tls), authority);
    X509_free(authority);
    SSL_CTX_set_verify(context_->tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets whose client has gone
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  ::listen(listener_, 64);
  thread_ = std::thread([this] { serve(); });
}

TlsServer::~TlsServer() {
  is_ending_ = true;
  thread_.join();
  ::close(listener_);
}

std::string TlsServer::last_name() const {
  const std::lock_guard lock(name_mutex);
  return name_seen;
}

void TlsServer::serve() {
  std::vector<std::thread> peers;
  while (!is_ending_) {
    pollfd entry{.fd = listener_, .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, 10) <= 0) continue;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const timeval patience{.tv_sec = 1, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    peers.emplace_back([this, fd] {
      SSL* connection = SSL_new(context_->tls);
      SSL_set_fd(connection, fd);
      if (SSL_accept(connection) == 1) {
        ++handshakes_;
        std::array<char, 16384> chunk{};
        static constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        while (SSL_read(connection, chunk.data(), static_cast<int>(chunk.size())) > 0)
          SSL_write(connection, kAnswer.data(), static_cast<int>(kAnswer.size()));
      }
      SSL_free(connection);
      ::close(fd);
    });
  }
  for (std::thread& peer : peers) peer.join();
}

}  // namespace flow
