// Where the sign-in of a person is kept: a file with one refresh token, which only its owner can read.
#pragma once

#include <string>

#include "base/result.hpp"
#include "stdlib/identity/token_request.hpp"

namespace flow {

// Written beside the file and then moved; the folder must be there.
Status save_login(const std::string& file, const std::string& refresh_token);
// Refuses a file that others can read.
SecretProvider login_from_file(std::string file);

}  // namespace flow
