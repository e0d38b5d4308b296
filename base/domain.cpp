#include "base/domain.hpp"

#include <algorithm>
#include <iterator>
#include <string>

#include "base/text.hpp"

namespace flow {
namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_label(std::string_view label) {
  constexpr std::size_t kLongest = 63;
  return !label.empty() && label.size() <= kLongest && is_alphanumeric(label.front()) &&
         is_alphanumeric(label.back()) &&
         std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
}

// In the order of the alphabet.
constexpr std::string_view kExtensions[] = {
    "7z",     "asp",   "aspx", "avi",  "bak",  "bat",  "bin",  "bmp",  "cfg",  "class", "cmd", "conf",
    "config", "cpp",   "crx",  "css",  "csv",  "dat",  "db",   "deb",  "dll",  "dmg",   "doc", "docm",
    "docx",   "dylib", "elf",  "eml",  "etl",  "evtx", "exe",  "gif",  "gz",   "hpp",   "hta", "htm",
    "html",   "ico",   "img",  "inf",  "ini",  "iso",  "jar",  "java", "jpeg", "jpg",   "js",  "jse",
    "json",   "jsp",   "lnk",  "log",  "msg",  "msi",  "msix", "ocx",  "pcap", "pdb",   "pdf", "php",
    "png",    "ppt",   "pptx", "ps1",  "psd1", "psm1", "pst",  "rar",  "rpm",  "rtf",   "scr", "sct",
    "sql",    "svg",   "sys",  "tar",  "tgz",  "tmp",  "ttf",  "txt",  "vbe",  "vbs",   "vhd", "vhdx",
    "wav",    "wsf",   "xls",  "xlsm", "xlsx", "xml",  "yaml", "yml"};
static_assert(std::ranges::is_sorted(kExtensions));

}  // namespace

bool is_host_name(std::string_view text) {
  constexpr std::size_t kLongest = 253;
  if (text.size() > kLongest) return false;
  std::size_t labels = 0;
  std::string_view label;
  for (std::size_t begin = 0; begin <= text.size(); ++labels) {
    const std::size_t end = std::min(text.find('.', begin), text.size());
    label = text.substr(begin, end - begin);
    if (!is_label(label)) return false;
    begin = end + 1;
  }
  const bool is_name =
      std::ranges::none_of(label, [](char c) { return c == '_'; }) && label.size() >= 2 &&
      (std::ranges::none_of(label, [](char c) { return c >= '0' && c <= '9'; }) || label.starts_with("xn--"));
  return labels >= 2 && is_name;
}

bool is_file_extension(std::string_view label) {
  return std::ranges::binary_search(kExtensions, std::string_view(lower_ascii(label)));
}

}  // namespace flow
