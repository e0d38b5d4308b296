// Bytes. They are kept as their Base64, so that all that keeps, compares and carries texts does it with them.
#include <algorithm>

#include "base/base64.hpp"
#include "vm/interp/natives/functions.hpp"

namespace flow::natives {
namespace {

// What no flow can hold, and a damaged snapshot could, is a fault and not another value.
std::optional<std::string> decoded(NativeContext& context, std::string_view text) {
  auto bytes = bytes_of_base64(text);
  if (!bytes) invalid(context, "these are no Bytes");
  return bytes;
}

Text keep_bytes(NativeContext& context, const std::optional<std::string>& bytes) {
  return bytes ? keep(context, base64_of(*bytes)) : std::nullopt;
}

}  // namespace

Text bytesOfText(NativeContext& context, std::string_view text) {
  return keep_bytes(context, std::string(text));
}
Text bytesOfBase64(NativeContext& context, std::string_view text) {
  return keep_bytes(context, bytes_of_base64(text));
}
Text bytesOfHex(NativeContext& context, std::string_view text) {
  return keep_bytes(context, bytes_of_hex(text));
}

Text bytesToText(NativeContext& context, std::string_view text) {
  const auto bytes = decoded(context, text);
  return bytes ? kept_text(context, bytes) : std::nullopt;
}
Text bytesToBase64(NativeContext&, std::string_view text) {
  return text;
}
Text bytesToHex(NativeContext& context, std::string_view text) {
  const auto bytes = decoded(context, text);
  return bytes ? hex(context, *bytes) : std::nullopt;
}

std::int64_t bytesLength(NativeContext& context, std::string_view text) {
  const auto bytes = decoded(context, text);
  return bytes ? static_cast<std::int64_t>(bytes->size()) : 0;
}
bool bytesIsEmpty(NativeContext&, std::string_view text) {
  return text.empty();
}

Text bytesSlice(NativeContext& context, std::string_view text, std::int64_t from,
                std::optional<std::int64_t> to) {
  const auto bytes = decoded(context, text);
  if (!bytes) return std::nullopt;
  const auto size = static_cast<std::int64_t>(bytes->size());
  const std::int64_t begin = std::clamp<std::int64_t>(from, 0, size);
  const std::int64_t end = std::clamp<std::int64_t>(to.value_or(size), begin, size);
  return keep_bytes(context,
                    bytes->substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
}

Text bytesSha256(NativeContext& context, std::string_view text) {
  const auto bytes = decoded(context, text);
  return bytes ? sha256(context, *bytes) : std::nullopt;
}
Text bytesSha1(NativeContext& context, std::string_view text) {
  const auto bytes = decoded(context, text);
  return bytes ? sha1(context, *bytes) : std::nullopt;
}
Text bytesMd5(NativeContext& context, std::string_view text) {
  const auto bytes = decoded(context, text);
  return bytes ? md5(context, *bytes) : std::nullopt;
}

}  // namespace flow::natives
