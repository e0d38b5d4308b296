// Certificates for tests, made on the spot: self-signed, with a key that is as good as any.
#pragma once

#include <cstdint>
#include <string>

namespace flow::test {

struct CertificateWish {
  int bits = 2048;
  bool is_elliptic = false;
  std::int64_t begins_s = 1'700'000'000, ends_s = 2'000'000'000;
};
struct MadeCertificate {
  std::string certificate, key;  // PEM
  std::string encrypted_key;     // … with the password `password`
  std::string pfx;               // with the same
  std::string der;
};
MadeCertificate make_certificate(const CertificateWish& wish = {});

// Whether `signature` is that of `text` by the certificate's key: PSS with a salt of 32, or PKCS #1 v1.5.
bool is_signature(const std::string& certificate_pem, const std::string& text, const std::string& signature,
                  bool is_pss);

}  // namespace flow::test
