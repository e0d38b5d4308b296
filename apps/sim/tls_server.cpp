#include "apps/sim/tls_server.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace flow::sim {
namespace {

struct Freeing {
  void operator()(X509* object) const { X509_free(object); }
  void operator()(BIO* object) const { BIO_free_all(object); }
  void operator()(EVP_PKEY* object) const { EVP_PKEY_free(object); }
  void operator()(SSL_CTX* object) const { SSL_CTX_free(object); }
  void operator()(SSL* object) const { SSL_free(object); }
  void operator()(X509_EXTENSION* object) const { X509_EXTENSION_free(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Freeing>;

constexpr long kDayS = 86'400, kLifetimeS = 3'650 * kDayS;

bool extend(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// Signed by `issuer`, or by itself when there is none.
Owned<X509> make_certificate(EVP_PKEY* key, const char* name, X509* issuer, EVP_PKEY* issuer_key) {
  Owned<X509> made(X509_new());
  if (!made) return nullptr;
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), issuer == nullptr ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -kDayS);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), kLifetimeS);
  X509_set_pubkey(made.get(), key);
  X509_NAME* const subject = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1,
                             -1, 0);
  X509* const by = issuer == nullptr ? made.get() : issuer;
  X509_set_issuer_name(made.get(), X509_get_subject_name(by));
  const bool is_authority = issuer == nullptr;
  const bool is_extended =
      extend(made.get(), by, NID_basic_constraints, is_authority ? "critical,CA:TRUE" : "CA:FALSE") &&
      extend(made.get(), by, NID_key_usage,
             is_authority ? "critical,keyCertSign" : "critical,digitalSignature") &&
      extend(made.get(), by, NID_subject_key_identifier, "hash") &&
      (is_authority || extend(made.get(), by, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1"));
  if (!is_extended || X509_sign(made.get(), issuer_key, EVP_sha256()) == 0) return nullptr;
  return made;
}

std::string pem_of(X509* certificate) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1) return {};
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

}  // namespace

struct TlsIdentity::Impl {
  Owned<SSL_CTX> context;
  std::string authority;
};

TlsIdentity::TlsIdentity(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsIdentity::~TlsIdentity() = default;

const std::string& TlsIdentity::authority() const {
  return impl_->authority;
}

Result<std::shared_ptr<TlsIdentity>> TlsIdentity::make() {
  const auto failed = [] {
    ERR_clear_error();
    return error("cannot make a certificate for the mail server");
  };
  const Owned<EVP_PKEY> authority_key(EVP_EC_gen("P-256")), key(EVP_EC_gen("P-256"));
  if (!authority_key || !key) return failed();
  const Owned<X509> authority =
      make_certificate(authority_key.get(), "Pretend tenant's authority", nullptr, authority_key.get());
  if (!authority) return failed();
  const Owned<X509> certificate =
      make_certificate(key.get(), "localhost", authority.get(), authority_key.get());
  auto impl = std::make_unique<Impl>();
  impl->context.reset(SSL_CTX_new(TLS_server_method()));
  impl->authority = pem_of(authority.get());
  if (!certificate || !impl->context || impl->authority.empty() ||
      SSL_CTX_set_min_proto_version(impl->context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_use_certificate(impl->context.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(impl->context.get(), key.get()) != 1)
    return failed();
  return std::shared_ptr<TlsIdentity>(new TlsIdentity(std::move(impl)));
}

struct TlsStream::Impl {
  std::shared_ptr<const TlsIdentity> identity;
  Owned<SSL> ssl;
  BIO* incoming = nullptr;  // both belong to `ssl`
  BIO* outgoing = nullptr;
};

TlsStream::TlsStream(std::shared_ptr<const TlsIdentity> identity) : impl_(std::make_unique<Impl>()) {
  impl_->identity = std::move(identity);
  impl_->ssl.reset(SSL_new(impl_->identity->impl_->context.get()));
  FLOW_CHECK(impl_->ssl != nullptr, "there is memory for a connection");
  impl_->incoming = BIO_new(BIO_s_mem());
  impl_->outgoing = BIO_new(BIO_s_mem());
  SSL_set_bio(impl_->ssl.get(), impl_->incoming, impl_->outgoing);
  SSL_set_accept_state(impl_->ssl.get());
}
TlsStream::~TlsStream() = default;
TlsStream::TlsStream(TlsStream&&) noexcept = default;
TlsStream& TlsStream::operator=(TlsStream&&) noexcept = default;

bool TlsStream::is_ready() const {
  return SSL_is_init_finished(impl_->ssl.get()) == 1;
}

bool TlsStream::receive(std::string_view bytes, std::string& plain) {
  SSL* const ssl = impl_->ssl.get();
  if (BIO_write(impl_->incoming, bytes.data(), static_cast<int>(bytes.size())) !=
      static_cast<int>(bytes.size()))
    return false;
  char buffer[16'384];
  for (;;) {
    const int size = SSL_read(ssl, buffer, sizeof buffer);
    if (size > 0) {
      plain.append(buffer, static_cast<std::size_t>(size));
      continue;
    }
    const int why = SSL_get_error(ssl, size);
    ERR_clear_error();
    return why == SSL_ERROR_WANT_READ;
  }
}

void TlsStream::send(std::string_view plain) {
  if (!plain.empty())
    static_cast<void>(SSL_write(impl_->ssl.get(), plain.data(), static_cast<int>(plain.size())));
}

std::string TlsStream::take_output() {
  std::string bytes(BIO_ctrl_pending(impl_->outgoing), '\0');
  if (!bytes.empty()) BIO_read(impl_->outgoing, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

}  // namespace flow::sim
