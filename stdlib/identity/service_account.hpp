// Google's service accounts: the key file of one signs an assertion (RFC 7523, RS256), which the token
// endpoint takes in place of a secret. Pure: no clock, no network.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace flow {

struct AssertionOf {
  std::string_view subject;   // the user of the domain for whom the account acts; empty: for itself
  std::string_view scope;     // separated by blanks
  std::string_view audience;  // the token endpoint
  std::int64_t now_us = 0;
};
// A JWT, good for an hour. `key_file` is the JSON text of the file. Errors quote nothing of it.
Result<std::string> service_account_assertion(std::string_view key_file, const AssertionOf& of);

}  // namespace flow
