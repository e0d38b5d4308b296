#include "runtime/places.hpp"

#include <fmt/format.h>

#include <charconv>
#include <system_error>

namespace flow {
namespace {

// What sleeps is found in the store by this text (sqlite_schema.cpp).
constexpr std::string_view kTurn = "waits for its turn: ";

}  // namespace

std::string turn_reason(std::uint32_t at_most) {
  return fmt::format("{}at most {} at once", kTurn, at_most);
}

bool waits_for_turn(std::string_view reason) {
  return reason.starts_with(kTurn);
}

std::optional<std::uint32_t> at_most_in(std::string_view reason) {
  constexpr std::string_view kBefore = "at most ";
  if (!waits_for_turn(reason)) return std::nullopt;
  reason.remove_prefix(kTurn.size());
  if (!reason.starts_with(kBefore)) return std::nullopt;
  reason.remove_prefix(kBefore.size());
  std::uint32_t number = 0;
  const auto read = std::from_chars(reason.data(), reason.data() + reason.size(), number);
  const bool is_number = read.ec == std::errc() && number > 0;
  return is_number ? std::optional(number) : std::nullopt;
}

void Places::want(const Line& line, const std::string& run, std::uint32_t at_most) {
  Runs& runs = lines_[line];
  if (runs.going_on.contains(run)) return;
  if (at_most == 0)
    runs.going_on.insert(run);
  else
    runs.waiting.emplace(run, at_most);
}

std::vector<std::string> Places::grant(const Line& line, const std::string& last) {
  std::vector<std::string> granted;
  const auto found = lines_.find(line);
  if (found == lines_.end()) return granted;
  Runs& runs = found->second;
  while (!runs.waiting.empty()) {
    const auto first = runs.waiting.begin();
    const auto& [run, at_most] = *first;
    if (!last.empty() && run > last) break;
    if (runs.going_on.size() >= at_most) break;
    granted.push_back(run);
    runs.going_on.insert(run);
    runs.waiting.erase(first);
  }
  return granted;
}

bool Places::is_waiting(const Line& line, const std::string& run) const {
  const auto found = lines_.find(line);
  return found != lines_.end() && found->second.waiting.contains(run);
}

void Places::leave(const Line& line, const std::string& run) {
  const auto found = lines_.find(line);
  if (found == lines_.end()) return;
  found->second.going_on.erase(run);
  found->second.waiting.erase(run);
  if (found->second.going_on.empty() && found->second.waiting.empty()) lines_.erase(found);
}

std::vector<Places::Line> Places::lines() const {
  std::vector<Line> lines;
  for (const auto& [line, runs] : lines_)
    if (!runs.waiting.empty()) lines.push_back(line);
  return lines;
}

std::size_t Places::waiting() const {
  std::size_t count = 0;
  for (const auto& [line, runs] : lines_) count += runs.waiting.size();
  return count;
}

}  // namespace flow
