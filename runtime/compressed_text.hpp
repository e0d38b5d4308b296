// Texts as the store keeps them: compressed (LZ4) behind their length on a line.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flow {

// Nothing when it would not be shorter.
std::optional<std::string> compressed(std::string_view text);
// Nothing when the bytes are damaged.
std::optional<std::string> decompressed(std::string_view bytes);

}  // namespace flow
