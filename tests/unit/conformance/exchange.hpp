// A golden exchange: the arguments of one call, what the API answers, and what Flow makes of both. The
// arguments and the answers are written by hand after the reference's samples; the requests and the value are
// what the executor and the machine make of them, refreshed by FLOW_UPDATE=1 and read as code is read.
//
//   operation defender.isolate
//   {"machine":"…"}
//
//   > POST https://api.security.microsoft.com/api/machines/…/isolate
//   > Content-Type: application/json
//   >
//   > {"Comment":"…"}
//
//   < 201
//   < {"id":"…"}
//
//   = {"id":"…"}
//
// An answer may have headers, each a line `< Name: value` behind the status. Of an error the value is `! Kind
// …`. Carriage returns are written `\r`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "stdlib/http/transport.hpp"

namespace flow::test {

struct Exchange {
  std::string operation;
  std::string arguments;
  std::vector<std::string> requests;
  std::vector<HttpResponse> responses;
  std::string value;
};

Exchange read_exchange(const std::filesystem::path& file);
std::string exchange_text(const Exchange& exchange);

// The request as the file shows it.
std::string request_text(const HttpRequest& request);

std::vector<std::filesystem::path> exchange_files();  // sorted

}  // namespace flow::test
