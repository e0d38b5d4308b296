#include "stdlib/identity/certificate.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>

#include "base/base64.hpp"
#include "base/calendar.hpp"
#include "base/text.hpp"

namespace flow {
namespace {

constexpr std::size_t kLongestFile = 1u << 20;
constexpr int kShortestKey = 2048;  // bits; Entra takes no shorter one
constexpr std::int64_t kAssertionLifetime = 600 * kSecondUs;

template <auto Free>
struct Freeing {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freeing<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freeing<X509_free>>;
using Pfx = std::unique_ptr<PKCS12, Freeing<PKCS12_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Freeing<EVP_MD_CTX_free>>;

std::string digest_of(std::string_view bytes, const EVP_MD* kind) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  const int done = EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, kind, nullptr);
  FLOW_CHECK(done == 1, "SHA-1 and SHA-256 are there and take any bytes");
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string base64url_of(std::string_view bytes) {
  std::string text = base64_of(bytes);
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (text.ends_with('=')) text.pop_back();
  return text;
}

Bio reading(const std::string& bytes) {
  return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

// OpenSSL would ask on the terminal when it is given no password.
int give_password(char* out, int size, int, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  if (text.size() > static_cast<std::size_t>(size)) return -1;
  std::copy(text.begin(), text.end(), out);
  return static_cast<int>(text.size());
}

struct Pair {
  Certificate certificate;
  Key key;
};

Result<Pair> read_pem(const ClientCertificate::Files& files) {
  Pair pair;
  const Bio certificate = reading(files.certificate);
  pair.certificate.reset(PEM_read_bio_X509(certificate.get(), nullptr, give_password,
                                           const_cast<std::string*>(&files.password)));
  if (!pair.certificate) return error("the certificate is neither PEM nor PFX, or it is damaged");
  const std::string& where = files.key.empty() ? files.certificate : files.key;
  const Bio key = reading(where);
  pair.key.reset(
      PEM_read_bio_PrivateKey(key.get(), nullptr, give_password, const_cast<std::string*>(&files.password)));
  if (pair.key) return pair;
  if (where.find("PRIVATE KEY-----") == std::string::npos)
    return error(files.key.empty() ? "the file has a certificate and no private key"
                                   : "the key is no PEM file");
  if (where.find("ENCRYPTED") != std::string::npos)
    return error(files.password.empty() ? "the private key is encrypted, and no password is configured"
                                        : "the password does not open the private key");
  return error("the private key is damaged");
}

Result<Pair> read_pfx(const ClientCertificate::Files& files) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(files.certificate.data());
  const Pfx pfx(d2i_PKCS12(nullptr, &bytes, static_cast<long>(files.certificate.size())));
  if (!pfx) return error("the certificate is neither PEM nor PFX, or it is damaged");
  if (!files.key.empty()) return error("a PFX file has its own key; leave out the file of the key");
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  const int done = PKCS12_parse(pfx.get(), files.password.c_str(), &key, &certificate, nullptr);
  Pair pair{.certificate = Certificate(certificate), .key = Key(key)};
  if (done != 1) {
    const bool is_password = ERR_GET_REASON(ERR_peek_last_error()) == PKCS12_R_MAC_VERIFY_FAILURE;
    return error(
        is_password
            ? "the password does not open the PFX file"
            : "the PFX file is damaged, or encrypted in an old way; `openssl pkcs12 -legacy` reads it "
              "and can write PEM");
  }
  if (!pair.key || !pair.certificate) return error("the PFX file lacks the certificate or its private key");
  return pair;
}

std::string der_of(X509* certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate, &bytes);
  FLOW_CHECK(size > 0, "a certificate that was read can be written");
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

std::string common_name(X509* certificate) {
  std::array<char, 256> text{};
  const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text.data(),
                                             static_cast<int>(text.size()));
  return size <= 0 ? "without a name" : std::string(text.data(), static_cast<std::size_t>(size));
}

// Seconds since 1970 as microseconds; nothing when the certificate says nonsense.
std::optional<std::int64_t> time_us(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  const std::time_t seconds = timegm(&parts);
  constexpr std::int64_t kMost = 253'402'300'799;  // the end of the year 9999
  return std::clamp<std::int64_t>(seconds, 0, kMost) * kSecondUs;
}

std::string hex_of(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02X}", static_cast<unsigned char>(c));
  return out;
}

}  // namespace

struct ClientCertificate::Parts {
  Key key;
  std::string subject, thumbprint, sha1, sha256;
  std::int64_t begins_us = 0, ends_us = 0;
};

Result<ClientCertificate> ClientCertificate::read(const Files& files) {
  if (files.certificate.size() > kLongestFile || files.key.size() > kLongestFile)
    return error("a certificate and its key are not longer than 1 MiB");
  ERR_clear_error();
  const bool is_pem = files.certificate.find("-----BEGIN ") != std::string::npos;
  Result<Pair> pair = is_pem ? read_pem(files) : read_pfx(files);
  ERR_clear_error();
  if (!pair) return tl::unexpected(std::move(pair.error()));
  X509* const certificate = pair->certificate.get();
  if (EVP_PKEY_base_id(pair->key.get()) != EVP_PKEY_RSA)
    return error("Entra takes RSA keys only, and this is another");
  if (EVP_PKEY_bits(pair->key.get()) < kShortestKey)
    return error(fmt::format("the key has {} bits; Entra takes {} or more", EVP_PKEY_bits(pair->key.get()),
                             kShortestKey));
  const bool belongs = X509_check_private_key(certificate, pair->key.get()) == 1;
  ERR_clear_error();
  if (!belongs) return error("the private key is not that of the certificate");
  const auto begins = time_us(X509_get0_notBefore(certificate)),
             ends = time_us(X509_get0_notAfter(certificate));
  if (!begins || !ends) return error("the certificate has no valid dates");
  const std::string der = der_of(certificate);
  auto parts = std::make_shared<Parts>();
  parts->subject = common_name(certificate);
  parts->thumbprint = hex_of(digest_of(der, EVP_sha1()));
  parts->sha1 = thumbprint_sha1(der);
  parts->sha256 = thumbprint_sha256(der);
  parts->begins_us = *begins;
  parts->ends_us = *ends;
  parts->key = std::move(pair->key);
  return ClientCertificate(std::move(parts));
}

namespace {

Result<std::string> signature_of(EVP_PKEY* key, std::string_view text, AssertionForm form) {
  const Digest digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  bool is_good = EVP_DigestSignInit(digest.get(), &options, EVP_sha256(), nullptr, key) == 1;
  if (is_good && form == AssertionForm::Ps256)
    is_good = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
              EVP_PKEY_CTX_set_rsa_mgf1_md(options, EVP_sha256()) == 1 &&
              EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
  std::size_t size = 0;
  is_good = is_good && EVP_DigestSign(digest.get(), nullptr, &size, bytes, text.size()) == 1;
  std::string signature(size, '\0');
  is_good = is_good && EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                                      bytes, text.size()) == 1;
  ERR_clear_error();
  if (!is_good) return error("the private key cannot sign");
  signature.resize(size);
  return signature;
}

}  // namespace

Result<std::string> ClientCertificate::assertion(const Assertion& claims, AssertionForm form) const {
  if (claims.now_us >= parts_->ends_us)
    return error(fmt::format("certificate `{}` ended at {}; make a new one and upload it to the app",
                             parts_->subject, format_time_us(parts_->ends_us)));
  if (claims.now_us < parts_->begins_us)
    return error(fmt::format("certificate `{}` is good from {} on; is this machine's clock right?",
                             parts_->subject, format_time_us(parts_->begins_us)));
  const std::int64_t now = claims.now_us / kSecondUs;
  const std::string header =
      form == AssertionForm::Ps256
          ? fmt::format(R"({{"alg":"PS256","typ":"JWT","x5t#S256":"{}"}})", parts_->sha256)
          : fmt::format(R"({{"alg":"RS256","typ":"JWT","x5t":"{}"}})", parts_->sha1);
  const std::string id = json_quoted(claims.client_id);
  const std::string body = fmt::format(
      R"({{"aud":{},"iss":{},"sub":{},"jti":{},"nbf":{},"iat":{},"exp":{}}})", json_quoted(claims.audience),
      id, id, json_quoted(claims.id), now, now, now + kAssertionLifetime / kSecondUs);
  const std::string signed_text = base64url_of(header) + "." + base64url_of(body);
  FLOW_TRY(const std::string signature, signature_of(parts_->key.get(), signed_text, form));
  return signed_text + "." + base64url_of(signature);
}

const std::string& ClientCertificate::subject() const {
  return parts_->subject;
}
const std::string& ClientCertificate::thumbprint() const {
  return parts_->thumbprint;
}
std::int64_t ClientCertificate::begins_us() const {
  return parts_->begins_us;
}
std::int64_t ClientCertificate::ends_us() const {
  return parts_->ends_us;
}

std::string thumbprint_sha1(std::string_view der) {
  return base64url_of(digest_of(der, EVP_sha1()));
}

std::string thumbprint_sha256(std::string_view der) {
  return base64url_of(digest_of(der, EVP_sha256()));
}

}  // namespace flow
