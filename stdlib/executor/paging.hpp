// Puts the pages of one list together, request by request. A next page is asked for at the origin of the
// first request only, since the credential goes with it.
#pragma once

#include <optional>
#include <string>

#include "base/operation.hpp"
#include "base/result.hpp"
#include "stdlib/http/transport.hpp"

namespace flow {

class Pages {
 public:
  // `list_json` is what a page gave, the JSON text of a list. Gives the URL of the next request; nothing when
  // this was the last page. The error says why the list cannot be had as a whole.
  Result<std::optional<std::string>> add(const std::string& list_json, const HttpResponse& response,
                                         const Paging& paging, const std::string& url);

  // All elements so far, as the JSON text of one list.
  std::string list() const { return "[" + elements_ + "]"; }
  // Whether the last error was about the size of the list, which is the same at another try.
  bool is_too_large() const { return is_too_large_; }

 private:
  std::string elements_;
  std::string first_url_;
  std::uint32_t count_ = 0;  // of pages
  bool is_too_large_ = false;
};

}  // namespace flow
