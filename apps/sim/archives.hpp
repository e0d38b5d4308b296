// Archives without compression, of what the tenant lets clients download: gzip (RFC 1952) and zip.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flow::sim {

std::string gzip_of(std::string_view content);
// Files by name and content; together below 4 GB.
std::string zip_of(const std::vector<std::pair<std::string, std::string>>& files);

}  // namespace flow::sim
