// Request targets and form bodies, taken apart.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flow::sim {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Target {
  std::string path;                   // as sent, without the query
  std::vector<std::string> segments;  // decoded; `/api/alerts/` has two
  Pairs query;                        // decoded

  // The value of the first parameter with this name, or nothing.
  std::optional<std::string> parameter(std::string_view name) const;
};

// Nothing when a percent sign is not followed by two hexadecimal digits. `+` is a space only where forms are
// meant.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space);
std::optional<Pairs> parse_form(std::string_view text);  // `a=1&b=x%20y`
std::optional<Target> parse_target(std::string_view target);
// Standard or URL alphabet, padding optional; nothing when malformed.
std::optional<std::string> base64_decoded(std::string_view text);
std::string base64url_encoded(std::string_view bytes);

}  // namespace flow::sim
