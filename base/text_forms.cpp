#include "base/text_forms.hpp"

#include <algorithm>

#include "base/base64.hpp"
#include "base/ip_address.hpp"

namespace flow {
namespace {

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

std::string hex_mistake(std::string_view value, std::size_t digits) {
  if (value.size() == digits && is_hex(value)) return {};
  return "it must have " + std::to_string(digits) + " hexadecimal digits";
}

// Lengths from RFC 5321, section 4.5.3.1; signs that could reach a header or a command are refused.
std::string email_mistake(std::string_view value) {
  const std::size_t at = value.find('@');
  if (at == std::string_view::npos) return "it has no `@`";
  if (value.find('@', at + 1) != std::string_view::npos) return "it has more than one `@`";
  if (at == 0 || at + 1 == value.size()) return "something is missing beside the `@`";
  if (at > 64 || value.size() > 254) return "it is too long";
  for (const char c : value)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == ',' || c == ';' || c == '<' || c == '>' ||
        c == '"')
      return "it must not hold blanks, commas, quotes or angle brackets";
  return {};
}

std::string domain_mistake(std::string_view value) {
  if (value.empty() || value.size() > 253 || value.front() == '.' ||
      value.find("..") != std::string_view::npos)
    return "it is no DNS name";
  for (const char c : value)
    if (static_cast<unsigned char>(c) <= 0x20 || c == '/' || c == ':' || c == '@')
      return "it must hold a DNS name only";
  return {};
}

// A literal is in the one spelling, so that it compares as what it is.
std::string bytes_mistake(std::string_view value) {
  const auto bytes = bytes_of_base64(value);
  if (!bytes) return "it is no Base64";
  const std::string spelling = base64_of(*bytes);
  if (spelling == value) return {};
  return spelling.size() > 80 ? std::string("it is Base64 in another spelling")
                              : "its spelling in Base64 is `" + spelling + "`";
}

}  // namespace

std::string text_mistake(TypeId type, std::string_view value) {
  switch (static_cast<TypeKind>(type)) {
    case TypeKind::Email: return email_mistake(value);
    case TypeKind::MachineId:
    case TypeKind::Sha1: return hex_mistake(value, 40);
    case TypeKind::Sha256: return hex_mistake(value, 64);
    case TypeKind::Md5: return hex_mistake(value, 32);
    case TypeKind::Bytes: return bytes_mistake(value);
    case TypeKind::Domain: return domain_mistake(value);
    case TypeKind::Ip: return parse_ip(value) ? std::string() : "it is no IPv4 or IPv6 address";
    case TypeKind::Cidr: return parse_cidr(value) ? std::string() : "it is no network, as `10.0.0.0/8`";
    case TypeKind::Url: {
      const bool ok = (value.starts_with("https://") || value.starts_with("http://")) &&
                      value.find_first_of(" \t\r\n\"<>") == std::string_view::npos;
      return ok ? std::string() : "it must begin with https:// or http:// and hold no blanks";
    }
    default: return value.empty() ? "it is empty" : std::string();
  }
}

}  // namespace flow
