// Exchanges with a real tenant, kept in a file of JSON lines to be answered from again. A recording holds no
// header of a request, so no token, nothing of a sign-in, and no signature of a link; what the tenant's
// answers say of its devices and people stays in it.
#pragma once

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/server/http_message.hpp"
#include "base/result.hpp"

namespace flow::sim {

// `text` without signatures of links and without the values of members that are secrets, as `client_secret`.
std::string without_secrets(std::string text);
// Whether the path is that of a token endpoint, which is never recorded.
bool is_sign_in(std::string_view target);

class Recorder {
 public:
  // The file must not exist yet.
  static Result<Recorder> create(const std::string& path);
  // Written before it returns. An Error says why it could not be.
  Status add(const HttpQuestion& question, const HttpAnswer& answer, std::int64_t time_us);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
};

// Answers from a recording. A request gets the answer to the same request; when there is none, to the same
// one with other times or ids in its query and body; then to any with its method and path. Several answers to
// one request come in their order, the last one for ever.
class Replay {
 public:
  // The Error names the line.
  static Result<Replay> read(std::string_view lines);
  HttpAnswer answer(const HttpQuestion& question);
  std::size_t exchanges() const { return answers_.size(); }

 private:
  struct Track {
    std::vector<std::size_t> answers;  // indices, in order
    std::size_t next = 0;
  };
  std::vector<HttpAnswer> answers_;
  std::map<std::string, Track> exact_, alike_, by_path_;
};

}  // namespace flow::sim
