#include <algorithm>

#include "base/text.hpp"
#include "vm/interp/natives/functions.hpp"

namespace flow::natives {

// Browsers take blanks and control characters out of a scheme, so an address that has some is no address.
Text webAddress(NativeContext& context, std::string_view text) {
  const std::size_t end = text.find_first_of(":/?#");
  const bool has_scheme = end != std::string_view::npos && text[end] == ':';
  const bool is_clean = std::ranges::all_of(text.substr(0, end), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '\x7f' && c != '\\';
  });
  constexpr std::size_t kLongestScheme = 8;
  const std::string scheme =
      lower_ascii(text.substr(0, has_scheme ? std::min<std::size_t>(end, kLongestScheme) : 0));
  const bool is_known = scheme == "http" || scheme == "https" || scheme == "mailto" || scheme == "tel";
  // `//host` would be an address by the scheme of the page, and a mail has none.
  const bool is_foreign = text.starts_with("//") || text.starts_with("/\\");
  if (is_clean && !is_foreign && (is_known || !has_scheme)) return text;
  return keep(context, "#");
}

}  // namespace flow::natives
