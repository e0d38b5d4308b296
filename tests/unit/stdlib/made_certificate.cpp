#include "tests/unit/stdlib/made_certificate.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

namespace flow::test {
namespace {

std::string taken(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  std::string out(bytes, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

}  // namespace

MadeCertificate make_certificate(const CertificateWish& wish) {
  EVP_PKEY* const key =
      wish.is_elliptic ? EVP_EC_gen("P-256") : EVP_RSA_gen(static_cast<unsigned>(wish.bits));
  X509* const certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
  ASN1_TIME_set(X509_getm_notBefore(certificate), wish.begins_s);
  ASN1_TIME_set(X509_getm_notAfter(certificate), wish.ends_s);
  X509_set_pubkey(certificate, key);
  X509_NAME* const name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("flow test"),
                             -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_sign(certificate, key, EVP_sha256());
  MadeCertificate made;
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  made.certificate = taken(bio);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  made.key = taken(bio);
  bio = BIO_new(BIO_s_mem());
  char password[] = "password";
  PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), password, 8, nullptr, nullptr);
  made.encrypted_key = taken(bio);
  PKCS12* const pfx = PKCS12_create(password, "flow", key, certificate, nullptr, 0, 0, 0, 0, 0);
  bio = BIO_new(BIO_s_mem());
  i2d_PKCS12_bio(bio, pfx);
  made.pfx = taken(bio);
  bio = BIO_new(BIO_s_mem());
  i2d_X509_bio(bio, certificate);
  made.der = taken(bio);
  PKCS12_free(pfx);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return made;
}

bool is_signature(const std::string& certificate_pem, const std::string& text, const std::string& signature,
                  bool is_pss) {
  BIO* const bio = BIO_new_mem_buf(certificate_pem.data(), static_cast<int>(certificate_pem.size()));
  X509* const certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  EVP_PKEY* const key = X509_get_pubkey(certificate);
  EVP_MD_CTX* const digest = EVP_MD_CTX_new();
  EVP_PKEY_CTX* options = nullptr;
  EVP_DigestVerifyInit(digest, &options, EVP_sha256(), nullptr, key);
  if (is_pss) {
    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(options, 32);
  }
  const int is_good =
      EVP_DigestVerify(digest, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size());
  EVP_MD_CTX_free(digest);
  EVP_PKEY_free(key);
  X509_free(certificate);
  BIO_free(bio);
  return is_good == 1;
}

}  // namespace flow::test
