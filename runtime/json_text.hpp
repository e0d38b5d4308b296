// Looking into JSON text without copying it into values of ours: journal entries that come back from disk,
// pages and results that come from the network. Everything takes foreign text and says no by an empty result;
// nothing throws.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flow {

// Whether `text` is one complete JSON value, well formed and in valid UTF-8, no deeper than 1,024 levels.
bool is_json(std::string_view text);

// The members of an object, each with its value as JSON text. Of members with one name the first counts.
// Nothing when `text` is not one complete, well-formed object.
using JsonMembers = std::map<std::string, std::string, std::less<>>;
std::optional<JsonMembers> json_members(std::string_view text);

// The elements of an array as JSON texts. An element is checked only as far as finding its end needs: a list
// with one bad element still gives the others. Invalid UTF-8 is replaced by `?`. Nothing when this is no
// array.
std::optional<std::vector<std::string>> json_elements(std::string_view text);

// One member of an object, as JSON text; nothing when absent.
std::optional<std::string> json_member(std::string_view object, std::string_view name);

std::optional<std::string> json_string(std::string_view text);
std::optional<std::int64_t> json_int(std::string_view text);
std::optional<bool> json_bool(std::string_view text);

}  // namespace flow
