// A certificate and its private key, by which an app proves to Entra who it is (RFC 7523): instead of a
// secret it sends a short-lived assertion that the key has signed. The key never leaves this object.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace flow {

// How Entra is told which certificate it is, and how the assertion is signed.
enum class AssertionForm : std::uint8_t {
  Ps256,  // RSASSA-PSS with SHA-256, and the certificate's SHA-256 in `x5t#S256`: what Entra recommends
  Rs256,  // PKCS #1 v1.5 with SHA-256, and its SHA-1 in `x5t`: all that older servers, as ADFS, know
};

struct Assertion {
  std::string client_id;
  std::string audience;  // the token endpoint that it is for
  std::string id;        // `jti`: never the same twice
  std::int64_t now_us = 0;
};

class ClientCertificate {
 public:
  // The bytes of files, as they are: PEM or PFX (PKCS #12). The key may stand in the same PEM file as the
  // certificate, then `key` is empty. `password` opens the key, or the PFX.
  struct Files {
    std::string certificate;
    std::string key;
    std::string password;
  };
  // The Error says what is wrong with them and quotes nothing of them.
  static Result<ClientCertificate> read(const Files& files);

  // A JWT, good for ten minutes. Refused when the certificate is not good at that time.
  Result<std::string> assertion(const Assertion& claims, AssertionForm form) const;

  const std::string& subject() const;     // its common name, for messages
  const std::string& thumbprint() const;  // SHA-1 in capital hexadecimal, as the portal shows it
  std::int64_t begins_us() const;
  std::int64_t ends_us() const;

 private:
  struct Parts;
  explicit ClientCertificate(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<const Parts> parts_;
};

// `x5t` and `x5t#S256` of a certificate's DER: base64url without `=`.
std::string thumbprint_sha1(std::string_view der);
std::string thumbprint_sha256(std::string_view der);

}  // namespace flow
