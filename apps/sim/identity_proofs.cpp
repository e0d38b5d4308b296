#include "apps/sim/identity_proofs.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <ctime>
#include <memory>

#include "apps/sim/url.hpp"

namespace flow::sim {
namespace {

struct Freeing {
  void operator()(X509* object) const { X509_free(object); }
  void operator()(BIO* object) const { BIO_free_all(object); }
  void operator()(EVP_PKEY* object) const { EVP_PKEY_free(object); }
  void operator()(EVP_MD_CTX* object) const { EVP_MD_CTX_free(object); }
};
using Certificate = std::unique_ptr<X509, Freeing>;

Certificate read(const std::string& pem) {
  const std::unique_ptr<BIO, Freeing> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  return certificate;
}

std::string digest(X509* certificate, const EVP_MD* kind) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  X509_digest(certificate, kind, bytes.data(), &size);
  return base64url_encoded({reinterpret_cast<const char*>(bytes.data()), size});
}

std::int64_t time_us(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? std::int64_t{timegm(&parts)} * 1'000'000 : 0;
}

}  // namespace

Result<KnownCertificate> known_certificate(const std::string& pem) {
  constexpr std::size_t kLongest = 64u << 10;
  const Certificate certificate = pem.size() > kLongest ? nullptr : read(pem);
  if (!certificate) return error("this is no certificate in PEM");
  const std::unique_ptr<EVP_PKEY, Freeing> key(X509_get_pubkey(certificate.get()));
  if (!key || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) return error("the certificate has no RSA key");
  return KnownCertificate{.pem = pem,
                          .sha1 = digest(certificate.get(), EVP_sha1()),
                          .sha256 = digest(certificate.get(), EVP_sha256()),
                          .begins_us = time_us(X509_get0_notBefore(certificate.get())),
                          .ends_us = time_us(X509_get0_notAfter(certificate.get()))};
}

JwtParts jwt_parts(std::string_view jwt) {
  const std::size_t first = jwt.find('.'), second = jwt.rfind('.');
  if (first == std::string_view::npos || first == second) return {};
  return {.header = base64_decoded(jwt.substr(0, first)).value_or(""),
          .claims = base64_decoded(jwt.substr(first + 1, second - first - 1)).value_or(""),
          .signature = base64_decoded(jwt.substr(second + 1)).value_or(""),
          .signed_text = jwt.substr(0, second)};
}

bool is_signed(const KnownCertificate& by, const JwtParts& jwt, bool is_pss) {
  const Certificate certificate = read(by.pem);
  const std::unique_ptr<EVP_PKEY, Freeing> key(certificate ? X509_get_pubkey(certificate.get()) : nullptr);
  if (!key) return false;
  const std::unique_ptr<EVP_MD_CTX, Freeing> digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  bool is_good = EVP_DigestVerifyInit(digest.get(), &options, EVP_sha256(), nullptr, key.get()) == 1;
  if (is_good && is_pss)
    is_good = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
              EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
  is_good =
      is_good &&
      EVP_DigestVerify(digest.get(), reinterpret_cast<const unsigned char*>(jwt.signature.data()),
                       jwt.signature.size(), reinterpret_cast<const unsigned char*>(jwt.signed_text.data()),
                       jwt.signed_text.size()) == 1;
  ERR_clear_error();
  return is_good;
}

}  // namespace flow::sim
