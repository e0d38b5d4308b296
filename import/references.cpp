#include "import/references.hpp"

#include <fmt/format.h>

#include <set>

#include "base/text.hpp"

namespace flow::importer {
namespace {

std::string unescaped(std::string_view part) {
  std::string out;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const bool is_escape =
        part[i] == '~' && i + 1 < part.size() && (part[i + 1] == '0' || part[i + 1] == '1');
    out += !is_escape ? part[i] : part[++i] == '1' ? '/' : '~';
  }
  return out;
}

}  // namespace

Place References::target(const std::string& reference) const {
  Place at = Place::root_of(document_);
  const std::string_view path = std::string_view(reference).substr(1);
  if (path.empty()) return at;
  if (path[0] != '/') return {};
  for (std::size_t begin = 1; at;) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    const std::string name = unescaped(part);
    Place next = at[name];
    if (!next)
      if (const auto decoded = percent_decoded(part)) next = at[unescaped(*decoded)];
    if (!next && at.is_list() && !name.empty() && name.size() < 7 &&
        name.find_first_not_of("0123456789") == std::string::npos && std::stoul(name) < at.size())
      next = at.item(std::stoul(name));
    at = next;
    if (end == path.size()) break;
    begin = end + 1;
  }
  return at;
}

Place References::follow(const Place& place) {
  Place at = place;
  std::set<DocumentNode> seen;
  while (at.is_object() && at["$ref"].is_text()) {
    const std::string reference(at["$ref"].text());
    if (!seen.insert(at.node()).second) {
      findings_.loss(place, fmt::format("the references from `{}` go in a circle", printable(reference)));
      return {};
    }
    auto known = known_.find(reference);
    if (known == known_.end()) {
      Place found;
      if (reference.starts_with('#')) found = target(reference);
      known = known_.emplace(reference, std::move(found)).first;
    }
    if (!known->second) {
      findings_.loss(
          at, reference.starts_with('#')
                  ? fmt::format("`{}` is nowhere in the document", printable(beginning_of(reference, 200)))
                  : fmt::format("`{}` is another document, which is not read",
                                printable(beginning_of(reference, 200))));
      return {};
    }
    at = known->second;
  }
  return at;
}

}  // namespace flow::importer
